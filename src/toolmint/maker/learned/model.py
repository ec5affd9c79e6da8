"""Answers requests with a linear classifier over sparse features, or abstains; numpy alone."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolmint.core.values import Value
from toolmint.maker.learned.features import (
    LONGEST,
    Floats,
    SparseRow,
    Vocabulary,
    ngrams,
)
from toolmint.maker.learned.file_format import read_model, write_model
from toolmint.maker.learned.values import FitReport, LearnedAnswer


class Weights(NamedTuple):
    """The weights of a linear classifier, in steps of one scale for each label.

    Attributes:
        steps: whole numbers from -127 to 127, features by labels.
        scale: size of a step, for each label.
        bias: for each label.
    """

    steps: NDArray[np.int8]
    scale: Floats
    bias: Floats

    def scores(self, row: SparseRow) -> Floats:
        """Return the score of each label."""
        steps = self.steps[row.columns].astype(np.float32)
        return (row.values @ steps) * self.scale + self.bias


class Selector(NamedTuple):
    """A logistic model of the chance that an answer is right, from signals about it."""

    centre: Floats
    spread: Floats
    slopes: Floats
    base: float

    def chance(self, signals: Floats) -> float:
        """Return the chance, 0 to 1."""
        x = (signals - self.centre) / self.spread
        return float(1 / (1 + np.exp(-(x @ self.slopes + self.base))))


def signals_of(scores: Floats, row: SparseRow) -> Floats:
    """Return what tells a right answer from a wrong one: best score, lead, what is known."""
    best = np.sort(scores)[::-1]
    second = best[1] if len(best) > 1 else best[0] - 1
    return np.array([best[0], best[0] - second, row.known_words, row.known_runs], dtype=np.float32)


class LearnedModel:
    """A fitted classifier with its thresholds; immutable.

    Args:
        vocabulary: the features that it knows.
        weights: the classifier.
        selector: the chance that an answer is right.
        labels: its labels.
        texts: the answer that stands for each label, in the class's own form.
        thresholds: for each label the chance from which it is answered; infinity: never.
    """

    def __init__(
        self,
        *,
        vocabulary: Vocabulary,
        weights: Weights,
        selector: Selector,
        labels: Sequence[str],
        texts: Sequence[str],
        thresholds: Floats,
    ) -> None:
        self.labels = tuple(labels)
        self._texts = tuple(texts)
        self._vocabulary, self._weights, self._selector = vocabulary, weights, selector
        self._thresholds = thresholds

    def answer(self, request: str) -> LearnedAnswer:
        """Return the answer to a request, or that it abstains and why."""
        if len(request) > LONGEST:
            why = f"the request has {len(request)} characters; at most {LONGEST} are read"
            return LearnedAnswer(None, None, 0.0, why)
        row = self._vocabulary.row(ngrams(request))
        if not len(row.columns):
            return LearnedAnswer(
                None, None, 0.0, "the request has nothing in common with those learnt"
            )
        scores = self._weights.scores(row)
        best = int(scores.argmax())
        chance = self._selector.chance(signals_of(scores, row))
        threshold = float(self._thresholds[best])
        label = self.labels[best]
        if chance >= threshold:
            return LearnedAnswer(self._texts[best], label, chance, "")
        if np.isinf(threshold):
            why = f"{label!r} is never answered: too few examples prove it"
        else:
            why = f"{label!r} is right with a chance of {chance:.2f}; {threshold:.2f} is needed"
        return LearnedAnswer(None, label, chance, why)

    def to_bytes(self) -> bytes:
        """Return the model as bytes; no code is in them."""
        facts: Mapping[str, Value] = {
            "labels": list(self.labels),
            "texts": list(self._texts),
            "base": self._selector.base,
        }
        arrays: dict[str, NDArray[Any]] = {
            "words": self._vocabulary.words,
            "runs": self._vocabulary.runs,
            "rarity": self._vocabulary.rarity,
            "steps": self._weights.steps,
            "scale": self._weights.scale,
            "bias": self._weights.bias,
            "centre": self._selector.centre,
            "spread": self._selector.spread,
            "slopes": self._selector.slopes,
            "thresholds": self._thresholds,
        }
        return write_model(facts, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> "LearnedModel":
        """Return the model that ``to_bytes`` wrote.

        Raises:
            StoreError: the data are no learned model, are damaged, or of a newer version.
        """
        facts, arrays = read_model(data)
        return cls(
            vocabulary=Vocabulary(arrays["words"], arrays["runs"], arrays["rarity"]),
            weights=Weights(arrays["steps"], arrays["scale"], arrays["bias"]),
            selector=Selector(
                arrays["centre"], arrays["spread"], arrays["slopes"], float(facts["base"])
            ),
            labels=facts["labels"],
            texts=facts["texts"],
            thresholds=arrays["thresholds"],
        )


class Fitted(NamedTuple):
    """A fitted model with its evidence; no model: the report says why."""

    model: LearnedModel | None
    report: FitReport
