"""The rules for values of a request's fields: which are understood, and what they add to the scope."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import orjson

from toolmint.core.schema import is_bounded
from toolmint.core.values import MAX_DEPTH, Value, too_deep

Rule = Callable[[Any], bytes | None]
"""Returns what a value adds to the scope (empty: nothing); None where the value is not understood."""


_NUMBERS = (int, float)
_LONGEST_FORM = 40_000
"""Bytes of a schema with its name and description."""


def anything(value: object) -> bytes:
    """Understand every value."""
    del value
    return b""


def absent(value: object) -> bytes | None:
    """Understand null, which says the same as no field."""
    return b"" if value is None else None


def boolean(value: object) -> bytes | None:
    """Understand true, false and null."""
    return b"" if value is None or value is True or value is False else None


def false(value: object) -> bytes | None:
    """Understand false and null."""
    return b"" if value is None or value is False else None


def text(value: object) -> bytes | None:
    """Understand a text, and null."""
    return b"" if value is None or isinstance(value, str) else None


def texts_by_name(value: object) -> bytes | None:
    """Understand an object of texts, and null."""
    if value is None:
        return b""
    if not isinstance(value, dict):
        return None
    return b"" if all(map(_is_text, cast("dict[str, object]", value).values())) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def number(low: float, high: float) -> Rule:
    """Return the rule that understands numbers of a range, and null."""

    def rule(value: Any) -> bytes | None:  # noqa: ANN401 - whatever a client sends
        if value is None:
            return b""
        good = isinstance(value, _NUMBERS) and value is not True and value is not False
        return b"" if good and low <= value <= high else None

    return rule


def whole(low: int, high: int = 1 << 62) -> Rule:
    """Return the rule that understands whole numbers of a range, and null."""

    def rule(value: Any) -> bytes | None:  # noqa: ANN401 - whatever a client sends
        if value is None:
            return b""
        return b"" if type(value) is int and low <= value <= high else None

    return rule


def one_of(*values: str) -> Rule:
    """Return the rule that understands some texts, and null."""
    known = frozenset(values)

    def rule(value: object) -> bytes | None:
        return b"" if value is None or (isinstance(value, str) and value in known) else None

    return rule


def some_of(*values: str) -> Rule:
    """Return the rule that understands a list of some texts (none: an empty list), and null."""
    known = frozenset(values)

    def rule(value: object) -> bytes | None:
        if value is None:
            return b""
        if not isinstance(value, list):
            return None
        items = cast("list[object]", value)
        return b"" if all(isinstance(one, str) and one in known for one in items) else None

    return rule


def exactly(expected: object) -> Rule:
    """Return the rule that understands one value, and null."""

    def rule(value: object) -> bytes | None:
        return b"" if value is None or value == expected else None

    return rule


def in_scope(name: str, inner: Rule) -> Rule:
    """Return the rule that makes each understood value but null a part of the scope."""

    def rule(value: object) -> bytes | None:
        more = inner(value)
        if more is None or value is None:
            return more
        part = _sorted_json(value)
        return None if part is None else name.encode() + b"=" + part + more

    return rule


def _sorted_json(value: object) -> bytes | None:
    """Return a value's JSON with sorted names; None where it is nested too deep for an answer."""
    try:
        found = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None
    brackets = found.count(b"[") + found.count(b"{")
    return None if brackets > MAX_DEPTH and too_deep(value) else found


def stop_texts(value: object) -> tuple[str, ...] | None:
    """Return the texts of the field ``stop``; None where it is neither a text nor a list of texts."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        return None
    items = cast("list[object]", value)
    return tuple(cast("list[str]", items)) if all(map(_is_text, items)) else None


def stop_rule(value: object) -> bytes | None:
    """Understand texts that end an answer.

    They are part of the scope: a model's answer that one of them cut off must not be learned, nor compared,
    where nothing is cut off.
    """
    texts = stop_texts(value)
    if texts is None:
        return None
    return b"stop=" + orjson.dumps(sorted(set(texts))) if texts else b""


def answer_format(value: object, *, nested: bool) -> bytes | None:
    """Understand a text, a JSON object or JSON of a schema as the form of an answer.

    Args:
        value: the field's value.
        nested: the schema stands in an object ``json_schema`` (chat), not beside the type (responses).
    """
    if value is None:
        return b""
    if not isinstance(value, dict):
        return None
    wanted = cast("dict[str, object]", value)
    kind = wanted.get("type")
    if kind == "json_schema":
        return _schema_form(wanted, nested=nested)
    if len(wanted) != 1 or kind not in ("text", "json_object"):
        return None
    return b"" if kind == "text" else _sorted_json(wanted)


def _schema_form(wanted: dict[str, object], *, nested: bool) -> bytes | None:
    given = wanted.get("json_schema") if nested else wanted
    if not _is_schema(given, nested=nested) or (nested and len(wanted) != 2):
        return None
    form = _sorted_json(wanted)
    bounded = form is not None and len(form) <= _LONGEST_FORM and _is_bounded(form)
    return form if bounded else None


_SCHEMA: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "description": (str, type(None)),
    "schema": (dict, type(None)),
    "strict": (bool, type(None)),
}


def _is_schema(value: object, *, nested: bool) -> bool:
    if not isinstance(value, dict):
        return False
    found = cast("dict[str, object]", value)
    known = _SCHEMA if nested else _SCHEMA | {"type": (str,)}
    return all(name in known and isinstance(one, known[name]) for name, one in found.items())


@lru_cache(maxsize=512)
def _is_bounded(form: bytes) -> bool:
    """Return whether the schema of a form, given as JSON, is bounded."""
    wanted: dict[str, Any] = orjson.loads(form)
    schema: Any = (wanted.get("json_schema") or wanted).get("schema")
    return schema is None or is_bounded(cast("dict[str, Value]", schema))
