"""Answers requests with a linear classifier over sparse features, or abstains; numpy alone."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolmint.core.values import Value
from toolmint.maker.learned.features import (
    LONGEST_REQUEST,
    Floats,
    SparseRow,
    Vocabulary,
    ngrams,
)
from toolmint.maker.learned.file_format import read_model, write_model
from toolmint.maker.learned.neighbours import Neighbours
from toolmint.maker.learned.selector import KNOWN, NEAR, Selector, signals_of, top_labels
from toolmint.maker.learned.spans import CopiedSpans
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


class AnswerLimits(NamedTuple):
    """When a model answers.

    Attributes:
        selector: the chance that an answer is right.
        floors: share of known runs of characters, and likeness to the nearest learnt request, below which a
            request is unlike those learnt.
        thresholds: for each label the chance from which it is answered; infinity: never.
        margins: for each label the lead that any other must have over it.
    """

    selector: Selector
    floors: Floats
    thresholds: Floats
    margins: Floats

    def why_not(
        self, said: int, label: str | None, chance: float, signals: Floats, scores: Floats
    ) -> str:
        """Return why a request is not answered, in words; empty if it is."""
        if (signals[[KNOWN, NEAR]] < self.floors).any():
            return "the request is unlike those learnt"
        if label is None:
            return "the request is like those whose answers occur too seldom to be learnt"
        threshold = float(self.thresholds[said])
        if np.isinf(threshold):
            return f"{label!r} is never answered: its examples do not prove it"
        if chance < threshold:
            return f"{label!r} is right with a chance of {chance:.2f}; {threshold:.2f} is needed"
        spare = scores[said] - scores - self.margins
        spare[said] = np.inf
        if spare.min() < 0:
            return (
                f"{label!r} does not lead by enough over another label that it is often taken for"
            )
        return ""


class UnseenTest(NamedTuple):
    """What leaving labels out has shown, for the versions that follow without doing so again.

    Attributes:
        examples: examples that proved something when it was last done.
        threshold: the chance below which a request may be of a label never seen.
    """

    examples: int
    threshold: float


class LearnedModel:
    """A fitted classifier with its thresholds; immutable.

    Args:
        vocabulary: the features that it knows.
        weights: the classifier; columns after those of ``labels`` are of answers that it never gives.
        near: the learnt requests.
        limits: when it answers.
        labels: its labels.
        texts: the answer that stands for each label, in the class's own form; copied fields are open.
        spans: the fields that are copied from the request.
        unseen: what leaving labels out has shown; None: it was never done.
    """

    def __init__(
        self,
        *,
        vocabulary: Vocabulary,
        weights: Weights,
        near: Neighbours,
        limits: AnswerLimits,
        labels: Sequence[str],
        texts: Sequence[str],
        spans: CopiedSpans,
        unseen: UnseenTest | None = None,
    ) -> None:
        self.labels = tuple(labels)
        self.limits, self.unseen = limits, unseen
        self._texts = tuple(texts)
        self._vocabulary, self._weights = vocabulary, weights
        self._near, self._spans = near, spans

    @property
    def features(self) -> int:
        """How many features it knows."""
        return len(self._vocabulary)

    def answer(self, request: str) -> LearnedAnswer:
        """Return the answer to a request, or that it abstains and why."""
        if len(request) > LONGEST_REQUEST:
            why = f"the request has {len(request)} characters; at most {LONGEST_REQUEST} are read"
            return LearnedAnswer(None, None, 0.0, why)
        row = self._vocabulary.row(ngrams(request))
        scores = self._weights.scores(row)
        top = top_labels(scores[None])
        near = self._near.nearest(row, top[0])[None]
        known = np.array([[row.known_words, row.known_runs]], np.float32)
        signals = signals_of(scores[None], top, known, near)
        said = int(top[0, 0])
        chance = float(self.limits.selector.chances(signals)[0])
        label = self.labels[said] if said < len(self.labels) else None
        why = self.limits.why_not(said, label, chance, signals[0], scores)
        if label is None or why:
            return LearnedAnswer(None, label, chance, why)
        text = self._spans.filled(self._texts[said], request)
        if text is None:
            why = "a field that is copied from the request has no value there, or several"
        return LearnedAnswer(text, label, chance, why)

    def to_bytes(self) -> bytes:
        """Return the model as bytes; no code is in them."""
        facts: Mapping[str, Value] = {
            "labels": list(self.labels),
            "texts": list(self._texts),
            "width": self._near.width,
            "spans": dict(self._spans.patterns),
            "unseen": None if self.unseen is None else list(self.unseen),
        }
        limits, near = self.limits, self._near
        arrays: dict[str, NDArray[Any]] = {
            "words": self._vocabulary.words,
            "runs": self._vocabulary.runs,
            "rarity": self._vocabulary.rarity,
            "steps": self._weights.steps,
            "scale": self._weights.scale,
            "bias": self._weights.bias,
            "near_columns": near.columns,
            "near_steps": near.steps,
            "near_starts": near.starts,
            "centre": limits.selector.centre,
            "spread": limits.selector.spread,
            "slopes": limits.selector.slopes,
            "floors": limits.floors,
            "thresholds": limits.thresholds,
            "margins": limits.margins,
        }
        return write_model(facts, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> "LearnedModel":
        """Return the model that ``to_bytes`` wrote.

        Raises:
            StoreError: the data are no learned model, are damaged, or of a newer version.
        """
        facts, has = read_model(data)
        selector = Selector(has["centre"], has["spread"], has["slopes"])
        return cls(
            vocabulary=Vocabulary(has["words"], has["runs"], has["rarity"]),
            weights=Weights(has["steps"], has["scale"], has["bias"]),
            near=Neighbours(
                has["near_columns"], has["near_steps"], has["near_starts"], facts["width"]
            ),
            limits=AnswerLimits(selector, has["floors"], has["thresholds"], has["margins"]),
            labels=facts["labels"],
            texts=facts["texts"],
            spans=CopiedSpans(facts["spans"]),
            unseen=None if facts["unseen"] is None else UnseenTest(*facts["unseen"]),
        )


class Fitted(NamedTuple):
    """A fitted model with its evidence; no model: the report says why."""

    model: LearnedModel | None
    report: FitReport
