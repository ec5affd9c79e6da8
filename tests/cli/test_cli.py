"""The command line as a person uses it: every command, and one clear line for every fault."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.maker.tools import RIGHT, demos, fenced

from toolmint.assembly.toolfile import dump_tool, load_tool
from toolmint.cli.main import _unexpected
from toolmint.core.sync import run_sync
from toolmint.maker.slot_words import slots_of
from toolmint.store.sql import SqlStore

TOOLMINT = Path(sys.executable).with_name("toolmint")
ROOT = Path(__file__).parents[2]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*words: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [TOOLMINT, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            input=text or "",
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            check=False,
            timeout=900,
        )

    return call


@pytest.fixture
def made(tmp_path: Path, run: Run) -> Run:
    """A folder in which a tool was made from a file by a transcript."""
    lines = [json.dumps({"input": one.input, "target": one.target}) for one in demos()]
    (tmp_path / "sorting.jsonl").write_text("\n".join(lines))
    chat = [{"role": "assistant", "content": fenced(RIGHT)}]
    (tmp_path / "chat.json").write_text(json.dumps(chat))
    done = run("make", "sorting.jsonl", "--model", "transcript:chat.json")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "sorting v1 is stored" in done.stdout
    return run


ASK = "Put these words into alphabetical order: pear, fig, apple."


def test_solve_answers_and_explains(made: Run) -> None:
    done = made("solve", ASK, "--explain")
    assert done.stdout == "apple, fig, pear\n"
    assert "tier: code" in done.stderr and "0 model calls, 0 tokens" in done.stderr
    piped = made("solve", "--json", text=ASK)
    assert json.loads(piped.stdout)["served"]["request_class"] == "sorting"


def test_tools_are_listed_shown_moved_and_carried(made: Run, tmp_path: Path) -> None:
    assert "5 of 6 passed" in made("tools", "list").stdout
    shown = made("tools", "show", "sorting").stdout
    assert "making 1 of 'sorting': made v1" in shown and "tokens in" in shown
    assert "[passed] 4 near misses" in shown and "def parse" in shown and "serving: passed" in shown
    report = made("tools", "report", "sorting", "--full").stdout
    assert "made v1" in report and "Here it is" in report
    assert made("tools", "export", "sorting", "-o", "sorting.tool.py").returncode == 0
    assert "sorting v2 is stored" in made("tools", "import", "sorting.tool.py").stdout
    assert "sorting v2 serves" in made("tools", "promote", "sorting").stdout
    assert "v1 serves again" in made("tools", "rollback", "sorting").stdout
    assert made("solve", ASK, "--explain").stderr.count("sorting v1") >= 1
    assert "is retired" in made("tools", "retire", "sorting", "--version", "1").stdout
    gone = made("solve", ASK)
    assert gone.returncode == 1 and "error [no-answer]" in gone.stderr


def test_a_class_is_shown_and_named_by_its_title(made: Run, tmp_path: Path) -> None:
    store = SqlStore.open(tmp_path / ".toolmint" / "tools.db")
    run_sync(store.set_title("sorting", "Sort words"))
    shown = made("tools", "show", "sort words").stdout
    assert shown.startswith("Sort words v1, proved") and "kept as sorting" in shown
    assert "making 1 of 'Sort words'" in made("tools", "report", "Sort words").stdout
    said = made("solve", ASK, "--explain", "--class", "Sort words").stderr
    assert "tool: Sort words v1" in said and "why: “Sort words” v1 understood" in said
    run_sync(store.set_title("other", "Sort words"))
    store.close()
    (line,) = made("tools", "retire", "Sort words").stderr.splitlines()
    assert line.startswith("error [class-ambiguous]: ") and line.endswith(": other, sorting")
    assert made("tools", "retire", "sorting").stdout == "Sort words v1 is retired\n"


def test_a_failed_making_says_which_demonstration_is_not_met_and_what_to_do(
    made: Run, tmp_path: Path
) -> None:
    lines = [json.dumps({"input": one.input, "target": one.target}) for one in demos(8, seed=9)]
    lines.append(json.dumps({"input": ASK, "target": "pear, fig, apple"}))
    (tmp_path / "words in order.jsonl").write_text("\n".join(lines))
    model = ("--model", "transcript:chat.json", "--second", "never", "--tries", "1")
    failed = made("make", "words in order.jsonl", *model)
    (line,) = [line for line in failed.stderr.splitlines() if line.startswith("error [")]
    assert "1 of 9 demonstrations are not met (1 answered wrongly)" in line
    assert "(after 1 proposal, --tries 1)" in line
    assert f"{ASK!r}; expected 'pear, fig, apple'; got 'apple, fig, pear'; " in line
    assert "`toolmint tools report 'words in order'` shows the whole making" in line
    assert "Correct what is wrong" in line and "--tries" in line
    report = made("tools", "report", "words in order").stdout
    assert report.startswith("making 1 of 'words in order': FAILED")


def test_an_imported_tool_keeps_what_its_values_may_contain(made: Run, tmp_path: Path) -> None:
    made("tools", "export", "sorting", "-o", "sorting.tool.py")
    record = load_tool((tmp_path / "sorting.tool.py").read_text(), "sorting.tool.py")
    (stage,) = [one for one in record.evidence if "slots" in one.details]
    bare = tuple(
        one.model_copy(update={"details": {}}) if one is stage else one for one in record.evidence
    )
    old = record.model_copy(update={"evidence": bare})
    (tmp_path / "old.tool.py").write_text(dump_tool(old))
    assert made("tools", "import", "old.tool.py").returncode == 0
    made("tools", "export", "sorting", "--version", "2", "-o", "new.tool.py")
    kept = load_tool((tmp_path / "new.tool.py").read_text(), "new.tool.py")
    assert slots_of(kept.evidence) == slots_of(record.evidence) is not None


def test_an_imported_tool_is_proved_anew(made: Run, tmp_path: Path) -> None:
    made("tools", "export", "sorting", "-o", "sorting.tool.py")
    right = load_tool((tmp_path / "sorting.tool.py").read_text(), "sorting.tool.py")
    wrong = right.model_copy(update={"source": right.source.replace("sorted(words)", "words")})
    (tmp_path / "wrong.tool.py").write_text(dump_tool(wrong))
    done = made("tools", "import", "wrong.tool.py")
    assert done.returncode == 1 and "error [tool-refused]" in done.stderr
    assert "v2" not in made("tools", "list").stdout


def test_apply_answers_a_file_and_takes_up_where_it_was(made: Run, tmp_path: Path) -> None:
    more = demos(25, seed=50)
    lines = [json.dumps({"input": one.input, "target": one.target}) for one in more]
    lines.append(json.dumps({"input": "What is love?"}))
    (tmp_path / "asks.jsonl").write_text("\n".join(lines))
    done = made("apply", "asks.jsonl", "-o", "out.jsonl")
    assert done.returncode == 0, done.stderr
    whole = (tmp_path / "out.jsonl").read_text()
    answers = [json.loads(line) for line in whole.splitlines()]
    assert [one.get("right") for one in answers] == [True] * 25 + [None]
    assert answers[-1]["error"].startswith("[no-answer]")
    cut = "".join(whole.splitlines(keepends=True)[:7]) + '{"input": "half'
    (tmp_path / "out.jsonl").write_text(cut)
    again = made("apply", "asks.jsonl", "-o", "out.jsonl")
    assert "7 were answered before, 19 now" in again.stdout.replace("\n", " ")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [one["answer"] for one in rows] == [one["answer"] for one in answers]
    (tmp_path / "other.jsonl").write_text('{"input": "x"}\n')
    wrong = made("apply", "other.jsonl", "-o", "out.jsonl")
    assert wrong.returncode == 1 and "error [resume]" in wrong.stderr


def test_bill_and_queue_are_tables(made: Run) -> None:
    made("solve", ASK)
    printed = made("bill").stdout
    assert "sorting" in printed and "Model calls" in printed and "making" in printed
    assert json.loads(made("bill", "--json").stdout)["classes"][0]["by_tier"] == {"code": 1}
    assert "wait for a tool" in made("queue").stdout


def test_doctor_says_what_holds_and_what_does_not(run: Run) -> None:
    done = run("doctor")
    assert done.returncode == 0 and "reads no file" in done.stdout
    assert "not covered by any layer" in done.stdout


def test_help_names_every_command(run: Run) -> None:
    done = run("--help")
    for name in ("apply", "bill", "demo", "doctor", "eval", "make", "queue", "solve", "tools"):
        assert f"  {name} " in done.stdout
        assert run(name, "--help").returncode == 0


def _title(value: object) -> str:
    return str(value)[:50]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("solve", "hi"), "error [no-answer]: no tool answers this request"),
        (("solve", " "), "error [input]: the request is empty"),
        (("make", "none.jsonl"), "error [file]: 'none.jsonl' cannot be read"),
        (("make", "bad.jsonl"), "error [jsonl]: bad.jsonl:2: not JSON"),
        (
            ("make", "few.jsonl", "--model", "transcript:x.json"),
            "error [config]: transcript 'x.json'",
        ),
        (("make", "few.jsonl"), "error [demonstrations-few]: 'few' has 1 different demonstrations"),
        (("solve", "x", "--model", "openai:gpt-5"), "error [model-key]: no key for 'gpt-5'"),
        (
            ("solve", "x", "--model", "openai:m?base_url=http://127.0.0.1:9/v1&attempts=1"),
            "error [model-unavailable]",
        ),
        (("solve", "x", "--store", "few.jsonl"), "error [store-corrupt]"),
        (("tools", "show", "x"), "error [tool-not-found]"),
        (("tools", "report", "x"), "error [tool-not-found]"),
        (("tools", "rollback", "x"), "error [no-rollback]"),
        (("tools", "import", "few.jsonl"), "error [input]: few.jsonl is no exported tool"),
        (("eval", "bigbench", "."), "error [jsonl]: bad.jsonl:2"),
        (("apply", "few.jsonl", "-o", "no/such/out.jsonl"), "error [system]"),
    ],
    ids=_title,
)
def test_faults_are_one_line(run: Run, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    (tmp_path / "bad.jsonl").write_text('{"input": "a", "target": "b"}\n{oops\n')
    (tmp_path / "few.jsonl").write_text('{"input": "a", "target": "b"}\n')
    if words[0] == "eval":
        words = (*words, "--model", "transcript:x.json")
    done = run(*words)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(says), done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_unknown_settings_are_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [TOOLMINT, "queue"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "TOOLMINT_STOER": "x"},
    )
    assert done.returncode == 1 and "unknown setting 'TOOLMINT_STOER'" in done.stderr
    assert "did you mean 'store'?" in done.stderr


def _check(folder: Path, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "toolmint.toml").write_text(text)
    return subprocess.run(
        [TOOLMINT, "config", "check"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **variables},
    )


def test_every_setting_is_shown_with_its_origin(tmp_path: Path) -> None:
    text = 'epsilon = 0.02\nport = 9000\nstore = "postgresql://me:secret@host/tools"\n'
    done = _check(tmp_path, text, TOOLMINT_PORT="9001")
    assert done.returncode == 0 and "secret" not in done.stdout
    lines = {line.split()[1]: line for line in done.stdout.splitlines() if line.startswith("│")}
    assert "0.02" in lines["epsilon"] and "toolmint.toml" in lines["epsilon"]
    assert "9001" in lines["port"] and "TOOLMINT_PORT" in lines["port"]
    assert "default" in lines["confidence"] and "Chance that a tool" in lines["confidence"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epsilom = 0.1", "unknown setting 'epsilom' in toolmint.toml; did you mean 'epsilon'?"),
        ("epsilon = 2", "epsilon = 2 (from toolmint.toml) is not allowed"),
        ("epsilon = ", "cannot be read as TOML"),
    ],
)
def test_a_wrong_file_of_settings_is_named(tmp_path: Path, text: str, says: str) -> None:
    done = _check(tmp_path, text)
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr


def test_a_fault_of_our_own_is_one_line_too() -> None:
    error = _unexpected(KeyError("x"))
    assert error.code == "bug" and "please report it: KeyError('x')" in str(error)


def test_a_short_demo_runs(run: Run) -> None:
    assert run("demo", "--requests", "10").returncode == 0


def test_the_demo_runs(run: Run) -> None:
    done = run("demo", "--requests", "60")
    assert done.returncode == 0, done.stderr
    assert "0 wrong" in done.stdout and "recorded" in done.stdout and "The bill" in done.stdout
    assert "30 new tasks with tools that it has never seen: passed" in " ".join(done.stdout.split())
