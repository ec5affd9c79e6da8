"""Values of arguments by their schema: choices, examples, formats, ranges, then what the name says."""

from collections.abc import Mapping
from random import Random
from typing import NamedTuple, cast

from toolmint.core.messages import ToolSpec
from toolmint.core.schema import violations
from toolmint.core.values import Value
from toolmint.synthesis.patterns import text_of_pattern
from toolmint.synthesis.text_values import (
    code_text,
    described_examples,
    formatted_text,
    name_words,
    named_text,
)
from toolmint.synthesis.word_lists import ANY_THINGS

_TRIES = 6
_NUMBERS: dict[str, tuple[int, int]] = {
    "year": (1990, 2026),
    "month": (1, 12),
    "day": (1, 28),
    "hour": (0, 23),
    "minute": (0, 59),
    "age": (18, 80),
    "latitude": (-80, 80),
    "lat": (-80, 80),
    "longitude": (-179, 179),
    "lon": (-179, 179),
    "lng": (-179, 179),
    "rating": (1, 5),
    "quarter": (1, 4),
    "page": (1, 9),
    "limit": (5, 50),
    "percentage": (1, 100),
}


class _Argument(NamedTuple):
    """An argument: its name's words, its schema, and the text that describes it."""

    words: tuple[str, ...]
    schema: Mapping[str, Value]
    about: str


def arguments_for(
    spec: ToolSpec, random: Random, *, optional: float = 0.35
) -> dict[str, Value] | None:
    """Return arguments that fit a tool's schema, or None where no value is known for a required one.

    Args:
        spec: the tool.
        random: decides.
        optional: the chance that an optional argument is given.
    """
    for _ in range(_TRIES):
        made = _object(spec.parameters, random, optional)
        if made is not None and not violations(spec, made):
            return made
    return None


def value_for(
    name: str, schema: Mapping[str, Value], random: Random, *, optional: float = 0.35
) -> Value:
    """Return a value of a schema, None where none is known; the name helps where the schema says little."""
    about = " ".join(str(schema.get(key) or "") for key in ("title", "description")).strip()
    words = tuple(word.lower() for word in name_words(name))
    for _ in range(_TRIES):
        found = _value(_Argument(words, schema, about), random, optional)
        if found is not None and _fits(schema, found):
            return found
    return None


def _fits(schema: Mapping[str, Value], value: Value) -> bool:
    # Not matches_schema: it refuses patterns, whose check may take long; these schemas are the user's own.
    fields: dict[str, Value] = {"value": dict(schema)}
    parameters: dict[str, Value] = {"type": "object", "properties": fields}
    return not violations(
        ToolSpec(name="", description="", parameters=parameters), {"value": value}
    )


def _object(
    schema: Mapping[str, Value], random: Random, optional: float
) -> dict[str, Value] | None:
    fields = schema.get("properties")
    fields = fields if isinstance(fields, dict) else {}
    listed = schema.get("required")
    required = listed if isinstance(listed, list) else []
    found: dict[str, Value] = {}
    for name, field in fields.items():
        if name not in required and random.random() >= optional:
            continue
        value = value_for(name, field if isinstance(field, dict) else {}, random, optional=optional)
        if value is not None:
            found[name] = value
        elif name in required:
            return None
    return found if all(isinstance(name, str) and name in found for name in required) else None


def _value(one: _Argument, random: Random, optional: float) -> Value:
    schema = one.schema
    if "const" in schema:
        return schema["const"]
    for key in ("enum", "examples"):
        choices = schema.get(key)
        if isinstance(choices, list) and choices:
            return random.choice([choice for choice in choices if choice is not None] or [None])
    if "example" in schema:
        return schema["example"]
    if schema.get("default") not in (None, "") and random.random() < 0.25:
        return schema["default"]
    for key in ("anyOf", "oneOf", "allOf"):
        parts = schema.get(key)
        if isinstance(parts, list):
            known = [cast("dict[str, Value]", part) for part in parts if isinstance(part, dict)]
            known = [part for part in known if part.get("type") != "null"]
            return _value(one._replace(schema=known[0]), random, optional) if known else None
    return _typed(one, random, optional)


def _typed(one: _Argument, random: Random, optional: float) -> Value:
    kind = one.schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), None)
    match kind:
        case "boolean":
            return random.random() < 0.6
        case "integer" | "number":
            return _number(one, random, whole=kind == "integer")
        case "array":
            items = one.schema.get("items")
            inner = _Argument(one.words, items if isinstance(items, dict) else {}, one.about)
            low, high = _whole(one.schema, "minItems", 1), _whole(one.schema, "maxItems", 3)
            values = [
                _value(inner, random, optional) for _ in range(random.randint(low, max(low, high)))
            ]
            distinct = [each for place, each in enumerate(values) if each not in values[:place]]
            return None if any(each is None for each in values) else distinct
        case "object":
            return cast("Value", _object(one.schema, random, optional)) or None
        case "null":
            return None
        case _:
            return _text(one, random)


def _whole(schema: Mapping[str, Value], key: str, otherwise: int) -> int:
    value = schema.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _bound(schema: Mapping[str, Value], key: str) -> float | None:
    value = schema.get(key)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _number(one: _Argument, random: Random, *, whole: bool) -> Value:
    if one.words and one.words[-1] in {"id", "code", "zip", "number"} and whole:
        low, high = 1.0, 9999.0
    else:
        span = next((_NUMBERS[word] for word in reversed(one.words) if word in _NUMBERS), None)
        low, high = map(float, span or (1, random.choice((10, 100, 1000))))
    least, most = _bound(one.schema, "minimum"), _bound(one.schema, "maximum")
    above, below = _bound(one.schema, "exclusiveMinimum"), _bound(one.schema, "exclusiveMaximum")
    least = above + (1 if whole else 0.01) if above is not None else least
    most = below - (1 if whole else 0.01) if below is not None else most
    if least is not None or most is not None:
        low = least if least is not None else min(low, cast("float", most))
        high = most if most is not None else max(high, low + 100)
        low = max(low, least) if least is not None else low
    step = _bound(one.schema, "multipleOf")
    if step:
        return _plain(
            step * random.randint(-int(-low // step), max(-int(-low // step), int(high // step)))
        )
    if not whole:
        return round(random.uniform(low, max(low, high)), random.choice((1, 1, 2)))
    return random.randint(-int(-low // 1), max(-int(-low // 1), int(high)))


def _plain(number: float) -> Value:
    return int(number) if number == int(number) else number


def _text(one: _Argument, random: Random) -> Value:
    pattern = one.schema.get("pattern")
    if isinstance(pattern, str):
        return text_of_pattern(pattern, random)
    formatted = formatted_text(str(one.schema.get("format", "")), random)
    if formatted is not None:
        return formatted
    examples = described_examples(one.about)
    named = named_text(one.words, one.about, random)
    if examples and (named is None or random.random() < 0.8):
        return random.choice(examples)
    text = named if named is not None else random.choice(ANY_THINGS)
    low, high = _whole(one.schema, "minLength", 0), _whole(one.schema, "maxLength", 10_000)
    return code_text(random, low or high) if not low <= len(text) <= high else text
