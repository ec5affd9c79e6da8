"""Generates near misses: requests that look like a class and are not of it, without a model.

The wording of known requests is changed, deleted, negated, reordered and extended, and orders and other
impossible values are put inside their slots (``slot_miss``); a tool must refuse every result. What the known
requests show to be harmless is left out (``wording``).
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from toolmint.core.values import Value
from toolmint.maker.phrases import OPPOSITES, Phrases, phrases_for
from toolmint.maker.slot_miss import slot_changes
from toolmint.maker.wording import KnownRequest, KnownRequests, Phrasing, WordSpan

_MOST_REQUESTS = 120  # known requests that are changed
_DOUBTFUL = frozenset({"deleted", "reordered"})


class NearMiss(NamedTuple):
    """A changed request.

    Attributes:
        text: the changed request.
        kind: of change.
        of: the known request that was changed.
        where: what was changed: the wording, or a value in a slot.
    """

    text: str
    kind: str
    of: str = ""
    where: Literal["wording", "slot"] = "wording"

    @property
    def doubtful(self) -> bool:
        """Whether it may ask the same: only a word is left out, or two are swapped."""
        return self.kind in _DOUBTFUL


class _Word(NamedTuple):
    """A word of a request's wording that is changed; its position in the shape, -1: it is in a slot."""

    known: KnownRequest
    span: WordSpan
    number: int

    def put(self, text: str) -> str:
        """Return the request with a text in place of the word."""
        request = self.known.text
        return request[: self.span.start] + text + request[self.span.end :]

    @property
    def text(self) -> str:
        return self.known.text[self.span.start : self.span.end]

    def left_out(self) -> tuple[str, Phrasing]:
        """Return the request and the wording without the word, and without the space beside it."""
        before = self.known.text[: self.span.start]
        after = self.known.text[self.span.end :]
        shape = self.known.shape
        before = before if after.startswith(" ") else before.removesuffix(" ")
        without = (*shape[: self.number], *shape[self.number + 1 :])
        return before + after.removeprefix(" "), (
            without if self.number >= 0 else (*shape, f"-{self.text}")
        )

    def swapped(self) -> tuple[str, Phrasing] | None:
        """Return the request and the wording with the next word before this one, if that stands beside."""
        number, shape = self.number, self.known.shape
        if number + 1 >= len(shape):
            return None
        request, following = self.known.text, self.known.outside()[number + 1]
        other = request[following.start : following.end]
        middle = request[self.span.end : following.start]
        if other.lower() == self.text.lower() or not middle.isspace():
            return None
        text = f"{request[: self.span.start]}{other}{middle}{self.text}{request[following.end :]}"
        return text, (*shape[:number], shape[number + 1], shape[number], *shape[number + 2 :])


def _wording_changes(
    known: KnownRequest, shown: KnownRequests, phrases: Phrases, rng: random.Random
) -> Iterator[tuple[str, str, Phrasing]]:
    """Yield the kind, the text and the wording of each change.

    Inside a slot a word is only replaced by one that no known request contains, as any known word might
    be a right value there; then the changed request would be of the class.
    """
    shape, swallowed, number = known.shape, shown.swallowed(known), -1
    for span in known.words:
        number += 0 if span.in_slot else 1
        if not span.in_slot and number in swallowed:
            continue
        word = _Word(known, span, -1 if span.in_slot else number)
        invented = rng.choice(phrases.invented)
        yield "invented", word.put(invented), (*shape, invented)
        opposite = OPPOSITES.get(word.text.lower())
        if opposite and opposite not in shown.vocabulary:
            yield "opposite", word.put(opposite), (*shape, opposite)
        if not span.listed:
            yield "deleted", *word.left_out()
        if not span.in_slot:
            yield from _negated(word, shown, phrases)
            swapped = word.swapped()
            if swapped is not None:
                yield "reordered", *swapped
    yield from _added(known.text, shape, phrases)


