"""Turns a request into sparse features: hashed words, pairs of words, and runs of characters.

numpy alone. Nothing here knows an alphabet: words are what Unicode calls word characters, and the
runs of characters serve where words are not separated.
"""

import re
import unicodedata
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float32]
Integers: TypeAlias = NDArray[np.int64]

LONGEST = 20_000
"""Characters of a request that are read; a longer one is not answered."""
_RUNS = (2, 3, 4, 5)
_WORD = re.compile(r"\w+")
_BASE = np.uint64(0x9E3779B97F4A7C15)
_PAIR = np.uint64(0xD6E8FEB86659FD93)
# So that a run is never taken for one of another length.
_SEEDS = {length: np.uint64(length * 0xA24BAED4963EE407 % 2**64) for length in _RUNS}
_SPACE = 32


class Ngrams(NamedTuple):
    """The n-grams of a request: hashes of words and pairs of them, and of runs of characters."""

    words: Hashes
    runs: Hashes


class SparseRow(NamedTuple):
    """A request's features: columns in rising order, their values, and the share of what is known.

    Attributes:
        columns: columns of the vocabulary.
        values: weight of each; the words' part and the runs' part have length 1 each.
        words: how many of the columns are words.
        known_words: share of the request's words and pairs that the vocabulary has, 0 to 1.
        known_runs: the same for runs of characters.
    """

    columns: Integers
    values: Floats
    words: int
    known_words: float
    known_runs: float


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _word_hashes(text: str) -> Hashes:
    digests = b"".join(
        blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for word in _WORD.findall(text)
    )
    words: Hashes = np.frombuffer(digests, dtype="<u8").astype(np.uint64)
    if len(words) < 2:
        return words
    return np.concatenate([words, words[:-1] * _PAIR ^ words[1:]])


def _run_hashes(text: str) -> Hashes:
    """Return the hashes of the runs of 2 to 5 characters that hold no space but at their ends."""
    points = np.frombuffer(
        f" {' '.join(text.split())} ".encode("utf-32-le", "surrogatepass"), dtype="<u4"
    )
    codes = points.astype(np.uint64)
    spaces = np.cumsum(points == _SPACE)  # a run with a space inside is passed over
    found: list[Hashes] = []
    rolling = codes
    for length in _RUNS:
        if len(codes) < length:
            break
        rolling = rolling[:-1] * _BASE + codes[length - 1 :]
        inner = spaces[length - 2 : len(codes) - 1] - spaces[: len(codes) - length + 1]
        found.append((rolling ^ _SEEDS[length])[inner == 0])
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def ngrams(text: str) -> Ngrams:
    """Return the n-grams of a request."""
    normal = _normal(text)
    return Ngrams(_word_hashes(normal), _run_hashes(normal))


class Vocabulary:
    """The n-grams that a model knows, with their inverse document frequencies.

    Args:
        words: hashes of words and pairs, in rising order; columns 0 and on.
        runs: hashes of runs of characters, in rising order; the columns after the words'.
        rarity: inverse document frequency of each column.
    """

    def __init__(self, words: Hashes, runs: Hashes, rarity: Floats) -> None:
        self.words, self.runs, self.rarity = words, runs, rarity

    def __len__(self) -> int:
        return len(self.rarity)

    def row(self, found: Ngrams) -> SparseRow:
        """Return the features of a request's n-grams."""
        words, word_values, known_words = self._part(found.words, self.words, 0)
        runs, run_values, known_runs = self._part(found.runs, self.runs, len(self.words))
        return SparseRow(
            np.concatenate([words, runs]),
            np.concatenate([word_values, run_values]),
            len(words),
            known_words,
            known_runs,
        )

    def _part(self, hashes: Hashes, table: Hashes, start: int) -> tuple[Integers, Floats, float]:
        if not len(hashes) or not len(table):
            return np.zeros(0, np.int64), np.zeros(0, np.float32), 0.0
        places = np.searchsorted(table, hashes)
        # A hash above all of the table's is compared with the last.
        places[places == len(table)] = len(table) - 1
        inside = places[table[places] == hashes]
        columns, counts = np.unique(inside, return_counts=True)
        weights = frequency(counts) * self.rarity[columns + start]
        length = float(np.sqrt((weights * weights).sum()))
        values = (weights / length if length else weights).astype(np.float32)
        return columns + start, values, len(inside) / len(hashes)


def frequency(counts: NDArray[np.int64]) -> Floats:
    """Return the weight of an n-gram that a request has so many times."""
    return (1 + np.log(counts)).astype(np.float32)


def rarity(holding: NDArray[np.int64], requests: int) -> Floats:
    """Return the inverse document frequency of n-grams that so many of the requests have."""
    return (np.log((1 + requests) / (1 + holding)) + 1).astype(np.float32)
