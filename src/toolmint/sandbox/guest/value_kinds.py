"""The kinds of values that are told apart in a tool: it may be wrong for one that it never saw."""

from collections.abc import Sized
from typing import Any, cast

VALUE_KINDS = (
    "null",
    "false",
    "true",
    "a negative number",
    "zero",
    "one",
    "a larger number",
    "an empty text",
    "a text",
    "an empty list",
    "a list of one",
    "a longer list",
    "an object",
    "another value",
)
SIZES = ("nothing", "one item", "more items")


def value_kind(value: Any) -> int:
    """Return the number of a value's kind among ``VALUE_KINDS``."""
    if value is None:
        return 0
    if value is False or value is True:
        return 2 if value else 1
    kind = cast("type[Any]", type(value))
    if kind is int or kind is float:
        return 3 if value < 0 else 4 if value == 0 else 5 if value == 1 else 6
    if kind is str:
        return 8 if value else 7
    if kind is list or kind is tuple:
        return 9 + min(2, len(value))
    return 12 if kind is dict else 13


def size_kind(value: object) -> int | None:
    """Return the number of a collection's size among ``SIZES``; None: it has none before it is read."""
    return min(2, len(cast("Sized", value))) if isinstance(value, _SIZED) else None


_SIZED = (list, tuple, dict, set, frozenset, str, range)
