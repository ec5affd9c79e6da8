r"""Text and JSON files of users: UTF-8 with or without a byte order mark; a line ends at ``\n`` alone.

``str.splitlines`` also splits at U+2028, U+0085 and other characters, which JSON allows inside a string,
so no reader of JSON lines may use it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.values import clip

_BLANK = " \t\r\n"
_LINE_ENDS = re.compile("[\u0085\u2028\u2029]")
_SURROGATE = re.compile(r"\\u[dD][89abAB]|[\ud800-\udfff]")


def read_text(path: Path) -> str:
    """Return a file's text, line ends as they are, without a byte order mark.

    Raises:
        InputError: the file is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        raise InputError(f"{str(path)!r} cannot be read: {fault.strerror}", code="file") from fault
    except UnicodeDecodeError as fault:
        raise InputError(f"{str(path)!r} is not UTF-8 (byte {fault.start})", code="file") from fault


def json_line(value: object, *, indent: int | None = None) -> str:
    r"""Return a value as JSON with a line end, without other characters that some readers take for one.

    U+2028, U+2029 and U+0085 are written as escapes: other programs split lines at them.
    """
    return escaped_line_ends(json.dumps(value, ensure_ascii=False, indent=indent)) + "\n"


def escaped_line_ends(text: str) -> str:
    """Return a JSON text in which no character but its own line ends may be taken for one."""
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield the lines of a text that are not blank, with their numbers from 1.

    A line ends at ``\n``; a ``\r`` before it belongs to the line's end.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip(_BLANK):
            yield number, line.removesuffix("\r")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> Any:  # noqa: ANN401 - the signature of json's hook
    raise ValueError(f"{name} is no value of JSON")


def json_value(text: str) -> Any:  # noqa: ANN401 - JSON
    """Return the value of a JSON text of a user's file.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or holds what would be lost or change on the way: a
            key that stands twice in an object, NaN or Infinity, half of a surrogate pair.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as fault:
        raise ValueError("it is nested too deeply") from fault
    except UnicodeEncodeError as fault:
        raise ValueError("it holds half of a surrogate pair, which is no character") from fault
    return value


def is_one_value(text: str) -> bool:
    """Return whether a text is meant as one JSON value, such as a list; else it is JSON lines."""
    if text.lstrip(_BLANK).startswith("["):
        return True
    lines = [line for _, line in lines_of(text)]
    if len(lines) < 2:
        return False
    try:
        json.loads(lines[0])
    except json.JSONDecodeError as fault:
        # A value that goes on in the next line is an indented object; any other fault is the line's own.
        return fault.pos >= len(lines[0].rstrip(_BLANK))
    except (ValueError, RecursionError):
        return False
    return False


def json_items(text: str, name: str) -> list[tuple[str, Any]]:
    """Return the items of JSON lines, of one JSON list, or of one JSON object, each with its place.

    Args:
        text: the file's text.
        name: the file, for the places: ``name:line``, or ``name, item number``.

    Raises:
        InputError: a line, or the whole, is no JSON; the message names the line.
    """
    text = text.removeprefix("\ufeff")
    if not is_one_value(text):
        return [
            (f"{name}:{number}", _parsed(line, f"{name}:{number}"))
            for number, line in lines_of(text)
        ]
    whole = _parsed(text, name)
    if not isinstance(whole, list):
        return [(name, whole)]
    items = enumerate(cast("list[Any]", whole), 1)
    return [(f"{name}, item {number}", one) for number, one in items]


def _parsed(text: str, where: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json_value(text)
    except ValueError as fault:
        raise InputError(
            f"{where}: cannot be read as JSON: {clip(str(fault), 160)}; expected JSON lines, one object a "
            "line, or one JSON list of objects",
            code="jsonl",
        ) from fault
