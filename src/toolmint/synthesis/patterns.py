"""Texts that match a simple regular expression: characters, classes and repetition, no alternatives."""

import re
from random import Random

_ATOM = re.compile(r"\\(.)|\[([^\]\\]|\\.)+\]|[^\\()|^$*+?{}]")
_TIMES = re.compile(r"\{(\d+)(?:(,)(\d*))?\}|[*+?]")
_CLASSES = {
    "d": "0123456789",
    "w": "abcdefghijklmnopqrstuvwxyz",
    "s": " ",
}
_MOST = 8  # repetitions where the expression sets no limit


def text_of_pattern(pattern: str, random: Random) -> str | None:
    """Return a text that matches a regular expression, or None where it is not a simple one."""
    rest, found = pattern.removeprefix("^").removesuffix("$"), ""
    while rest:
        atom = _ATOM.match(rest)
        characters = _characters(atom[0]) if atom else ""
        if atom is None or not characters:
            return None
        rest = rest[atom.end() :]
        times = _TIMES.match(rest)
        low, high = _bounds(times)
        rest = rest[times.end() :] if times else rest
        found += "".join(random.choice(characters) for _ in range(random.randint(low, high)))
    try:
        return found if re.search(pattern, found) else None
    except re.error:
        return None


def _bounds(times: re.Match[str] | None) -> tuple[int, int]:
    if times is None:
        return 1, 1
    match times[0]:
        case "*":
            return 1, _MOST
        case "+":
            return 1, _MOST
        case "?":
            return 0, 1
        case _:
            low = int(times[1])
            high = int(times[3]) if times[3] else low + _MOST if times[2] else low
            return low, max(low, high)


def _characters(atom: str) -> str:
    """Return the characters that one atom stands for; empty: not known."""
    if atom.startswith("\\"):
        return _CLASSES.get(atom[1], "" if atom[1].isalnum() else atom[1])
    if atom == ".":
        return _CLASSES["w"]
    if not atom.startswith("["):
        return atom
    if atom[1] == "^":
        return ""
    found, inner = "", atom[1:-1]
    while inner:
        span = re.match(r"([^\\])-([^\\])", inner)
        if span:
            found += "".join(chr(code) for code in range(ord(span[1]), ord(span[2]) + 1))
            inner = inner[span.end() :]
        elif inner.startswith("\\"):
            found += _CLASSES.get(inner[1], "" if inner[1].isalnum() else inner[1])
            inner = inner[2:]
        else:
            found, inner = found + inner[0], inner[1:]
    return found
