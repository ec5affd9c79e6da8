"""Finds the tools that a query needs: BM25 over weighted fields of specifications, optionally embeddings.

A query that asks for several things is split into clauses and each is ranked on its own; else one
long clause would push out the tools of the others.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np

from toolmint.core.messages import ToolSpec
from toolmint.core.model import Embed
from toolmint.tools.retrieve_words import (
    Intent,
    intents_of,
    phrase_words,
    query_words,
    question_intents,
    synonyms,
    text_words,
)

_Vector: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
_Places: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
_Json = dict[str, Any]
_CLAUSE = re.compile(
    r"[.;?!]\s+|,\s+(?:(?:and|then|also|finally)\b)?|\b(?:and|then|also|after that)\b"
)
_MIN_WORDS = 3
_LONGEST = 80
"""Words of a description that count; what comes later is of details."""
_FIELDS: Mapping[str, tuple[float, float]] = {
    "name": (3.0, 0.6),
    "summary": (2.0, 0.6),
    "description": (0.7, 0.5),
    "arguments": (0.6, 0.5),
    "about": (0.7, 0.4),
}
"""Weight and length normalisation (b) of each field."""
_SYNONYM = 0.65
"""Weight of a word that means the same, beside the word itself."""
_PHRASE = 0.6
"""Weight of the words that stand for a phrase."""
_WANTED, _UNWANTED = 1.25, 0.8
"""Factors of tools that do, and do not do, to things what the query's verb says."""


def weighted_fields(spec: ToolSpec) -> dict[str, list[str]]:
    """Return the stems of a tool by field: name, summary, description, names of arguments, what they are."""
    given = cast("_Json", spec.parameters.get("properties") or {})
    fields = {name: cast("_Json", one) for name, one in given.items() if isinstance(one, dict)}
    notes = [one.get("description") or "" for one in fields.values()]
    summary, _, rest = spec.description.partition("\n")
    first, dot, more = summary.partition(". ")
    return {
        "name": query_words(spec.name),
        "summary": text_words(first)[:_LONGEST],
        "description": text_words(f"{more} {rest}" if dot else rest)[:_LONGEST],
        "arguments": [word for name in fields for word in query_words(name)],
        "about": query_words(" ".join(map(str, notes)))[: 2 * _LONGEST],
    }


class RetrievedTool(NamedTuple):
    """A tool with its score; only scores of the same query are comparable."""

    spec: ToolSpec
    score: float


