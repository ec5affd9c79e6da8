"""Values of arguments by their schema: choices, examples, formats, ranges, then what the name says."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import NamedTuple, cast

from toolmint.core.messages import ToolSpec
from toolmint.core.schema import matches_schema, violations
from toolmint.core.values import Value
from toolmint.synthesis.patterns import text_of_pattern
from toolmint.synthesis.word_lists import BY_WORD, COMPANIES, FILES, PEOPLE, THINGS, TITLES

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_GIVEN = re.compile(
    r"(?:\be\.?g\.?,?:?|\bsuch as|\bfor example,?:?|\blike)\s+([^).;]+)", re.IGNORECASE
)
_SPLIT = re.compile(r",\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+")
_KINDS = frozenset(
    [
        "etc",
        "name",
        "names",
        "id",
        "ids",
        "city",
        "country",
        "state",
        "region",
        "address",
        "date",
        "coordinates",
        "url",
        "place",
    ]
)
_QUOTES = "'\"` “”‘’"
_TRIES = 6
_MOST_CHARACTERS = 60
_POOLS: dict[str, Sequence[str]] = {
    word: values for words, values in BY_WORD.items() for word in words.split(",")
}
_DIGITS, _LETTERS = "0123456789", "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
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


def name_words(name: str) -> list[str]:
    """Return the words of an identifier: ``startDate``, ``start_date`` and ``start-date`` give two."""
    return _WORD.findall(name)


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
        if found is not None and matches_schema(schema, found):
            return found
    return None


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


def described_examples(about: str) -> list[str]:
    """Return the values that a description gives after ``e.g.``, ``such as`` or ``for example``."""
    found = _GIVEN.search(about)
    if not found:
        return []
    parts = [part.strip(_QUOTES) for part in _SPLIT.split(found[1])]
    return [part for part in parts if 0 < len(part) <= _MOST_CHARACTERS and not _is_kind(part)]


def _is_kind(text: str) -> bool:
    """Return whether an example is no value but a kind of one, such as ``city`` or ``YYYY-MM-DD``."""
    words = text.lower().split()
    return (
        words[-1] in _KINDS or words[0] in _KINDS or "yyyy" in words[0] or "hh:mm" in text.lower()
    )


def _text(one: _Argument, random: Random) -> Value:
    pattern = one.schema.get("pattern")
    if isinstance(pattern, str):
        return text_of_pattern(pattern, random)
    formatted = _formatted(str(one.schema.get("format", "")), random)
    if formatted is not None:
        return formatted
    examples = described_examples(one.about)
    named = _by_name(one.words, one.about, random)
    if examples and (named is None or random.random() < 0.8):
        return random.choice(examples)
    text = named if named is not None else random.choice(THINGS)
    low, high = _whole(one.schema, "minLength", 0), _whole(one.schema, "maxLength", 10_000)
    return _code(random, low or high) if not low <= len(text) <= high else text


def _code(random: Random, length: int) -> str:
    return "".join(random.choice(_LETTERS + _DIGITS) for _ in range(length))


def _day(random: Random) -> date:
    return date(2021, 1, 1) + timedelta(days=random.randrange(365 * 6))


def _formatted(name: str, random: Random) -> str | None:
    match name:
        case "date":
            return _day(random).isoformat()
        case "date-time":
            at = datetime.combine(_day(random), datetime.min.time(), UTC)
            at += timedelta(minutes=15 * random.randrange(96))
            return at.isoformat().replace("+00:00", "Z")
        case "time":
            return f"{random.randrange(24):02}:{random.choice((0, 15, 30, 45)):02}:00"
        case "email":
            return random.choice(PEOPLE).lower().replace(" ", ".") + "@example.com"
        case "uri" | "url" | "uri-reference":
            return f"https://example.com/{random.choice(FILES)}"
        case "uuid":
            digits = "".join(random.choice("0123456789abcdef") for _ in range(30))
            return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:30]}"
        case "ipv4":
            return f"192.168.{random.randrange(255)}.{random.randrange(1, 255)}"
        case "hostname":
            return f"{random.choice(FILES)}.example.com"
        case _:
            return None


_FORMATS = {
    "date": "date",
    "birthday": "date",
    "deadline": "date",
    "datetime": "date-time",
    "timestamp": "date-time",
    "email": "email",
    "mail": "email",
    "url": "uri",
    "link": "uri",
    "website": "uri",
    "uuid": "uuid",
    "ip": "ipv4",
    "domain": "hostname",
}


def _by_name(words: Sequence[str], about: str, random: Random) -> str | None:
    """Return a value that the name's last word that is known asks for."""
    last = words[-1] if words else ""
    if last in {"id", "ids", "identifier", "code", "key", "token", "number", "reference"}:
        if last == "number" and "phone" in words:
            return f"+1-555-{random.randrange(1000):03}-{random.randrange(10_000):04}"
        return (
            _code(random, random.randint(5, 10))
            if random.random() < 0.7
            else str(random.randrange(1, 999))
        )
    for word in reversed(words):
        if word in _FORMATS:
            return _formatted(_FORMATS[word], random)
        if word == "time":
            return f"{random.randrange(24):02}:{random.choice((0, 15, 30, 45)):02}"
        if word in {"phone", "mobile", "telephone"}:
            return f"+1-555-{random.randrange(1000):03}-{random.randrange(10_000):04}"
        if word == "year":
            return str(random.randint(1990, 2026))
        if word in {"file", "path", "image", "photo", "audio", "video", "document"}:
            end = {"image": "png", "photo": "jpg", "audio": "mp3", "video": "mp4"}.get(word, "csv")
            return f"{random.choice(FILES)}{random.randint(1, 99)}.{end}"
        if word == "name":
            return _name(words, about, random)
        if word in _POOLS:
            return random.choice(_POOLS[word])
    return None


def _name(words: Sequence[str], about: str, random: Random) -> str:
    for word in [*words, *map(str.lower, name_words(about))]:
        if word in _POOLS and _POOLS[word] is not PEOPLE:
            return random.choice(_POOLS[word])
        if word in _POOLS:
            return random.choice(PEOPLE)
    return random.choice(random.choice((PEOPLE, COMPANIES, TITLES, THINGS)))
