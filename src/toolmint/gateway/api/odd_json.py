"""Bodies that are JSON and yet odd: names that stand twice, and nesting that no reader here follows."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, cast

_LONGEST = 256 << 10
"""Bytes of a body whose deep nesting is skipped; it takes some tens of milliseconds."""
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_NOTHING = {b"[": b"[null]", b"{": b'{"": null}'}
"""What stands for a list or an object whose content is skipped."""


def repeated_name(raw: bytes, body: Mapping[str, Any], names: Collection[str]) -> str | None:
    """Return the first of some names that stands twice at the top level of a body; None where none does.

    Args:
        raw: the body, strict JSON.
        body: the same, read.
        names: that are looked at; those that the body has not cost nothing.
    """
    mine = [name for name in names if name in body]
    if b"\\u00" not in raw and all(raw.count(f'"{name}"'.encode()) < 2 for name in mine):
        return None
    # The outermost object is closed last.
    pairs: list[tuple[str, Any]] = []

    def keep(found: list[tuple[str, Any]]) -> None:
        pairs[:] = found

    try:
        json.loads(raw, object_pairs_hook=keep)
    except RecursionError:
        return mine[0]  # nobody knows, so it counts as standing twice
    found = [name for name, _ in pairs]
    return next((name for name in mine if found.count(name) > 1), None)


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