class Retriever:
    """Ranks tools for a query by BM25F (Robertson, Zaragoza and Taylor, 2004); needs no model.

    A word of the query also finds words that mean the same; a tool that does to things what the query's verb
    says comes before one that does not.

    Args:
        specs: the specifications of the tools.
        k1: saturation of the term frequency.
    """

    def __init__(self, specs: Sequence[ToolSpec], *, k1: float = 1.2) -> None:
        self._specs, self._k1 = tuple(specs), k1
        self._documents = [weighted_fields(spec) for spec in self._specs]
        self._postings = self._index()
        self._intents = [
            _intents_of(spec, document)
            for spec, document in zip(self._specs, self._documents, strict=True)
        ]

    def _index(self) -> dict[str, tuple[_Places, _Vector]]:
        count = max(len(self._documents), 1)
        lengths = {
            field: sum(len(document[field]) for document in self._documents) / count
            for field in _FIELDS
        }
        found: dict[str, dict[int, float]] = defaultdict(dict)
        for number, document in enumerate(self._documents):
            for field, (weight, b) in _FIELDS.items():
                words = document[field]
                norm = 1 - b + b * len(words) / (lengths[field] or 1)
                for word, times in Counter(words).items():
                    row = found[word]
                    row[number] = row.get(number, 0.0) + weight * times / norm
        return {word: self._scored(row, count) for word, row in found.items()}

    def _scored(self, row: Mapping[int, float], count: int) -> tuple[_Places, _Vector]:
        """Return the documents of a word, and what the word adds to the score of each."""
        rarity = np.log(1 + (count - len(row) + 0.5) / (len(row) + 0.5))
        weights = np.fromiter(row.values(), dtype=float)
        return np.fromiter(row, dtype=np.int64), rarity * weights / (weights + self._k1)

    def _scores(self, words: Sequence[str], phrases: Sequence[Sequence[str]]) -> _Vector:
        total = np.zeros(len(self._specs))
        for word in dict.fromkeys(words):
            same = [(one, _SYNONYM) for one in sorted(synonyms(word))]
            total += self._best([(word, 1.0), *same])
        for phrase in phrases:
            total += self._best([(word, _PHRASE) for word in phrase])
        return total

    def _best(self, words: Iterable[tuple[str, float]]) -> _Vector:
        """Return the best score that one of several weighted words gives each tool."""
        best = np.zeros(len(self._specs))
        for word, weight in words:
            if word in self._postings:
                places, scores = self._postings[word]
                best[places] = np.maximum(best[places], weight * scores)
        return best

    def _factors(self, wanted: frozenset[Intent]) -> _Vector:
        if not wanted:
            return np.ones(len(self._specs))
        return np.array(
            [1.0 if not has else _WANTED if has & wanted else _UNWANTED for has in self._intents]
        )

    def rank(self, query: str, most: int = 5) -> list[RetrievedTool]:
        """Return the ``most`` best tools, best first; equal scores in the toolbox's order.

        A tool's score is its best over the query and the clauses. A clause's score is divided by the square
        root of its number of words, so that long and short clauses compare.
        """
        best = np.zeros(len(self._specs))
        parts = [part for part in _CLAUSE.split(query) if len(query_words(part)) >= _MIN_WORDS]
        for part in [query, *parts]:
            words, more = text_words(part), phrase_words(part)
            if words or more:
                scores = self._scores(words, more) * self._factors(question_intents(part))
                best = np.maximum(best, scores / max(len(words), 1) ** 0.5)
        order = np.argsort(-best, kind="stable")[:most]
        return [RetrievedTool(self._specs[int(i)], float(best[i])) for i in order]

    def choose(self, query: str, most: int = 8) -> tuple[ToolSpec, ...]:
        """Return the specifications to show an agent for a query: all if there are at most ``most``."""
        if len(self._specs) <= most:
            return self._specs
        return tuple(found.spec for found in self.rank(query, most))


def _intents_of(spec: ToolSpec, document: Mapping[str, list[str]]) -> frozenset[Intent]:
    """Return what a tool does to things, by the verb of its name or its summary, and by what it says."""
    found = intents_of(document["name"]) or intents_of(document["summary"][:4])
    if spec.read_only is True:
        return frozenset({"list"})
    if spec.read_only is False:
        return found - {"list"} or frozenset({"create", "update"})
    return found


def _text_of(spec: ToolSpec) -> str:
    given = cast("_Json", spec.parameters.get("properties") or {})
    fields = {name: cast("_Json", one) for name, one in given.items() if isinstance(one, dict)}
    about = " ".join(f"{name} {field.get('description', '')}" for name, field in fields.items())
    return f"{spec.name} {spec.name} {spec.description} {spec.description} {about}"


class EmbeddingRetriever:
    """Ranks tools by BM25 and embeddings, with reciprocal rank fusion (Cormack et al., 2009; k = 60).

    Args:
        specs: the specifications of the tools.
        embed: returns vectors; the specifications are embedded once, at the first query.
    """

    def __init__(self, specs: Sequence[ToolSpec], embed: Embed) -> None:
        self._specs, self._embed = tuple(specs), embed
        self._wording = Retriever(specs)
        self._vectors: _Vector | None = None

    async def rank(self, query: str, most: int = 5) -> list[RetrievedTool]:
        """Return the ``most`` best tools, best first."""
        if self._vectors is None:
            self._vectors = _unit(await self._embed([_text_of(spec) for spec in self._specs]))
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


def _unit(vectors: Sequence[Sequence[float]]) -> _Vector:
    matrix = np.asarray(vectors, dtype=float)
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
