"""Lexical augmentation: replace a world's content words, so that a model reads documents, not memory.

Training has only 20 categories. A small model would memorise that flights have fares instead of learning
to find in a document which tool returns what. The augmentation maps each word of the categories (nouns,
fields, verbs, values, letters of ids) to another word, consistently within one trajectory.
"""

import re
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Literal

from toolmint.world.categories import (
    CATEGORIES,
    CITIES,
    FIRST_NAMES,
    HEAD_WORDS,
    LAST_NAMES,
    SEEN_CATEGORIES,
)
from toolmint.world.vocabulary import COMMON_WORDS

WordKind = Literal["noun", "plural", "word"]
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2}(?=\d{3})")
_KEPT_WORDS = frozenset(
    {
        "id",
        "name",
        "count",
        "total",
        "status",
        "next",
        "first",
        "returns",
        "in",
        "connection",
        "entry",
        "order",
        "price",
        "shares",
        "works",
    }
)
"""Category words that are never replaced: documents, results and rationales use them as well."""
_ONSETS = (
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "qu",
    "r",
    "s",
    "t",
    "v",
    "w",
    "y",
    "z",
    "br",
    "cl",
    "dr",
    "fl",
    "gr",
    "pl",
    "sh",
    "st",
    "tr",
    "th",
    "ch",
    "sp",
    "ph",
)
_VOWELS = ("a", "e", "i", "o", "u", "ea", "ou", "ai", "ee", "io", "y")
_CODAS = (
    "",
    "",
    "n",
    "r",
    "l",
    "t",
    "m",
    "ck",
    "nd",
    "st",
    "s",
    "x",
    "ll",
    "ss",
    "ng",
    "rt",
    "p",
    "d",
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@cache
def _replaceable() -> tuple[dict[str, tuple[WordKind, str]], frozenset[str], frozenset[str]]:
    """Return the replaceable words (each with its kind and singular), the proper names, and the id codes."""
    words: dict[str, tuple[WordKind, str]] = {}
    codes: set[str] = set()
    for one in CATEGORIES[:SEEN_CATEGORIES]:
        fields = [part for field in one.fields for part in field.name.split("_")]
        values = [part for field in one.fields for word in field.words for part in word.split()]
        for word in (one.verb, one.deed, one.amount, *fields, *values, *one.tails):
            words[word.lower()] = ("word", word.lower())
        codes.add(one.code)
    for one in CATEGORIES[:SEEN_CATEGORIES]:
        words[one.noun] = ("noun", one.noun)
        words[one.name] = ("plural", one.noun)
    names = frozenset(word.lower() for word in (*CITIES, *FIRST_NAMES, *LAST_NAMES, *HEAD_WORDS))
    plain = {word: kind for word, kind in words.items() if word not in _KEPT_WORDS}
    return plain, names - set(plain), frozenset(codes)


def _invented_word(random: Random) -> str:
    parts = [
        random.choice(_ONSETS) + random.choice(_VOWELS) + random.choice(_CODAS)
        for _ in range(random.choice((1, 2, 2, 3)))
    ]
    word = "".join(parts)
    if random.random() < 0.3:
        at = random.randrange(len(word))
        word = word[:at] + random.choice(_LETTERS) + word[at:]
    return word


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


class LexicalAugmentation:
    """One consistent replacement of words: ``augmentation(text)`` returns the rewritten text.

    Args:
        random: draws the replacements: common English words, other category words, and invented words.
            A noun is sometimes replaced by two words.
        names: also replace the names of people, places and records.
    """

    def __init__(self, random: Random, *, names: bool = False) -> None:
        self._random, self._names = random, names
        self._replacements: dict[str, str] = {}
        self._used: set[str] = set()

    def __call__(self, text: str) -> str:
        """Return the text with its content words replaced."""
        return _WORD.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        word, plain = found[0], found[0].lower()
        words, names, codes = _replaceable()
        if word in codes:
            return self._drawn(
                word, lambda: "".join(self._random.choices("ABCDEFGHIKLMNOPRSTVW", k=2))
            )
        if plain in words:
            other = self._other(*words[plain])
        elif self._names and plain in names:
            other = self._drawn(plain, lambda: _invented_word(self._random))
        else:
            return word
        return _write_in_case(other.split(), found)

    def _other(self, kind: WordKind, word: str) -> str:
        if kind == "word":
            return self._drawn(word, self._word)
        noun = self._drawn(f"{word} (noun)", self._noun)
        return noun if kind == "noun" else _plural(noun.split()[0])

    def _noun(self) -> str:
        return " ".join(self._word() for _ in range(2 if self._random.random() < 0.08 else 1))

    def _word(self) -> str:
        chance = self._random.random()
        if chance < 0.35:
            return self._random.choice(COMMON_WORDS)
        if chance < 0.5:
            return self._random.choice(list(_replaceable()[0]))
        return _invented_word(self._random)

    def _drawn(self, word: str, draw: Callable[[], str]) -> str:
        """Return the replacement of a word, drawn once; two words never share one."""
        while word not in self._replacements:
            drawn = draw()
            if drawn not in self._used:
                self._used.add(drawn)
                self._replacements[word] = drawn
        return self._replacements[word]


def _write_in_case(words: list[str], found: re.Match[str]) -> str:
    """Return the replacement in the case and joining style (snake, kebab, camel) of its context."""
    text, begin, end = found.string, found.start(), found.end()
    before, after = text[begin - 1 : begin], text[end : end + 1]
    upper = found[0][0].isupper()
    between = next((one for one in (before, after) if one and one in "_-"), " ")
    if before.isalpha() or after.isupper() or (upper and after.isalpha()):
        words, between = [words[0], *(word.capitalize() for word in words[1:])], ""
    first = words[0].capitalize() if upper else words[0]
    return between.join([first, *words[1:]])
