"""A base installation has what no extra adds, and names the extra that is missing in one line."""

import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BLOCK = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""
RUN = "from toolmint.cli.main import main; sys.argv[0] = 'toolmint'; main()"


def distributions(wanted: Iterable[str]) -> set[str]:
    """Return the names of the distributions that requirements bring, with what those need."""
    found: set[str] = set()
    todo = [Requirement(one) for one in wanted]
    while todo:
        one = todo.pop()
        name = canonicalize_name(one.name)
        extras = ["", *one.extras]
        if name in found or not (
            one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras)
        ):
            continue
        found.add(name)
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:  # of another platform
            continue
        todo += [Requirement(need) for need in needs]
    return found


@pytest.fixture(scope="module")
def absent() -> set[str]:
    """Return the importable names that are there for extras and development alone."""
    base = distributions(PROJECT["dependencies"]) | {"toolmint"}
    return {
        module
        for module, owners in packages_distributions().items()
        if module != "toolmint" and not {canonicalize_name(owner) for owner in owners} & base
    }


def run(absent: set[str], code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python without the modules that a base installation lacks."""
    program = f"ABSENT = {sorted(absent)!r}\n{BLOCK}\n{code}"
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )


def test_the_base_brings_nothing_that_an_extra_alone_uses(absent: set[str]) -> None:
    assert {"numpy", "snowballstemmer", "starlette", "orjson", "onnxruntime"} <= absent
    assert not {"aiohttp", "sqlalchemy", "click", "pydantic", "toolmint"} & absent


def test_every_public_name_and_every_command_loads_in_a_base_install(absent: set[str]) -> None:
    done = run(
        absent,
        """
import toolmint
from toolmint.cli.eval_command import eval_command
from toolmint.cli.main import toolmint as commands
import click

for name in toolmint.__all__:
    getattr(toolmint, name)
for group in (commands, eval_command):
    for name in group.list_commands(click.Context(group)):
        assert group.get_command(click.Context(group), name) is not None
import toolmint.assembly.agents, toolmint.assembly.session, toolmint.evaluation.rows
""",
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_agent_with_few_tools_needs_no_extra_and_with_many_names_it(
    absent: set[str],
) -> None:
    code = """
from toolmint import ConfigError, ToolSpec
from toolmint.assembly.shown_tools import ShownTools
from toolmint.core.sync import run_sync

specs = [ToolSpec(name=f"tool_{n}", description="", parameters={}) for n in range(3)]
assert len(run_sync(ShownTools(specs, 3).of("rain?"))) == 3
try:
    run_sync(ShownTools(specs, 2).of("rain?"))
except ConfigError as fault:
    print(fault.code, fault)
"""
    done = run(absent, code)
    assert done.stdout == (
        "extra choosing 2 of 3 tools needs the extra: pip install 'toolmint[retrieval]'\n"
    )


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["eval", "compare", "one.jsonl", "two.jsonl"], "eval"),
        (["serve", "--model", "openai:m"], "gateway"),
        (["solve", "hello", "--model", "embedded:trio"], "trio"),
        (["solve", "hello", "--model", "local:folder"], "local"),
        (["train", "tokenizer", "one.jsonl", "-o", "two.json"], "train"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_needs_an_extra_says_which_in_one_line(
    absent: set[str], words: list[str], extra: str
) -> None:
    done = run(absent, RUN, *words)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error [extra]: ") and f"pip install 'toolmint[{extra}]'" in line
