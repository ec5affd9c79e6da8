"""Near misses inside slots: orders without punctuation, words for nobody, multipliers, impossible values."""

import random
import re
from collections.abc import Iterator

from toolmint.maker.phrases import Phrases
from toolmint.maker.slots import WORD, SlotSpan
from toolmint.maker.wording import KnownRequest, KnownRequests

_SLOTS = 4  # slots of a request that are changed
_COUNTED = re.compile(
    r"(?<![\w.,:/-])(?:\d+|two|three|four|five|six|seven|eight|nine|ten)(?= [a-z]{3,})"
)
_CLOCK = r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?!\d|:\d)"
_TIME = re.compile(_CLOCK)
_RANGE = re.compile(rf"({_CLOCK})( ?[-\u2013] ?)({_CLOCK})")
_DATE = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")


def slot_changes(
    one: KnownRequest, known: KnownRequests, phrases: Phrases, rng: random.Random
) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each change inside a request's slots.

    Slots of running text are left alone: there, any words are a part of the text.
    """
    closed = [
        span
        for span in one.slots
        if span.leaf.parameter not in known.slots.free and not known.beside_text(one, span)
    ]
    running = [span for span in one.slots if span.leaf.parameter in known.slots.free]
    for span in rng.sample(closed, min(_SLOTS, len(closed))):
        yield from _orders(one.text, span, phrases, rng)
        yield from _other_words(one, span, known, phrases, rng)
    if closed and not (running and running[-1].end >= len(one.text.rstrip(" .?!"))):
        body = one.text.rstrip(" .?!")
        order = rng.choice(phrases.instructions)
        yield "instruction", f"{body} {order}{one.text[len(body) :].rstrip()}"
        last = closed[-1]
        yield "instruction", f"{one.text[: last.end]} {order}{one.text[last.end :]}"
    yield from _values(one.text, running, known, phrases, rng)


def _orders(
    request: str, span: SlotSpan, phrases: Phrases, rng: random.Random
) -> Iterator[tuple[str, str]]:
    before, value, after = (
        request[: span.start],
        request[span.start : span.end],
        request[span.end :],
    )
    order = rng.choice(phrases.instructions)
    yield "instruction", f"{before}{value} {order}{after}"
    if after.startswith(", ") or before.endswith(", "):
        yield "instruction", f"{before}{value}, {order}{after}"
    for negation in phrases.negations:
        yield "negated value", f"{before}{negation} {value}{after}"


def _other_words(
    one: KnownRequest,
    span: SlotSpan,
    known: KnownRequests,
    phrases: Phrases,
    rng: random.Random,
) -> Iterator[tuple[str, str]]:
    request, value = one.text, span.leaf.text.strip()
    if WORD.fullmatch(value) is None or len(value) < 2:
        return
    before, after = request[: span.start], request[span.end :]
    pronoun, filler = rng.choice(phrases.pronouns), rng.choice(phrases.fillers)
    if value.istitle():
        pronoun = pronoun.capitalize()
    if pronoun.lower() not in known.vocabulary:
        yield "pronoun", before + pronoun + after
        everywhere = re.sub(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", pronoun, request)
        yield "pronoun", everywhere
    if value.islower() and filler not in known.vocabulary:
        yield "function word", before + filler + after
    in_list = any(
        other.leaf.parameter == span.leaf.parameter
        and (0 <= other.start - span.end <= 2 or 0 <= span.start - other.end <= 2)
        for other in one.slots
    )
    if value.islower() and not in_list and phrases.adverbs:
        yield "adverb", f"{before}{value} {rng.choice(phrases.adverbs)}{after}"


def _values(
    request: str,
    running: list[SlotSpan],
    known: KnownRequests,
    phrases: Phrases,
    rng: random.Random,
) -> Iterator[tuple[str, str]]:
    """Yield changes of numbers, times and dates outside running text."""

    def outside(found: re.Match[str]) -> bool:
        return not any(span.start < found.end() and found.start() < span.end for span in running)

    for found in filter(outside, _COUNTED.finditer(request)):
        multiplier = rng.choice(phrases.multipliers) if phrases.multipliers else ""
        if multiplier and known.vocabulary.isdisjoint(multiplier.lower().split()):
            yield (
                "multiplier",
                f"{request[: found.end()]} {multiplier}{request[found.end() :]}",
            )
    ranges = list(_RANGE.finditer(request))
    forward = all(found[1].zfill(5) < found[3].zfill(5) for found in ranges)
    for found in filter(outside, ranges):
        if forward:
            turned = found[3] + found[2] + found[1]
            yield (
                "ends before it starts",
                request[: found.start()] + turned + request[found.end() :],
            )
    for found in filter(outside, _TIME.finditer(request)):
        wrong = rng.choice(("27:15", "10:75", "31:85"))
        yield "impossible", request[: found.start()] + wrong + request[found.end() :]
    for found in filter(outside, _DATE.finditer(request)):
        wrong = f"{found[1]}-{rng.choice(('02-31', '13-05', '04-31'))}"
        yield "impossible", request[: found.start()] + wrong + request[found.end() :]
