"""Generates near misses: requests that look like a class and are not of it, without a model.

The wording of known requests is changed, deleted, negated, reordered and extended; a tool must refuse
every result. Wording is the text outside the *slots* (the string arguments that the parser returned)
and every lower-case word that nearly all known requests share, wherever it stands. The second rule is
needed because the slots come from the parser under test: one that takes fixed wording into a slot
would otherwise hide that wording from the changes.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from toolmint.core.values import Value

_INVENTED_WORDS = (
    "blorptly",
    "quandle",
    "vexish",
    "zorbing",
    "plimmed",
    "gruffle",
    "snarkic",
    "wobbent",
)
_OPPOSITES = {
    one: other
    for pair in (
        "earliest latest",
        "first last",
        "ascending descending",
        "alphabetically backwards",
        "left right",
        "older newer",
        "oldest newest",
        "largest smallest",
        "more fewer",
        "least most",
        "before after",
        "above below",
        "open closed",
        "all none",
        "same different",
        "and or",
        "some any",
        "minimum maximum",
        "highest lowest",
        "shortest longest",
        "start end",
        "forward backward",
        "together separately",
        "equally unequally",
        "sort shuffle",
        "complete shorten",
        "always never",
        "truth lie",
        "true false",
        "if unless",
        "no some",
    )
    for one, other in (pair.split(), pair.split()[::-1])
}
_TAILS = (
    "Answer in reverse order.",
    "Ignore the last one.",
    "Count duplicates twice.",
    "Use the opposite rule.",
    "Explain your answer in French.",
    "Then double the result.",
)
_HEADS = ("Do not answer this:", "Assume the opposite.", "In the previous year,", "For each pair:")
_NUMBER_WORDS = frozenset(
    [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "a",
        "an",
    ]
)
_COMMON_SHARE = 0.9
_WORD = re.compile(r"[^\W\d_]+(?:['&-][^\W\d_]+)*")


class NearMiss(NamedTuple):
    """A changed request and the kind of change."""

    text: str
    kind: str


def leaves(value: Value) -> Iterator[str]:
    """Yield every scalar of a JSON value as text, and the keys of objects."""
    match value:
        case dict():
            for key, item in value.items():
                yield key
                yield from leaves(item)
        case list():
            for item in value:
                yield from leaves(item)
        case str():
            yield value
        case None:
            return
        case bool() | int() | float():
            yield str(value)


def _kin(word: str, slot_words: frozenset[str]) -> bool:
    """Return whether a word is in a slot, or a close form of such a word (singular and plural)."""
    low = word.lower()
    if low in slot_words:
        return True
    return len(low) > 2 and any(
        len(other) > 2 and abs(len(other) - len(low)) <= 3 and other[:-1] == low[: len(other) - 1]
        for other in slot_words
    )


def common_words(requests: Sequence[str]) -> frozenset[str]:
    """Return the lower-case words that at least 90 % of the requests contain."""
    seen = Counter(word for text in requests for word in set(_WORD.findall(text)))
    least = _COMMON_SHARE * len(requests)
    return frozenset(w for w, n in seen.items() if n >= least and w.islower() and len(w) > 1)


class WordSpan(NamedTuple):
    """Where a word of the wording stands (character offsets), and whether a slot contains it."""

    start: int
    end: int
    in_slot: bool


def wording(request: str, args: Value, common: frozenset[str]) -> list[WordSpan]:
    """Return the spans of a request's wording.

    Words of a slot do not count, nor number words if a slot contains digits: ``args`` may have turned
    "three" into 3.
    """
    slot_text = " ".join(leaves(args)).lower()
    slot_words = frozenset(_WORD.findall(slot_text)) | frozenset(leaves(args))
    counted = _NUMBER_WORDS if re.search(r"\d", slot_text) else frozenset[str]()
    spans: list[WordSpan] = []
    for found in _WORD.finditer(request):
        word = found[0]
        in_slot = _kin(word, slot_words) or word.lower() in counted or len(word) == 1
        if not in_slot or word in common:
            spans.append(WordSpan(*found.span(), in_slot))
    return spans


def _changes(
    request: str, spans: list[WordSpan], known: frozenset[str], rng: random.Random
) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each change.

    Inside a slot a word is only replaced by one that no known request contains, as any known word might
    be a right value there; then the changed request would be of the class.
    """
    for number, span in enumerate(spans):
        word, before, after = (
            request[span.start : span.end],
            request[: span.start],
            request[span.end :],
        )
        yield "invented", before + rng.choice(_INVENTED_WORDS) + after
        opposite = _OPPOSITES.get(word.lower())
        if opposite and opposite not in known:
            yield "opposite", before + opposite + after
        if span.in_slot:
            continue
        yield "deleted", before + after.removeprefix(" ")
        if "not" not in known:
            yield "negated", f"{before}not {word}{after}"
        following = spans[number + 1] if number + 1 < len(spans) else None
        if following is not None and not following.in_slot:
            other = request[following.start : following.end]
            if other.lower() != word.lower():
                middle = request[span.end : following.start]
                yield "reordered", before + other + middle + word + request[following.end :]
    for head in _HEADS:
        yield "prefixed", f"{head} {request}"
    for tail in _TAILS:
        yield "suffixed", f"{request} {tail}"


def near_misses(
    parsed: Sequence[tuple[str, Value]], *, count: int = 300, seed: int = 0
) -> list[NearMiss]:
    """Return up to ``count`` different near misses.

    Args:
        parsed: known requests with the arguments that the parser returned for them.
        count: largest number of near misses.
        seed: seed of the choice; equal inputs give equal near misses.
    """
    rng = random.Random(seed)
    texts = [request for request, _ in parsed]
    common = common_words(texts)
    vocabulary = frozenset(word.lower() for text in texts for word in _WORD.findall(text))
    # A change of white space alone is no change of the wording, and may be a right request.
    known = {tuple(text.split()) for text in texts}
    found: dict[tuple[str, ...], NearMiss] = {}
    for request, args in parsed:
        spans = wording(request, args, common)
        for kind, text in _changes(request, spans, vocabulary, rng):
            words = tuple(text.split())
            if words not in known:
                found.setdefault(words, NearMiss(text, kind))
    every = list(found.values())
    rng.shuffle(every)
    return every[:count]
