"""The error bound: how sure one may be, at any moment, that a tool is wrong less often than epsilon.

A betting argument that stays valid under continuous looking (Ville's inequality; Waudby-Smith and Ramdas
2024, "Estimating means of bounded random variables by betting"; the mixture is Robbins' 1970). For each rate
``q`` below ``epsilon`` the likelihood ratio of ``q`` against ``epsilon`` is a supermartingale wherever the
true rate is at least ``epsilon``; so is their mean under fixed weights. It exceeds ``1/alpha`` at any time
with a chance of at most ``alpha``. Counts suffice: the order of comparisons does not matter, so many
gateways may add theirs up.
"""

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

from pydantic import Field

from toolmint.core.messages import Frozen

RATES = 16
FLAWLESS = 0.5
"""Weight of the rate 0: half of the stake is bet on a tool without a fault."""
STEPS = 50


class ErrorBound(Frozen):
    """What the user asks for: an error rate that is not passed, and the confidence of saying so.

    Attributes:
        epsilon: share of answers that may be wrong.
        confidence: chance that a tool that is promoted keeps to it.
    """

    epsilon: float = Field(default=0.05, gt=0, lt=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)


def _log_mean(logs: Sequence[float], weights: Sequence[float]) -> float:
    top = max(logs)
    if math.isinf(top):
        return top
    whole = sum(w * math.exp(one - top) for one, w in zip(logs, weights, strict=True))
    return top + math.log(whole)


def _log_ratio(wrong: int, right: int, rate: float, epsilon: float) -> float:
    if rate == 0:
        return -math.inf if wrong else -right * math.log1p(-epsilon)
    return wrong * math.log(rate / epsilon) + right * (math.log1p(-rate) - math.log1p(-epsilon))


def evidence(trials: int, wrong: int, epsilon: float) -> float:
    """Return the logarithm of the evidence against an error rate of ``epsilon`` or more.

    Args:
        trials: comparisons made.
        wrong: how many of them disagreed.
        epsilon: the rate in question, above 0 and below 1.
    """
    if not 0 <= wrong <= trials:
        raise ValueError(f"{wrong} of {trials} comparisons cannot be wrong")
    rates = [epsilon * part / RATES for part in range(RATES)]
    weights = [FLAWLESS, *[(1 - FLAWLESS) / (RATES - 1)] * (RATES - 1)]
    return _log_mean([_log_ratio(wrong, trials - wrong, rate, epsilon) for rate in rates], weights)


def against(trials: int, wrong: int, epsilon: float) -> float:
    """Return the logarithm of the evidence against an error rate of ``epsilon`` or less, by the same
    argument.
    """
    rates = [epsilon + (1 - epsilon) * part / RATES for part in range(1, RATES)]
    logs = [_log_ratio(wrong, trials - wrong, rate, epsilon) for rate in rates]
    return _log_mean(logs, [1 / len(rates)] * len(rates))


def proven(trials: int, wrong: int, bound: ErrorBound, attempt: int = 1) -> bool:
    """Return whether comparisons prove the bound.

    Args:
        trials: comparisons made.
        wrong: how many of them disagreed.
        bound: what is to be proven.
        attempt: number of this proof among those of its class, from 1. The chance of error is shared among
            them, half of what is left for each, so that trying again and again is covered too.
    """
    alpha = (1 - bound.confidence) / 2**attempt
    return evidence(trials, wrong, bound.epsilon) >= -math.log(alpha)


def disproven(trials: int, wrong: int, bound: ErrorBound) -> bool:
    """Return whether comparisons prove that the bound is broken."""
    return against(trials, wrong, bound.epsilon) >= -math.log(1 - bound.confidence)


@lru_cache(4096)
def upper(trials: int, wrong: int, confidence: float) -> float:
    """Return the upper confidence limit of the error rate, valid at every moment; 1 where nothing is known
    yet.
    """
    low, high = wrong / trials if trials else 0.0, 1.0
    threshold = -math.log(1 - confidence)
    if trials == 0 or low >= 1:
        return 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if evidence(trials, wrong, middle) >= threshold:
            high = middle
        else:
            low = middle
    return high


def comparisons_needed(bound: ErrorBound) -> int:
    """Return how many comparisons without a fault prove the bound at the first attempt."""
    least = math.ceil(math.log((1 - bound.confidence) / 2) / math.log1p(-bound.epsilon))
    return next(count for count in itertools.count(least) if proven(count, 0, bound))
