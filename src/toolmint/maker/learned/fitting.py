"""Fits a learned tool: a linear classifier, and thresholds that held-out requests prove."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolmint.core.errors import ConfigError
from toolmint.core.tool import Demonstration
from toolmint.maker.learned.answer_kinds import answer_kind
from toolmint.maker.learned.features import (
    LONGEST,
    Ngrams,
    SparseRow,
    Vocabulary,
    ngrams,
    vocabulary_of,
)
from toolmint.maker.learned.limits import error_limit
from toolmint.maker.learned.model import Fitted, LearnedModel, Selector, Weights, signals_of
from toolmint.maker.learned.values import FitReport, LabelFacts, LearnedExample

_CELLS = 1_600_000  # bytes of weights
_FEATURES = (2_000, 30_000)
_FOLDS = 5
_FEWEST = 5  # examples of a label that is answered
_START = 200  # held-out requests that the first threshold answers


class _Scored(NamedTuple):
    signals: NDArray[np.float32]
    labels: NDArray[np.int64]


def fit(
    examples: Sequence[Demonstration],
    *,
    epsilon: float,
    confidence: float,
    seed: int = 0,
    previous: LearnedModel | None = None,
) -> Fitted:
    """Fit a model to examples, and choose thresholds that keep its wrong answers below a share.

    Args:
        examples: requests with their right answers, the oldest first; ``LearnedExample`` says how each came
            to be labelled, and a plain demonstration counts as one of all requests.
        epsilon: share of its answers that may be wrong.
        confidence: chance that it keeps to that.
        seed: of the division into parts.
        previous: the model before.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    start = time.process_time()
    used = [one for one in examples if one.target is not None and len(one.input) <= LONGEST]
    targets = [(one.target or "").strip() for one in used]
    kind = answer_kind(targets, [one.input for one in used])
    counts = Counter(targets)

    def none(why: str) -> Fitted:
        return Fitted(None, FitReport(kind=kind.kind, examples=len(used), why=why))

    if kind.kind not in {"labels", "fields"}:
        return none(f"the answers are no closed set: {kind.words}")
    if error_limit(0, len(used), confidence) > epsilon:
        return none(f"{len(used)} examples cannot prove an error of at most {epsilon:g}")
    names = sorted(counts)
    if len(names) < 2:
        return none("all answers are the same: nothing tells when another is right")
    places = {name: place for place, name in enumerate(names)}
    found = [ngrams(one.input) for one in used]
    right = np.array([places[text] for text in targets])
    weights = np.array(
        [one.weight if isinstance(one, LearnedExample) else 1.0 for one in used], np.float64
    )
    held = _held_out(found, right, len(names), seed)
    correct = held.labels == right
    selector = _selector(held.signals, correct, weights)
    chances = np.array([selector.chance(row) for row in held.signals])
    threshold = _threshold(chances, correct, weights, epsilon, confidence)
    if threshold is None:
        return none(f"no threshold keeps the error of held-out answers below {epsilon:g}")
    vocabulary, classifier = _trained(found, right, len(names))
    thresholds = np.full(len(names), threshold, np.float32)
    thresholds[[counts[name] < _FEWEST for name in names]] = np.inf
    raw = Counter(one.target or "" for one in used)
    texts = [
        max((text for text in raw if text.strip() == name), key=raw.__getitem__) for name in names
    ]
    model = LearnedModel(
        vocabulary=vocabulary,
        weights=classifier,
        selector=selector,
        labels=names,
        texts=texts,
        thresholds=thresholds,
    )
    answered = chances >= thresholds[held.labels]
    wrong = answered & ~correct
    total, shown = float(weights.sum()), float(weights[answered].sum())
    facts = [
        LabelFacts(
            label=name,
            examples=counts[name],
            answered=float(weights[answered & (held.labels == place)].sum()),
            wrong=float(weights[wrong & (held.labels == place)].sum()),
            missed=float(weights[wrong & (right == place)].sum()),
            threshold=threshold if counts[name] >= _FEWEST else None,
        )
        for place, name in enumerate(names)
    ]
    report = FitReport(
        kind=kind.kind,
        examples=len(used),
        labels=tuple(sorted(facts, key=lambda one: -one.examples)[:200]),
        label_count=len(names),
        features=len(vocabulary),
        held_out=total,
        coverage=shown / total,
        error=float(weights[wrong].sum()) / max(shown, 1e-9),
        error_limit=error_limit(float(weights[wrong].sum()), shown, confidence),
        threshold=threshold,
        seconds=time.process_time() - start,
    )
    return Fitted(model, report)


