"""The wording of known requests: the words outside their slots, and what they show to be harmless.

What the requests of a class show as optional ("please" in three of six), interchangeable (two phrasings)
or free (another word each time) is variety of the same question, and no near miss.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from toolmint.core.values import Value
from toolmint.maker.slot_words import learn_slots
from toolmint.maker.slots import COMMON_SHARE, WORD, SlotSpan, constant_places, located, positions

_NUMBERS = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty first second third fourth fifth sixth seventh eighth ninth
tenth a an
"""
_NUMBER_WORDS = frozenset(_NUMBERS.split())
_POLITE = 3  # words before the first slot or behind the last one that may be courtesy
_FREE_FILLERS = 3  # different words between the same neighbours: any word may stand there
_MOST_REQUESTS = 400  # of which slots and wording are looked at
_MOST_SHAPES = 300  # compared with each other
_TOKEN = re.compile(r"[^\W_]+(?:['&-][^\W_]+)*")
Phrasing = tuple[str, ...]


class WordSpan(NamedTuple):
    """A word of the wording.

    Attributes:
        start: character offset.
        end: character offset.
        in_slot: a slot contains it.
        listed: the slot is an item of a list, which may well be shorter.
    """

    start: int
    end: int
    in_slot: bool
    listed: bool = False


def common_words(requests: Sequence[str]) -> frozenset[str]:
    """Return the words, in lower case, that at least 90 % of the requests contain."""
    seen = Counter(word for text in requests for word in set(WORD.findall(text.lower())))
    least = COMMON_SHARE * len(requests)
    return frozenset(word for word, count in seen.items() if count >= least and len(word) > 1)


def _kin(word: str, slot_words: Collection[str]) -> bool:
    """Return whether a word is in a slot, or a close form of such a word (singular and plural)."""
    low = word.lower()
    if low in slot_words:
        return True
    return len(low) > 2 and any(
        len(other) > 2 and abs(len(other) - len(low)) <= 3 and other[:-1] == low[: len(other) - 1]
        for other in slot_words
    )


class KnownRequest(NamedTuple):
    """A known request, its slots, and its wording."""

    text: str
    args: Value
    slots: list[SlotSpan]
    words: list[WordSpan]

    @property
    def shape(self) -> Phrasing:
        """The words outside the slots, in lower case and order."""
        return tuple(self.text[one.start : one.end].lower() for one in self.outside())

    def outside(self) -> list[WordSpan]:
        """Return the words outside the slots, those of the shape."""
        return [one for one in self.words if not one.in_slot]

    def beside_slots(self) -> Iterator[range]:
        """Yield the words (by position in the shape) between two slots, or between a slot and an end."""
        ends = [-1, *(span.end for span in self.slots), len(self.text) + 1]
        starts = [0, *(span.start for span in self.slots), len(self.text) + 1]
        if not self.slots:
            return
        for end, start in zip(ends, starts[1:], strict=False):
            numbers = [
                number
                for number, word in enumerate(self.outside())
                if end <= word.start and word.end <= start
            ]
            if numbers:
                yield range(numbers[0], numbers[-1] + 1)


class _Form(NamedTuple):
    """What requests of a class have in common: words, places of their arguments, and free contexts."""

    common: frozenset[str]
    constant: frozenset[str]
    free: frozenset[tuple[str, str]] = frozenset()


