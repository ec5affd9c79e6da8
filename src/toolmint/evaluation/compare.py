"""Two runs of one benchmark, item by item: paired differences with intervals, wins and losses."""

from collections.abc import Callable, Sequence
from math import comb
from typing import NamedTuple

from toolmint.core.errors import InputError
from toolmint.core.messages import Frozen
from toolmint.evaluation.benchmark import Measures, Row
from toolmint.evaluation.bootstrap import estimate, share
from toolmint.evaluation.report import Cell, Estimate, Figure, Line, Report, Section
from toolmint.evaluation.rows import RowSet

_Pair = tuple[Row, Row]


class PairedDifference(Frozen):
    """A measure over the items that both runs have: first minus second.

    Attributes:
        measure: its name.
        first: mean of the first run, ``second`` of the second.
        difference: paired bootstrap over clusters, 95 %.
        wins: items where the first run is better (a boolean that it alone has); ``losses`` the reverse.
        p_value: McNemar's exact test, two-sided, of wins against losses; None for numbers.
        items: pairs that were compared.
    """

    measure: str
    first: float
    second: float
    difference: Figure
    wins: int | None = None
    losses: int | None = None
    p_value: float | None = None
    items: int


class WinRate(NamedTuple):
    """Shares of items that the first run won, that the second won, and that were ties; they add up to 1."""

    first: Estimate
    second: Estimate
    ties: Estimate


class RunComparison(Frozen):
    """Two runs compared; items that only one of them has are counted, and left out.

    ``win_rate`` (first wins, second wins, ties) is there where runs have steps: of two runs that passed the
    one with fewer steps wins.
    """

    benchmark: str
    first: str
    second: str
    only_first: int
    only_second: int
    differences: tuple[PairedDifference, ...]
    win_rate: tuple[Figure, Figure, Figure] | None = None


