"""The rules by which the fields of a request are understood: a closed set, and settings that change it.

A request is answered by a tool only where every one of its fields is in its endpoint's table and has a value
that the table's rule understands. The tables stand in ``api/chat.py`` and ``api/responses.py``;
``docs/fields.md`` is written from them.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast

from toolmint.core.errors import ConfigError
from toolmint.gateway.api.value_rules import Rule, absent, anything, in_scope

Effect = Literal["read", "scope", "limit", "delivery", "served", "model"]
FieldChoice = Literal["served", "scope", "model"]

EFFECTS: dict[Effect, str] = {
    "read": "the gateway reads it",
    "scope": "it is part of the scope: tools answer only where its value is the same",
    "limit": "it limits an answer: where the tool's is longer in bytes, the model answers",
    "delivery": "it says how the answer is sent, and a tool's answer is sent so",
    "served": "a tool's answer is the same for each of the values",
    "model": "any other value asks for what only a model can do",
}
"""What becomes of a field whose value is understood."""
_NAME = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)?")
_SHOWN = 40
"""Characters of an unknown field's name that a reason shows."""


class RequestField(NamedTuple):
    """How one field is understood.

    Attributes:
        effect: what becomes of it where it is understood.
        values: the values that are understood, in words.
        rule: the same as a function.
        why: why a request with another value goes to the model; empty: a general reason is given.
        missing: why a request without the field goes to the model; empty: it may be left out.
    """

    effect: Effect
    values: str
    rule: Rule
    why: str = ""
    missing: str = ""


class FieldRules(NamedTuple):
    """The rules of one endpoint, as they are applied to each request.

    Attributes:
        of: the rule of each top-level field.
        why: the reason where a rule does not understand a value.
        missing: names of fields that must be there, and the reason where one is not.
        limits: names of fields that limit an answer's length.
    """

    of: dict[str, Rule]
    why: dict[str, str]
    missing: tuple[tuple[str, str], ...]
    limits: tuple[str, ...]

    def reason(self, name: str) -> str:
        """Return why a request with a field that is not understood goes to the model."""
        if name not in self.of:
            shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
            return f"it has a field that tools do not know: {shown!r}"
        return self.why.get(name) or f"it has a value of {name!r} that tools do not understand"


def _object_of(rules: Mapping[str, Rule]) -> Rule:
    """Return the rule that understands an object by the rules of its fields, and null."""

    def rule(value: Any) -> bytes | None:  # noqa: ANN401 - whatever a client sends
        if value is None:
            return b""
        if not isinstance(value, dict):
            return None
        parts: list[bytes] = []
        for name, one in cast("dict[str, Any]", value).items():
            inner = rules.get(name)
            part = None if inner is None else inner(one)
            if part is None:
                return None
            if part:
                parts.append(part)
        return b"\0".join(sorted(parts)) if parts else b""

    return rule


def field_rules(
    table: Mapping[str, RequestField], choices: Mapping[str, FieldChoice] | None = None
) -> FieldRules:
    """Return the rules of a table, changed by settings.

    Args:
        table: fields by name; ``text.verbosity`` is a field of the object ``text``.
        choices: what is to become of fields, known or not: ``served`` (a tool's answer is the same for each
            value), ``scope`` (part of the scope), ``model`` (a request with it goes to the model).

    Raises:
        ConfigError: a choice names what is no field, or one that the gateway itself reads.
    """
    fields = dict(table)
    for name, choice in (choices or {}).items():
        fields[name] = _chosen(name, fields.get(name), choice)
    of: dict[str, Rule] = {}
    inner: dict[str, dict[str, Rule]] = {}
    for name, field in fields.items():
        parent, _, child = name.partition(".")
        if child:
            inner.setdefault(parent, {})[child] = field.rule
        else:
            of[name] = field.rule
    for parent, rules in inner.items():
        of.setdefault(parent, _object_of(rules))
    why = {name: field.why for name, field in fields.items() if field.why}
    missing = tuple((name, field.missing) for name, field in fields.items() if field.missing)
    limits = tuple(name for name, field in fields.items() if field.effect == "limit")
    return FieldRules(of, why, missing, limits)


def _chosen(name: str, field: RequestField | None, choice: FieldChoice) -> RequestField:
    """Return a field as a setting wants it.

    Raises:
        ConfigError: it is no field, or one that the gateway itself reads.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"fields names {name!r}, which cannot be a field", code="setting-value")
    if field is not None and field.effect in {"read", "delivery"}:
        raise ConfigError(
            f"fields names {name!r}, which the gateway itself reads: it cannot be changed",
            code="setting-value",
        )
    match choice:
        case "served":
            return RequestField("served", "all", anything)
        case "scope":
            known = field is not None and field.effect != "model"
            inner = field.rule if field is not None and known else anything
            effect = "limit" if field is not None and field.effect == "limit" else "scope"
            return RequestField(effect, "all", in_scope(name, inner))
        case "model":
            return RequestField("model", "null", absent)