def _negated(
    word: _Word, shown: KnownRequests, phrases: Phrases
) -> Iterator[tuple[str, str, Phrasing]]:
    """Yield negations of a word; behind running text, a word that is put in is a part of the text."""
    known, text = word.known, word.text
    texts = {span.end for span in known.slots if span.leaf.parameter in shown.slots.free}
    if len(known.text[: word.span.start].rstrip(" ,;:")) not in texts:
        for negation in phrases.negations:
            if negation not in shown.vocabulary:
                yield "negated", word.put(f"{negation} {text}"), (*known.shape, negation)
    if text.islower() and len(text) > 3 and f"un{text}" not in shown.vocabulary and phrases.adverbs:
        yield "negated", word.put(f"un{text}"), (*known.shape, f"un{text}")


def _added(request: str, shape: Phrasing, phrases: Phrases) -> Iterator[tuple[str, str, Phrasing]]:
    for head in phrases.heads:
        yield "prefixed", f"{head} {request}", (head, *shape)
    for tail in phrases.tails:
        yield "suffixed", f"{request} {tail}", (*shape, tail)


class NearMisses:
    """Makes near misses of the known requests of a class.

    Args:
        parsed: known requests with the arguments that the parser returned for them.
        seed: seed of the choices; equal inputs give equal near misses.

    Attributes:
        known: what the known requests show.
    """

    def __init__(self, parsed: Sequence[tuple[str, Value]], *, seed: int = 0) -> None:
        self.known = KnownRequests(parsed)
        # A change of white space alone is no change of the wording, and may be a right request.
        self._texts = frozenset(tuple(request.split()) for request, _ in parsed)
        self._rng = random.Random(seed)
        self._phrases = phrases_for(self.known.slots.languages, self.known.words, self._rng)

    def _every(self) -> Iterator[NearMiss]:
        known, rng = self.known, self._rng
        free = self._free_additions()
        chosen = known.requests
        if len(chosen) > _MOST_REQUESTS:
            chosen = rng.sample(chosen, _MOST_REQUESTS)
        for one in chosen:
            for kind, text, shape in _wording_changes(one, known, self._phrases, rng):
                if shape in known.shapes or (kind == "deleted" and self._is_optional(one, shape)):
                    continue
                if kind in free:
                    continue
                yield NearMiss(text, kind, one.text)
            for kind, text in slot_changes(one, known, self._phrases, rng):
                yield NearMiss(text, kind, one.text, "slot")

    def _is_optional(self, one: KnownRequest, shape: Phrasing) -> bool:
        """Return whether the word that was left out is one that a known wording does without."""
        lost = next((a for a, b in zip(one.shape, (*shape, ""), strict=False) if a != b), "")
        return lost in self.known.optional

    def _free_additions(self) -> frozenset[str]:
        """Return the additions that are a part of running text, as known requests begin or end in it."""
        free = set[str]()
        for one in self.known.requests:
            for span in one.slots:
                if span.leaf.parameter in self.known.slots.free:
                    if not any(letter.isalnum() for letter in one.text[: span.start]):
                        free.add("prefixed")
                    if not any(letter.isalnum() for letter in one.text[span.end :]):
                        free.add("suffixed")
        return frozenset(free)

    def make(self, count: int) -> list[NearMiss]:
        """Return up to ``count`` different near misses, of each kind alike many where there are enough."""
        kinds = defaultdict[str, list[NearMiss]](list)
        seen = set(self._texts)
        for miss in self._every():
            words = tuple(miss.text.split())
            if words not in seen:
                seen.add(words)
                kinds[miss.kind].append(miss)
        groups = [kinds[kind] for kind in sorted(kinds)]
        for group in groups:
            self._rng.shuffle(group)
        chosen = list[NearMiss]()
        while len(chosen) < count and any(groups):
            for group in groups:
                if group and len(chosen) < count:
                    chosen.append(group.pop())
        return chosen


def near_misses(
    parsed: Sequence[tuple[str, Value]], *, count: int = 300, seed: int = 0
) -> list[NearMiss]:
    """Return up to ``count`` different near misses of known requests; see ``NearMisses``."""
    return NearMisses(parsed, seed=seed).make(count)