def mcnemar(wins: int, losses: int) -> float:
    """Return the two-sided p-value of McNemar's exact test: a fair coin for each discordant pair."""
    trials = wins + losses
    tail = sum(comb(trials, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**trials)


def win_rate(pairs: Sequence[tuple[Measures, Measures]]) -> WinRate:
    """Return who wins how often: the run that alone ``passed``, or passed in fewer ``steps``."""
    won = [_winner(*pair) for pair in pairs]
    return WinRate(*(share([one == side for one in won]) for side in ("first", "second", "tie")))


def _winner(first: Measures, second: Measures) -> str:
    one, other = bool(first.get("passed", False)), bool(second.get("passed", False))
    if one != other:
        return "first" if one else "second"
    mine, theirs = first.get("steps", 0), second.get("steps", 0)
    if one and mine != theirs:
        return "first" if mine < theirs else "second"
    return "tie"


def paired(first: Sequence[Row], second: Sequence[Row]) -> list[_Pair]:
    """Return the rows of the items that both runs have.

    Raises:
        InputError: an item of the same id is another task.
    """
    theirs = {row.id: row for row in second}
    pairs = [(row, theirs[row.id]) for row in first if row.id in theirs]
    for one, other in pairs:
        if one.task != other.task:
            raise InputError(f"the item {one.id!r} is another task in each file", code="rows-other")
    return pairs


def compare(first: RowSet, second: RowSet) -> RunComparison:
    """Compare two runs of one benchmark.

    An item whose solver failed has no measures: its booleans count as False, its numbers are left out.

    Raises:
        InputError: the runs are of different benchmarks or data, or have no item in common.
    """
    if first.header.benchmark != second.header.benchmark:
        raise InputError(
            f"the first file is of {first.header.benchmark!r}, the second of "
            f"{second.header.benchmark!r}; rows of one benchmark are compared",
            code="rows-other",
        )
    pairs = paired(first.rows, second.rows)
    if not pairs:
        raise InputError("the two files have no item in common", code="rows-other")
    kinds: dict[str, bool] = {}
    for row in (*first.rows, *second.rows):
        for name, value in row.measures.items():
            kinds[name] = kinds.get(name, True) and isinstance(value, bool)
    found = [
        _shares(name, pairs)
        if boolean
        else _means(name, pairs, lambda row, n=name: row.measures.get(n))
        for name, boolean in kinds.items()
    ]
    found.append(_means("tokens", pairs, lambda row: row.usage.tokens))
    found.append(_means("seconds", pairs, lambda row: row.seconds))
    return RunComparison(
        benchmark=first.header.benchmark,
        first=first.header.solver,
        second=second.header.solver,
        only_first=len(first.rows) - len(pairs),
        only_second=len(second.rows) - len(pairs),
        differences=tuple(one for one in found if one is not None),
        win_rate=_win_rate(pairs) if {"passed", "steps"} <= kinds.keys() else None,
    )


def _win_rate(pairs: Sequence[_Pair]) -> tuple[Figure, Figure, Figure]:
    found = win_rate([(one.measures, other.measures) for one, other in pairs])
    return Figure.of(found.first), Figure.of(found.second), Figure.of(found.ties)


def _difference(values: Sequence[tuple[float, float]], clusters: Sequence[str]) -> Figure:
    rows = [[one - other, 1.0] for one, other in values]
    return Figure.of(estimate(rows, clusters, lambda sums: sums[:, 0] / sums[:, 1]))


def _shares(name: str, pairs: Sequence[_Pair]) -> PairedDifference:
    # An item that has not this measure in either run (such as the tool of a step that calls none) is left
    # out; where a run failed it would have had it, and counts as False.
    known = [
        (one, other)
        for one, other in pairs
        if name in one.measures or name in other.measures or (one.error and other.error)
    ]
    values = [(float(one.passed(name)), float(other.passed(name))) for one, other in known]
    wins = sum(one > other for one, other in values)
    losses = sum(one < other for one, other in values)
    return PairedDifference(
        measure=name,
        first=sum(one for one, _ in values) / len(values),
        second=sum(other for _, other in values) / len(values),
        difference=_difference(values, [one.cluster for one, _ in known]),
        wins=wins,
        losses=losses,
        p_value=mcnemar(wins, losses),
        items=len(values),
    )


def _means(
    name: str, pairs: Sequence[_Pair], of: Callable[[Row], float | None]
) -> PairedDifference | None:
    both = [(one, of(one), of(other)) for one, other in pairs]
    known = [(row, one, other) for row, one, other in both if one is not None and other is not None]
    if not known:
        return None
    values = [(float(one), float(other)) for _, one, other in known]
    return PairedDifference(
        measure=name,
        first=sum(one for one, _ in values) / len(values),
        second=sum(other for _, other in values) / len(values),
        difference=_difference(values, [row.cluster for row, _, _ in known]),
        items=len(values),
    )


def comparison_report(found: RunComparison) -> Report:
    """Return a comparison as a report: shares in percent, other measures as they are."""
    shares = [one for one in found.differences if one.wins is not None]
    numbers = [one for one in found.differences if one.wins is None]
    title = f"{found.benchmark}: {found.first} (first) against {found.second} (second)"
    sections = (
        Section(
            title=f"{title}; shares (%), 95 % intervals",
            first="measure",
            lines=tuple(_share_line(one) for one in shares),
        ),
        Section(
            title="Means an item, with 95 % intervals of the difference",
            first="measure",
            lines=tuple(_number_line(one) for one in numbers),
        ),
        Section(
            title="Win rates (%): who alone passed, or passed in fewer steps",
            first="runs",
            lines=_win_lines(found),
        ),
    )
    alone = f"items in one file alone: {found.only_first} in the first, {found.only_second} in the second"
    return Report(
        sections=tuple(one for one in sections if one.lines),
        notes=(alone,) if found.only_first or found.only_second else (),
    )


def _share_line(one: PairedDifference) -> Line:
    cells: dict[str, Cell] = {
        "items": one.items,
        "first": Figure(value=one.first),
        "second": Figure(value=one.second),
        "first - second": one.difference,
        "first alone": one.wins,
        "second alone": one.losses,
        "p (McNemar)": None if one.p_value is None else f"{one.p_value:.3g}",
    }
    return Line(name=one.measure, cells=cells)


def _number_line(one: PairedDifference) -> Line:
    low, high = one.difference.low, one.difference.high
    within = "" if low is None or high is None else f" [{low:.3g}, {high:.3g}]"
    cells: dict[str, Cell] = {
        "items": one.items,
        "first": f"{one.first:.3g}",
        "second": f"{one.second:.3g}",
        "first - second": f"{one.first - one.second:.3g}{within}",
    }
    return Line(name=one.measure, cells=cells)


def _win_lines(found: RunComparison) -> tuple[Line, ...]:
    if found.win_rate is None:
        return ()
    first, second, ties = found.win_rate
    cells: dict[str, Cell] = {"first wins": first, "second wins": second, "ties": ties}
    return (Line(name=f"{found.first} against {found.second}", cells=cells),)
