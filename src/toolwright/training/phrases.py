"""Phrases that become one token: what every run says the same way costs one place, not ten."""

import re
from collections import Counter
from collections.abc import Sequence

from toolwright.roles.marked import MARKS, NEXT

LONGEST = 14
"""Of a phrase, in tokens that it takes without being one."""
SPREAD = 0.05
"""Of all runs, how many must hold a phrase: what fewer hold are their own words, which must stay copyable."""
ROUND = 32
"""So many phrases are taken before what is left is counted anew."""
ENDS = "|".join(re.escape(text) for text in NEXT.values() if text)
WHOLE = re.compile(rf"(?:[^\w]|[A-Z][\w']* )(?:.*\W|.*(?:{ENDS}))?", re.DOTALL)
OPEN = re.compile(r'[_\d]|\w-|-\w|^\(|[a-z][A-Z]|":\{.|^","|, \w+\??: ')


def copyable(phrase: str) -> bool:
    """Say whether a phrase takes no part of a name, a number or an argument, which runs copy word by word."""
    return bool(WHOLE.fullmatch(phrase)) and not OPEN.search(phrase)


def phrases(runs: Sequence[Sequence[Sequence[str]]], count: int) -> list[str]:
    """Find the phrases that shorten runs most.

    Args:
        runs: of each run its pieces, each as the texts of its tokens.
        count: how many phrases to find at most.
    """
    pieces = [(number, tuple(piece)) for number, run in enumerate(runs) for piece in run]
    found: list[str] = []
    while len(found) < count:
        worth, held = _worth(pieces)
        least = max(2, SPREAD * len(runs))
        good = [one for one in held if len(held[one]) >= least and copyable("".join(one))]
        best = sorted(good, key=lambda one: (-worth[one], one))
        taken = _apart(best, min(ROUND, count - len(found)))
        if not taken:
            break
        found += ["".join(one) for one in taken]
        pieces = [(number, _joined(piece, taken)) for number, piece in pieces]
    return found


def _worth(
    pieces: Sequence[tuple[int, tuple[str, ...]]],
) -> tuple[Counter[tuple[str, ...]], dict[tuple[str, ...], set[int]]]:
    """Give the tokens that each run of tokens would save, and the runs that hold it."""
    worth, held = Counter[tuple[str, ...]](), dict[tuple[str, ...], set[int]]()
    for number, piece in pieces:
        for start in range(len(piece)):
            for size in range(2, min(LONGEST, len(piece) - start) + 1):
                if piece[start + size - 1] in MARKS or piece[start] in MARKS:
                    break
                some = piece[start : start + size]
                worth[some] += size - 1
                held.setdefault(some, set()).add(number)
    return worth, held


def _apart(best: Sequence[tuple[str, ...]], count: int) -> list[tuple[str, ...]]:
    """Give the first ones of which none overlaps another."""
    taken: list[tuple[str, ...]] = []
    for one in best:
        text = "".join(one)
        if all(not _touch(text, "".join(other)) for other in taken):
            taken.append(one)
        if len(taken) == count:
            break
    return taken


def _touch(one: str, other: str) -> bool:
    if one in other or other in one:
        return True
    sizes = range(1, min(len(one), len(other)))
    return any(one.endswith(other[:size]) or other.endswith(one[:size]) for size in sizes)


def _joined(piece: tuple[str, ...], taken: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Give a piece with the phrases as one token each."""
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for one in taken:
        by_first.setdefault(one[0], []).append(one)
    out: list[str] = []
    place = 0
    while place < len(piece):
        fits = (
            one for one in by_first.get(piece[place], ()) if piece[place : place + len(one)] == one
        )
        one = next(fits, (piece[place],))
        out.append("".join(one))
        place += len(one)
    return tuple(out)
