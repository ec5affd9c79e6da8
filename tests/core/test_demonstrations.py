"""Files of demonstrations: every fault names its line and what was expected."""

from pathlib import Path

import pytest

from toolmint.core.demonstrations import parse_demonstrations, read_text
from toolmint.core.errors import InputError
from toolmint.core.tool import Demonstration

PIG = Demonstration(input="pig", target="oink")


def test_json_lines_and_bigbench_and_lists_read_alike() -> None:
    lines = '{"input": "pig", "target": "oink"}\n\n'
    assert parse_demonstrations(lines, "f") == [PIG]
    assert parse_demonstrations(
        '{"name": "t", "examples": [{"input": "pig", "target": "oink"}]}', "f"
    ) == [PIG]
    assert parse_demonstrations('[{"input": "pig", "target": ["oink", "grunt"]}]', "f") == [PIG]


def test_requests_need_no_target() -> None:
    assert parse_demonstrations('{"input": "pig"}', "f", labelled=False) == [
        Demonstration(input="pig", target=None)
    ]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "demonstrations-few", "f is empty"),
        ('{"input": "a", "target": "b"}\n{oops', "jsonl", "f:2: not JSON"),
        ('{"input": "a", "target": "b"}\n{"input": "a"}', "input", "f:2: .*'target' is missing"),
        ('{"input": "a", "target": 3}', "label-type", "f:1: the target must be a string, not 3"),
        ('{"input": 5, "target": "b"}', "input", "'input' is 5"),
        ('["x"]', "input", "f, example 0: expected an object"),
    ],
)
def test_bad_files_are_named(text: str, code: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse_demonstrations(text, "f")
    assert caught.value.code == code


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing.*cannot be read: No such file"):
        read_text(tmp_path / "missing")
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        read_text(tmp_path / "latin")
