"""Check an answer against what the run saw: which of its values stand in no observation and not in the task.

A check of values, not of meaning: a true sentence about the wrong record passes, and a sum that the model
worked out itself does not. Read as grounded are the same values otherwise written: thousands separators,
rounding, shares in percent, dates and times in another form, days of the week of a date, lengths of lists.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from toolmint.core.values import Value
from toolmint.roles.json_text import values_in
from toolmint.roles.stated_values import Date, Number, Stated, stated

_LONGEST_SOURCE = 400_000
"""Characters of observations that are read, from the last one back."""
_MOST_VALUES = 12
_CLOSE = Decimal("0.05")
_ABOUT = re.compile(
    r"(?:about|around|roughly|approximately|nearly|almost|over|~|≈|circa|ca\.?)\s*\Z", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_MARKER = re.compile(r"(?m)^[ \t]*(?:[-*+\u2022]|\d{1,3}[.)]|#{1,6})[ \t]+")
_HEADING = re.compile(r"(?m)^[ \t]*#{1,6}[ \t].*$")
_LABEL = re.compile(r"(?m)^[ \t]*(?:\*\*)?[\w &/'-]{1,40}(?:\*\*)?:(?:\*\*)?(?=\s)")
_SENTENCE = re.compile(r"(?:\A|[.!?\u2026][\"')\]*\u201d]*|\n)\s*[\"'(\[*_\u201c]*\Z")
_GERMAN = re.compile(r"\b(?:der|das|und|ist|wurde|nicht|ein|eine|für|mit|von|sind|ich)\b")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OWN_WORDS = """
i ok okay yes no none nothing unknown done sorry id ids api url uri json html xml csv pdf http https am pm utc
gmt cet usd eur gbp jpy chf tv faq pin sms gps vat kg km mr mrs ms dr st january february march april may june
july august september october november december
"""
_NO_NAMES = frozenset(_OWN_WORDS.split())
_COUNTING = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty
"""
_NUMBER_WORDS = _COUNTING.split()


class _Sources(NamedTuple):
    """What the run saw, ready to be looked up."""

    text: str
    words: frozenset[str]
    numbers: tuple[Decimal, ...]
    dates: frozenset[Date]
    weekdays: frozenset[str]
    times: frozenset[int]


