"""Reads YAML 1.2 (JSON's values) from the events of PyYAML's parser in C.

PyYAML's own loader reads YAML 1.1, where ``no`` is false and ``2020-01-01`` a date, and takes three times
as long, as it builds a node for each value first.
"""

import re
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, cast

import yaml

from toolmint.core.errors import InputError
from toolmint.core.values import MAX_DEPTH

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(r"[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?)")
_PLAIN: dict[str, object] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TAGS = "tag:yaml.org,2002:"
_MOST_ALIASED = 1_000_000
"""Values that a document's aliases may stand for: a text of 1 kB can else become billions."""


def _number(text: str) -> object:
    if text.startswith(("0o", "0x")):
        return int(text, 0)
    try:
        return int(text)
    except ValueError:
        value = float(text)
        return value if isfinite(value) else text


def _plain(text: str) -> object:
    """Return the value of an unquoted scalar, by the core schema of YAML 1.2."""
    if text in _PLAIN:
        return _PLAIN[text]
    if text[0] in "+-.0123456789" and _NUMBER.fullmatch(text):
        return _number(text)
    return text


class _Builder:
    """Builds values from events; aliases share the value of their anchor."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._next: Callable[[], Any] = events.__next__
        self._anchors: dict[str, tuple[object, int]] = {}
        self._made = self._aliased = 0

    def value(self, event: Any, depth: int = 0) -> object:  # noqa: ANN401 - PyYAML has no types
        kind = cast("type[object]", type(event))
        if kind is yaml.AliasEvent:
            return self._alias(event)
        before = self._made
        self._made += 1
        if kind is yaml.ScalarEvent:
            found = self._scalar(event)
        elif depth > MAX_DEPTH:
            raise InputError(f"it is nested deeper than {MAX_DEPTH} levels")
        elif kind is yaml.MappingStartEvent:
            found = self._mapping(depth)
        else:
            found = list[object]()
            while type(inner := self._next()) is not yaml.SequenceEndEvent:
                found.append(self.value(inner, depth + 1))
        if event.anchor is not None:
            self._anchors[event.anchor] = (found, self._made - before)
        return found

    def _alias(self, event: Any) -> object:  # noqa: ANN401
        if event.anchor not in self._anchors:
            raise InputError(f"the alias {event.anchor!r} has no anchor")
        found, size = self._anchors[event.anchor]
        self._aliased += size
        self._made += size
        if self._aliased > _MOST_ALIASED:
            raise InputError(f"its aliases stand for more than {_MOST_ALIASED:,} values")
        return found

    def _scalar(self, event: Any) -> object:  # noqa: ANN401
        text = cast("str", event.value)
        if event.tag is None:
            return _plain(text) if event.implicit[0] else text
        values = event.tag.startswith(_TAGS) and event.tag != f"{_TAGS}str"
        return _plain(text) if values else text

    def _mapping(self, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        merged: list[object] = []
        while type(event := self._next()) is not yaml.MappingEndEvent:
            if type(event) is not yaml.ScalarEvent:
                raise InputError("a key of a mapping is no text")
            key = cast("str", event.value)
            value = self.value(self._next(), depth + 1)
            if key == "<<" and isinstance(value, dict | list):
                merged += cast("list[object]", value) if isinstance(value, list) else [value]
            else:
                found[key] = value
        for one in merged:
            if isinstance(one, dict):
                found = cast("dict[str, object]", one) | found
        return found


def read_yaml(text: str) -> object:
    """Return the value of the first document in a YAML text.

    Mappings have texts as keys; an unquoted scalar is what YAML 1.2's core schema says (``no`` and dates are
    texts); merge keys (``<<``) are read.

    Raises:
        InputError: it is no YAML, is nested too deeply, or its aliases stand for too many values.
    """
    try:
        events: Iterator[Any] = cast("Any", yaml).parse(text, Loader=_LOADER)
        for event in events:
            if type(event).__name__ == "DocumentStartEvent":
                break
        else:
            return None
        return _Builder(events).value(next(events))
    except (yaml.YAMLError, StopIteration, RecursionError) as fault:
        raise InputError(str(fault)) from fault
