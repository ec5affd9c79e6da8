"""The exact upper limit of an error rate (Clopper and Pearson 1934), also for weighted counts."""

import math

_TERMS, _STEPS, _TINY = 500, 60, 1e-300


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function (Lentz's method)."""
    c, d = 1.0, 1 / _sound(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / _sound(1 + term * d), _sound(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return value


def _sound(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_share(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), a and b above 0."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def error_limit(wrong: float, trials: float, confidence: float) -> float:
    """Return the upper confidence limit of an error rate; 1 if nothing was tried.

    With weights of at most 1 the sums may be fractions: a weighted sum varies less than the count that one
    gets by keeping each trial with the chance of its weight, so the limit of that count holds.

    Args:
        wrong: sum of the weights of what was wrong.
        trials: sum of all weights.
        confidence: chance that the limit is not below the true rate.
    """
    if trials <= wrong:
        return 1.0
    low, high = wrong / trials, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        # The chance of at most so many wrong at this rate.
        if 1 - beta_share(wrong + 1, trials - wrong, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high
