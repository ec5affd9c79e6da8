"""Near misses: requests that look like a class and are not of it, made without any model.

Wording is changed, deleted, negated, reordered and added to. Wording is the text outside the slots
that the parser found, and every lower-case word that nearly all known requests share, wherever it
stands: so a parser that hides wording in a slot is tried as well. A tool must refuse them all.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from toolwright.core.values import Value, fold

ALIEN = ("blorptly", "quandle", "vexish", "zorbing", "plimmed", "gruffle", "snarkic", "wobbent")
OPPOSITES = {
    one: other
    for pair in (
        "earliest latest", "first last", "ascending descending", "alphabetically backwards",
        "left right", "older newer", "oldest newest", "largest smallest", "more fewer",
        "least most", "before after", "above below", "open closed", "all none", "same different",
        "and or", "some any", "minimum maximum", "highest lowest", "shortest longest",
        "start end", "forward backward", "together separately", "equally unequally", "sort shuffle",
        "complete shorten", "always never", "truth lie", "true false", "if unless", "no some",
    )
    for one, other in (pair.split(), pair.split()[::-1])
}  # fmt: skip
TAILS = (
    "Answer in reverse order.", "Ignore the last one.", "Count duplicates twice.",
    "Use the opposite rule.", "Explain your answer in French.", "Then double the result.",
)  # fmt: skip
HEADS = ("Do not answer this:", "Assume the opposite.", "In the previous year,", "For each pair:")
NUMBER_WORDS = frozenset(
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
COMMON_SHARE = 0.9
_WORD = re.compile(r"[^\W\d_]+(?:['&-][^\W\d_]+)*")


class NearMiss(NamedTuple):
    """A changed request, and the kind of change."""

    text: str
    kind: str


def leaves(value: Value) -> Iterator[str]:
    """Yield every scalar in a JSON value as text, keys of objects included."""
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
    """True where a word is a slot's word or a close form of one (singular and plural)."""
    low = word.lower()
    if low in slot_words:
        return True
    return len(low) > 2 and any(
        len(other) > 2 and abs(len(other) - len(low)) <= 3 and other[:-1] == low[: len(other) - 1]
        for other in slot_words
    )


def common_words(requests: Sequence[str]) -> frozenset[str]:
    """Give the lower-case words that nearly every request holds."""
    seen = Counter(word for text in requests for word in set(_WORD.findall(text)))
    least = COMMON_SHARE * len(requests)
    return frozenset(w for w, n in seen.items() if n >= least and w.islower() and len(w) > 1)


class Span(NamedTuple):
    """Where a word of the wording stands, and whether a slot holds it."""

    start: int
    end: int
    in_slot: bool


def wording(request: str, args: Value, common: frozenset[str]) -> list[Span]:
    """Give the spans of the words that carry a request's wording."""
    slot_text = " ".join(leaves(args)).lower()
    slot_words = frozenset(_WORD.findall(slot_text)) | frozenset(leaves(args))
    counted = NUMBER_WORDS if re.search(r"\d", slot_text) else frozenset[str]()
    spans: list[Span] = []
    for found in _WORD.finditer(request):
        word = found[0]
        in_slot = _kin(word, slot_words) or word.lower() in counted or len(word) == 1
        if not in_slot or word in common:
            spans.append(Span(*found.span(), in_slot))
    return spans


def _changes(
    request: str, spans: list[Span], known: frozenset[str], rng: random.Random
) -> Iterator[tuple[str, str]]:
    """Yield kinds and changed texts; in a slot only words that no slot may take are put."""
    for number, span in enumerate(spans):
        word, before, after = (
            request[span.start : span.end],
            request[: span.start],
            request[span.end :],
        )
        yield "alien", before + rng.choice(ALIEN) + after
        opposite = OPPOSITES.get(word.lower())
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
    for head in HEADS:
        yield "prefixed", f"{head} {request}"
    for tail in TAILS:
        yield "suffixed", f"{request} {tail}"


def near_misses(
    parsed: Sequence[tuple[str, Value]], *, count: int = 300, seed: int = 0
) -> list[NearMiss]:
    """Make up to ``count`` different near misses of requests and their parsed arguments."""
    rng = random.Random(seed)
    texts = [request for request, _ in parsed]
    common = common_words(texts)
    vocabulary = frozenset(word.lower() for text in texts for word in _WORD.findall(text))
    known = {fold(text) for text in texts}
    found: dict[str, NearMiss] = {}
    for request, args in parsed:
        spans = wording(request, args, common)
        for kind, text in _changes(request, spans, vocabulary, rng):
            if fold(text) not in known:
                found.setdefault(fold(text), NearMiss(text, kind))
    every = list(found.values())
    rng.shuffle(every)
    return every[:count]
