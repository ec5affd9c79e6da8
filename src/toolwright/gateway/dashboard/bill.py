"""The bill as the dashboard shows it: by class, and over time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from toolwright.core.traffic import Line


class ClassLine(NamedTuple):
    """What one class cost and saved (US dollars), by its full name.

    ``break_even`` is the number of requests after which its making has paid for itself; None: nobody knows.
    """

    name: str
    requests: int
    by_tools: int
    spent: float
    making: float
    saved: float
    break_even: int | None

    @property
    def net(self) -> float:
        """What is left of the savings after the making."""
        return self.saved - self.making


class Day(NamedTuple):
    """One day's sums, in US dollars."""

    day: str
    spent: float
    saved: float


class Bill(NamedTuple):
    """The whole bill."""

    lines: list[ClassLine]
    days: list[Day]
    spent: float
    saved: float
    making: float
    requests: int
    by_tools: int
    unknown: int


def bill_of(lines: Sequence[Line], makings: Mapping[str, float]) -> Bill:
    """Give the bill of some days; requests of no class stand under ``(no class)``."""
    classes: dict[str, list[Line]] = defaultdict(list)
    days: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        classes[line.request_class or "(no class)"].append(line)
        days[line.day].append(line)
    for name in makings:
        classes.setdefault(name, [])
    found = [_class(name, them, makings.get(name, 0.0)) for name, them in classes.items()]
    return Bill(
        lines=sorted(found, key=lambda one: (-one.saved, -one.spent, one.name)),
        days=[Day(day, _spent(them), _saved(them)) for day, them in sorted(days.items())],
        spent=_spent(lines), saved=_saved(lines), making=sum(makings.values()),
        requests=sum(line.requests for line in lines), by_tools=_by_tools(lines),
        unknown=sum(line.unknown for line in lines),
    )  # fmt: skip


def _spent(lines: Sequence[Line]) -> float:
    return sum(line.cost for line in lines)


def _saved(lines: Sequence[Line]) -> float:
    return sum(line.saved for line in lines)


def _by_tools(lines: Sequence[Line]) -> int:
    return sum(line.requests for line in lines if line.tier != "strong")


def _class(name: str, lines: Sequence[Line], making: float) -> ClassLine:
    strong = [line for line in lines if line.tier == "strong"]
    answered = sum(line.requests - line.unknown for line in strong)
    mean = _spent(strong) / answered if answered else 0.0
    return ClassLine(
        name=name, requests=sum(line.requests for line in lines), by_tools=_by_tools(lines),
        spent=_spent(lines), making=making, saved=_saved(lines),
        break_even=int(-(-making // mean)) if mean and making else None,
    )  # fmt: skip
