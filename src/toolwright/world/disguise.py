"""A world's words replaced by others, so that who learns from it reads documents instead of remembering them.

The 20 categories that training shows are few: a small model would learn that flights have fares, not to
find in a document which tool shows what. A disguise gives each word of the categories (nouns, fields,
verbs, values, letters of ids) another one, the same everywhere in one text.
"""

import re
from collections.abc import Callable
from functools import cache
from random import Random

from toolwright.world.categories import CATEGORIES, CITIES, FIRST, HEADS, LAST, SEEN

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2}(?=\d{3})")
_STRUCTURE = frozenset({"id", "name", "count", "total", "status", "next", "first", "returns", "in"})
"""Words of the categories that documents, results and rationales are also built of."""
_ONSETS = ("b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "br", "cl", "dr",
           "fl", "gr", "pl", "sh", "st", "tr", "th")  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "ea", "ou", "ai")
_CODAS = ("", "", "n", "r", "l", "t", "m", "ck", "nd", "st", "s")


@cache
def _content() -> tuple[dict[str, str], frozenset[str], frozenset[str]]:
    """Give the words that a disguise replaces (each with its singular, if any), the names, and the codes."""
    words: dict[str, str] = {}
    codes: set[str] = set()
    for one in CATEGORIES[:SEEN]:
        fields = [part for field in one.fields for part in field.name.split("_")]
        values = [part for field in one.fields for word in field.words for part in word.split()]
        for word in (one.noun, one.verb, one.deed, one.amount, *fields, *values, *one.tails):
            words[word.lower()] = ""
        words[one.name] = one.noun
        codes.add(one.code)
    names = frozenset(word.lower() for word in (*CITIES, *FIRST, *LAST, *HEADS))
    plain = {word: noun for word, noun in words.items() if word not in _STRUCTURE}
    return plain, names - set(plain), frozenset(codes)


def _invented(random: Random) -> str:
    syllables = random.choice((1, 2, 2, 3))
    parts = (
        random.choice(_ONSETS) + random.choice(_VOWELS) + random.choice(_CODAS)
        for _ in range(syllables)
    )
    return "".join(parts)


class Disguise:
    """One replacement of words: ``disguise(text)`` gives the text in it.

    Args:
        random: draws the words; half of them are other words of the categories, half invented.
        names: also the names of people, places and records.
    """

    def __init__(self, random: Random, *, names: bool = False) -> None:
        self._random, self._names = random, names
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()

    def __call__(self, text: str) -> str:
        """Give a text in disguise."""
        return _WORD.sub(lambda found: self._word(found[0]), text)

    def _word(self, word: str) -> str:
        words, names, codes = _content()
        if word in codes:
            return self._drawn(
                word, lambda: "".join(self._random.choices("ABCDEFGHIKLMNOPRSTVW", k=2))
            )
        plain = word.lower()
        if plain in words:
            noun = words[plain]
            other = self._other(noun) + "s" if noun else self._other(plain)
        elif self._names and plain in names:
            other = self._drawn(plain, lambda: _invented(self._random))
        else:
            return word
        return other[0].upper() + other[1:] if word[0].isupper() else other

    def _other(self, word: str) -> str:
        pool, _, _ = _content()
        if self._random.random() < 0.5:
            return self._drawn(word, lambda: self._random.choice(list(pool)))
        return self._drawn(word, lambda: _invented(self._random))

    def _drawn(self, word: str, draw: Callable[[], str]) -> str:
        """Give what stands for a word; no two words get the same."""
        while word not in self._given:
            drawn = draw()
            if drawn not in self._taken:
                self._taken.add(drawn)
                self._given[word] = drawn
        return self._given[word]