def _trained(
    found: list[Ngrams], right: NDArray[np.int64], labels: int
) -> tuple[Vocabulary, Weights]:
    try:
        from scipy.sparse import csr_matrix  # noqa: PLC0415
        from sklearn.svm import LinearSVC  # noqa: PLC0415
    except ImportError as fault:
        raise ConfigError(
            "fitting a learned tool needs scikit-learn: pip install 'toolmint[learned]'"
        ) from fault
    most = min(max(_CELLS // labels, _FEATURES[0]), _FEATURES[1])
    vocabulary = vocabulary_of(found, most)
    rows = [vocabulary.row(one) for one in found]
    ends = np.cumsum([0] + [len(row.columns) for row in rows])
    values = np.concatenate([row.values for row in rows])
    matrix = csr_matrix(
        (values, np.concatenate([row.columns for row in rows]), ends),
        shape=(len(rows), len(vocabulary)),
    )
    machine: Any = LinearSVC(C=0.5, tol=0.1, multi_class="crammer_singer", random_state=0)
    machine.fit(matrix, right)
    dense, bias = np.asarray(machine.coef_), np.asarray(machine.intercept_)
    if len(dense) == 1:  # of two labels it gives the second's alone
        dense, bias = np.concatenate([-dense, dense]), np.concatenate([-bias, bias])
    full = np.zeros((labels, len(vocabulary)), np.float32)
    shift = np.full(labels, -1e3, np.float32)  # a label without an example in this part
    full[machine.classes_], shift[machine.classes_] = dense, bias
    scale = np.maximum(np.abs(full).max(1), 1e-6) / 127
    steps = np.rint(full / scale[:, None]).astype(np.int8).T
    return vocabulary, Weights(np.ascontiguousarray(steps), scale.astype(np.float32), shift)


def _held_out(found: list[Ngrams], right: NDArray[np.int64], labels: int, seed: int) -> _Scored:
    """Return each example's signals and label by a model that did not see it."""
    part = np.random.default_rng(seed).permutation(len(found)) % _FOLDS
    signals = np.zeros((len(found), 4), np.float32)
    said = np.zeros(len(found), np.int64)
    for fold in range(_FOLDS):
        inside = np.flatnonzero(part != fold)
        vocabulary, weights = _trained([found[place] for place in inside], right[inside], labels)
        for place in np.flatnonzero(part == fold):
            row: SparseRow = vocabulary.row(found[place])
            scores = weights.scores(row)
            said[place], signals[place] = scores.argmax(), signals_of(scores, row)
    return _Scored(signals, said)


def _selector(
    signals: NDArray[np.float32], correct: NDArray[np.bool_], weights: NDArray[np.float64]
) -> Selector:
    centre, spread = signals.mean(0), np.maximum(signals.std(0), 1e-6)
    x = np.c_[(signals - centre) / spread, np.ones(len(signals))]
    slopes = np.zeros(x.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-x @ slopes))
        gradient = x.T @ (weights * (chance - correct)) + 0.1 * slopes
        curve = (x * (weights * chance * (1 - chance))[:, None]).T @ x
        slopes -= np.linalg.solve(curve + 0.1 * np.eye(len(slopes)), gradient)
    return Selector(centre, spread, slopes[:-1].astype(np.float32), float(slopes[-1]))


def _threshold(
    chances: NDArray[np.float64],
    correct: NDArray[np.bool_],
    weights: NDArray[np.float64],
    epsilon: float,
    confidence: float,
) -> float | None:
    """Return the lowest threshold of a fixed sequence up to the first that is not proved."""
    order = np.argsort(-chances, kind="stable")
    answered = np.cumsum(weights[order])
    wrong = np.cumsum((weights * ~correct)[order])
    step = max(10, len(order) // 100)
    best: float | None = None
    for last in range(min(_START, len(order) // 2), len(order), step):
        if error_limit(float(wrong[last]), float(answered[last]), confidence) > epsilon:
            break
        best = float(chances[order[last]])
    return best
