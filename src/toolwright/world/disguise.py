"""A world's words replaced by others, so that who learns from it reads documents instead of remembering them.

The 20 categories that training shows are few: a small model would learn that flights have fares, not to
find in a document which tool shows what. A disguise gives each word of the categories (nouns, fields,
verbs, values, letters of ids) another one, the same everywhere in one text.
"""

import re
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Literal

from toolwright.world.categories import CATEGORIES, CITIES, FIRST, HEADS, LAST, SEEN
from toolwright.world.vocabulary import COMMON

Sort = Literal["noun", "plural", "word"]
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2}(?=\d{3})")
_STRUCTURE = frozenset(
    {"id", "name", "count", "total", "status", "next", "first", "returns", "in", "connection", "entry",
     "order", "price", "shares", "works"}
)  # fmt: skip
"""Words of the categories that documents, results and rationales are also built of."""
_ONSETS = ("b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "qu", "r", "s", "t", "v", "w", "y",
           "z", "br", "cl", "dr", "fl", "gr", "pl", "sh", "st", "tr", "th", "ch", "sp", "ph")  # fmt: skip
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
def _content() -> tuple[dict[str, tuple[Sort, str]], frozenset[str], frozenset[str]]:
    """Give the words that a disguise replaces (each with its sort and singular), the names, and the codes."""
    words: dict[str, tuple[Sort, str]] = {}
    codes: set[str] = set()
    for one in CATEGORIES[:SEEN]:
        fields = [part for field in one.fields for part in field.name.split("_")]
        values = [part for field in one.fields for word in field.words for part in word.split()]
        for word in (one.verb, one.deed, one.amount, *fields, *values, *one.tails):
            words[word.lower()] = ("word", word.lower())
        codes.add(one.code)
    for one in CATEGORIES[:SEEN]:
        words[one.noun] = ("noun", one.noun)
        words[one.name] = ("plural", one.noun)
    names = frozenset(word.lower() for word in (*CITIES, *FIRST, *LAST, *HEADS))
    plain = {word: sort for word, sort in words.items() if word not in _STRUCTURE}
    return plain, names - set(plain), frozenset(codes)


def _invented(random: Random) -> str:
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


class Disguise:
    """One replacement of words: ``disguise(text)`` gives the text in it.

    Args:
        random: draws the words: common English ones, other words of the categories, and invented ones. A
            noun is sometimes two words.
        names: also the names of people, places and records.
    """

    def __init__(self, random: Random, *, names: bool = False) -> None:
        self._random, self._names = random, names
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()

    def __call__(self, text: str) -> str:
        """Give a text in disguise."""
        return _WORD.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        word, plain = found[0], found[0].lower()
        words, names, codes = _content()
        if word in codes:
            return self._drawn(
                word, lambda: "".join(self._random.choices("ABCDEFGHIKLMNOPRSTVW", k=2))
            )
        if plain in words:
            other = self._other(*words[plain])
        elif self._names and plain in names:
            other = self._drawn(plain, lambda: _invented(self._random))
        else:
            return word
        return _joined(other.split(), found)

    def _other(self, sort: Sort, word: str) -> str:
        if sort == "word":
            return self._drawn(word, self._word)
        noun = self._drawn(f"{word} (noun)", self._noun)
        return noun if sort == "noun" else _plural(noun.split()[0])

    def _noun(self) -> str:
        return " ".join(self._word() for _ in range(2 if self._random.random() < 0.08 else 1))

    def _word(self) -> str:
        chance = self._random.random()
        if chance < 0.35:
            return self._random.choice(COMMON)
        if chance < 0.5:
            return self._random.choice(list(_content()[0]))
        return _invented(self._random)

    def _drawn(self, word: str, draw: Callable[[], str]) -> str:
        """Give what stands for a word; no two words get the same."""
        while word not in self._given:
            drawn = draw()
            if drawn not in self._taken:
                self._taken.add(drawn)
                self._given[word] = drawn
        return self._given[word]


def _joined(words: list[str], found: re.Match[str]) -> str:
    """Write words in the place of one, joined as the name that it stands in joins its parts."""
    text, begin, end = found.string, found.start(), found.end()
    before, after = text[begin - 1 : begin], text[end : end + 1]
    upper = found[0][0].isupper()
    between = next((one for one in (before, after) if one and one in "_-"), " ")
    if before.isalpha() or after.isupper() or (upper and after.isalpha()):
        words, between = [words[0], *(word.capitalize() for word in words[1:])], ""
    first = words[0].capitalize() if upper else words[0]
    return between.join([first, *words[1:]])
