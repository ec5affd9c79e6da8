"""Find phrases to add as single tokens: boilerplate that most runs share then costs one token, not ten."""

import re
from collections import Counter
from collections.abc import Sequence

from toolmint.roles.marked import NEXT, ROLE_MARKS

_MAX_PHRASE_TOKENS = 14
"""Length of the longest phrase, in BPE tokens."""
_MIN_RUN_SHARE = 0.05
"""Share of the runs that must contain a phrase. Rarer text is specific to a run and must stay copyable."""
_PHRASES_PER_ROUND = 32
"""Phrases to take before counting again; counting after each one would be exact but 32 times as slow."""
_PLAN_ENDINGS = "|".join(re.escape(text) for text in NEXT.values() if text)
_AT_BOUNDARIES = re.compile(rf"(?:[^\w]|[A-Z][\w']* )(?:.*\W|.*(?:{_PLAN_ENDINGS}))?", re.DOTALL)
_COPIED_PART = re.compile(r'[_\d]|\w-|-\w|^\(|[a-z][A-Z]|":\{.|^","|, \w+\??: ')


def is_joinable(phrase: str) -> bool:
    """Return whether a phrase may become a token: it contains no part of a name, number or argument.

    Those are copied word by word, and a token across their boundary would make copying impossible.
    """
    return bool(_AT_BOUNDARIES.fullmatch(phrase)) and not _COPIED_PART.search(phrase)


def find_phrases(runs: Sequence[Sequence[Sequence[str]]], count: int) -> list[str]:
    """Return the phrases that save most tokens, greedily.

    Args:
        runs: the pieces of each run, each as the texts of its tokens.
        count: bound on the phrases.
    """
    pieces = [(number, tuple(piece)) for number, run in enumerate(runs) for piece in run]
    found: list[str] = []
    while len(found) < count:
        saved, containing = _savings(pieces)
        least = max(2, _MIN_RUN_SHARE * len(runs))
        good = [
            one for one in containing if len(containing[one]) >= least and is_joinable("".join(one))
        ]
        best = sorted(good, key=lambda one: (-saved[one], one))
        taken = _non_overlapping(best, min(_PHRASES_PER_ROUND, count - len(found)))
        if not taken:
            break
        found += ["".join(one) for one in taken]
        pieces = [(number, _merge(piece, taken)) for number, piece in pieces]
    return found


def _savings(
    pieces: Sequence[tuple[int, tuple[str, ...]]],
) -> tuple[Counter[tuple[str, ...]], dict[tuple[str, ...], set[int]]]:
    """Return the tokens that each n-gram would save as one token, and the runs that contain it."""
    saved, containing = Counter[tuple[str, ...]](), dict[tuple[str, ...], set[int]]()
    for number, piece in pieces:
        for start in range(len(piece)):
            for size in range(2, min(_MAX_PHRASE_TOKENS, len(piece) - start) + 1):
                if piece[start + size - 1] in ROLE_MARKS or piece[start] in ROLE_MARKS:
                    break
                some = piece[start : start + size]
                saved[some] += size - 1
                containing.setdefault(some, set()).add(number)
    return saved, containing


def _non_overlapping(best: Sequence[tuple[str, ...]], count: int) -> list[tuple[str, ...]]:
    """Return the first ``count`` phrases of which none overlaps another."""
    taken: list[tuple[str, ...]] = []
    for one in best:
        text = "".join(one)
        if all(not _overlap(text, "".join(other)) for other in taken):
            taken.append(one)
        if len(taken) == count:
            break
    return taken


def _overlap(one: str, other: str) -> bool:
    if one in other or other in one:
        return True
    sizes = range(1, min(len(one), len(other)))
    return any(one.endswith(other[:size]) or other.endswith(one[:size]) for size in sizes)


def _merge(piece: tuple[str, ...], taken: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return a piece with each phrase merged into one token."""
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
