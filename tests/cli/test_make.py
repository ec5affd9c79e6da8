"""``toolmint make``: it says what a file holds, stops there if asked, and goes on class by class."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.evaluation.intents import shop
from tests.maker.test_survey import LETTERS
from tests.maker.tools import RIGHT, demos, fenced

from toolmint.core.tool import Demonstration

TOOLMINT = Path(sys.executable).with_name("toolmint")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def write(path: Path, labelled: Sequence[Demonstration]) -> None:
    lines = (json.dumps({"input": one.input, "target": one.target}) for one in labelled)
    path.write_text("\n".join(lines))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command in a folder with a file of two classes, one of free text, and a maker's chat."""
    write(tmp_path / "mixed.jsonl", [*demos(), *LETTERS])
    chat = [{"role": "assistant", "content": fenced(RIGHT)}]
    (tmp_path / "chat.json").write_text(json.dumps(chat))

    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [TOOLMINT, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200"},
            check=False,
            timeout=600,
        )

    return call


def test_a_dry_run_says_what_the_file_holds_and_needs_nothing(run: Run, tmp_path: Path) -> None:
    done = run("make", "mixed.jsonl", "--dry-run", "--model", "openai:gpt-5")  # no key is there
    assert done.returncode == 0, done.stderr
    assert "'mixed.jsonl' holds" in done.stdout and "free text" in done.stdout
    assert not (tmp_path / ".toolmint").exists()
    seen = json.loads(run("make", "mixed.jsonl", "--dry-run", "--json").stdout)
    assert [(one["requests"], one["fits"]) for one in seen["classes"]] == [
        (10, "code"),
        (8, "none"),
    ]
    assert seen["makings"] == []


def test_each_class_is_made_and_free_text_is_said_once(run: Run) -> None:
    model = ("--model", "transcript:chat.json", "--second", "never")
    done = run("make", "mixed.jsonl", *model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" v1 is stored in ") == 1
    assert done.stderr.count("error [no-tool-fits]") == 1
    (letters,) = [line for line in done.stderr.splitlines() if "no-tool-fits" in line]
    name = letters.partition(":")[0]
    report = run("tools", "report", name).stdout
    assert report.startswith("making 1 of ") and "- seen: 8 requests" in report
    assert "ending: no kind of tool fits: free text" in report
    again = run("make", "mixed.jsonl", *model)
    assert again.returncode == 0 and "no-tool-fits" in again.stderr
    assert run("tools", "report", name).stdout == report


def test_the_exit_code_says_that_a_class_failed(run: Run, tmp_path: Path) -> None:
    wrong = demos()[0].model_copy(update={"target": "none"})
    write(tmp_path / "wrong.jsonl", [*demos(), wrong, *LETTERS])
    done = run("make", "wrong.jsonl", "--model", "transcript:chat.json")
    assert done.returncode == 1
    assert "error [demonstrations-contradict]" in done.stderr
    assert "contradiction: " in done.stdout
    (last,) = [line for line in done.stderr.splitlines() if line.startswith("error [")]
    assert last.startswith("error [classes-failed]: 1 of 2 classes have no tool: wrong-")


def test_json_holds_what_was_seen_and_made(run: Run) -> None:
    model = ("--model", "transcript:chat.json", "--second", "never")
    done = run("make", "mixed.jsonl", "--json", *model)
    found = json.loads(done.stdout)
    made, letters = found["makings"]
    assert (made["version"], made["profile"], made["error"]) == (1, "proved", None)
    assert (letters["version"], letters["error"]["code"]) == (None, "no-tool-fits")
    assert made["class"] == found["classes"][0]["name"]


def test_a_named_class_is_one_class(run: Run) -> None:
    done = run("make", "mixed.jsonl", "--class", "all", "--dry-run", "--json")
    (one,) = json.loads(done.stdout)["classes"]
    assert (one["name"], one["requests"]) == ("all", 18)


def test_learned_tools_are_made_and_answer_without_a_model(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "shop.jsonl", shop(500))
    done = run("make", "shop.jsonl", "--profile", "learned")
    assert done.returncode == 0, done.stderr
    assert "shop v1 is stored" in done.stdout and "0 tokens" in done.stdout
    solved = run("solve", "--explain", "where is my lamp, thanks in advance")
    assert solved.stdout == "track_order\n" and "tier: learned" in solved.stderr
