"""Texts for arguments: examples of their description, standard formats, and what their name says."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

from toolmint.synthesis.word_lists import ANY_THINGS, BY_WORD, COMPANIES, FILES, PEOPLE, TITLES

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_GIVEN = re.compile(
    r"(?:\be\.?g\.?,?:?|\bsuch as|\bfor example,?:?|\blike)\s+([^).;]+)", re.IGNORECASE
)
_SPLIT = re.compile(r",\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+")
_KIND_WORDS = "etc name names id ids city country state region address date coordinates url place"
_KINDS = frozenset(_KIND_WORDS.split())
_QUOTES = "'\"` \u201c\u201d\u2018\u2019"
_MOST_CHARACTERS = 60
_POOLS: dict[str, Sequence[str]] = {
    word: values for words, values in BY_WORD.items() for word in words.split(",")
}
_DIGITS, _LETTERS = "0123456789", "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def name_words(name: str) -> list[str]:
    """Return the words of an identifier: ``startDate``, ``start_date`` and ``start-date`` give two."""
    return _WORD.findall(name)


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


def code_text(random: Random, length: int) -> str:
    """Return letters and digits, as identifiers have them."""
    return "".join(random.choice(_LETTERS + _DIGITS) for _ in range(length))


def _day(random: Random) -> date:
    return date(2021, 1, 1) + timedelta(days=random.randrange(365 * 6))


def _date_time(random: Random) -> str:
    at = datetime.combine(_day(random), datetime.min.time(), UTC)
    at += timedelta(minutes=15 * random.randrange(96))
    return at.isoformat().replace("+00:00", "Z")


def _clock(random: Random) -> str:
    return f"{random.randrange(24):02}:{random.choice((0, 15, 30, 45)):02}"


def _uuid(random: Random) -> str:
    digits = "".join(random.choice("0123456789abcdef") for _ in range(30))
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:30]}"


_FORMATTED: dict[str, Callable[[Random], str]] = {
    "date": lambda random: _day(random).isoformat(),
    "date-time": _date_time,
    "time": lambda random: f"{_clock(random)}:00",
    "email": lambda random: random.choice(PEOPLE).lower().replace(" ", ".") + "@example.com",
    "uri": lambda random: f"https://example.com/{random.choice(FILES)}",
    "url": lambda random: f"https://example.com/{random.choice(FILES)}",
    "uri-reference": lambda random: f"/{random.choice(FILES)}",
    "uuid": _uuid,
    "ipv4": lambda random: f"192.168.{random.randrange(255)}.{random.randrange(1, 255)}",
    "hostname": lambda random: f"{random.choice(FILES)}.example.com",
}


def formatted_text(name: str, random: Random) -> str | None:
    """Return a text of one of JSON Schema's formats, or None for another one."""
    make = _FORMATTED.get(name)
    return make(random) if make is not None else None


def _phone(random: Random) -> str:
    return f"+1-555-{random.randrange(1000):03}-{random.randrange(10_000):04}"


def _identifier(random: Random) -> str:
    if random.random() < 0.7:
        return code_text(random, random.randint(5, 10))
    return str(random.randrange(1, 999))


def _file(ends: str) -> Callable[[Random], str]:
    return lambda random: f"{random.choice(FILES)}{random.randint(1, 99)}.{ends}"


_BY_WORD: dict[str, Callable[[Random], str]] = {
    **dict.fromkeys(("date", "birthday", "deadline"), _FORMATTED["date"]),
    **dict.fromkeys(("datetime", "timestamp"), _FORMATTED["date-time"]),
    **dict.fromkeys(("email", "mail"), _FORMATTED["email"]),
    **dict.fromkeys(("url", "link", "website"), _FORMATTED["uri"]),
    **dict.fromkeys(("phone", "mobile", "telephone"), _phone),
    **dict.fromkeys(("file", "path", "document"), _file("csv")),
    "uuid": _uuid,
    "ip": _FORMATTED["ipv4"],
    "domain": _FORMATTED["hostname"],
    "time": _clock,
    "year": lambda random: str(random.randint(1990, 2026)),
    "image": _file("png"),
    "photo": _file("jpg"),
    "audio": _file("mp3"),
    "video": _file("mp4"),
}
_IDENTIFIERS = frozenset(("id", "ids", "identifier", "code", "key", "token", "number", "reference"))


def named_text(words: Sequence[str], about: str, random: Random) -> str | None:
    """Return a text that a name's last known word asks for, or None where no word is known.

    Args:
        words: of the argument's name, in lower case.
        about: its description, which tells what a name is of.
        random: decides.
    """
    if words and words[-1] in _IDENTIFIERS and "phone" not in words:
        return _identifier(random)
    for word in reversed(words):
        if word in _BY_WORD:
            return _BY_WORD[word](random)
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
    return random.choice(random.choice((PEOPLE, COMPANIES, TITLES, ANY_THINGS)))
