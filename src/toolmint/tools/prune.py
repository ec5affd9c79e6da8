"""Shortens the schemas that a model is shown to a number of tokens; calls are checked against the whole ones.

A shortened schema takes every call that the whole one takes: constraints are left out, never added. What was
cut is said: texts end in ``… [N characters cut]``, arguments that are not shown are named.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from toolmint.core.messages import ToolSpec
from toolmint.core.values import Value, clip

_Json = dict[str, Any]
CHARACTERS_A_TOKEN = 3.5
"""Of a tool as JSON, in English: on the careful side of the 3.8 that a tokenizer of 130,000 tokens has."""
_BOUNDS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
)
_NOTES = frozenset({"description", "default", "title"})
_LEAST = 40
"""Tokens that a tool may have at the least."""
_MOST_NAMED = 400
"""Characters of the names of arguments that are not shown."""


class _Detail(NamedTuple):
    """How much of a schema is shown."""

    depth: int
    description: int
    choices: int
    fields: int
    """Optional members of an object."""
    bounds: bool


_DETAILS = (
    _Detail(12, 2000, 100, 1000, bounds=True),
    _Detail(8, 500, 50, 200, bounds=True),
    _Detail(6, 250, 30, 60, bounds=True),
    _Detail(4, 160, 20, 40, bounds=False),
    _Detail(3, 120, 15, 25, bounds=False),
    _Detail(2, 90, 10, 20, bounds=False),
    _Detail(2, 60, 8, 12, bounds=False),
    _Detail(1, 60, 6, 12, bounds=False),
    _Detail(1, 40, 4, 6, bounds=False),
    _Detail(1, 20, 3, 3, bounds=False),
    _Detail(1, 0, 0, 0, bounds=False),
)


def tokens_of_spec(spec: ToolSpec) -> int:
    """Return about how many tokens of a prompt a tool's name, description and parameters take."""
    shown = json.dumps(spec.parameters, ensure_ascii=False)
    return round((len(spec.name) + len(spec.description) + len(shown)) / CHARACTERS_A_TOKEN)


def pruned(spec: ToolSpec, tokens: int) -> ToolSpec:
    """Return a tool with a schema and a description that take at most so many tokens.

    One that takes no more stays as it is. Names of required arguments always stay, so that a tool with very
    many may take more.
    """
    if tokens_of_spec(spec) <= tokens:
        return spec
    found = spec
    for detail in _DETAILS:
        found = _view(spec, detail)
        if tokens_of_spec(found) <= tokens:
            break
    return found


def pruned_to(specs: Sequence[ToolSpec], tokens: int) -> tuple[ToolSpec, ...]:
    """Return tools that together take about so many tokens.

    Small ones stay as they are; what they leave is shared by the large ones in equal parts.
    """
    sizes = {spec.name: tokens_of_spec(spec) for spec in specs}
    left, share = tokens, dict[str, int]()
    for number, name in enumerate(sorted(sizes, key=lambda one: sizes[one])):
        share[name] = min(sizes[name], max(left // (len(sizes) - number), _LEAST))
        left -= share[name]
    return tuple(pruned(spec, share[spec.name]) for spec in specs)


def _view(spec: ToolSpec, detail: _Detail) -> ToolSpec:
    definitions = cast("_Json", spec.parameters.get("$defs") or {})
    view = _View(detail, definitions)
    shown = view.schema(cast("_Json", spec.parameters), detail.depth + 1)
    # Endpoints take no alternatives at the top.
    top = {key: one for key, one in shown.items() if key not in {"anyOf", "allOf"}}
    description = clip(spec.description, max(detail.description * 2, 100))
    if view.left_out:
        names = ", ".join(view.left_out)
        named = (
            names if len(names) <= _MOST_NAMED else names[:_MOST_NAMED].rpartition(",")[0] + ", …"
        )
        description += f"\nMore optional arguments: {named}"
    return spec.model_copy(
        update={"description": description, "parameters": cast("dict[str, Value]", top)}
    )


class _View:
    """Shows schemas in one detail."""

    def __init__(self, detail: _Detail, definitions: Mapping[str, Any]) -> None:
        self._detail, self._definitions = detail, definitions
        self.left_out: list[str] = []

    def schema(self, given: object, depth: int) -> _Json:
        """Return a schema that takes all that a given one takes."""
        if not isinstance(given, dict):
            return {}
        part = self._followed(cast("_Json", given))
        found: _Json = {key: part[key] for key in ("type", "format") if key in part}
        self._notes(part, found)
        if self._detail.bounds:
            found |= {key: part[key] for key in _BOUNDS if key in part}
        if depth <= 0:
            return found
        partly = "patternProperties" in part
        if isinstance(part.get("properties"), dict):
            partly = self._members(part, found, depth) or partly
        # What holds for all others would hold for those that are not shown.
        if isinstance(part.get("items"), dict) and "prefixItems" not in part:
            found["items"] = self.schema(part["items"], depth - 1)
        extra: Any = part.get("additionalProperties")
        if extra is not None and not partly:
            found["additionalProperties"] = extra and self.schema(extra, depth - 1)
        # Of "exactly one of", only "one of" is kept: two shortened schemas may both fit.
        for key, shown in (("allOf", "allOf"), ("anyOf", "anyOf"), ("oneOf", "anyOf")):
            if isinstance(part.get(key), list):
                found[shown] = [self.schema(one, depth - 1) for one in part[key]]
        return found

    def _followed(self, part: _Json) -> _Json:
        """Return a schema with its reference followed; what stands beside the reference comes first."""
        for _ in range(8):
            pointer = part.get("$ref")
            if not isinstance(pointer, str):
                break
            target: Any = self._definitions.get(pointer.removeprefix("#/$defs/"))
            followed = cast("_Json", target) if isinstance(target, dict) else {}
            beside = {key: one for key, one in part.items() if key != "$ref"}
            if beside.keys() <= _NOTES:
                part = followed | beside
            else:
                part = {**beside, "allOf": [followed, *(beside.get("allOf") or [])]}
        return part

    def _notes(self, part: _Json, found: _Json) -> None:
        said = part.get("description")
        notes = [clip(str(said), self._detail.description)] if said else []
        choices: Any = part.get("enum")
        if isinstance(choices, list):
            given = cast("list[Any]", choices)
            shown = given[: self._detail.choices]
            if len(shown) == len(given):
                found["enum"] = given
            elif shown:
                texts = ", ".join(json.dumps(one, ensure_ascii=False) for one in shown)
                notes.append(f"one of {texts}, … [{len(given) - len(shown)} more]")
        for key in ("const", "default"):
            if key in part and len(json.dumps(part[key])) <= max(self._detail.description, 20):
                found[key] = part[key]
        if notes and self._detail.description:
            found["description"] = " ".join(notes)

    def _members(self, part: _Json, found: _Json, depth: int) -> bool:
        """Show an object's members; return whether some are left out."""
        fields = cast("_Json", part["properties"])
        needed = [str(one) for one in part.get("required") or ()]
        optional = [name for name in fields if name not in needed]
        kept = {*needed, *optional[: self._detail.fields]}
        left_out = [name for name in optional if name not in kept]
        if depth == self._detail.depth + 1:
            self.left_out += left_out
        found["properties"] = {
            name: self.schema(one, depth - 1) for name, one in fields.items() if name in kept
        }
        if needed:
            found["required"] = needed
        return bool(left_out)
