"""Which words may stand in the values of a class's requests.

A slot that takes any word also takes an instruction: "pear apple in descending order" is three more words
to sort. So a value may not contain a function word (``function_words``) that no demonstration has there; the
request is refused then.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from itertools import pairwise

from pydantic import Field

from toolmint.core.messages import Frozen
from toolmint.core.tool import Evidence
from toolmint.core.values import Value
from toolmint.maker.function_words import (
    CLOSING_WORDS,
    ENGLISH,
    FUNCTION_WORDS,
    LONE_WORDS,
    OPERATION_WORDS,
    PARTNER_WORDS,
    PRONOUNS,
    TAKING_WORDS,
    counts_capitalised,
    languages_of,
)
from toolmint.maker.slots import WORD, argument_texts, positions, string_leaves

_FREE_SHARE = 0.25  # of the requests: function words in so many make a slot running text
_FREE_LEAST = 2  # requests with function words, at least
_OPEN_WORDS, _OPEN_SHARE = 8, 0.4  # different words, and their share of all: the words are open
_OPEN_MANY = 24  # different words that make a slot open, whatever their share
_LIST = 3  # words of a list in which the last ones may be an order
_ADVERB = 6  # letters of a word with -ly that is taken for an adverb
SLOTS_DETAIL = "slots"
"""Where the evidence of a version keeps its ``SlotWords``."""


class SlotWords(Frozen):
    """Which function words the known requests of a class have in their slots; kept with the evidence.

    Attributes:
        languages: of the class's wording.
        free: parameters that take running text, where any word may stand.
        open: parameters that take many different words.
        shown: function words that known requests have, by parameter.
        own: words of the class's own wording, where its language is none that is known here.
    """

    languages: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    shown: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    own: tuple[str, ...] = ()

    @cached_property
    def _suspect(self) -> frozenset[str]:
        words = frozenset[str]().union(*(FUNCTION_WORDS[one] for one in self.languages))
        return words | frozenset(self.own)

    @cached_property
    def _pronouns(self) -> frozenset[str]:
        return frozenset[str]().union(*(PRONOUNS[one] for one in self.languages))

    @cached_property
    def _operations(self) -> frozenset[str]:
        return OPERATION_WORDS if ENGLISH in self.languages else frozenset()

    @cached_property
    def _allowed(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(words) for name, words in self.shown.items()}

    @cached_property
    def _watched(self) -> frozenset[str]:
        partners = PARTNER_WORDS if self.open else frozenset[str]()
        return self._suspect | self._operations | self._pronouns | partners

    def _counts(self, word: str, parameter: str, *, alone: bool, listed: bool, key: bool) -> bool:
        """Return whether a word of a value is one that may not stand there."""
        low = word.lower()
        if low in self._allowed.get(parameter, ()):
            return False
        if low in self._suspect:
            return word == low or (word != word.upper() and counts_capitalised(low))
        if word != low or key:
            return False
        if low in self._operations:
            return parameter in self.open or (listed and low not in LONE_WORDS)
        return not alone and ENGLISH in self.languages and _is_adverb(low)

    def suspect(self, request: str, args: Value) -> str | None:
        """Return the word of a value that may not stand there, or None.

        Only words of the request count: what a parser adds is no word of the request.
        """
        said = frozenset(WORD.findall(request.lower()))
        watched = [word for word in said if word in self._watched or _is_adverb(word)]
        beside = defaultdict[str, list[tuple[int, str]]](list)
        lists = defaultdict[str, list[str]](list)
        for number, (parameter, text, key) in enumerate(argument_texts(args) if watched else ()):
            small = text.lower()
            if parameter in self.open and not key and small in said:
                lists[parameter].append(small)
            if not any(word in small for word in watched):
                continue
            words = WORD.findall(text)
            free = parameter in self.free
            if free and (len(words) != 1 or key or words[0].lower() not in self._pronouns):
                continue
            listed = len(words) > 1
            alone = not listed and parameter in self.open
            for word in words:
                low = word.lower()
                if low not in said:
                    continue
                counts = self._counts(word, parameter, alone=alone, listed=listed, key=key)
                if counts and (not alone or low not in LONE_WORDS):
                    return word
                if counts or (alone and self._is_partner(low, parameter)):
                    beside[parameter].append((number, low))
        return _pair(beside) or (self._closing(lists) if ENGLISH in self.languages else None)

    def _closing(self, lists: dict[str, list[str]]) -> str | None:
        """Return the word with which a list ends in an order, or None."""
        for parameter, words in lists.items():
            allowed = self._allowed.get(parameter, ())
            for word, orders in zip(words[:-3:-1], (CLOSING_WORDS, TAKING_WORDS), strict=False):
                if len(words) >= _LIST and word in orders and word not in allowed:
                    return word
        return None

    def _is_partner(self, low: str, parameter: str) -> bool:
        return low in PARTNER_WORDS and low not in self._allowed.get(parameter, ())


def _is_adverb(word: str) -> bool:
    return word.endswith("ly") and len(word) >= _ADVERB


def slots_of(evidence: Iterable[Evidence]) -> SlotWords | None:
    """Return what the evidence of a version says of its class's slots, or None."""
    for one in evidence:
        found = one.details.get(SLOTS_DETAIL)
        if isinstance(found, dict):
            return SlotWords.model_validate(found)
    return None


