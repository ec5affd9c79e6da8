"""The examples of the docs run."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_python_example_makes_a_tool_and_answers() -> None:
    program = ROOT / "examples" / "python_api.py"
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1] == "lengths v1: 6 of 6 labels met"
    assert lines[-2].startswith("4.8 km (compiled: lengths v1 understood every word")
    assert lines[-1].startswith("I cannot convert time to length. (strong:")


def test_the_readme_names_the_two_commands_and_real_files() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme and "make test" in readme
    for name in (
        "docs/using.md",
        "docs/proof.md",
        "docs/sandbox.md",
        "docs/numbers.md",
        "docs/agent.md",
        "docs/toolworld.md",
        "LICENSE",
    ):
        assert name in readme and (ROOT / name).is_file()


def test_the_junction_of_agent_and_maker_runs_as_the_docs_say() -> None:
    program = ROOT / "benchmarks" / "junction.py"
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "before: gave_up" in done.stdout
    assert "after: answered: Norda was founded in MCMLXXXVII" in done.stdout
