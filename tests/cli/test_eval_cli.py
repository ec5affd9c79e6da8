"""``toolmint eval`` as a person uses it: rows that survive a Ctrl-C, reports, comparisons, clear faults."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks import junction

from toolmint.core.task import Task, Trajectory

TOOLMINT = Path(sys.executable).with_name("toolmint")
CASSETTE = f"cassette:{junction.CASSETTE}"
Run = Callable[..., "subprocess.CompletedProcess[str]"]
WORLD = ("eval", "toolworld", "--player", "reference", "--search", "react")


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(folder)}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [TOOLMINT, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=environment(tmp_path) | variables,
            check=False,
            timeout=600,
        )

    return call


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file by their ids, without times."""
    found = [json.loads(line) for line in path.read_bytes().splitlines()[1:]]
    for row in found:
        row["seconds"] = 0
    return sorted(found, key=lambda row: row["id"])


def interrupted(folder: Path, path: Path, *words: str) -> "tuple[int, str]":
    """Run a command, interrupt it once it has written a few rows, and return its code and what it said."""
    with subprocess.Popen(
        [TOOLMINT, *words],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None:
            if path.exists() and path.read_bytes().count(b"\n") > 5:
                process.send_signal(signal.SIGINT)
                break
        _, said = process.communicate(timeout=120)
        return process.returncode, said


def test_an_interrupted_run_leaves_its_rows_and_goes_on_to_the_same_result(
    run: Run, tmp_path: Path
) -> None:
    words = (*WORLD, "-n", "400", "--faults", "0.1", "--concurrency", "2")
    part = tmp_path / "part.jsonl"
    code, said = interrupted(tmp_path, part, *words, "-o", "part.jsonl")
    assert code == 130, said
    assert "the same command goes on from there" in said and "Traceback" not in said
    left = rows_of(part)
    assert 5 <= len(left) < 400
    resumed = run(*words, "-o", "part.jsonl", "--report", "part.json")
    assert f"{len(left)} of 400 rows were in part.jsonl already" in resumed.stdout, resumed.stderr
    whole = run(*words, "-o", "whole.jsonl", "--report", "whole.json")
    assert whole.returncode == 0, whole.stderr
    assert rows_of(part) == rows_of(tmp_path / "whole.jsonl")
    assert (tmp_path / "part.json").read_text() == (tmp_path / "whole.json").read_text()


def test_each_player_and_search_has_a_file_of_rows_and_a_line(run: Run, tmp_path: Path) -> None:
    words = ("eval", "toolworld", "-n", "20", "--faults", "0.1")
    played = run(*words, "-o", "rows.jsonl", "--report", "figures.json")
    assert "gives_up_early, dfsdt" in played.stdout, played.stderr
    assert len(list(tmp_path.glob("rows.*.jsonl"))) == 6
    report = json.loads((tmp_path / "figures.json").read_text())
    names = [line["name"] for line in report["sections"][0]["lines"]]
    assert names[:2] == ["reference, react", "reference, dfsdt"]
    assert report["sections"][0]["lines"][0]["cells"]["passed"]["value"] == 1.0
    chain, tree = "rows.gives-up-early-react.jsonl", "rows.gives-up-early-dfsdt.jsonl"
    compared = run("eval", "compare", tree, chain, "--report", "c.json")
    assert "toolworld: gives_up_early, dfsdt (first)" in compared.stdout, compared.stderr
    found = json.loads((tmp_path / "c.json").read_text())
    passed = next(one for one in found["differences"] if one["measure"] == "passed")
    assert passed["wins"] >= passed["losses"] and passed["items"] == 20
    assert run("eval", "compare", chain, "figures.json").stderr.startswith("error [rows]")


def test_without_an_output_the_rows_go_to_a_folder_of_the_project(run: Run, tmp_path: Path) -> None:
    first = run(*WORLD, "-n", "3")
    (file,) = (tmp_path / ".toolmint/eval").iterdir()
    assert f"rows: .toolmint/eval/{file.name}" in first.stdout, first.stderr
    more = run(*WORLD, "-n", "5")
    assert "3 of 5 rows were in" in more.stdout, more.stderr
    anew = run(*WORLD, "-n", "5", "--restart")
    assert "already" not in anew.stdout and len(rows_of(file)) == 5


def test_a_file_of_another_run_is_one_clear_line(run: Run) -> None:
    assert run(*WORLD, "-n", "3", "-o", "rows.jsonl").returncode == 0
    other = run(*WORLD, "-n", "3", "-o", "rows.jsonl", "--faults", "0.5")
    assert other.returncode == 1
    assert "its settings differ: faults is 0.0, not 0.5" in other.stderr
    assert "Traceback" not in other.stderr


def test_static_metrics_score_a_prediction_file(run: Run, tmp_path: Path, data: Path) -> None:
    gold = data / "toolbench/static_out_of_domain_first120.json"
    line = {
        "tools": [{"Name": "a"}],
        "reference": "x Next: caller.</s>caller: Action: a\nAction Input: {}</s>",
    }
    (tmp_path / "p.jsonl").write_text(json.dumps(line | {"predictions": line["reference"]}) + "\n")
    done = run("eval", "toolbench", str(gold), "--predictions", "p.jsonl", "--report", "f.json")
    assert "most shared words" in done.stdout, done.stderr
    compat, strict = json.loads((tmp_path / "f.json").read_text())["sections"]
    cells = {line["name"]: line["cells"] for line in compat["lines"]}
    assert cells["p.jsonl"]["Plan ACC"]["value"] == 1
    assert strict["lines"][0]["cells"]["plan acc"]["low"] > 0.6


def test_benchmarks_find_their_data_by_one_variable(run: Run, data: Path) -> None:
    maths = run("eval", "gsm8k", "--written", "--most", "20", TOOLMINT_DATA=str(data))
    assert "│ 20 " in maths.stdout, maths.stderr
    alpaca = run("eval", "toolalpaca", "--golden", "--most", "2", TOOLMINT_DATA=str(data))
    assert "20/20" in alpaca.stdout, alpaca.stderr
    missing = run("eval", "bigbench", "--model", CASSETTE, TOOLMINT_DATA=".")
    assert "error [data-missing]: '.' holds no 'bbh'; get it with `toolmint eval fetch" in (
        missing.stderr
    )


def test_a_making_is_not_paid_for_twice(run: Run, tmp_path: Path, data: Path) -> None:
    cassette = Path(junction.__file__).with_name("cassettes") / "bbh.jsonl"
    words = ("eval", "bigbench", str(data / "bbh"), "--task", "word_sorting", "-o", "rows.jsonl")
    first = run(*words, "--model", f"cassette:{cassette}", "--report", "first.json")
    assert "90/90" in first.stdout, first.stderr
    content = (tmp_path / "rows.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "rows.jsonl").write_bytes(b"".join(content[:31]))
    (tmp_path / "away.jsonl").write_text("")
    again = run(*words, "--model", f"cassette:{cassette}", "--report", "again.json")
    assert "30 of 90 rows were in rows.jsonl already" in again.stdout, again.stderr
    notes = [
        json.loads((tmp_path / f"{name}.json").read_text())["notes"] for name in ("first", "again")
    ]
    assert notes[0] == notes[1]


def test_a_judge_compares_two_files_of_runs(run: Run, tmp_path: Path) -> None:
    runs = [Trajectory(task=Task(input=f"q{n}"), answer="a") for n in range(2)]
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(
            "".join(one.model_dump_json() + "\n" for one in runs)
        )
    (tmp_path / "other.jsonl").write_text(runs[0].model_dump_json() + "\n")
    chat = [
        {"role": "assistant", "content": f"{n} Verdict: unsure\nVerdict: {word}"}
        for n, word in enumerate(["one", "two", "two", "two"])
    ]
    (tmp_path / "judge.json").write_text(json.dumps(chat))
    judge = ("--judge", "transcript:judge.json", "--concurrency", "1", "--report", "f.json")
    done = run("eval", "judge", "a.jsonl", "b.jsonl", *judge)
    assert "the judge: 4 calls" in done.stdout, done.stderr
    cells = json.loads((tmp_path / "f.json").read_text())["sections"][0]["lines"][0]["cells"]
    assert (cells["first"]["value"], cells["tie"]["value"]) == (0.5, 0.5)
    run("eval", "judge", "a.jsonl", *judge)
    cells = json.loads((tmp_path / "f.json").read_text())["sections"][0]["lines"][0]["cells"]
    assert cells["unsure"]["value"] == 1
    refused = run("eval", "judge", "a.jsonl", "other.jsonl", *judge)
    assert "the same tasks, in the same order" in refused.stderr


def test_rows_with_trajectories_are_judged_and_exported(run: Run, tmp_path: Path) -> None:
    words = ("-n", "2", "-o", "rows.jsonl")
    assert run(*WORLD, *words, "--trajectories").returncode == 0
    (tmp_path / "judge.json").write_text(
        json.dumps([{"role": "assistant", "content": f"{n}. Verdict: pass"} for n in range(2)])
    )
    judged = run("eval", "judge", "rows.jsonl", "--judge", "transcript:judge.json")
    assert "the judge: 2 calls" in judged.stdout, judged.stderr
    exported = run("traces", "export", "rows.jsonl", "-o", "t.jsonl")
    assert "2 trajectories written" in exported.stdout, exported.stderr
    run(*WORLD, "-n", "2", "-o", "bare.jsonl")
    refused = run("traces", "export", "bare.jsonl")
    assert "run the benchmark with --trajectories" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("judge", "none.jsonl", "--judge", CASSETTE), "error [input]: 'none.jsonl' is neither"),
        (("toolbench",), "error [data-missing]: name a file, or set TOOLMINT_DATA"),
        (("toolbench", "none.json"), "error [file]: 'none.json' cannot be read"),
        (("toolworld", "--player", "model"), "error [no-model]:"),
        (("gsm8k", "none.jsonl"), "error [file]: 'none.jsonl' cannot be read"),
        (("toolalpaca", "none.json"), "error [input]: 'none.json' cannot be read"),
        (("compare", "a.jsonl", "b.jsonl"), "error [rows]: 'a.jsonl' cannot be read"),
    ],
)
def test_every_fault_is_one_clear_line(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run("eval", *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
