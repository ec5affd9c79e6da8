"""The engine ray comes to what the local one comes to, on a cluster of real processes on this machine."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.maker.tools import RIGHT, demos, fenced

from toolmint.assembly.cluster import joined
from toolmint.assembly.session import Models, Session, make_request_of
from toolmint.assembly.settings import Settings
from toolmint.core.errors import ConfigError, ContextOverflow
from toolmint.core.messages import UserMessage
from toolmint.core.model import ModelRequest
from toolmint.core.sandbox import FunctionCall, SandboxRun
from toolmint.models.scripted import ScriptedModel

TOOLMINT = Path(sys.executable).with_name("toolmint")
ray: Any = pytest.importorskip("ray")
SPIN = "import time\n\ndef work(n):\n    return n * n\n"


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Generator[None]:
    yield
    ray.shutdown()
    joined.cache_clear()


def run(*words: str) -> None:
    done = subprocess.run([TOOLMINT, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


async def kept_tool(store: Path) -> None:
    settings = Settings(store=store, second="never")
    async with Session.open(settings, models=Models(ScriptedModel([fenced(RIGHT)]))) as shop:
        await shop.make(make_request_of("sorting", demos(), shop.settings))


def test_apply_writes_the_same_file_by_both_engines(tmp_path: Path) -> None:
    asyncio.run(kept_tool(tmp_path / "tools.db"))
    parsed = [*(one.input for one in demos(40, seed=9)), "What is love?"]
    requests = tmp_path / "requests.jsonl"
    requests.write_text("".join(json.dumps({"input": text}) + "\n" for text in parsed))
    outs: dict[str, str] = {}
    for engine in ("local", "ray"):
        out = tmp_path / f"{engine}.jsonl"
        run(
            "apply",
            str(requests),
            "-o",
            str(out),
            "--store",
            str(tmp_path / "tools.db"),
            "--engine",
            engine,
            "--workers",
            "2",
        )
        outs[engine] = out.read_text()
    assert outs["local"] == outs["ray"]
    tiers = [json.loads(line).get("tier") for line in outs["ray"].splitlines()]
    assert tiers == ["code"] * 40 + [None]


def test_a_model_of_a_folder_plays_the_same_by_both_engines(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for engine in ("local", "ray"):
        out = tmp_path / f"{engine}.jsonl"
        run(
            "eval",
            "toolworld",
            "--model",
            "embedded:trio",
            "-n",
            "3",
            "--search",
            "react",
            "-o",
            str(out),
            "--concurrency",
            "3",
            "--max-steps",
            "3",
            "--engine",
            engine,
            "--workers",
            "2",
        )
        rows = [json.loads(line) for line in out.read_text().splitlines()[1:]]
        for row in rows:
            row["seconds"] = row["usage"]["cached_tokens"] = 0
        found[engine] = sorted(rows, key=lambda row: row["id"])
    assert found["local"] == found["ray"]


@pytest.mark.anyio
async def test_errors_keep_their_kind_and_a_worker_that_is_killed_is_started_anew() -> None:
    here = joined(None, 2)
    model = here.model("embedded:trio")
    long = ModelRequest(messages=(UserMessage(content="a b " * 4000),), max_tokens=5)
    with pytest.raises(ContextOverflow, match="tokens"):
        await model.complete(long)
    await model.close()
    box = here.sandbox()
    programs = [
        SandboxRun(source=SPIN, calls=(FunctionCall(function="work", arguments=(n,)),))
        for n in range(6)
    ]
    first = await box.run(programs[3])
    assert first.value == (9,)
    for actor in box._pool._actors:
        ray.kill(actor, no_restart=False)
    again = await asyncio.gather(*(box.run(one) for one in programs))
    assert [one.value for one in again] == [(n * n,) for n in range(6)]
    box.close()


async def opened_unsafe() -> None:
    async with Session.open(Settings(engine="ray", sandbox="unsafe"), models=Models(None)):
        raise AssertionError("it opened")


def test_an_unsafe_sandbox_is_refused_on_a_cluster() -> None:
    with pytest.raises(ConfigError, match="'forkserver' alone"):
        asyncio.run(opened_unsafe())
