"""The agent's commands as a person uses them, and one clear line for every fault."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import junction

from toolwright.cli.trace_html import html_of
from toolwright.core.task import Step, Task, Trajectory

TOOLWRIGHT = Path(sys.executable).with_name("toolwright")
Run = Callable[..., "subprocess.CompletedProcess[str]"]
TAPED = ("--model", f"replay:{junction.TAPE}", "--tools", junction.TOOLS, "--tools", "made")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [TOOLWRIGHT, *words], cwd=tmp_path, capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, check=False, timeout=900,
        )  # fmt: skip

    return call


def test_give_up_wish_making_and_success_on_the_command_line(run: Run, tmp_path: Path) -> None:
    first = run("agent", junction.TASK, *TAPED, "--explain")
    assert first.returncode == 3
    assert "call founded" in first.stdout
    assert "missing tool converts a whole number" in first.stdout
    assert "1      │ converts a whole number" in run("wishes", "list").stdout
    granted = run("wishes", "grant", "1", "--model", f"replay:{junction.TAPE}")
    assert "made converts-a-whole-number" in granted.stdout, granted.stderr
    second = run("agent", junction.TASK, *TAPED, "--html", "run.html")
    assert second.stdout == "Norda was founded in MCMLXXXVII (1987).\n"
    assert "toolwright traces show 2" in second.stderr
    page = (tmp_path / "run.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "MCMLXXXVII" in page
    assert "http" not in page.replace("https://", "").replace("http-", "")
    assert "gave_up" in run("traces", "list").stdout
    assert "got  MCMLXXXVII" in run("traces", "show", "2").stdout
    again = run("agent", "--resume", "2", *TAPED)
    assert "MCMLXXXVII" in again.stdout
    assert run("agent", junction.TASK, *TAPED, "--json").stdout.startswith("{")


def test_traces_are_exported_in_three_formats_and_read_back(run: Run, tmp_path: Path) -> None:
    run("agent", junction.TASK, *TAPED)
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
    played = run(
        "eval",
        "toolworld",
        "tasks.jsonl",
        "--faults",
        "0.1",
        "-o",
        "figures.json",
        "--traces",
        "t.jsonl",
    )
    assert "hasty, dfsdt" in played.stdout, played.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert len(figures["runs"]["aimless, react"]) == 40
    assert len((tmp_path / "t.jsonl").read_text().splitlines()) == 240


def test_static_metrics_score_a_prediction_file(run: Run, tmp_path: Path, data: Path) -> None:
    gold = data / "toolbench/static_out_of_domain_first120.json"
    line = {
        "tools": [{"Name": "a"}],
        "reference": "x Next: caller.</s>caller: Action: a\nAction Input: {}</s>",
    }
    (tmp_path / "p.jsonl").write_text(json.dumps(line | {"predictions": line["reference"]}) + "\n")
    done = run("eval", "toolbench", str(gold), "--predictions", "p.jsonl", "-o", "f.json")
    assert "most shared words" in done.stdout
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["p.jsonl"][0]["plan_acc"] == 1
    assert figures["always call, first tool, {}"][1]["plan_acc"]["low"] > 0.6


def test_other_measures_run_without_a_model(run: Run, data: Path) -> None:
    maths = run(
        "eval", "gsm8k", str(data / "gsm8k/test_first200.jsonl"), "--written", "--most", "20"
    )
    assert "of 20 right" in maths.stdout, maths.stderr
    alpaca = run(
        "eval",
        "toolalpaca",
        str(data / "toolalpaca/eval_simulated.json"),
        "--golden",
        "--most",
        "2",
    )
    assert "% of 20" in alpaca.stdout, alpaca.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("agent",), "error [config]: give an instruction"),
        (
            ("agent", "x", *TAPED[:2], "--tools", "nowhere.json"),
            "error [input]: 'nowhere.json' cannot be read",
        ),
        (("agent", "x", *TAPED[:2], "--tools", "mcp:/no/such/server"), "error [tool-unreachable]:"),
        (("agent", "--resume", "7", *TAPED), "error [store-trace]: the store has no trajectory 7"),
        (("wishes", "grant", "3", *TAPED[:2]), "error [input]: there is no wish 3"),
        (
            ("world", "generate", "--longest", "9", "-o", "x"),
            "error [input]: no world has longest=9",
        ),
        (
            ("eval", "judge", "none.jsonl", "--judge", TAPED[1]),
            "error [input]: 'none.jsonl' is no number",
        ),
        (("world", "solve", "none.jsonl"), "error [input]: 'none.jsonl' cannot be read"),
        (
            ("traces", "show", "none.jsonl"),
            "error [input]: 'none.jsonl' is no number of a trajectory",
        ),
        (("eval", "toolbench"), "error [input]: name a file of gold"),
        (("eval", "toolbench", "none.json"), "error [input]: 'none.json' cannot be read"),
        (("eval", "toolworld", "--player", "model"), "error [no-model]:"),
        (("eval", "gsm8k", "none.jsonl"), "error [input]: 'none.jsonl' cannot be read"),
        (("eval", "toolalpaca", "none.json"), "error [input]: 'none.json' cannot be read"),
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


def test_a_judge_compares_two_files_of_runs(run: Run, tmp_path: Path) -> None:
    runs = [Trajectory(task=Task(input=f"q{n}"), answer="a") for n in range(2)]
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(
            "".join(one.model_dump_json() + "\n" for one in runs)
        )
    (tmp_path / "other.jsonl").write_text(runs[0].model_dump_json() + "\n")
    chat = [{"role": "assistant", "content": f"{n} Verdict: unsure\nVerdict: {word}"} for n, word in
            enumerate(["one", "two", "two", "two"])]  # fmt: skip
    (tmp_path / "judge.json").write_text(json.dumps(chat))
    done = run("eval", "judge", "a.jsonl", "b.jsonl", "--judge", "transcript:judge.json")
    assert "first: 50.0" in done.stdout, done.stderr
    assert "tie: 50.0" in done.stdout
    assert "the judge: 4 calls" in done.stdout
    alone = run("eval", "judge", "a.jsonl", "--judge", "transcript:judge.json")
    assert "unsure: 100.0" in alone.stdout
    refused = run("eval", "judge", "a.jsonl", "other.jsonl", "--judge", "transcript:judge.json")
    assert "the same tasks, in the same order" in refused.stderr


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
    assert len(line["input_ids"]) == len(line["owners"]) <= 2048
    assert (
        "unknown columns"
        in run("train", "tokenizer", str(data / "gsm8k/test_first200.jsonl"), "-o", "x").stderr
    )


def test_search_trees_are_imported_and_shown(run: Run, data: Path) -> None:
    files = [str(path) for path in sorted((data / "toolbench/dfs_trees").glob("G3_answer/*.json"))]
    kept = run("traces", "import", *files)
    assert f"{len(files)} trajectories are kept, as 1 to {len(files)}" in kept.stdout, kept.stderr
    assert "dfsdt by ToolBench" in run("traces", "show", "1").stdout


def test_without_a_model_the_trio_that_ships_plays_and_says_so(run: Run, tmp_path: Path) -> None:
    tools = tmp_path / "tools.py"
    tools.write_text(
        "from toolwright import tool\n\n\n@tool\ndef find_city(name: str) -> str:\n"
        '    """Finds a city by its name."""\n    return name\n'
    )
    done = run("agent", "Find the city Norda.", "--tools", f"python:{tools}", "--max-steps", "3")
    assert "note: no model is named, so the trio that ships plays" in done.stderr
    assert done.returncode in {0, 3} and "Traceback" not in done.stderr
