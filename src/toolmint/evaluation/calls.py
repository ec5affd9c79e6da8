"""Held-out calls: one step at a time, on the recorded history; right tool, exact call, invalid calls."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from toolmint.core.errors import InputError, ToolArgumentsError
from toolmint.core.model import Usage
from toolmint.core.task import Step, Trajectory
from toolmint.core.values import Value
from toolmint.evaluation.benchmark import Item, Row, Score
from toolmint.evaluation.bootstrap import estimate, share
from toolmint.evaluation.report import Cell, Figure, Line, Report, Section, dollars
from toolmint.evaluation.right_call import RightCall, golden_score, invalid_call
from toolmint.evaluation.toolbench import StepTask

ALL = "all"
"""The line of a report over all files."""


class CallItem(NamedTuple):
    """One step that is scored.

    Attributes:
        part: the file or set that it is of.
        id: within the part.
        task: what the solver is given.
        golden: the right call; None: no tool fits, and none must be called.
        cluster: steps of one run stand or fall together.
    """

    part: str
    id: str
    task: StepTask
    golden: RightCall | None
    cluster: str


def call_items(part: str, runs: Iterable[Trajectory], most: int | None = None) -> list[CallItem]:
    """Return the steps of runs that can be scored.

    They are the steps with exactly one call whose caller's turn is learnt (weight 1), and the first steps of
    runs that give up without any call.

    Args:
        part: name of the file.
        runs: with their right calls.
        most: items at most.
    """
    found: list[CallItem] = []
    for number, run in enumerate(runs, 1):
        path = run.path()
        for place, step in enumerate(path):
            task = StepTask(**dict(run.task), before=path[:place], hints=step.hints)
            golden = _golden(step)
            declines = not place and step.decision == "give_up"
            if golden is not None or declines:
                found.append(CallItem(part, f"{number}/{step.id}", task, golden, str(number)))
    return found if most is None else found[:most]


def _golden(step: Step) -> RightCall | None:
    turn = step.turn("caller") or step.turn("backbone")
    if step.decision != "call" or len(step.calls) != 1 or turn is None or not turn.weight:
        return None
    try:
        return RightCall.of(step.calls[0])
    except ToolArgumentsError:
        return None


class HeldOutCalls:
    """Single calls as a benchmark; a line of the report for each part.

    Args:
        items: what is scored.

    Raises:
        InputError: there is none.
    """

    name = "calls"
    measure = "exact"

    def __init__(self, items: Sequence[CallItem]) -> None:
        if not items:
            raise InputError(
                "the files hold no call to score; expected steps with one call each, or requests that no "
                "tool fits",
                code="no-data",
            )
        self._items = {f"{one.part}:{one.id}": one for one in items}
        self.items = tuple(
            Item(name, one.task, f"{one.part}:{one.cluster}") for name, one in self._items.items()
        )
        self.settings: Mapping[str, Value] = {}

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        """Compare a predicted step with the right one.

        Measures: ``exact`` (the right call, or rightly none), ``called``, ``invalid`` of those called; and
        where a call is right: ``tool``, and ``arguments`` (F1).
        """
        found = self._items[item.id]
        step = trajectory.steps[-1]
        call = step.calls[0] if step.calls else None
        why = invalid_call(call, item.task.tools) if call is not None else None
        measures: dict[str, bool | int | float] = {"called": call is not None}
        if call is not None:
            measures["invalid"] = why is not None
        details: dict[str, Value] = {"decision": step.decision, "notes": list(step.notes)}
        if call is not None:
            details |= {"name": call.name, "arguments": call.arguments, "invalid": why}
        golden = found.golden
        if golden is None:
            return Score(measures={**measures, "exact": call is None}, details=details)
        right = call is not None and call.name == golden.name
        exact, score = False, 0.0
        if call is not None and right:
            spec = next((tool for tool in item.task.tools if tool.name == call.name), None)
            try:
                exact, score = golden_score(call.parsed(), golden, spec)
            except ToolArgumentsError:
                exact, score = False, 0.0
        return Score(
            measures={**measures, "tool": right, "exact": exact, "arguments": score},
            details=details,
        )

    def summary(self, rows: Sequence[Row]) -> Report:
        """Return a line for each solver and part; a failed item counts as wrong."""
        lines: list[Line] = []
        for solver in dict.fromkeys(row.solver for row in rows):
            own = [row for row in rows if row.solver == solver]
            parts = list(dict.fromkeys(self._items[row.id].part for row in own))
            for part in parts:
                chosen = [row for row in own if self._part(row) == part]
                lines.append(self._line(solver, part, chosen))
            if len(parts) > 1:
                lines.append(self._line(solver, ALL, own))
        title = "Single calls on the recorded history (%), 95 % intervals by run"
        return Report(sections=(Section(title=title, lines=tuple(lines)),))

    def _part(self, row: Row) -> str:
        return self._items[row.id].part

    def _line(self, solver: str, part: str, rows: Sequence[Row]) -> Line:
        def figure(measure: str, chosen: Sequence[Row]) -> Figure:
            clusters = [row.cluster for row in chosen]
            return Figure.of(share([row.passed(measure) for row in chosen], clusters))

        calls = [row for row in rows if self._items[row.id].golden is not None]
        others = [row for row in rows if self._items[row.id].golden is None]
        made = [row for row in rows if row.measures.get("called")]
        used = sum((row.usage for row in rows), start=Usage())
        cells: dict[str, Cell] = {
            "part": part,
            "calls": len(calls),
            "right tool": figure("tool", calls),
            "exact call": figure("exact", calls),
            "arguments F1": _mean(calls),
            "rightly none": figure("exact", others),
            "invalid": figure("invalid", made),
            "seconds": sum(row.seconds for row in rows) / max(1, len(rows)),
            "tokens": used.tokens,
            "cost": dollars(used),
            "errors": sum(row.error is not None for row in rows),
        }
        return Line(name=solver, cells=cells)


def _mean(rows: Sequence[Row]) -> Figure:
    table = [[float(row.measures.get("arguments", 0.0)), 1.0] for row in rows]
    clusters = [row.cluster for row in rows]
    return Figure.of(estimate(table, clusters, lambda sums: sums[:, 0] / sums[:, 1]))
