"""Files of users: a line ends at a newline alone, a byte order mark is accepted, faults name their line."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import toolmint
from toolmint.assembly.requests import demonstrations_of, requests_of
from toolmint.assembly.toolfile import dump_tool, load_tool
from toolmint.cli.apply_command import take_up
from toolmint.cli.eval_toolbench_command import read_gold
from toolmint.cli.traces_command import read_trace_file
from toolmint.cli.world_command import read_tasks
from toolmint.core.demonstrations import parse_demonstrations
from toolmint.core.errors import InputError
from toolmint.core.task import Task, Trajectory
from toolmint.core.text_files import json_items, json_value, lines_of, read_text
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.evaluation.gsm8k import read_problems
from toolmint.models.cassette import CassetteModel
from toolmint.training.readers import read_file

NOT_LINE_ENDS = "\u2028 \u2029 \x85 \x1c \x1d \x1e \x0b \x0c"
"""Characters at which ``str.splitlines`` splits, and JSON lines do not."""
SPOKEN = NOT_LINE_ENDS.translate(dict.fromkeys(range(0x20), " "))
"""Those of them that JSON allows inside a string as they are."""


def line(item: object) -> str:
    return json.dumps(item, ensure_ascii=False)


def trajectory(text: str) -> str:
    return Trajectory(task=Task(input=text), outcome="limit").model_dump_json()


def conversation(text: str) -> str:
    said = [{"from": "user", "value": text}, {"from": "conclusion", "value": "yes"}]
    return line({"tools": [], "instruction": text, "conversations": said})


READERS: dict[str, tuple[Callable[[str], str], Callable[[Path], list[str]]]] = {
    "demonstrations": (
        lambda text: line({"input": text, "target": "yes"}),
        lambda path: [one.input for one in demonstrations_of(path)],
    ),
    "requests": (
        lambda text: line({"input": text}),
        lambda path: [one.input for one in requests_of(path)],
    ),
    "trajectories": (trajectory, lambda path: [one.task.input for one in read_file(path)]),
    "traces": (trajectory, lambda path: [one.task.input for one in read_trace_file(str(path))]),
    "conversations": (conversation, lambda path: [one.task.input for one in read_gold(path)]),
    "gsm8k": (
        lambda text: line({"question": text, "answer": "#### 3"}),
        lambda path: [one.question for one in read_problems(path)],
    ),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\n \t\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_reader_splits_at_newlines_alone_and_takes_a_byte_order_mark(
    tmp_path: Path, name: str, end: str, mark: str
) -> None:
    write, read = READERS[name]
    texts = [f"first {SPOKEN} end", "second"]
    path = tmp_path / "file.jsonl"
    path.write_bytes((mark + "".join(write(text) + end for text in texts)).encode())
    assert read(path) == texts
    path.write_bytes((mark + end.join(write(text) for text in texts)).encode())
    assert read(path) == texts


def test_answers_to_requests_with_such_characters_are_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    requests = [Demonstration(input=SPOKEN, target=None), Demonstration(input="b", target=None)]
    path.write_text(line({"input": SPOKEN}) + "\n" + line({"input": "b"}) + "\n" + '{"inp')
    assert take_up(path, requests) == 2
    assert path.read_text().endswith('"b"}\n')


def test_a_cassette_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"cassette": 1, "model": "m", "note": "n"}\r\n')
    assert CassetteModel.load(path).note == "n"


def test_a_file_of_tasks_is_read_by_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text("\n\n{}\n")
    with pytest.raises(Exception, match=r"tasks\.jsonl:3"):
        list(read_tasks(path))


def test_a_tool_file_keeps_every_character_of_its_source(tmp_path: Path) -> None:
    source = 'def solve() -> str:\n    return "a\x85b\u2028c"\r\n'
    made = Provenance(model="m", demonstrations_digest="", prompts_digest="")
    record = ToolRecord(request_class="c \u2028", source=source, provenance=made)
    path = tmp_path / "a.tool.py"
    path.write_bytes(dump_tool(record).encode())
    assert load_tool(read_text(path), "a") == record
    plain = record.model_copy(update={"source": "def solve() -> int:\n    return 1\n"})
    path.write_bytes(b"\xef\xbb\xbf" + dump_tool(plain).replace("\n", "\r\n").encode())
    assert load_tool(read_text(path), "a") == plain


def test_no_reader_of_lines_uses_splitlines() -> None:
    source = Path(toolmint.__file__).parent
    wrong = re.compile(r"(read_text\(.*?\)|read_bytes\(\)|\b(text|content|whole|data))\.splitlines")
    found = [
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if wrong.search(file.read_text()) and file.name != "making_run.py"  # words of an exception
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}\n{"a": 1', r"f:2: cannot be read as JSON"),
        ('{"a": 1}\r\n\r\nnull null', r"f:3: cannot be read as JSON"),
        ('{"a": NaN}', r"f:1: .*NaN is no value of JSON"),
        ('{"a": -Infinity}', r"f:1: .*-Infinity is no value"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', r"f:1: .*the key 'c' stands twice"),
        ('{"a": "\\ud83d"}', r"f:1: .*half of a surrogate pair"),
        ("[" * 100_000, r"f: .*nested too deeply"),
        ('[\n {"a": 1},\n {"a": }\n]', r"f: .*line 3"),
        ('{\n "a": 1,\n "a": 2\n}', r"f: .*the key 'a' stands twice"),
        ('{"a": 1,\n "b": oops}', r"f: .*line 2"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        json_items(text, "f")


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        (" \n\t\n", []),
        ('{"a": 1}', [("f:1", {"a": 1})]),
        ('\n{"a": 1}\n\n3\n', [("f:2", {"a": 1}), ("f:4", 3)]),
        ('{\n "a": 1\n}\n', [("f", {"a": 1})]),
        ('\ufeff[{"a": 1},\r\n 2]', [("f, item 1", {"a": 1}), ("f, item 2", 2)]),
        ('{"a": "\\ud83d\\ude00"}', [("f:1", {"a": "\U0001f600"})]),
    ],
)
def test_lines_lists_and_objects_are_told_apart(text: str, items: list[Any]) -> None:
    assert json_items(text, "f") == items


def test_only_a_newline_ends_a_line() -> None:
    assert list(lines_of("a\rb\r\n\u2028\nc")) == [(1, "a\rb"), (2, "\u2028"), (3, "c")]
    assert json_value('{"a": "\u2028"}') == {"a": "\u2028"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"input": "a", "target": "b", "weight": 0}',
            r"f:1: the field 'weight' is not understood",
        ),
        ('{"input": "a", "target": "b", "target": "c"}', r"f:1: not JSON \(the key 'target'"),
        (
            '[{"input": "a", "target": "b", "target_scores": {"b": 1}}]',
            r"example 0: .*target_scores",
        ),
        ('[{"input": "a",\n "target": NaN}]', r"f: not JSON \(NaN"),
    ],
)
def test_a_field_of_a_demonstration_is_read_or_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_demonstrations(text, "f")


def test_where_a_demonstration_is_from_may_be_said() -> None:
    more = '{"input": "a", "target": "b", "id": 3, "comment": "from the manual", "extra": null}'
    assert parse_demonstrations(more, "f") == [Demonstration(input="a", target="b")]
