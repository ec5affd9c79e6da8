"""Bodies that are JSON and yet odd: names that stand twice, and nesting that no reader here follows."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

_LONGEST = 256 << 10
"""Bytes of a body whose deep nesting is skipped; it takes some tens of milliseconds."""
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
"""An escape that may stand for a letter of a name."""
_NOTHING = {b"[": b"[null]", b"{": b'{"": null}'}
"""What stands for a list or an object whose content is skipped."""


def repeated_name(raw: bytes, body: Mapping[str, Any], turns: int) -> str | None:
    """Return the first name that stands twice in one object of a body; None where none does.

    Readers differ in which of the two counts. Only a body that may have one is read again.

    Args:
        raw: the body, strict JSON.
        body: the same, read.
        turns: how many messages it has, each with its ``content``.
    """
    plain = b"\\u00" not in raw or _ESCAPED_ASCII.search(raw) is None
    if (
        plain
        and raw.count(b'"content"') <= turns
        and all(raw.count(f'"{name}"'.encode()) < 2 for name in body)
    ):
        return None
    twice: list[str] = []

    def look(found: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in found]
        if len(set(names)) < len(names):
            twice.append(next(name for name in names if names.count(name) > 1))

    try:
        json.loads(raw, object_pairs_hook=look)
    except RecursionError:
        return next(iter(body))  # nobody knows, so it counts as standing twice
    return twice[0] if twice else None


def names_two_models(raw: bytes) -> bool:
    """Return whether ``model`` stands twice at the top level of a body that has been read.

    Then nobody knows which of the two the endpoint takes, nor what it costs.
    """
    plain = b"\\u00" not in raw or _ESCAPED_ASCII.search(raw) is None
    if plain and raw.count(b'"model"') < 2:
        return False
    # The outermost object is closed last.
    pairs: list[tuple[str, Any]] = []

    def keep(found: list[tuple[str, Any]]) -> None:
        pairs[:] = found

    try:
        json.loads(raw, object_pairs_hook=keep, parse_int=str)
    except (ValueError, RecursionError):
        return False  # it was read leniently, and passes as it came
    return [name for name, _ in pairs].count("model") > 1


def shallow_json(raw: bytes) -> dict[str, Any] | None:
    """Return the object of a body that is nested too deep to be read, without what is in its fields.

    A list is ``[None]``, an object ``{"": None}``. None where it is no such object, or too long.
    """
    if len(raw) > _LONGEST:
        return None
    kept: list[bytes] = []
    level = start = 0
    for token in _TOKEN.finditer(raw):
        sign = token[0]
        if sign in (b"[", b"{"):
            if level == 1:
                kept += (raw[start : token.start()], _NOTHING[sign])
            level += 1
        elif sign in (b"]", b"}"):
            level -= 1
            if level == 1:
                start = token.end()
    kept.append(raw[start:])
    try:
        value: object = json.loads(b"".join(kept))
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) and level == 0 else None
