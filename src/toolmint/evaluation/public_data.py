"""Public benchmark data: where each file is, at which commit, with which SHA-256; and the fetching of it.

Nothing of it is part of the package. Addresses name a commit, so a file cannot change under them; a digest
that is not known yet is None, and such a file is kept only where the user accepts its digest.
"""

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from toolmint.core.errors import InputError, ToolmintError

GITHUB = "https://raw.githubusercontent.com"
_SECONDS = 60.0


class DataFile(NamedTuple):
    """One file.

    Attributes:
        source: path below the address of raw files: ``owner/repository/commit/path``.
        target: path below the data folder.
        sha256: hex digest of its bytes; None: not known.
    """

    source: str
    target: str
    sha256: str | None = None


class DataSet(NamedTuple):
    """The files of one benchmark, and the licence that their authors state."""

    about: str
    licence: str
    files: tuple[DataFile, ...]


_BBH = "suzgunmirac/BIG-Bench-Hard/9ee07bd481feebf959a6b59d61ea57bdcf30964d/bbh"
_BBH_TASKS = (
    "boolean_expressions",
    "causal_judgement",
    "date_understanding",
    "disambiguation_qa",
    "dyck_languages",
    "formal_fallacies",
    "geometric_shapes",
    "hyperbaton",
    "logical_deduction_five_objects",
    "logical_deduction_seven_objects",
    "logical_deduction_three_objects",
    "movie_recommendation",
    "multistep_arithmetic_two",
    "navigate",
    "object_counting",
    "penguins_in_a_table",
    "reasoning_about_colored_objects",
    "ruin_names",
    "salient_translation_error_detection",
    "snarks",
    "sports_understanding",
    "temporal_sequences",
    "tracking_shuffled_objects_five_objects",
    "tracking_shuffled_objects_seven_objects",
    "tracking_shuffled_objects_three_objects",
    "web_of_lies",
    "word_sorting",
)

_BFCL = (
    "ShishirPatil/gorilla/7858cec922d5e7d8d82c9d4e03befe4d6d04eece/"
    "berkeley-function-call-leaderboard/bfcl_eval/data"
)

DATA_SETS: Mapping[str, DataSet] = {
    "bigbench": DataSet(
        "BIG-Bench Hard (Suzgun et al., 2022): 27 tasks",
        "MIT",
        tuple(DataFile(f"{_BBH}/{task}.json", f"bbh/{task}.json") for task in _BBH_TASKS),
    ),
    "banking77": DataSet(
        "BANKING77 (Casanueva et al., 2020): the 10,003 questions of its training part",
        "CC-BY-4.0",
        (
            DataFile(
                "PolyAI-LDN/task-specific-datasets/dfe22170dcf22ab022af2e2696cebc612fccb03d/"
                "banking_data/train.csv",
                "streams/banking77_train.csv",
            ),
        ),
    ),
    "bfcl": DataSet(
        "Berkeley Function-Calling Leaderboard v4 (Patil et al., 2025): simple and multiple",
        "Apache-2.0",
        tuple(
            DataFile(f"{_BFCL}/{folder}BFCL_v4_{name}.json", f"bfcl/{folder}BFCL_v4_{name}.json")
            for name in ("simple_python", "multiple")
            for folder in ("", "possible_answer/")
        ),
    ),
    "gsm8k": DataSet(
        "GSM8K (Cobbe et al., 2021): 1,319 test problems",
        "MIT",
        (
            DataFile(
                "openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c/"
                "grade_school_math/data/test.jsonl",
                "gsm8k/test.jsonl",
                "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
            ),
        ),
    ),
    "toolalpaca": DataSet(
        "ToolAlpaca (Tang et al., 2023): 10 simulated APIs, 100 instructions",
        "Apache-2.0",
        (
            DataFile(
                "tangqiaoyu/ToolAlpaca/ab41a7d3401870a2e71a77d5a08a6a6e7787e9f8/"
                "data/eval_simulated.json",
                "toolalpaca/eval_simulated.json",
                "17085ffefae0a0e15c1d2d564263063932d692011edf27ce8ae3d3803432ba08",
            ),
        ),
    ),
    "toolbench": DataSet(
        "alpha-UMi's static ToolBench test (Shen et al., 2024): 400 trajectories",
        "none stated in the repository; its models are Apache-2.0",
        (
            DataFile(
                "X-PLUG/Multi-LLM-Agent/97eb8fda6ead10310f973de1789cfbb9232d8b71/"
                "GLPFT/dataset/toolbench/test/out_of_domain.json",
                "toolbench/out_of_domain.json",
            ),
        ),
    ),
}
"""What ``toolmint eval fetch`` knows, by the name of the benchmark."""


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def _download(address: str) -> bytes:
    if not address.startswith(("https://", "http://")):
        raise InputError(f"{address!r} is no web address", code="fetch")
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as reply:  # noqa: S310 - checked above
            return reply.read()
    except urllib.error.HTTPError as fault:
        fault.close()  # it holds the connection for as long as somebody holds the error
        raise


