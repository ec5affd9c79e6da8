"""The agent's commands as a person uses them, and one clear line for every fault."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import junction

from toolmint.cli.trace_html import html_of
from toolmint.core.task import Step, Task, Trajectory

TOOLMINT = Path(sys.executable).with_name("toolmint")
Run = Callable[..., "subprocess.CompletedProcess[str]"]
RECORDED = (
    "--model",
    f"cassette:{junction.CASSETTE}",
    "--tools",
    junction.TOOLS,
    "--tools",
    "made",
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [TOOLMINT, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            check=False,
            timeout=900,
        )

    return call


def test_giving_up_making_the_missing_tool_and_success_on_the_command_line(
    run: Run, tmp_path: Path
) -> None:
    first = run("agent", junction.TASK, *RECORDED, "--explain")
    assert first.returncode == 3
    assert "call founded" in first.stdout
    assert "missing tool converts a whole number" in first.stdout
    assert "1      │ converts a whole number" in run("missing-tools", "list").stdout
    granted = run("missing-tools", "make", "1", "--model", f"cassette:{junction.CASSETTE}")
    assert "made Write a number in Roman numerals v1" in granted.stdout, granted.stderr
    assert not re.search(r"-[0-9a-f]{6}\b", granted.stdout), "the name inside is not shown"
    assert "│ Write a number in Roman numerals" in run("missing-tools", "list").stdout
    second = run("agent", junction.TASK, *RECORDED, "--html", "run.html")
    assert second.stdout == "Norda was founded in MCMLXXXVII (1987).\n"
    assert "toolmint traces show 2" in second.stderr
    page = (tmp_path / "run.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "MCMLXXXVII" in page
    assert "http" not in page.replace("https://", "").replace("http-", "")
    assert "gave_up" in run("traces", "list").stdout
    assert "got  MCMLXXXVII" in run("traces", "show", "2").stdout
    again = run("agent", "--resume", "2", *RECORDED)
    assert "MCMLXXXVII" in again.stdout
    assert run("agent", junction.TASK, *RECORDED, "--json").stdout.startswith("{")


def test_traces_are_exported_in_three_formats_and_read_back(run: Run, tmp_path: Path) -> None:
    run("agent", junction.TASK, *RECORDED)
    for form in ("trajectory", "openai", "toolbench"):
        assert run("traces", "export", "--format", form, "-o", f"{form}.out").returncode == 0
    lines = (tmp_path / "trajectory.out").read_text().splitlines()
    assert json.loads(lines[0])["outcome"] == "gave_up"
    assert json.loads((tmp_path / "openai.out").read_text())["messages"][0]["role"] == "user"
    assert (
        json.loads((tmp_path / "toolbench.out").read_text())[0]["conversations"][0]["from"]
        == "user"
    )
    assert "founded" in run("traces", "show", "trajectory.out:1").stdout
    (tmp_path / "newer.jsonl").write_text('{"schema_version": 9}\n')
    newer = run("traces", "show", "newer.jsonl")
    assert newer.stderr.startswith("error [trajectory-newer]: newer.jsonl:1 has schema 9")


def test_worlds_are_made_solved_and_played(run: Run, tmp_path: Path) -> None:
    made = run("world", "generate", "-n", "40", "--split", "unseen", "-o", "tasks.jsonl")
    assert "40 tasks in tasks.jsonl" in made.stdout
    solved = run("world", "solve", "tasks.jsonl", "-o", "runs.jsonl", "--format", "openai")
    assert "the reference failed 0" in solved.stdout
    assert len((tmp_path / "runs.jsonl").read_text().splitlines()) == 40
    assert "599 tools" in run("world", "tools", "--split", "unseen").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("agent",), "error [config]: give an instruction"),
        (
            ("agent", "x", *RECORDED[:2], "--tools", "nowhere.json"),
            "error [input]: 'nowhere.json' cannot be read",
        ),
        (
            ("agent", "x", *RECORDED[:2], "--tools", "mcp:/no/such/server"),
            "error [tool-unreachable]:",
        ),
        (
            ("agent", "--resume", "7", *RECORDED),
            "error [store-trace]: the store has no trajectory 7",
        ),
        (
            ("missing-tools", "make", "3", *RECORDED[:2]),
            "error [input]: there is no missing tool 3",
        ),
        (
            ("world", "generate", "--longest", "9", "-o", "x"),
            "error [input]: no world has longest=9",
        ),
        (("world", "solve", "none.jsonl"), "error [file]: 'none.jsonl' cannot be read"),
        (
            ("traces", "show", "none.jsonl"),
            "error [input]: 'none.jsonl' is neither the number of a trajectory",
        ),
    ],
)
def test_every_fault_is_one_clear_line(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_html_escapes_what_the_world_says() -> None:
    evil = "<script>alert(1)</script>"
    step = Step(id=0, thought=evil, decision="answer", answer=evil)
    page = html_of(Trajectory(task=Task(input=evil), steps=(step,), leaf=0, answer=evil))
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") >= 4


def test_html_of_a_deep_tree_is_made_without_recursion() -> None:
    steps = [
        Step(id=n, parent=n - 1 if n else None, thought=f"t{n}", decision="call")
        for n in range(3000)
    ]
    page = html_of(Trajectory(task=Task(input="q"), steps=tuple(steps), leaf=2999, outcome="limit"))
    assert "t2999" in page


def test_samples_are_made_of_files(run: Run, tmp_path: Path, data: Path) -> None:
    gold = str(data / "toolbench/static_out_of_domain_first120.json")
    assert (
        "1500 tokens in t.json"
        in run("train", "tokenizer", gold, "--size", "1500", "-o", "t.json").stdout
    )
    made = run(
        "train", "samples", gold, "--tokenizer", "t.json", "--context", "2048", "-o", "s.jsonl"
    )
    assert "120 trajectories" in made.stdout, made.stderr
    line = json.loads((tmp_path / "s.jsonl").read_text().splitlines()[0])
    assert len(line["input_ids"]) == len(line["role_mask"]) <= 2048
    assert (
        "unknown columns"
        in run("train", "tokenizer", str(data / "gsm8k/test_first200.jsonl"), "-o", "x").stderr
    )


def test_search_trees_are_imported_and_shown(run: Run, data: Path) -> None:
    files = [str(path) for path in sorted((data / "toolbench/dfs_trees").glob("G3_answer/*.json"))]
    kept = run("traces", "import", *files)
    assert f"{len(files)} trajectories stored, as 1 to {len(files)}" in kept.stdout, kept.stderr
    assert "dfsdt by ToolBench" in run("traces", "show", "1").stdout


def test_without_a_model_one_line_says_what_to_set(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(TOOLS)
    done = run("agent", "Find the city Norda.", "--tools", "python:tools.py")
    assert done.returncode == 1
    assert done.stderr.startswith("error [no-model]: an agent needs a model; set one with --model")
    assert done.stderr.count("\n") == 1 and done.stdout == ""
    assert not (tmp_path / ".toolmint").exists()


TOOLS = '''
import asyncio
import time
from toolmint import tool

@tool
def founded(company: str) -> int:
    """Return the year in which a company was founded."""
    return {"Norda": 1987}[company]

@tool
def hang() -> int:
    """Never return."""
    time.sleep(600)
    return 1

@tool
async def block() -> int:
    """Block the event loop."""
    time.sleep(600)
    return 1

@tool
async def refuse_to_end() -> int:
    """Swallow every cancellation."""
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            pass

@tool
def leave() -> int:
    """End the program."""
    raise SystemExit(7)
'''


def plays(path: Path, *replies: str) -> tuple[str, str]:
    """Write a transcript whose replies a model plays, and return the options that name it."""
    path.write_text(json.dumps([{"role": "assistant", "content": one} for one in replies]))
    return "--model", f"transcript:{path}"


def calls(name: str, arguments: str = "{}") -> tuple[str, str]:
    return "I look.\nNext: caller", f'{{"name": "{name}", "arguments": {arguments}}}'


@pytest.mark.parametrize("name", ["hang", "block", "refuse_to_end"])
def test_a_tool_that_hangs_is_left_behind_and_the_run_is_kept(
    run: Run, tmp_path: Path, name: str
) -> None:
    (tmp_path / "tools.py").write_text(TOOLS)
    model = plays(tmp_path / "chat.json", *calls(name))
    done = run("agent", "Hang.", *model, "--tools", "python:tools.py", "--max-seconds", "1")
    assert (done.returncode, done.stdout) == (3, "limit: seconds: 1.0 spent, 1 are allowed\n")
    kept = json.loads(run("traces", "show", "1", "--json").stdout)
    assert kept["steps"][0]["results"][0]["failure"] == "tool-timeout"
    assert kept["run"]["seconds"] < 30


def test_an_answer_that_no_result_holds_is_marked_everywhere(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(TOOLS)
    task = "When was Norda founded? [/b] [red]\u2028"
    model = plays(
        tmp_path / "chat.json",
        *calls("founded", '{"company": "Norda"}'),
        "I know it.\nNext: summarizer",
        "Norda was founded in 1988.",
    )
    done = run("agent", task, *model, "--tools", "python:tools.py", "--html", "run.html")
    assert (done.returncode, done.stdout) == (4, "Norda was founded in 1988.\n")
    assert "marked [ungrounded]: '1988' stands in no observation and not in the task" in done.stderr
    assert "marked ungrounded" in (tmp_path / "run.html").read_text()
    listed = run("traces", "list")
    assert listed.returncode == 0
    assert "answered, ungrounded" in listed.stdout and "[/b] [red]" in listed.stdout
    assert "marked ungrounded" in run("traces", "show", "1").stdout
    for form in ("trajectory", "openai", "toolbench"):
        assert run("traces", "export", "--format", form, "-o", f"{form}.out").returncode == 0
        text = (tmp_path / f"{form}.out").read_text()
        assert "\u2028" not in text and "\\u2028" in text
        assert run("traces", "import", f"{form}.out").returncode == 0
    assert json.loads(run("traces", "show", "2", "--json").stdout)["task"]["input"] == task


def test_a_tool_that_ends_the_program_is_an_observation(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(TOOLS)
    model = plays(tmp_path / "chat.json", *calls("leave"), "It left.\nNext: give up")
    done = run("agent", "Leave.", *model, "--tools", "python:tools.py", "--explain")
    assert done.returncode == 3
    assert "SystemExit: 7" in done.stdout
