"""Cluster bootstrap: how sure a figure is when the samples of one cluster stand or fall together."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Table: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
"""Rows of sums, one column a quantity."""


class Estimate(NamedTuple):
    """A figure with its 95 % interval; None where there is nothing to count."""

    value: float | None
    low: float | None = None
    high: float | None = None


def estimate(
    rows: Table,
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
    names, place = np.unique(np.array([str(one) for one in clusters]), return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, place, rows)
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
