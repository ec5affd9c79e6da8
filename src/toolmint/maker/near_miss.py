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
from toolmint.maker.wording import KnownRequest, KnownRequests, Shape

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


def _wording_changes(
    known: KnownRequest, shown: KnownRequests, phrases: Phrases, rng: random.Random
) -> Iterator[tuple[str, str, Shape]]:
    """Yield the kind, the text and the wording of each change.

    Inside a slot a word is only replaced by one that no known request contains, as any known word might
    be a right value there; then the changed request would be of the class.
    """
    request, shape, vocabulary = known.text, known.shape, shown.vocabulary
    after_text = {span.end for span in known.slots if span.leaf.parameter in shown.slots.free}
    outside, swallowed = known.outside(), shown.swallowed(known)
    for span in known.words:
        word, before, after = (
            request[span.start : span.end],
            request[: span.start],
            request[span.end :],
        )
        number = -1 if span.in_slot else outside.index(span)
        if number in swallowed:
            continue
        invented = rng.choice(phrases.invented)
        yield "invented", before + invented + after, (*shape, invented)
        opposite = OPPOSITES.get(word.lower())
        if opposite and opposite not in vocabulary:
            yield "opposite", before + opposite + after, (*shape, opposite)
        if span.in_slot:
            continue
        start, rest = shape[:number], shape[number + 1 :]
        gap = before.removesuffix(" ") if not after.startswith(" ") else before
        yield "deleted", gap + after.removeprefix(" "), (*start, *rest)
        # Behind running text, a word that is put in is a part of the text.
        continued = len(before.rstrip(" ,;:")) in after_text
        for negation in phrases.negations:
            if negation not in vocabulary and not continued:
                yield "negated", f"{before}{negation} {word}{after}", (*shape, negation)
        if word.islower() and len(word) > 3 and f"un{word}" not in vocabulary and phrases.adverbs:
            yield "negated", f"{before}un{word}{after}", (*shape, f"un{word}")
        following = outside[number + 1] if number + 1 < len(outside) else None
        if following is not None:
            other = request[following.start : following.end]
            middle = request[span.end : following.start]
            if other.lower() != word.lower() and middle.isspace():
                swapped = before + other + middle + word + request[following.end :]
                yield "reordered", swapped, (*start, other.lower(), word.lower(), *rest[1:])
    yield from _added(request, shape, phrases)


def _added(request: str, shape: Shape, phrases: Phrases) -> Iterator[tuple[str, str, Shape]]:
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

    def _is_optional(self, one: KnownRequest, shape: Shape) -> bool:
        """Return whether the word that was left out is one that a known wording does without."""
        lost = next((a for a, b in zip(one.shape, (*shape, ""), strict=True) if a != b), "")
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
