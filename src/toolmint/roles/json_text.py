"""Read the JSON that stands in a model's text, and write it back; total functions."""

import json
from collections.abc import Iterator
from typing import cast

from toolmint.core.values import Value, canonical, sound, too_deep

_MOST_STARTS = 24
"""Places in one text where a value is tried: a text of braces alone would take quadratic time."""
_DECODER = json.JSONDecoder()


def value_at(text: str, start: int) -> tuple[Value, int] | None:
    """Return the JSON value that begins at a place, and where it ends; None where there is none."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return None if too_deep(value) else (cast("Value", value), end)


def values_in(text: str, first: int = 0) -> Iterator[tuple[Value, int, int]]:
    """Yield the objects and lists of a text, each with its start and end; what is none is passed over."""
    at = first
    for _ in range(_MOST_STARTS):
        starts = [one for one in (text.find("{", at), text.find("[", at)) if one >= 0]
        if not starts:
            return
        start = min(starts)
        found = value_at(text, start)
        if found is None:
            at = start + 1
            continue
        yield found[0], start, found[1]
        at = found[1]


def object_at(text: str, start: int) -> tuple[dict[str, Value], int] | None:
    """Return the JSON object that begins at a place, and where it ends; None where there is none."""
    found = value_at(text, start)
    if found is None or not isinstance(found[0], dict):
        return None
    return found[0], found[1]


def argument_text(value: object) -> str:
    """Return a call's arguments as text: a text as it is, nothing as an empty object, else as JSON."""
    if isinstance(value, str):
        return sound(value)
    if value is None:
        return "{}"
    if too_deep(value):
        return _any_text(value)
    try:
        return sound(canonical(value))
    except ValueError:  # NaN and Infinity, which json reads
        return _any_text(value)


def _any_text(value: object) -> str:
    """Return a value as JSON where that can be had, else as the name of its type."""
    try:
        return sound(json.dumps(value, ensure_ascii=False, default=str))
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} that is nested too deeply"
