"""Groups requests by wording, without a model: a maker is shown every phrasing, and each counts once.

Thirty requests of one kind may come in twenty phrasings. Which words are wording and which are values is
not known before a parser has read them, so tokens count by how many requests have them: words of the
phrasing come again, values seldom do.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from toolmint.core.tokens import tokens_of

SAME_WORDING = 0.4
"""Weighted share of common tokens and pairs above which two requests are worded alike."""
_COMPARED = 200  # clusters that a request is compared with: a file without any order ends too
_T = TypeVar("_T")
_Parts = frozenset[tuple[str, ...]]


def _parts(text: str) -> _Parts:
    tokens = tokens_of(text)
    return frozenset([*((one,) for one in tokens), *itertools.pairwise(tokens)])


class _Weights:
    """Tokens and pairs, each with a weight that grows with the number of requests that have it."""

    def __init__(self, every: Sequence[_Parts]) -> None:
        seen = Counter(part for parts in every for part in parts)
        self._weights = {part: math.log2(1 + count) for part, count in seen.items()}

    def of(self, parts: _Parts) -> float:
        return sum(self._weights[part] for part in parts)

    def alike(self, one: _Parts, other: _Parts) -> float:
        """Return the weighted share of what two requests have in common, 0 to 1."""
        whole = self.of(one | other)
        return self.of(one & other) / whole if whole else 1.0


def wording_clusters(texts: Sequence[str]) -> list[int]:
    """Return the number of each text's cluster; clusters are numbered from 0 in the order of their first."""
    every = [_parts(text) for text in texts]
    weights = _Weights(every)
    leaders: list[_Parts] = []
    known: dict[_Parts, int] = {}
    found: list[int] = []
    for parts in every:
        number = known.get(parts)
        if number is None:
            scores = [weights.alike(parts, leader) for leader in leaders[-_COMPARED:]]
            best = max(range(len(scores)), key=scores.__getitem__, default=None)
            if best is not None and scores[best] >= SAME_WORDING:
                number = best + max(0, len(leaders) - _COMPARED)
            else:
                number = len(leaders)
                leaders.append(parts)
            known[parts] = number
        found.append(number)
    return found


def spread(items: Sequence[_T], text: Callable[[_T], str], most: int) -> list[_T]:
    """Return up to ``most`` items, one of each wording in turn, so that every wording is among the first."""
    if not items:
        return []
    clusters = wording_clusters([text(item) for item in items])
    turns, taken = Counter[int](), list[tuple[int, int]]()
    for place, cluster in enumerate(clusters):
        taken.append((turns[cluster], place))
        turns[cluster] += 1
    return [items[place] for _, place in sorted(taken)[:most]]


def wording_share(clusters: Sequence[int], hits: Sequence[bool]) -> float:
    """Return the share of hits, 0 to 1, where a cluster of n requests weighs as much as sqrt(n) single ones.

    Twenty copies of one phrasing then do not decide, and two odd ones among thirty do not either.
    """
    sizes, hit = Counter(clusters), Counter[int]()
    for cluster, one in zip(clusters, hits, strict=True):
        hit[cluster] += one
    whole = sum(math.sqrt(size) for size in sizes.values())
    return sum(hit[one] / math.sqrt(size) for one, size in sizes.items()) / whole if whole else 0.0
