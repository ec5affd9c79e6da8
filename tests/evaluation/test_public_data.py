"""Fetching public data: only bytes with the pinned digest are kept, over a loopback server."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from toolmint.core.errors import InputError, ToolmintError
from toolmint.evaluation.public_data import DATA_SETS, DataFile, DataSet, fetch, sha256_of

TOOLMINT = Path(sys.executable).with_name("toolmint")
GOOD = b'{"question": "1 + 1?", "answer": "#### 2"}\n'


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        del format, args


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """A loopback server of the folder ``mirror``."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def nowhere() -> str:
    """A loopback address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def data_set(*digests: str | None) -> DataSet:
    files = (DataFile(f"a/b/{n}.jsonl", f"x/{n}.jsonl", one) for n, one in enumerate(digests))
    return DataSet("a set", "MIT", tuple(files))


def put(tmp_path: Path, source: str, content: bytes = GOOD) -> None:
    path = tmp_path / "mirror" / source
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_file_with_the_pinned_digest_is_kept_and_not_fetched_twice(
    tmp_path: Path, mirror: str, nowhere: str
) -> None:
    put(tmp_path, "a/b/0.jsonl")
    one, said = data_set(sha256_of(GOOD)), list[str]()
    assert fetch(one, tmp_path, mirror=mirror, notify=said.append) == [tmp_path / "x/0.jsonl"]
    assert (tmp_path / "x/0.jsonl").read_bytes() == GOOD
    assert fetch(one, tmp_path, mirror=nowhere, notify=said.append) == []
    assert "there already" in said[-1]
    assert list((tmp_path / "x").iterdir()) == [tmp_path / "x/0.jsonl"]


def test_nothing_is_written_where_one_digest_is_wrong(tmp_path: Path, mirror: str) -> None:
    put(tmp_path, "a/b/0.jsonl")
    put(tmp_path, "a/b/1.jsonl", b"changed")
    with pytest.raises(InputError, match="nothing was written") as refused:
        fetch(data_set(sha256_of(GOOD), "0" * 64), tmp_path, mirror=mirror, notify=print)
    assert refused.value.code == "fetch-digest"
    assert not (tmp_path / "x").exists()


def test_a_digest_that_is_not_known_is_shown_and_must_be_accepted(
    tmp_path: Path, mirror: str
) -> None:
    put(tmp_path, "a/b/0.jsonl")
    said: list[str] = []
    with pytest.raises(InputError, match="--accept-digest"):
        fetch(data_set(None), tmp_path, mirror=mirror, notify=said.append)
    assert sha256_of(GOOD) in said[0]
    assert not (tmp_path / "x").exists()
    fetch(data_set(None), tmp_path, mirror=mirror, accept_digest=True, notify=said.append)
    assert (tmp_path / "x/0.jsonl").read_bytes() == GOOD


def test_a_file_on_disk_that_was_changed_is_named(tmp_path: Path, mirror: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/0.jsonl").write_bytes(b"mine")
    with pytest.raises(InputError, match="remove it to get it again"):
        fetch(data_set(sha256_of(GOOD)), tmp_path, mirror=mirror, notify=print)
    assert (tmp_path / "x/0.jsonl").read_bytes() == b"mine"


@pytest.mark.parametrize("there", [True, False], ids=["no such file", "no server"])
def test_without_the_files_the_folder_to_fill_is_named(
    tmp_path: Path, mirror: str, nowhere: str, there: bool
) -> None:
    where = mirror if there else nowhere
    with pytest.raises(ToolmintError, match=re.escape(str(tmp_path))) as refused:
        fetch(data_set("0" * 64, None), tmp_path, mirror=where, notify=print)
    assert refused.value.code == "fetch-offline"
    assert str(refused.value).endswith("by hand with: x/0.jsonl, x/1.jsonl")


def test_only_web_addresses_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no web address"):
        fetch(data_set(None), tmp_path, mirror="file:///etc", notify=print)


def test_every_pin_names_a_commit_and_a_place_of_its_own() -> None:
    files = [file for one in DATA_SETS.values() for file in one.files]
    assert len({file.target for file in files}) == len(files)
    for file in files:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+/[0-9a-f]{40}/[\w./-]+", file.source)
        assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)


def test_the_pinned_digest_of_toolalpaca_is_that_of_the_file_in_use(data: Path) -> None:
    (file,) = DATA_SETS["toolalpaca"].files
    assert sha256_of((data / file.target).read_bytes()) == file.sha256


@pytest.fixture
def eval_fetch(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    def call(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [TOOLMINT, "eval", "fetch", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", **variables},
        )

    return call


def test_the_command_lists_fetches_and_says_what_is_missing(
    tmp_path: Path,
    mirror: str,
    nowhere: str,
    eval_fetch: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    assert "gsm8k" in eval_fetch().stdout
    assert "error [data-missing]: name a folder" in eval_fetch("gsm8k").stderr
    assert "known are bigbench" in eval_fetch("glue", "--to", "d").stderr
    away = eval_fetch("gsm8k", "--to", "d", "--mirror", nowhere)
    assert away.stderr.startswith("error [fetch-offline]") and away.returncode == 1
    assert "fill 'd' by hand with: gsm8k/test.jsonl" in away.stderr
    put(tmp_path, DATA_SETS["toolbench"].files[0].source, b"[]")
    done = eval_fetch("toolbench", "--accept-digest", "--mirror", mirror, TOOLMINT_DATA="d")
    assert "TOOLMINT_DATA=d" in done.stdout, done.stderr
    assert (tmp_path / "d/toolbench/out_of_domain.json").read_bytes() == b"[]"
