"""Reports: tables of figures with 95 % intervals, as lines of text and as JSON."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from toolmint.core.messages import Frozen
from toolmint.core.model import Usage


class Estimate(NamedTuple):
    """A figure with its 95 % interval; None where there is nothing to count."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Figure(Frozen):
    """A share in 0..1 with its 95 % interval, where one was computed; None: there is nothing to count."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, found: Estimate) -> "Figure":
        """Return the figure of an estimate."""
        return cls(value=found.value, low=found.low, high=found.high)

    def __str__(self) -> str:
        return interval(Estimate(self.value, self.low, self.high))


Cell = Figure | int | float | str | None
"""Figures are printed in percent, floats with one decimal, None as a dash."""


class Line(Frozen):
    """One line of a table: what it is about, and its cells by column."""

    name: str
    cells: Mapping[str, Cell]


class Section(Frozen):
    """One table; ``first`` heads the column of the lines' names."""

    title: str
    first: str = "solver"
    lines: tuple[Line, ...]


class Report(Frozen):
    """What a run measured."""

    sections: tuple[Section, ...]
    notes: tuple[str, ...] = Field(default=())


def percent(value: float | None) -> str:
    """Write a share as a percentage; a dash where there is nothing to count."""
    return "-" if value is None else f"{100 * value:.1f}"


def interval(estimate: Estimate) -> str:
    """Write a share with its 95 % interval, where it has one, in percent."""
    if estimate.value is None:
        return "-"
    if estimate.low is None:
        return percent(estimate.value)
    return f"{percent(estimate.value)} [{percent(estimate.low)}, {percent(estimate.high)}]"


def dollars(usage: Usage) -> str:
    """Write a cost in US dollars; a question mark where a price is not known."""
    return "?" if usage.cost is None else f"${usage.cost:,.4f}"


def spent(usage: Usage) -> str:
    """Write what model calls used, in words."""
    return f"{usage.requests} calls, {usage.tokens} tokens, {dollars(usage)}"


def merge_reports(reports: Iterable[Report]) -> Report:
    """Return one report of many: lines of sections with the same title come together."""
    sections: dict[str, Section] = {}
    notes: list[str] = []
    for report in reports:
        for one in report.sections:
            before = sections.get(one.title)
            lines = (*before.lines, *one.lines) if before else one.lines
            sections[one.title] = one.model_copy(update={"lines": lines})
        notes += [note for note in report.notes if note not in notes]
    return Report(sections=tuple(sections.values()), notes=tuple(notes))


def cell_text(cell: Cell) -> str:
    """Return a cell as it is printed."""
    match cell:
        case None:
            return "-"
        case float():
            return f"{cell:.1f}"
        case _:
            return str(cell)


def write_report(report: Report, path: Path) -> None:
    """Write a report as JSON: shares with ``value``, ``low`` and ``high`` in 0..1."""
    path.write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