class KnownRequests:
    """What the known requests of a class show.

    Attributes:
        requests: the requests, each with its slots and its wording; of very many, some.
        slots: which words their slots have.
        texts: words of all requests, in lower case.
        shapes: the wordings.
        optional: words without which a wording is another known one.
    """

    def __init__(self, parsed: Sequence[tuple[str, Value]]) -> None:
        texts = [request for request, _ in parsed]
        common = common_words(texts)
        constant = constant_places(parsed)
        form = _Form(common, constant)
        self.requests = [
            _known(request, args, form, constant)
            for request, args in parsed[:: 1 + len(parsed) // _MOST_REQUESTS]
        ]
        wording = [word for one in self.requests for word in one.shape]
        self.slots = learn_slots(parsed, constant, wording)
        form = form._replace(free=self._free_contexts())
        self.requests = [
            _known(one.text, one.args, form, self._hidden(one, constant)) for one in self.requests
        ]
        self.words = [word for one in self.requests for word in one.shape]
        self.vocabulary = frozenset(word for text in texts for word in WORD.findall(text.lower()))
        self.shapes = frozenset(one.shape for one in self.requests)
        self.optional = _optional(self.shapes)
        self._at_ends = self._ends()

    def swallowed(self, known: KnownRequest) -> frozenset[int]:
        """Return the words (by position in the shape) that a slot beside them may take as well.

        "Sort: fig, pear, please" without "please" is a known wording, or other known requests end in
        the list; so with another word in place of "please" it is a longer list.
        """
        words, taken = known.outside(), set[int]()
        for run in known.beside_slots():
            first, last = words[run.start].start, words[run.stop - 1].end
            at_an_end = (known.slots[0].start >= last and self._lasting(known.slots[0], 0)) or (
                known.slots[-1].end <= first and self._lasting(known.slots[-1], 1)
            )
            without = (*known.shape[: run.start], *known.shape[run.stop :])
            if without in self.shapes or (at_an_end and len(run) <= _POLITE):
                taken.update(run)
        return frozenset(taken)

    def _lasting(self, slot: SlotSpan, end: int) -> bool:
        """Return whether a slot may take words at the request's start (0) or end (1).

        Running text may, and a parameter of many words in which known requests begin or end.
        """
        name = slot.leaf.parameter
        return name in self.slots.free or (name, end) in self._at_ends

    def beside_text(self, known: KnownRequest, slot: SlotSpan) -> bool:
        """Return whether a slot stands beside running text, of which a word put there is a part."""
        return any(
            other.leaf.parameter in self.slots.free
            and other is not slot
            and not any(
                letter.isalnum()
                for letter in known.text[min(slot.end, other.end) : max(slot.start, other.start)]
            )
            for other in known.slots
        )

    def _hidden(self, known: KnownRequest, constant: frozenset[str]) -> frozenset[str]:
        """Return the constant places that are wording taken into a slot.

        A text that begins with "the" in each request hides nothing; one of which most words never
        change does.
        """
        hidden = set[str]()
        for span in known.slots:
            placed = list(positions(span.leaf))
            fixed = {place for place, _ in placed if place in constant}
            if span.leaf.parameter not in self.slots.free or 4 * len(fixed) >= len(placed):
                hidden |= fixed
        return frozenset(hidden)

    def _ends(self) -> frozenset[tuple[str, int]]:
        """Return the parameters of many words in which known requests begin (0) or end (1)."""
        found = set[tuple[str, int]]()
        for one in self.requests:
            counts = Counter(span.leaf.parameter for span in one.slots)
            for span in one.slots:
                name = span.leaf.parameter
                if counts[name] < 2 and len(WORD.findall(span.leaf.text)) < 2:
                    continue
                outside = one.text[: span.start], one.text[span.end :]
                found |= {
                    (name, end)
                    for end, text in enumerate(outside)
                    if not any(letter.isalnum() for letter in text)
                }
        return frozenset(found)

    def _free_contexts(self) -> frozenset[tuple[str, str]]:
        """Return the neighbours between which many different words of the wording stand."""
        fillers = defaultdict[tuple[str, str], set[str]](set)
        for known in self.requests:
            for word in known.words:
                if not word.in_slot:
                    said = known.text[word.start : word.end].lower()
                    fillers[_context(known.text, word.start, word.end)].add(said)
        return frozenset(
            context for context, words in fillers.items() if len(words) >= _FREE_FILLERS
        )


def _context(request: str, start: int, end: int) -> tuple[str, str]:
    before = _TOKEN.findall(request[max(0, start - 40) : start])
    after = _TOKEN.search(request, end)
    following = after[0].lower() if after else ""
    previous = before[-1].lower() if before else ""
    return (
        "#" if previous.isdigit() else previous,
        "#" if following.isdigit() else following,
    )


def _known(
    request: str,
    args: Value,
    form: _Form,
    hidden: frozenset[str],
) -> KnownRequest:
    """Return a request with its slots and its wording.

    Words of a slot are no wording, unless they are ``hidden`` there (places that never change); nor
    number words if a slot contains digits, as the arguments may have turned "three" into 3.
    """
    spans = located(request, args, form.common, form.constant)
    slot_words = {word for span in spans for word in WORD.findall(span.leaf.text.lower())}
    counted = _NUMBER_WORDS if _has_digits(args) else frozenset[str]()
    words: list[WordSpan] = []
    for found in WORD.finditer(request):
        word, (start, end) = found[0].lower(), found.span()
        slot = next((one for one in spans if one.start <= start and end <= one.end), None)
        if slot is not None:
            at = len(WORD.findall(request[slot.start : start]))
            placed = [place for place, _ in positions(slot.leaf)][2 * at : 2 * at + 2]
            if not hidden.isdisjoint(placed):
                words.append(WordSpan(start, end, True, "[" in slot.leaf.place[0]))
        elif (
            len(word) == 1
            or word in counted
            or (word not in form.common and _kin(word, slot_words))
        ):
            continue
        elif word in form.common or _context(request, start, end) not in form.free:
            words.append(WordSpan(start, end, in_slot=False))
    return KnownRequest(request, args, spans, words)


def _has_digits(value: Value) -> bool:
    match value:
        case dict():
            return any(_has_digits(item) for item in value.values())
        case list():
            return any(_has_digits(item) for item in value)
        case bool() | None:
            return False
        case int() | float():
            return True
        case str():
            return any(letter.isdigit() for letter in value)


def _optional(shapes: Iterable[Phrasing]) -> frozenset[str]:
    """Return the words without which one known wording is another."""
    some = sorted(islice(sorted(shapes), _MOST_SHAPES))
    known = frozenset(some)
    return frozenset(
        word
        for shape in some
        for number, word in enumerate(shape)
        if (*shape[:number], *shape[number + 1 :]) in known
    )
