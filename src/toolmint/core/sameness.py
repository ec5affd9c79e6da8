"""What "the same answer" means: the one rule of verification, comparisons, labels and evaluation.

Requests are never compared by this rule: a request is rebuilt exactly, or it is not (``maker.program``).
"""

import json
from decimal import Decimal
from typing import Any, Literal, NoReturn, TypeAlias, cast

AnswerRule: TypeAlias = Literal["text", "json"]
"""What made two answers the same: their texts, but for white space at the ends, or their JSON values."""


def same_answer(one: str, other: str) -> AnswerRule | None:
    """Return the rule by which two answers are the same; None: they differ.

    ``text``: the texts are equal, character by character, but for white space at their ends. White space
    inside, letter case and Unicode normalisation forms make a difference.

    ``json``: both texts are JSON objects or arrays (RFC 8259) of the same value. White space between
    tokens, the order of an object's keys, and how a string is escaped make no difference. Numbers are
    compared by their exact value, so 1, 1.0 and 1e0 are the same; a Boolean is no number. The order of an
    array and each character of a string count. What is a bare number, string, ``true`` or ``null`` is
    text: there the form is the answer. So is an object that has a key twice, or a constant such as
    ``NaN``, as JSON does not say what these mean.
    """
    mine, theirs = one.strip(), other.strip()
    if mine == theirs:
        return "text"
    if not mine.startswith(("{", "[")) or mine[0] != theirs[:1]:
        return None
    try:
        same = _same_value(_DECODER.decode(mine), _DECODER.decode(theirs))
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return "json" if same else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


# Numbers are read as Decimal: a float would make long ones equal that differ.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_once,
    parse_float=Decimal,
    parse_int=Decimal,
    parse_constant=_no_constant,
)


def _same_value(one: object, other: object) -> bool:
    """Return whether two decoded values are the same; a Boolean is the same as itself alone."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        mine, theirs = cast("dict[str, object]", one), cast("dict[str, object]", other)
        return mine.keys() == theirs.keys() and all(
            _same_value(value, theirs[key]) for key, value in mine.items()
        )
    if isinstance(one, list):
        first, second = cast("list[object]", one), cast("list[object]", other)
        return len(first) == len(second) and all(map(_same_value, first, second))
    return one == other