def _pair(beside: dict[str, list[tuple[int, str]]]) -> str | None:
    """Return a word that stands beside another of its kind, or None."""
    for found in beside.values():
        for (one, word), (other, next_word) in pairwise(found):
            partners = {word, next_word} <= PARTNER_WORDS
            if other - one <= (1 if partners else 2):
                return next_word if word in PARTNER_WORDS else word
    return None


def learn_slots(
    parsed: Sequence[tuple[str, Value]], constant: frozenset[str], wording: Collection[str]
) -> SlotWords:
    """Return which words the slots of known requests have.

    Args:
        parsed: known requests with their arguments.
        constant: ``constant_places`` of them.
        wording: the words outside the slots, in lower case, each as often as it occurs.
    """
    languages = tuple(sorted(languages_of(wording)))
    suspect = frozenset[str]().union(*(FUNCTION_WORDS[one] for one in languages))
    own = () if languages else tuple(sorted({one for one in wording if len(one) > 1}))
    known = suspect | frozenset(own) | OPERATION_WORDS | PARTNER_WORDS
    telling = (suspect - LONE_WORDS) | frozenset(own)
    shown = defaultdict[str, set[str]](set)
    having = Counter[str]()
    words = defaultdict[str, list[str]](list)
    for _, args in parsed:
        having_here, counts = set[str](), Counter[str]()
        for leaf in string_leaves(args):
            found = [word.lower() for word in WORD.findall(leaf.text)]
            shown[leaf.parameter] |= {one for one in found if one in known or one.endswith("ly")}
            words[leaf.parameter] += found
            counts[leaf.parameter] += 0 if leaf.key else len(found)
            varying = {word for place, word in positions(leaf) if place not in constant}
            if not leaf.key and not varying.isdisjoint(telling):
                having_here.add(leaf.parameter)
        having.update(name for name in having_here if counts[name] > 1)
    least = max(_FREE_LEAST, _FREE_SHARE * len(parsed))
    return SlotWords(
        languages=languages,
        free=tuple(sorted(name for name, count in having.items() if count >= least)),
        open=tuple(sorted(name for name, found in words.items() if _open(found))),
        shown={name: tuple(sorted(found)) for name, found in sorted(shown.items()) if found},
        own=own,
    )


def _open(words: Sequence[str]) -> bool:
    different = len(set(words))
    # The share falls with every request that is known, also where any word may come.
    return different >= _OPEN_MANY or (
        different >= _OPEN_WORDS and different >= _OPEN_SHARE * len(words)
    )