def fetch(
    data: DataSet,
    folder: Path,
    *,
    mirror: str = GITHUB,
    accept_digest: bool = False,
    notify: Callable[[str], None],
) -> list[Path]:
    """Get the files of a data set into a folder; return the files that were written.

    A file that is there already is kept where its digest is right, or not known. All bytes are checked
    before the first file is written.

    Args:
        data: what to get.
        folder: the data folder.
        mirror: the address before ``owner/repository/commit/path``.
        accept_digest: keep also files whose digest is not known.
        notify: called with a line for each file.

    Raises:
        InputError: a digest is wrong, or is not known and not accepted; nothing is written then.
        ToolmintError: the files cannot be reached; the folder to fill and its files are named.
    """
    wanted = [one for one in data.files if not _is_kept(one, folder, notify)]
    found: dict[DataFile, bytes] = {}
    for one in wanted:
        try:
            found[one] = _download(f"{mirror.rstrip('/')}/{one.source}")
        except OSError as fault:
            names = ", ".join(file.target for file in wanted)
            raise ToolmintError(
                f"{mirror} cannot be reached ({fault}); fill {str(folder)!r} by hand with: {names}",
                code="fetch-offline",
            ) from fault
    unknown = [one for one in wanted if _is_unknown(one, found[one], notify)]
    if unknown and not accept_digest:
        raise InputError(
            f"the digests of {len(unknown)} files are not known to this version; compare the ones above "
            "with a source that you trust, then add --accept-digest",
            code="fetch-digest-unknown",
        )
    return [_write(folder / one.target, content, notify) for one, content in found.items()]


def _is_kept(one: DataFile, folder: Path, notify: Callable[[str], None]) -> bool:
    path = folder / one.target
    if not path.exists():
        return False
    digest = sha256_of(path.read_bytes())
    if one.sha256 not in {None, digest}:
        raise InputError(
            f"{str(path)!r} has SHA-256 {digest}, expected {one.sha256}; remove it to get it again",
            code="fetch-digest",
        )
    notify(f"{path}: there already, SHA-256 {digest}")
    return True


def _is_unknown(one: DataFile, content: bytes, notify: Callable[[str], None]) -> bool:
    digest = sha256_of(content)
    if one.sha256 is None:
        notify(f"{one.target}: SHA-256 {digest} (not known, {len(content)} bytes)")
        return True
    if one.sha256 != digest:
        raise InputError(
            f"{one.source} has SHA-256 {digest}, expected {one.sha256}; nothing was written",
            code="fetch-digest",
        )
    return False


def _write(path: Path, content: bytes, notify: Callable[[str], None]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)  # whole or not at all: a file that was cut would be taken for kept
    notify(f"{path}: {len(content)} bytes, SHA-256 {sha256_of(content)}")
    return path
