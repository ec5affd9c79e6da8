"""What a stream is compared with: always the strong model, an exact cache, and a similarity cache."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from toolmint.core.tokens import tokens_of
from toolmint.evaluation.bootstrap import Table
from toolmint.evaluation.stream import PlayedRequest, StreamRequest

_FIRST_INDEX = 64
Places: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"


class AlwaysStrong:
    """Asks the strong model every time."""

    name = "always strong"

    async def play(self, stream: Sequence[StreamRequest], seed: int) -> list[PlayedRequest]:
        """Return the strong model's answers."""
        del seed
        return [PlayedRequest(one.strong, strong=True) for one in stream]


class ExactCache:
    """Repeats the strong model's answer to the very same request."""

    name = "exact cache"

    async def play(self, stream: Sequence[StreamRequest], seed: int) -> list[PlayedRequest]:
        """Return what the cache and the strong model answer."""
        del seed
        known: dict[str, str] = {}
        found: list[PlayedRequest] = []
        for one in stream:
            answer = known.get(one.text)
            found.append(PlayedRequest(answer or one.strong, strong=answer is None))
            known.setdefault(one.text, one.strong)
        return found


class SimilarityCache:
    """Repeats the strong model's answer to the most alike request, where it is alike enough.

    The measure is the cosine of TF-IDF vectors of words (with the smoothed inverse document frequency of
    scikit-learn), as it stands for the requests that the cache holds; it is computed anew whenever these
    have doubled.

    Args:
        threshold: the cosine from which two requests count as one.
    """

    def __init__(self, threshold: float) -> None:
        self.name, self._threshold = f"similarity cache {threshold:g}", threshold

    async def play(self, stream: Sequence[StreamRequest], seed: int) -> list[PlayedRequest]:
        """Return what the cache and the strong model answer."""
        del seed
        index = _Index()
        answers: list[str] = []
        found: list[PlayedRequest] = []
        for one in stream:
            words = Counter(tokens_of(one.text))
            place, alike = index.nearest(words)
            if place is not None and alike >= self._threshold:
                found.append(PlayedRequest(answers[place], strong=False))
                continue
            found.append(PlayedRequest(one.strong, strong=True))
            index.add(words)
            answers.append(one.strong)
        return found


class _Index:
    """TF-IDF vectors of requests, by word."""

    def __init__(self) -> None:
        self._texts: list[Counter[str]] = []
        self._due = _FIRST_INDEX
        self._weights: dict[str, float] = {}
        self._unseen = 1.0
        self._postings: dict[str, _Postings] = {}

    def add(self, words: Counter[str]) -> None:
        """Take in one more request."""
        self._texts.append(words)
        if len(self._texts) >= self._due:
            self._due *= 2
            self._index_anew()
        else:
            self._post(len(self._texts) - 1, words)

    def _index_anew(self) -> None:
        seen = Counter(word for text in self._texts for word in text)
        whole = 1 + len(self._texts)
        self._weights = {word: math.log(whole / (1 + count)) + 1 for word, count in seen.items()}
        self._unseen = math.log(whole) + 1
        self._postings = {}
        for place, text in enumerate(self._texts):
            self._post(place, text)

    def _post(self, place: int, words: Counter[str]) -> None:
        for word, value in self._vector(words).items():
            self._postings.setdefault(word, _Postings()).append(place, value)

    def _vector(self, words: Counter[str]) -> dict[str, float]:
        parts = {
            word: count * self._weights.get(word, self._unseen) for word, count in words.items()
        }
        norm = math.sqrt(sum(value * value for value in parts.values()))
        return {word: value / norm for word, value in parts.items()} if norm else {}

    def nearest(self, words: Counter[str]) -> tuple[int | None, float]:
        """Return the place of the most alike request with its cosine; of several the first."""
        if not self._texts:
            return None, 0.0
        scores = np.zeros(len(self._texts))
        for word, value in self._vector(words).items():
            known = self._postings.get(word)
            if known is not None:
                known.add_to(scores, value)
        best = int(np.argmax(scores))
        return best, float(scores[best])


class _Postings:
    """The requests that have a word, with its weight in each; grows by doubling."""

    def __init__(self) -> None:
        self._count = 0
        self._places: Places = np.zeros(4, dtype=np.int64)
        self._values: Table = np.zeros(4)

    def append(self, place: int, value: float) -> None:
        """Add a request, which stands behind all others."""
        if self._count == len(self._places):
            self._places = np.concatenate([self._places, np.zeros_like(self._places)])
            self._values = np.concatenate([self._values, np.zeros_like(self._values)])
        self._places[self._count], self._values[self._count] = place, value
        self._count += 1

    def add_to(self, scores: Table, value: float) -> None:
        """Add the word's part to each request's score."""
        scores[self._places[: self._count]] += value * self._values[: self._count]
