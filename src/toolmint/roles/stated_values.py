"""Find the values that a text states: numbers, dates, times, names, identifiers and quoted words."""

import re
from calendar import month_abbr, month_name
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

_MONTHS = {
    name.lower(): number
    for names in (month_name, month_abbr)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATES = (
    re.compile(r"(?<!\d)(?P<y>\d{4})[-/.](?P<a>\d{1,2})[-/.](?P<b>\d{1,2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})[/.-](?P<y>\d{4})(?!\d)"),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\.?(?: of)? (?P<m>{_MONTH})\b\.?(?:,? (?P<y>\d{{4}}))?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<m>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (?P<y>\d{{4}}))?",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<m>{_MONTH}),? (?P<y>\d{{4}})\b", re.IGNORECASE),
)
_TIME = re.compile(
    r"(?<![\d:.])(\d{1,2})(?::(\d{2}))?(?::\d{2})?\s*([ap])\.?m\b\.?"
    r"|(?<![\d:])(\d{1,2}):(\d{2})(?::\d{2})?(?!\d)",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"\"([^\"\n]{1,200})\"|\u201c([^\u201d\n]{1,200})\u201d|\xab([^\xbb\n]{1,200})\xbb|`([^`\n]{1,200})`"
    r"|(?<![\w'])'([^'\n]{1,200})'(?![\w'])|\u2018([^\u2019\n]{1,200})\u2019(?!\w)"
)
_IDENTIFIER = re.compile(r"(?<!\w)(?=[\w-]*\d)(?=[\w-]*[^\W\d_])[\w]+(?:-\w+)*(?!\w)")
_NUMBER = re.compile(
    r"(?<![\w.])[-+\u2212]?(\d{1,3}(?:[,'\u2019\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:\s?(%|percent\b|thousand\b|million\b|billion\b|k\b|m\b|bn\b))?(?!\w)",
    re.IGNORECASE,
)
_SCALES = {
    "thousand": 10**3,
    "k": 10**3,
    "million": 10**6,
    "m": 10**6,
    "billion": 10**9,
    "bn": 10**9,
}
_WITH_UNIT = re.compile(r"(\d+(?:\.\d+)?)([^\W\d_]{1,4})\Z")
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\Z", re.IGNORECASE)


class Number(NamedTuple):
    """A number: how it is written, its size, its decimals, and whether it is a share or is scaled."""

    text: str
    size: Decimal
    decimals: int
    percent: bool = False
    scale: int = 1


Date = tuple[int | None, int | None, int | None]
"""Year, month and day; None: not said."""


class Stated(NamedTuple):
    """What a text states, in the order of reading; the rest is the text without all of that."""

    dates: list[tuple[str, set[Date]]]
    times: list[tuple[str, int]]
    quoted: list[str]
    identifiers: list[str]
    numbers: list[Number]
    rest: str


def stated(text: str, *, quotes: bool = True) -> Stated:
    """Return the values of a text; total. Without ``quotes``, quoted words are read as others are."""
    quoted: list[str] = []
    if quotes:
        quoted += [
            next(one for one in found.groups() if one is not None)
            for found in _QUOTED.finditer(text)
        ]
        text = _QUOTED.sub(" ", text)
    dates: list[tuple[str, set[Date]]] = []
    for pattern in _DATES:
        for found in pattern.finditer(text):
            readings = _readings(found)
            if readings:
                dates.append((found[0], readings))
        text = pattern.sub(lambda one: " " if _readings(one) else one[0], text)
    times = [
        (one[0].strip(), minute)
        for one in _TIME.finditer(text)
        if (minute := _minute(one)) is not None
    ]
    text = _TIME.sub(lambda one: " " if _minute(one) is not None else one[0], text)
    identifiers: list[str] = []

    def identifier(found: re.Match[str]) -> str:
        if _NUMBER.fullmatch(found[0]) or _ORDINAL.search(found[0]):
            return found[0]
        unit = _WITH_UNIT.match(found[0])
        if unit is not None:
            return f"{unit[1]} {unit[2]}"
        identifiers.append(found[0])
        return " "

    text = _IDENTIFIER.sub(identifier, text)
    numbers = [number for one in _NUMBER.finditer(text) if (number := _number(one)) is not None]
    return Stated(dates, times, quoted, identifiers, numbers, _NUMBER.sub(" ", text))


def _readings(found: re.Match[str]) -> set[Date]:
    """Return the dates that a text may mean: 3/4/2025 is in March or in April."""
    parts = found.groupdict()
    year = int(parts["y"]) if parts.get("y") else None
    if parts.get("m"):
        day = int(parts["d"]) if parts.get("d") else None
        given = [(year, _MONTHS[parts["m"].lower()], day)]
    else:
        first, second = int(parts["a"]), int(parts["b"])
        given = [(year, first, second), (year, second, first)]
    return {one for one in given if 1 <= (one[1] or 1) <= 12 and 1 <= (one[2] or 1) <= 31}


def _minute(found: re.Match[str]) -> int | None:
    """Return a time of day in minutes; None where there is no such time."""
    half = found[3]
    hour, minute = int(found[1] or found[4]), int(found[2] or found[5] or 0)
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    return hour * 60 + minute if hour < 25 and minute < 60 else None


def _number(found: re.Match[str]) -> Number | None:
    digits = re.sub(r"[,'\u2019\u00a0\u202f]", "", found[1])
    if len(digits) > 60:
        return None
    unit = (found[2] or "").lower()
    try:
        size = Decimal(digits)
    except InvalidOperation:
        return None
    decimals = len(digits.partition(".")[2])
    return Number(found[0].strip(), size, decimals, unit in {"%", "percent"}, _SCALES.get(unit, 1))
