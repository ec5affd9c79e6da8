"""Read calls written as Python, ``weather(city="Oslo", days=2)``, without parsing it as Python."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from toolmint.core.values import MAX_DEPTH, Value

_HEAD = re.compile(r"([A-Za-z_][\w.-]*?)(?:\.call)?\(\s*")
_KEY = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*")
_WORDS: dict[str, Value] = {
    "True": True,
    "False": False,
    "None": None,
    "true": True,
    "false": False,
    "null": None,
}
_WORD = re.compile("|".join(_WORDS))
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)")
_STRING = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_SPACE = re.compile(r"\s*")
_LONGEST_NUMBER = 400


class PythonCall(NamedTuple):
    """A call: its name, its arguments, and where its text ends."""

    name: str
    arguments: dict[str, Value]
    end: int


class _NoValue(Exception):
    """The text is no literal."""


def python_calls(text: str) -> Iterator[PythonCall]:
    """Yield the calls at the beginning of a text, in a list or alone, parted by commas or semicolons."""
    at = _skip(text, 0)
    if text[at : at + 1] == "[":
        at = _skip(text, at + 1)
    while (found := _call(text, at)) is not None:
        yield found
        at = _skip(text, found.end)
        if text[at : at + 1] not in {",", ";"}:
            return
        at = _skip(text, at + 1)


def _call(text: str, at: int) -> PythonCall | None:
    head = _HEAD.match(text, at)
    if head is None:
        return None
    arguments: dict[str, Value] = {}
    at = head.end()
    try:
        while text[at : at + 1] != ")":
            key = _KEY.match(text, at)
            if key is None:
                return None
            arguments[key[1]], at = _value(text, key.end(), 0)
            at = _skip(text, at)
            if text[at : at + 1] == ",":
                at = _skip(text, at + 1)
            elif text[at : at + 1] != ")":
                return None
    except _NoValue:
        return None
    return PythonCall(head[1], arguments, at + 1)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _value(text: str, at: int, depth: int) -> tuple[Value, int]:
    if depth > MAX_DEPTH:
        raise _NoValue
    word, number, string = _WORD.match(text, at), _NUMBER.match(text, at), _STRING.match(text, at)
    if string is not None:
        return _ESCAPE.sub(
            _escaped, string[1] if string[1] is not None else string[2]
        ), string.end()
    if word is not None:
        return _WORDS[word[0]], word.end()
    if number is not None and len(number[0]) < _LONGEST_NUMBER:
        whole = number[0].lstrip("+-").isdigit()
        return (int(number[0]) if whole else float(number[0])), number.end()
    opened = text[at : at + 1]
    if opened in {"[", "("}:
        return _list(text, at + 1, "]" if opened == "[" else ")", depth)
    if opened == "{":
        return _dict(text, at + 1, depth)
    raise _NoValue


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[1], found[1])


def _list(text: str, at: int, close: str, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    at = _skip(text, at)
    while text[at : at + 1] != close:
        item, at = _value(text, at, depth + 1)
        items.append(item)
        at = _comma(text, at, close)
    return items, at + 1


def _dict(text: str, at: int, depth: int) -> tuple[Value, int]:
    items: dict[str, Value] = {}
    at = _skip(text, at)
    while text[at : at + 1] != "}":
        key, at = _value(text, at, depth + 1)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise _NoValue
        items[str(key)], at = _value(text, _skip(text, at + 1), depth + 1)
        at = _comma(text, at, "}")
    return items, at + 1


def _comma(text: str, at: int, close: str) -> int:
    """Return the place after a comma, or of the closing mark."""
    at = _skip(text, at)
    if text[at : at + 1] == ",":
        return _skip(text, at + 1)
    if text[at : at + 1] != close:
        raise _NoValue
    return at
