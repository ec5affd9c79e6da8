"""Cluster bootstrap: how sure a figure is when the samples of one cluster stand or fall together."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

from toolmint.core.errors import ConfigError
from toolmint.evaluation.report import Estimate

try:
    import numpy as np
except ModuleNotFoundError as fault:  # every benchmark comes here for its intervals
    raise ConfigError(
        "evaluation needs the extra: pip install 'toolmint[eval]'", code="extra"
    ) from fault

Table: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
"""Rows of sums, one column a quantity."""


def estimate(
    rows: "Table | Sequence[Sequence[float]]",
    clusters: Sequence[Hashable],
    figure: Callable[[Table], Table],
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> Estimate:
    """Return a figure of sums with its interval (percentile bootstrap over whole clusters).

    Args:
        rows: one row a sample, one column a quantity to be summed.
        clusters: the cluster of each row.
        figure: gives the figure of each row of sums; it may divide by zero.
        seed: fixes the resampling.
        resamples: how many worlds are drawn.
    """
    if not len(rows):
        return Estimate(None)
    table = np.asarray(rows, dtype=float)
    names, place = np.unique(np.array([str(one) for one in clusters]), return_inverse=True)
    sums = np.zeros((len(names), table.shape[1]))
    np.add.at(sums, place, table)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(figure(sums.sum(axis=0, keepdims=True))[0])
        random = np.random.default_rng(seed)
        draws = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
        worlds = figure(draws @ sums)
    known = worlds[np.isfinite(worlds)]
    if not np.isfinite(value) or not len(known):
        return Estimate(None)
    low, high = np.percentile(known, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def share(
    passed: Sequence[bool], clusters: Sequence[Hashable] | None = None, *, seed: int = 0
) -> Estimate:
    """Return the share that passed, with its interval; without clusters every sample is its own."""
    rows = np.array([[float(one), 1.0] for one in passed]).reshape(-1, 2)
    of = clusters if clusters is not None else range(len(passed))
    return estimate(rows, of, lambda sums: sums[:, 0] / sums[:, 1], seed=seed)
