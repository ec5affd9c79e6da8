"""Tells right answers from wrong ones: signals about an answer, and the chance that they speak of."""

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from toolmint.maker.learned.features import Floats, Integers

COMPARED = 4
"""Labels whose learnt requests a request is compared with: those of the best scores."""
SIGNALS = 7
KNOWN, NEAR = 4, 5  # signals that a request unlike those learnt is known by
_FAR = 4.0  # spreads from the centre: what lies farther counts as there
_STEPS, _PENALTY = 30, 1.0


def top_labels(scores: Floats) -> Integers:
    """Return the labels of the best scores, the best first: requests by ``COMPARED`` at most."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :COMPARED]


def signals_of(scores: Floats, top: Integers, known: Floats, near: Floats) -> Floats:
    """Return what tells a right answer from a wrong one, requests by ``SIGNALS``.

    The best score; its lead over the second and the third; the shares of known words and of known runs of
    characters; the likeness to the nearest learnt request of the label; its lead over other labels'.

    Args:
        scores: requests by labels.
        top: the labels of the best scores.
        known: shares of known words and runs, requests by 2.
        near: likeness to the nearest learnt request of each of ``top``.
    """
    best = np.take_along_axis(scores, top, 1)
    last = min(2, best.shape[1] - 1)
    others = near[:, 1:].max(1) if near.shape[1] > 1 else np.zeros(len(near), np.float32)
    columns = (
        best[:, 0],
        best[:, 0] - best[:, min(1, last)],
        best[:, 0] - best[:, last],
        known[:, 0],
        known[:, 1],
        near[:, 0],
        near[:, 0] - others,
    )
    return np.stack(columns, 1).astype(np.float32)


class Selector(NamedTuple):
    """A logistic model, of the second degree, of the chance that an answer is right.

    Attributes:
        centre: mean of each signal.
        spread: standard deviation of each signal.
        slopes: of the signals, then of their products, then the base.
    """

    centre: Floats
    spread: Floats
    slopes: Floats

    def chances(self, signals: Floats) -> Floats:
        """Return the chance of each answer, 0 to 1; signals are answers by ``SIGNALS``."""
        terms = _terms(signals, self.centre, self.spread)
        return cast("Floats", 1 / (1 + np.exp(-(terms @ self.slopes))))


def _terms(signals: Floats, centre: Floats, spread: Floats) -> Floats:
    plain = np.clip((signals - centre) / spread, -_FAR, _FAR)
    first, second = np.triu_indices(plain.shape[1])
    products = plain[:, first] * plain[:, second]
    return np.concatenate([plain, products, np.ones((len(plain), 1))], axis=1, dtype=np.float32)


def fitted_selector(
    signals: Floats, right: NDArray[np.bool_], weights: NDArray[np.float64]
) -> Selector:
    """Return the logistic model of greatest penalised likelihood (Newton's method).

    Args:
        signals: answers by ``SIGNALS``.
        right: whether each answer was right.
        weights: what each counts.
    """
    centre, spread = signals.mean(0), np.maximum(signals.std(0), 1e-3)
    x = _terms(signals, centre, spread).astype(np.float64)
    penalty = np.full(x.shape[1], _PENALTY)
    penalty[-1] = 1e-6
    slopes = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(x @ slopes, -30, 30)))
        gradient = x.T @ (weights * (chance - right)) + penalty * slopes
        curve = (x * (weights * chance * (1 - chance))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(curve, gradient)
        slopes -= step / max(1.0, float(np.abs(step).max()) / 2)
        if float(np.abs(step).max()) < 1e-4:
            break
    return Selector(centre.astype(np.float32), spread.astype(np.float32), slopes.astype(np.float32))
