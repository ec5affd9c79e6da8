"""Where the string values of a request stand in it: its *slots*."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from toolmint.core.values import Value

COMMON_SHARE = 0.9  # of the requests: what nearly all of them have
WORD = re.compile(r"[^\W\d_]+(?:['&-][^\W\d_]+)*")


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


class Leaf(NamedTuple):
    """A string in the arguments.

    Attributes:
        parameter: the parameter of ``solve`` that contains it.
        place: the way to it, with each position in a list counted from the start, and from the end.
        text: the string.
        key: it is a key of an object inside the arguments.
    """

    parameter: str
    place: tuple[str, str]
    text: str
    key: bool = False


def string_leaves(args: Value) -> Iterator[Leaf]:
    """Yield the strings of an arguments object; its own keys, the parameters, are none of them."""
    if isinstance(args, dict):
        for name, value in args.items():
            yield from _inside(name, (name, name), value)


def _inside(parameter: str, place: tuple[str, str], value: Value) -> Iterator[Leaf]:
    match value:
        case str():
            yield Leaf(parameter, place, value)
        case dict():
            for key, item in value.items():
                yield Leaf(parameter, (f"{place[0]}.{key}?", f"{place[1]}.{key}?"), key, key=True)
                yield from _inside(parameter, (f"{place[0]}.{key}", f"{place[1]}.{key}"), item)
        case list():
            for number, item in enumerate(value):
                from_end = number - len(value)
                inner = (f"{place[0]}[{number}]", f"{place[1]}[{from_end}]")
                yield from _inside(parameter, inner, item)
        case _:
            return


def argument_texts(args: Value) -> list[tuple[str, str, bool]]:
    """Return the parameter, the text, and whether it is a key, of each string; ``string_leaves`` in short."""
    found = list[tuple[str, str, bool]]()
    if isinstance(args, dict):
        for name, value in args.items():
            _collect(name, value, found)
    return found


def _collect(name: str, value: Value, found: list[tuple[str, str, bool]]) -> None:
    if isinstance(value, str):
        found.append((name, value, False))
    elif isinstance(value, list):
        for item in value:
            _collect(name, item, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            found.append((name, key, True))
            _collect(name, item, found)


class SlotSpan(NamedTuple):
    """A slot in a request: character offsets, and the string that it is."""

    start: int
    end: int
    leaf: Leaf


def located(
    request: str, args: Value, common: Collection[str] = (), constant: Collection[str] = ()
) -> list[SlotSpan]:
    """Return where the strings of the arguments stand in a request, without overlaps, in order.

    A string that occurs several times is found each time, as a name is, unless it is a common word of
    the class: of such words, each takes the next place after the string before it. Keys that nearly all
    requests have (``constant``) are the arguments' form, and no slots.
    """
    taken = [False] * len(request)
    spans: list[SlotSpan] = []
    cursor = 0
    ordered = [
        leaf
        for leaf in string_leaves(args)
        if WORD.search(leaf.text)
        and not (leaf.key and any(place in constant for place, _ in positions(leaf)))
    ]
    rare = [leaf for leaf in ordered if leaf.text.strip().lower() not in common]
    for leaf in sorted(rare, key=lambda one: -len(one.text)):
        for found in _occurrences(request, leaf.text.strip()):
            _take(found, leaf, taken, spans)
    starts = {id(span.leaf): span.start for span in reversed(spans)}
    for leaf in ordered:
        if id(leaf) in starts:
            cursor = max(cursor, starts[id(leaf)])
            continue
        places = [one for one in _occurrences(request, leaf.text.strip()) if not taken[one[0]]]
        later = [one for one in places if one[0] >= cursor]
        for found in (later or places)[:1]:
            _take(found, leaf, taken, spans)
            cursor = found[1]
    return sorted(spans)


def _take(found: tuple[int, int], leaf: Leaf, taken: list[bool], spans: list[SlotSpan]) -> None:
    start, end = found
    if not any(taken[start:end]):
        taken[start:end] = [True] * (end - start)
        spans.append(SlotSpan(start, end, leaf))


def _occurrences(request: str, text: str) -> list[tuple[int, int]]:
    """Return where a text stands in a request as whole words, in its own case or else in any."""
    form = rf"(?<![^\W_]){re.escape(text)}(?![^\W_])"
    exact = [one.span() for one in re.finditer(form, request)]
    return exact or [one.span() for one in re.finditer(form, request, re.IGNORECASE)]


def constant_places(parsed: Sequence[tuple[str, Value]]) -> frozenset[str]:
    """Return the places whose string is the same word in nearly all requests, with the word's position.

    A parser that takes fixed wording into a slot would otherwise hide that wording from the changes.
    Written ``place#position`` (words counted from the start, and from the end).
    """
    seen = Counter[tuple[str, str]]()
    for _, args in parsed:
        seen.update(
            {(place, word) for leaf in string_leaves(args) for place, word in positions(leaf)}
        )
    least = max(2.0, COMMON_SHARE * len(parsed))
    return frozenset(place for (place, _), count in seen.items() if count >= least)


def positions(leaf: Leaf) -> Iterator[tuple[str, str]]:
    """Yield each word of a string with its places, as ``constant_places`` writes them."""
    words = [word.lower() for word in WORD.findall(leaf.text)]
    for number, word in enumerate(words):
        yield f"{leaf.place[0]}#{number}", word
        yield f"{leaf.place[1]}#{number - len(words)}", word
