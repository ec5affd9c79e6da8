"""The command line hands a request on as it came, and says by which rule an answer is the right one."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.maker.tools import RIGHT, demos
from tests.serving.test_server import record
from tests.serving.test_white_space import EXACT

from toolmint.assembly.apply import ApplyResult
from toolmint.cli.apply_command import line_of
from toolmint.cli.main import toolmint
from toolmint.core.errors import InputError, NoAnswer
from toolmint.core.namespace import Namespace
from toolmint.core.sync import run_sync
from toolmint.core.task import Task, Trajectory
from toolmint.core.tool import Demonstration
from toolmint.store.sql import SqlStore

ASK = "Put these words into alphabetical order: pear, fig, apple."


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "tools.db"
    kept = SqlStore.open(path)
    mine = kept.namespace(Namespace())
    for name, source, examples in (
        ("sorting", RIGHT, [demos()[0].input]),
        ("reverse", EXACT, ["Reverse the characters of <one two>."]),
    ):
        run_sync(mine.add(record(name, source, examples), "serving", "for a test"))
    kept.close()
    return path


def piped(store: Path, text: bytes) -> Result:
    return CliRunner().invoke(toolmint, ["solve", "--store", str(store)], input=text)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["none", "LF", "CRLF"])
def test_the_line_end_that_closes_standard_input_is_no_part_of_the_request(
    store: Path, end: str
) -> None:
    assert piped(store, f"{ASK}{end}".encode()).stdout == "apple, fig, pear\n"


@pytest.mark.parametrize("end", ["\n\n", " \n", "\r", " "], ids=["two", "space-LF", "CR", "space"])
def test_everything_else_on_standard_input_is(store: Path, end: str) -> None:
    done = piped(store, f"{ASK}{end}".encode())
    assert isinstance(done.exception, NoAnswer)
    assert "differs" in str(done.exception) or "not mine" in str(done.exception)


def test_white_space_inside_a_request_and_its_answer_is_handed_on(store: Path) -> None:
    done = piped(store, b"Reverse the characters of <a\r\nb  c\td>.\n")
    assert done.stdout_bytes == b"d\tc  b\n\ra\n"


def test_standard_input_that_is_no_text_is_named(store: Path) -> None:
    done = piped(store, b"ab\xff")
    assert isinstance(done.exception, InputError)
    assert str(done.exception) == "standard input is not UTF-8 (byte 2)"


@pytest.mark.parametrize(
    ("answer", "target", "rule"),
    [
        ("a  b", "a  b\n", "text"),
        ("a  b", "a b", None),
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', "json"),
        ("", " ", "text"),
        (None, "", None),
    ],
)
def test_apply_says_by_which_rule_an_answer_is_right(
    answer: str | None, target: str, rule: str | None
) -> None:
    request = Demonstration(input="q", target=target)
    trajectory = Trajectory(task=Task(input="q"), answer=answer)
    line = line_of(request, trajectory, None)
    assert (line["right"], line["same_by"]) == (rule is not None, rule)
    assert ApplyResult(request, trajectory).right is line["right"]
