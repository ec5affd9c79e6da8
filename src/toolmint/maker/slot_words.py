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
    ENGLISH,
    FUNCTION_WORDS,
    LONE_WORDS,
    OPERATION_WORDS,
    PARTNER_WORDS,
    PRONOUNS,
    counts_capitalised,
    languages_of,
)
from toolmint.maker.slots import WORD, Leaf, positions, string_leaves

_FREE_SHARE = 0.25  # of the requests: function words in so many make a slot running text
_FREE_LEAST = 2  # requests with function words, at least
_OPEN_WORDS, _OPEN_SHARE = 8, 0.4  # different words, and their share of all: the words are open
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

    def _stands_for_a_name(self, leaf: Leaf, words: Sequence[str]) -> bool:
        """Return whether a value is one word such as "nobody", which running text does not consist of."""
        return len(words) == 1 and words[0].lower() in self._pronouns and not leaf.key

    def _is_partner(self, low: str, leaf: Leaf) -> bool:
        return low in PARTNER_WORDS and low not in self._allowed.get(leaf.parameter, ())

    def _counts(self, word: str, low: str, leaf: Leaf, *, alone: bool) -> bool:
        """Return whether a word of a value is one that may not stand there."""
        if low in self._allowed.get(leaf.parameter, ()):
            return False
        if low in self._suspect:
            return word == low or (word != word.upper() and counts_capitalised(low))
        if word != low or leaf.key:
            return False
        if low in self._operations:
            listed = len(WORD.findall(leaf.text)) > 1 and low not in LONE_WORDS
            return listed or leaf.parameter in self.open
        return (
            not alone and ENGLISH in self.languages and low.endswith("ly") and len(low) >= _ADVERB
        )

    def suspect(self, request: str, args: Value) -> str | None:
        """Return the word of a value that may not stand there, or None.

        Only words of the request count: what a parser adds is no word of the request.
        """
        said = frozenset(WORD.findall(request.lower()))
        beside = defaultdict[str, list[tuple[int, str]]](list)
        for number, leaf in enumerate(string_leaves(args)):
            words = WORD.findall(leaf.text)
            if leaf.parameter in self.free and not self._stands_for_a_name(leaf, words):
                continue
            alone = len(words) == 1 and leaf.parameter in self.open
            for word in words:
                low = word.lower()
                if low not in said:
                    continue
                counts = self._counts(word, low, leaf, alone=alone)
                if not counts and not (alone and self._is_partner(low, leaf)):
                    continue
                if not alone or (counts and low not in LONE_WORDS):
                    return word
                beside[leaf.parameter].append((number, low))
        return _pair(beside)


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
    return different >= _OPEN_WORDS and different >= _OPEN_SHARE * len(words)
