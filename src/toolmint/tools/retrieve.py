"""Finds the tools that a query needs: BM25 over names and specifications, optionally embeddings.

A query that asks for several things is split into clauses and each is ranked on its own; else one
long clause would push out the tools of the others.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

import bm25s  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import snowballstemmer  # pyright: ignore[reportMissingTypeStubs]

from toolmint.core.messages import ToolSpec
from toolmint.core.model import Embed

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
_CLAUSE = re.compile(
    r"[.;?!]\s+|,\s+(?:(?:and|then|also|finally)\b)?|\b(?:and|then|also|after that)\b"
)
_FUNCTION = (
    "a an the of to in on for and or is are be with by from at as this that it i you we me my your"
)
_QUESTION = "please can could would need want about what how which who tell get give"
_STOP = frozenset(f"{_FUNCTION} {_QUESTION}".split())
_MIN_WORDS = 3
_stemmer: Any = cast("Any", snowballstemmer).stemmer("english")


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))


def query_words(text: str) -> list[str]:
    """Return the stems of a text's words; identifiers are split at capitals and underscores."""
    return [_stem(word.lower()) for word in _WORD.findall(text) if word.lower() not in _STOP]


def _document(spec: ToolSpec) -> str:
    fields = cast("dict[str, dict[str, Any]]", spec.parameters.get("properties") or {})
    about = " ".join(f"{name} {field.get('description', '')}" for name, field in fields.items())
    return f"{spec.name} {spec.name} {spec.description} {spec.description} {about}"


class RetrievedTool(NamedTuple):
    """A tool with its score; only scores of the same query are comparable."""

    spec: ToolSpec
    score: float


class Retriever:
    """Ranks tools for a query by BM25 (Robertson and Zaragoza, 2009); needs no model.

    Args:
        specs: the specifications of the tools.
        k1: saturation of the term frequency.
        b: strength of the length normalisation, from 0 to 1.
    """

    def __init__(self, specs: Sequence[ToolSpec], *, k1: float = 1.2, b: float = 0.5) -> None:
        self._specs = tuple(specs)
        self._index: Any = cast("Any", bm25s.BM25)(k1=k1, b=b)
        if self._specs:
            corpus = [query_words(_document(spec)) or ["tool"] for spec in self._specs]
            self._index.index(corpus, show_progress=False)

    def rank(self, query: str, most: int = 5) -> list[RetrievedTool]:
        """Return the ``most`` best tools, best first; equal scores in the toolbox's order.

        A tool's score is its best over the query and the clauses. A clause's score is divided by the square
        root of its number of words, so that long and short clauses compare.
        """
        clauses = [
            words for part in _CLAUSE.split(query) if len(words := query_words(part)) >= _MIN_WORDS
        ]
        best = np.zeros(len(self._specs))
        for words in [query_words(query), *clauses]:
            if words and self._specs:
                scores = np.asarray(self._index.get_scores(words), dtype=float)
                best = np.maximum(best, scores / len(words) ** 0.5)
        order = np.argsort(-best, kind="stable")[:most]
        return [RetrievedTool(self._specs[int(i)], float(best[i])) for i in order]

    def choose(self, query: str, most: int = 8) -> tuple[ToolSpec, ...]:
        """Return the specifications to show an agent for a query: all if there are at most ``most``."""
        if len(self._specs) <= most:
            return self._specs
        return tuple(found.spec for found in self.rank(query, most))


class EmbeddingRetriever:
    """Ranks tools by BM25 and embeddings, with reciprocal rank fusion (Cormack et al., 2009; k = 60).

    Args:
        specs: the specifications of the tools.
        embed: returns vectors; the specifications are embedded once, at the first query.
    """

    def __init__(self, specs: Sequence[ToolSpec], embed: Embed) -> None:
        self._specs, self._embed = tuple(specs), embed
        self._wording = Retriever(specs)
        self._vectors: np.ndarray[Any, np.dtype[np.float64]] | None = None

    async def rank(self, query: str, most: int = 5) -> list[RetrievedTool]:
        """Return the ``most`` best tools, best first."""
        if self._vectors is None:
            self._vectors = _unit(await self._embed([_document(spec) for spec in self._specs]))
        vector = _unit(await self._embed([query]))[0]
        near = np.argsort(-(self._vectors @ vector), kind="stable")
        ranked = self._wording.rank(query, len(self._specs))
        wording = {one.spec.name: place for place, one in enumerate(ranked) if one.score > 0}
        meaning = {self._specs[int(i)].name: place for place, i in enumerate(near)}
        last = len(self._specs)
        found = [
            RetrievedTool(
                spec, 1 / (60 + wording.get(spec.name, last)) + 1 / (60 + meaning[spec.name])
            )
            for spec in self._specs
        ]
        return sorted(found, key=lambda one: -one.score)[:most]


def _unit(vectors: Sequence[Sequence[float]]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    matrix = np.asarray(vectors, dtype=float)
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
