"""Chooses the thresholds of a learned tool from what was said of held-out requests."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolmint.maker.learned.features import Floats, Integers
from toolmint.maker.learned.limits import error_limit
from toolmint.maker.learned.selector import KNOWN, NEAR, Selector, fitted_selector
from toolmint.maker.learned.training import Judged

PARTS = 5
FEWEST = 5
"""Examples of a label that is answered."""
_START = 200  # held-out requests that the first threshold answers
_POOLED = 10.0  # held-out requests that the pooled rate counts as, beside a label's own
_UNLIKE = 0.01  # share of the requests learnt that are farther than what counts as unlike
_OWN = 1.5  # a label's own share of wrong answers, in epsilons
_MISSED = 2.0  # a label's requests that get another's answer, in epsilons
_UNSEEN_WEIGHT = 0.5


class Bound(NamedTuple):
    """What is to be proved, and how.

    Attributes:
        epsilon: share of answers that may be wrong.
        confidence: chance that it is kept.
        comparisons: live comparisons within which it is to be proved again; None: it is not.
    """

    epsilon: float
    confidence: float
    comparisons: float | None = None

    def holds(self, wrong: float, answered: float) -> bool:
        """Return whether so many wrong answers of so many keep to it."""
        if error_limit(wrong, answered, self.confidence) > self.epsilon:
            return False
        if self.comparisons is None:
            return True
        # The evidence that a comparison is expected to add (a likelihood ratio's logarithm).
        rate = (wrong + 0.5) / (answered + 1)
        gain = rate * math.log(rate / self.epsilon)
        gain += (1 - rate) * math.log((1 - rate) / (1 - self.epsilon))
        return rate < self.epsilon and gain * self.comparisons >= math.log(
            2 / (1 - self.confidence)
        )


class Rules(NamedTuple):
    """When a label is answered; all that is chosen from held-out requests but the one threshold.

    Attributes:
        selector: the chance that an answer is right.
        floors: share of known runs, and likeness to the nearest request, below which it is unlike.
        bars: for each label the chance from which it may be answered; infinity: never.
        margins: for each label the lead that any other must have over it to be answered.
    """

    selector: Selector
    floors: Floats
    bars: Floats
    margins: Floats

    def chances(self, what: Judged, keep: NDArray[np.bool_] | slice = slice(None)) -> Floats:
        """Return the chance of each answer; minus 1 where the rules forbid it."""
        signals, said = what.signals[keep], what.said[keep]
        chance = self.selector.chances(signals)
        spare = what.leads[keep] - self.margins
        spare[np.arange(len(said)), said] = np.inf
        allowed = (chance >= self.bars[said]) & (spare.min(1) >= 0)
        allowed &= (signals[:, [KNOWN, NEAR]] >= self.floors).all(1)
        return np.where(allowed, chance, -1.0).astype(np.float32)


class Calibrated(NamedTuple):
    """The rules, the threshold, and what they do to held-out requests that they were not chosen from.

    Attributes:
        rules: chosen from all.
        threshold: the chance from which any label is answered; None: no threshold is proved.
        chances: of each held-out request, by rules that did not know it.
        unseen: the same for requests of labels that were left out.
        unseen_threshold: the chance from which no more of these are answered than may be, or 0.
    """

    rules: Rules
    threshold: float | None
    chances: Floats
    unseen: Floats
    unseen_threshold: float


class Evidence(NamedTuple):
    """Held-out requests: what was said of them, what is right, what each counts.

    Attributes:
        held: by classifiers that learnt from other requests.
        right: the right label of each.
        weights: what each counts in the bound.
        left_out: by classifiers that never saw the label.
        left_label: the label of each of these.
        answerable: labels that may be answered at all.
        selector: the selector of the version before, which is kept; None: it is fitted anew.
    """

    held: Judged
    right: Integers
    weights: NDArray[np.float64]
    left_out: Judged
    left_label: Integers
    answerable: NDArray[np.bool_]
    selector: Selector | None = None


def rules_of(
    what: Evidence, keep: NDArray[np.bool_], seen: NDArray[np.bool_], epsilon: float
) -> Rules:
    """Return the rules that some of the held-out requests lead to.

    Args:
        what: held-out requests.
        keep: those of ``held`` that are used.
        seen: those of ``left_out`` that are used.
        epsilon: share of answers that may be wrong.
    """
    signals, said = what.held.signals[keep], what.held.said[keep]
    right, weights = what.right[keep], what.weights[keep]
    correct = said == right
    against = what.left_out.signals[seen]
    selector = what.selector or fitted_selector(
        np.concatenate([signals, against]),
        np.concatenate([correct, np.zeros(len(against), bool)]),
        np.concatenate([weights, np.full(len(against), _UNSEEN_WEIGHT)]),
    )
    floors = np.quantile(signals[correct][:, [KNOWN, NEAR]], _UNLIKE, axis=0).astype(np.float32)
    chances = selector.chances(signals)
    bars = _bars(
        chances, said, correct, weights, answerable=what.answerable, epsilon=_OWN * epsilon
    )
    answered = chances >= bars[said]
    leads = what.held.leads[keep]
    margins = _margins(leads, answered & ~correct, right, weights, epsilon)
    return Rules(selector, floors, bars, margins)


def _bars(
    chances: Floats,
    said: Integers,
    correct: NDArray[np.bool_],
    weights: NDArray[np.float64],
    *,
    answerable: NDArray[np.bool_],
    epsilon: float,
) -> Floats:
    """Return for each label the lowest chance above which its answers are wrong at most ``epsilon`` often.

    A label's own rate is mixed with the pooled rate, which counts as ``_POOLED`` requests.
    """
    order = np.argsort(-chances, kind="stable")
    wrong = np.cumsum((weights * ~correct)[order])
    rate = wrong / np.cumsum(weights[order])
    # The pooled rate where all that the bound allows is answered.
    inside = np.flatnonzero(rate <= epsilon)
    pooled = float(rate[inside[-1]]) if len(inside) else epsilon
    bars = np.full(len(answerable), np.inf, np.float32)
    for label in np.flatnonzero(answerable):
        mine = order[said[order] == label]
        if not len(mine):
            bars[label] = 0
            continue
        mixed = np.cumsum((weights * ~correct)[mine]) + _POOLED * pooled
        fine = np.flatnonzero(mixed <= epsilon * (np.cumsum(weights[mine]) + _POOLED))
        if len(fine):
            last = int(fine[-1])
            bars[label] = 0 if last == len(mine) - 1 else chances[mine[last]]
    return bars


def _margins(
    leads: Floats,
    wrong: NDArray[np.bool_],
    right: Integers,
    weights: NDArray[np.float64],
    epsilon: float,
) -> Floats:
    """Return for each label the lead over it that others need, so that few of its requests get theirs.

    Without this a rare label would be paid for by a common one: its requests could all be answered
    wrongly, and the error of all answers would still be small.
    """
    labels = leads.shape[1]
    margins = np.zeros(labels, np.float32)
    pooled = float(weights[wrong].sum() / max(weights.sum(), 1e-9))
    for label in range(labels):
        mine = right == label
        total = float(weights[mine].sum())
        missed = np.flatnonzero(wrong & mine)
        if not len(missed):
            continue
        missed = missed[np.argsort(-leads[missed, label], kind="stable")]  # the surest first
        mixed = np.cumsum(weights[missed]) + _POOLED * pooled
        over = np.flatnonzero(mixed > _MISSED * epsilon * (total + _POOLED))
        if len(over):
            margins[label] = np.nextafter(leads[missed[int(over[0])], label], np.float32(np.inf))
    return margins


def calibrated(
    what: Evidence,
    bound: Bound,
    *,
    most_unseen: float,
    random: np.random.Generator,
) -> Calibrated:
    """Return rules and a threshold that keep the bound.

    The threshold is tested on requests that the rules were not chosen from (cross-fitting), in a sequence
    fixed beforehand, from strict to lax, up to the first that fails: so no correction for the number of
    thresholds is due (fixed-sequence testing, as in "Learn then Test", Angelopoulos and others 2021).

    Args:
        what: held-out requests.
        bound: what is to be proved.
        most_unseen: share of the requests of a label never seen that may be answered.
        random: divides into parts.
    """
    part = random.permutation(len(what.right)) % PARTS
    # A label that was left out is in one part as a whole: the rules of its part never saw it.
    group = random.permutation(len(what.answerable)) % PARTS
    left = group[what.left_label]
    chances = np.full(len(what.right), -1.0, np.float32)
    away = np.full(len(left), -1.0, np.float32)
    for one in range(PARTS):
        rules = rules_of(what, part != one, left != one, bound.epsilon)
        chances[part == one] = rules.chances(what.held, part == one)
        away[left == one] = rules.chances(what.left_out, left == one)
    rules = rules_of(what, np.ones(len(part), bool), np.ones(len(left), bool), bound.epsilon)
    wrong = what.held.said != what.right
    threshold = _threshold(chances, wrong, what.weights, bound)
    floor = float(np.quantile(away, 1 - most_unseen, method="higher")) if len(away) else 0.0
    return Calibrated(rules, threshold, chances, away, max(floor, 0.0))


def _threshold(
    chances: Floats,
    wrong: NDArray[np.bool_],
    weights: NDArray[np.float64],
    bound: Bound,
) -> float | None:
    order = np.argsort(-chances, kind="stable")
    order = order[chances[order] >= 0]
    total, bad = np.cumsum(weights[order]), np.cumsum((weights * wrong)[order])
    best: float | None = None
    step = max(20, len(order) // 40)
    for last in range(min(_START, len(chances) // 2), len(order) + step, step):
        place = min(last, len(order) - 1)
        if place < 0 or not bound.holds(float(bad[place]), float(total[place])):
            break
        best = float(chances[order[place]])
    return best
