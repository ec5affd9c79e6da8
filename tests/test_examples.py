"""The examples of the docs run."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


EXAMPLES = ROOT / "examples"
RUN = {
    "agent_openapi_mcp",
    "evaluate",
    "gateway_swap",
    "make_and_solve",
    "train_for_api",
    "train_trio",
}


def example(name: str, *words: str) -> list[str]:
    """Run an example, and return the lines that it printed."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_example_says_how_to_run_it_and_is_run_here() -> None:
    programs = {file.stem for file in EXAMPLES.glob("*.py")}
    assert programs == RUN | {"arithmetic_server", "company_tools"}
    for name in RUN:
        words = ast.get_docstring(ast.parse((EXAMPLES / f"{name}.py").read_text())) or ""
        assert f"python examples/{name}.py" in words
        assert f"python examples/{name}.py --model" in words


def test_a_tool_is_made_and_answers() -> None:
    lines = example("make_and_solve")
    assert "lengths v1: 2 labels: 6 of 6 labels met" in lines
    assert "Convert 3 miles to km. -> 4.8 km" in lines
    assert "    code: lengths v1 understood every word and was rebuilt" in lines
    assert "Convert 3 hours to km. -> I cannot convert time to length." in lines
    assert lines[-1] == "1 of 2 requests were answered without the model"


def test_an_application_behind_the_gateway_is_answered_by_a_tool_after_a_while() -> None:
    lines = example("gateway_swap")
    assert lines[0] == "Add 107 and 321. Answer with the sum alone. -> 428 (tier: strong)"
    assert lines[1].endswith("(tier: code)")
    assert lines[-1].endswith("code: 1")


def test_an_agent_calls_a_function_a_service_and_an_mcp_server() -> None:
    assert example("agent_openapi_mcp") == [
        'founded({"company":"Norda"}) = 1987',
        'staff({"company":"Norda"}) = {"people":120}',
        'multiply({"a":39,"b":120}) = 4680',
        "Norda is 39 years old, 120 people work there, and the product is 4680.",
    ]


def test_players_are_measured_resumed_and_compared() -> None:
    lines = example("evaluate", "-n", "12")
    assert lines[0].startswith("12 rows were resumed from")
    assert any("reference (first) against gives_up_early (second)" in line for line in lines)
    assert any("passed" in line and "100.0" in line for line in lines)


@pytest.mark.slow
def test_a_tiny_trio_is_trained() -> None:
    pytest.importorskip("trl")
    lines = example("train_trio", "--epochs", "1")
    assert [line.partition(":")[0] for line in lines[1:5]] == [
        "backbone",
        "planner",
        "caller",
        "summarizer",
    ]


def test_the_readme_names_the_two_commands_and_real_files() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme and "make test" in readme
    for name in (
        "docs/getting-started.md",
        "docs/tools-and-verification.md",
        "docs/sandbox.md",
        "docs/numbers.md",
        "docs/agent.md",
        "docs/evaluation.md",
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


def test_a_trio_is_trained_for_a_document_and_serves_only_if_it_is_better() -> None:
    lines = example("train_for_api")
    assert "24 runs to learn, 20 held out, of 3 tools" in lines
    assert any(line.startswith("exact calls, trained minus base: ") for line in lines)
    assert lines[-1].startswith("version 1: ")
    assert lines[-1].endswith((": not better", ": serving"))