def ungrounded_values(answer: str, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the values of an answer that stand in none of the sources, as they are written, without repeats.

    Args:
        answer: the text to check.
        sources: the task, and the observations.
    """
    seen = _sources(tuple(sources))
    plain = _MARKER.sub("", _HEADING.sub(lambda line: line[0].lower(), answer))
    values = stated(plain)
    found = [quote for quote in values.quoted if not _quoted(quote, seen)]
    found += [text for text, readings in values.dates if not _dated(readings, seen)]
    found += [text for text, minute in values.times if minute not in seen.times]
    found += [one for one in values.identifiers if _folded(one) not in seen.text]
    found += [one.text for one in values.numbers if not _counted(one, plain, seen)]
    found += _names(values.rest, seen)
    return tuple(dict.fromkeys(found))[:_MOST_VALUES]


def grounded_values(text: str, sources: Sequence[str]) -> int:
    """Return how many values of a text stand in the sources."""
    seen, values = _sources(tuple(sources)), stated(text)
    return (
        sum(_quoted(one, seen) for one in values.quoted)
        + sum(_dated(readings, seen) for _, readings in values.dates)
        + sum(_folded(one) in seen.text for one in values.identifiers)
        + sum(_counted(one, text, seen) for one in values.numbers)
        + sum(_word_in(word, seen) for word in _capitals(values.rest))
    )


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(plain.replace("\u2019", "'").split())


@lru_cache(maxsize=64)
def _sources(texts: tuple[str, ...]) -> _Sources:
    whole, left = list[str](), _LONGEST_SOURCE
    for text in reversed(texts):
        whole.append(text[:left])
        left -= len(text)
        if left <= 0:
            break
    joined = "\n".join(reversed(whole))
    values = stated(joined.replace("T", " T").replace("_", " "), quotes=False)
    folded = _folded(joined)
    words = frozenset(_WORD.findall(folded.replace("_", " ")))
    sizes = {one.size * one.scale for one in values.numbers}
    sizes |= {Decimal(number) for number, word in enumerate(_NUMBER_WORDS) if word in words}
    sizes |= {Decimal(one) for text in whole for one in _lengths(text)}
    for _, readings in values.dates:
        sizes |= {Decimal(part) for one in readings for part in one if part is not None}
    dates = frozenset(one for _, readings in values.dates for one in readings)
    return _Sources(
        folded,
        words,
        tuple(sizes),
        dates,
        frozenset(filter(None, map(_weekday, dates))),
        _all_times(joined, values),
    )


def _all_times(text: str, values: Stated) -> frozenset[int]:
    clock = re.findall(r"(?<!\d)(\d{1,2}):(\d{2})", text)
    return frozenset(minute for _, minute in values.times) | frozenset(
        int(hour) * 60 + int(minute) for hour, minute in clock
    )


def _weekday(given: Date) -> str | None:
    year, month, day = given
    if year is None or month is None or day is None:
        return None
    try:
        return _WEEKDAYS[date(year, month, day).weekday()]
    except ValueError:
        return None


def _lengths(text: str) -> Iterator[int]:
    """Yield the lengths of the lists of an observation: an answer may count them."""
    stripped = text.strip()
    yield len([line for line in stripped.split("\n") if line.strip()])
    if not stripped.startswith(("[", "{")):
        return
    rest: list[Value] = [value for value, _, _ in values_in(stripped)]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            yield len(value)
            rest += value
        elif isinstance(value, dict):
            yield len(value)
            rest += value.values()


def _quoted(text: str, seen: _Sources) -> bool:
    return _folded(text).strip(" .,;:!?") in seen.text


def _dated(readings: set[Date], seen: _Sources) -> bool:
    def agree(one: Date, other: Date) -> bool:
        return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))

    return any(agree(one, other) for one in readings for other in seen.dates)


def _counted(number: Number, answer: str, seen: _Sources) -> bool:
    """Return whether a number stands in the sources, perhaps rounded or as a share in percent."""
    size = number.size * number.scale
    step = Decimal(1).scaleb(-number.decimals) * number.scale
    about = bool(_ABOUT.search(answer[: answer.find(number.text)]))

    def alike(source: Decimal) -> bool:
        exact = abs(source)
        if exact == size or (abs(exact - size) * 2 <= step and exact != exact.to_integral_value()):
            return True
        if number.scale > 1 and abs(exact - size) * 2 <= step:
            return True
        return about and size != 0 and abs(exact - size) / size <= _CLOSE

    return any(alike(one) or (number.percent and alike(one * 100)) for one in seen.numbers)


def _capitals(text: str) -> Iterator[str]:
    """Yield the words that are written as names are: with a capital, inside a sentence."""
    text = _LABEL.sub(" ", text)
    words = list(_WORD.finditer(text))
    alone = len(words) <= 4 and all(one[0][0].isupper() for one in words)
    for place, found in enumerate(words):
        word = found[0]
        if not word[0].isupper() or word.casefold() in _NO_NAMES:
            continue
        first = _SENTENCE.search(text, max(0, found.start() - 24), found.start()) is not None
        if first and not alone:
            following = words[place + 1] if place + 1 < len(words) else None
            joined = following is not None and text[found.end() : following.start()] == " "
            if not (joined and following is not None and following[0][0].isupper()):
                continue
            if len(word) <= 4:
                continue  # "The", "In", "Your" before a name
        yield word


def _names(text: str, seen: _Sources) -> list[str]:
    if len(set(_GERMAN.findall(text))) >= 2:
        return []  # every noun has a capital there
    return [word for word in _capitals(text) if not _word_in(word, seen)]


def _word_in(word: str, seen: _Sources) -> bool:
    plain = _folded(word)
    if plain in seen.words or plain in seen.weekdays:
        return True
    base = re.sub(r"'s?\Z", "", plain)
    if base in seen.words or (len(base) > 3 and base.removesuffix("s") in seen.words):
        return True
    return len(base) > 4 and base in seen.text


def flagged_words(values: Sequence[str]) -> str:
    """Return ungrounded values as the words of a flag."""
    shown = ", ".join(repr(one) for one in values)
    verb = "stands" if len(values) == 1 else "stand"
    return f"{shown} {verb} in no observation and not in the task"
