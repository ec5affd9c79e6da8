"""The features of many requests at once, as sparse matrices; scipy, for fitting alone."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # pyright: ignore[reportMissingTypeStubs]

from toolmint.maker.learned.features import (
    Floats,
    Hashes,
    Integers,
    Ngrams,
    Vocabulary,
    frequency,
    rarity,
)


class _Part(NamedTuple):
    """Counts of n-grams, requests by n-grams, and how many n-grams each request has."""

    hashes: Hashes
    counts: Any
    lengths: Integers


class Features(NamedTuple):
    """Requests as a model sees them.

    Attributes:
        matrix: sparse, requests by columns of the vocabulary.
        known: share of the known words and runs, requests by 2.
    """

    matrix: Any
    known: Floats


def _part_of(requests: Sequence[Hashes], fewest: int) -> _Part:
    lengths = np.array([len(one) for one in requests])
    hashes, places = np.unique(np.concatenate(requests), return_inverse=True)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    counts: Any = csr_matrix(
        (np.ones(len(places), np.float32), places, ends), shape=(len(requests), len(hashes))
    )
    counts.sum_duplicates()
    kept = np.flatnonzero(np.bincount(counts.indices, minlength=len(hashes)) >= fewest)
    return _Part(hashes[kept], counts[:, kept], lengths)


class Corpus:
    """All requests of a fit; the features of any part of them follow without reading them again.

    Args:
        requests: their n-grams.
    """

    def __init__(self, requests: Sequence[Ngrams]) -> None:
        self._parts = (
            _part_of([one.words for one in requests], 1),
            _part_of([one.runs for one in requests], 2),
        )

    def learnt(self, inside: Integers, most: int) -> "MatrixView":
        """Return the view of a model that learns from some requests.

        Args:
            inside: the requests that it learns from.
            most: n-grams that it knows at most: the most frequent; words get a half of them at least.
        """
        holding = [
            np.bincount(one.counts[inside].indices, minlength=len(one.hashes))
            for one in self._parts
        ]
        half = max(most // 2, most - int((holding[1] >= 2).sum()))
        words = _most_frequent(holding[0], 1, half)
        runs = _most_frequent(holding[1], 2, most - len(words))
        return MatrixView(
            [one.counts[:, kept] for one, kept in zip(self._parts, (words, runs), strict=True)],
            [one.hashes[kept] for one, kept in zip(self._parts, (words, runs), strict=True)],
            [
                rarity(held[kept], len(inside))
                for held, kept in zip(holding, (words, runs), strict=True)
            ],
            [one.lengths for one in self._parts],
        )


class MatrixView(NamedTuple):
    """What a model that learnt from a part of the requests sees of all."""

    counts: list[Any]
    hashes: list[Hashes]
    rarity: list[Floats]
    lengths: list[Integers]

    @property
    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary."""
        return Vocabulary(self.hashes[0], self.hashes[1], np.concatenate(self.rarity))

    def features(self, places: Integers) -> Features:
        """Return the features of some requests: the same as ``Vocabulary.row`` has, for each."""
        sparse: Any = import_module("scipy.sparse")  # it has no types
        blocks, known = list[Any](), list[NDArray[np.float64]]()
        for counts, rare, lengths in zip(self.counts, self.rarity, self.lengths, strict=True):
            block: Any = counts[places]
            total = np.asarray(block.sum(1)).ravel()
            known.append(total / np.maximum(lengths[places], 1))
            block.data = frequency(block.data) * rare[block.indices]
            square = np.asarray(block.multiply(block).sum(1)).ravel()
            rows = np.repeat(np.arange(len(places)), np.diff(block.indptr))
            block.data /= np.sqrt(np.maximum(square, 1e-12))[rows].astype(np.float32)
            blocks.append(block)
        matrix: Any = sparse.hstack(blocks, format="csr", dtype=np.float32)
        return Features(matrix, np.stack(known, 1).astype(np.float32))


def _most_frequent(holding: NDArray[np.int64], fewest: int, most: int) -> Integers:
    kept = np.flatnonzero(holding >= fewest)
    if len(kept) > most:
        kept = np.sort(kept[np.argsort(-holding[kept], kind="stable")[:most]])
    return kept
