"""Trains the linear classifier, and has a model judge each request that did not learn from it."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning  # pyright: ignore[reportMissingTypeStubs]
from sklearn.svm import LinearSVC  # pyright: ignore[reportMissingTypeStubs]

from toolmint.maker.learned.features import Floats, Integers, Vocabulary
from toolmint.maker.learned.matrix import Corpus, MatrixView
from toolmint.maker.learned.model import Weights
from toolmint.maker.learned.neighbours import Neighbours, nearest_of_all, neighbours_of
from toolmint.maker.learned.selector import SIGNALS, signals_of, top_labels

_CELLS = 1_500_000  # weights, of a byte each
_FEATURES = (1_000, 30_000)
_COST, _TOLERANCE = 0.5, 0.1
_ABSENT = -1e3  # score of a label that the part has no example of


class Trained(NamedTuple):
    """A classifier that learnt from a part of the requests."""

    view: MatrixView
    weights: Weights
    near: Neighbours

    @property
    def vocabulary(self) -> Vocabulary:
        """Return the features that it knows."""
        return self.view.vocabulary


class Predictions(NamedTuple):
    """What classifiers that did not learn from the requests say of them.

    Attributes:
        places: the requests.
        said: the label of the best score.
        signals: requests by ``SIGNALS``.
        leads: the best score minus the score of each label, requests by labels.
    """

    places: Integers
    said: Integers
    signals: Floats
    leads: Floats


def trained(corpus: Corpus, inside: Integers, right: Integers, labels: int) -> Trained:
    """Return a classifier (Crammer and Singer's support vector machine) that learnt from some requests.

    Args:
        corpus: the requests.
        inside: those that it learns from.
        right: label of each request of the corpus.
        labels: how many labels there are.
    """
    most = min(max(_CELLS // labels, _FEATURES[0]), _FEATURES[1])
    view = corpus.learnt(inside, most)
    matrix = view.features(inside).matrix
    machine: Any = LinearSVC(
        C=_COST, tol=_TOLERANCE, multi_class="crammer_singer", random_state=0, max_iter=300
    )
    with warnings.catch_warnings():
        # Its work is bounded on purpose: the thresholds are set by what the model then does.
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(matrix, right[inside])
    dense, shift = np.asarray(machine.coef_), np.asarray(machine.intercept_)
    if len(dense) == 1:  # of two labels it has the second's alone
        dense, shift = np.concatenate([-dense, dense]) / 2, np.concatenate([-shift, shift]) / 2
    full = np.zeros((labels, matrix.shape[1]), np.float32)
    bias = np.full(labels, _ABSENT, np.float32)
    full[machine.classes_], bias[machine.classes_] = dense, shift
    scale = (np.maximum(np.abs(full).max(1), 1e-6) / 127).astype(np.float32)
    steps = np.ascontiguousarray(np.rint(full / scale[:, None]).astype(np.int8).T)
    near = neighbours_of(matrix, len(view.hashes[0]), right[inside], labels)
    return Trained(view, Weights(steps, scale, bias), near)


def predictions_of(model: Trained, places: Integers) -> Predictions:
    """Return what a classifier says of some requests."""
    features = model.view.features(places)
    steps = model.weights.steps.astype(np.float32)
    scores = (features.matrix @ steps) * model.weights.scale + model.weights.bias
    top = top_labels(scores)
    near = nearest_of_all(model.near, features.matrix, top)
    signals = signals_of(scores, top, features.known, near)
    leads = scores[np.arange(len(top)), top[:, 0]][:, None] - scores
    return Predictions(places, top[:, 0], signals, leads.astype(np.float32))


def held_out(
    corpus: Corpus,
    right: Integers,
    labels: int,
    *,
    proving: Integers,
    folds: int,
    random: np.random.Generator,
) -> Predictions:
    """Return what is said of requests by a classifier that learnt from the other parts.

    Args:
        corpus: the requests.
        right: label of each.
        labels: how many labels there are.
        proving: the requests that are judged, in rising order; the others are always learnt from.
        folds: parts that these are divided into.
        random: divides them.
    """
    part = np.full(len(right), -1)
    part[proving] = random.permutation(len(proving)) % folds
    return _judged_by_part(
        corpus, right, labels, [(part != one, part == one) for one in range(folds)]
    )


def unseen(
    corpus: Corpus,
    right: Integers,
    labels: int,
    *,
    proving: Integers,
    groups: int,
    random: np.random.Generator,
) -> Predictions:
    """Return what is said of requests by a classifier that learnt nothing of their label.

    Args: as for ``held_out``; ``groups`` is how many groups the labels are divided into.
    """
    group = (random.permutation(labels) % max(groups, 1))[right]
    asked = np.zeros(len(right), bool)
    asked[proving] = True
    parts = [(group != one, asked & (group == one)) for one in range(groups)]
    return _judged_by_part(corpus, right, labels, parts)


def _judged_by_part(
    corpus: Corpus,
    right: Integers,
    labels: int,
    parts: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
) -> Predictions:
    """Return what is said of the second of each pair by a classifier that learnt from the first."""
    found = [
        predictions_of(
            trained(corpus, np.flatnonzero(inside), right, labels), np.flatnonzero(asked)
        )
        for inside, asked in parts
        if asked.any()
    ]
    return _in_order(found, labels)


def _in_order(found: list[Predictions], labels: int) -> Predictions:
    empty = Predictions(
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros((0, SIGNALS), np.float32),
        np.zeros((0, labels), np.float32),
    )
    found = found or [empty]  # no labels were left out
    order = np.argsort(np.concatenate([one.places for one in found]), kind="stable")
    places, said, signals, leads = (
        np.concatenate(column)[order] for column in zip(*found, strict=True)
    )
    return Predictions(places, said, signals, leads)
