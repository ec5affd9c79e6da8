"""What a benchmark is: items, a score for each trajectory, and a summary of rows."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from pydantic import Field

from toolmint.core.messages import Frozen
from toolmint.core.model import Usage
from toolmint.core.task import Outcome, Task, Trajectory
from toolmint.core.values import Value
from toolmint.evaluation.report import Report

Measures = dict[str, bool | int | float]
"""Named results of one item: booleans are counted as shares, numbers as means."""


class Item(NamedTuple):
    """One item of a benchmark.

    Attributes:
        id: stable: the same item has the same id in every run.
        task: what the solver is given. It never holds the label.
        cluster: items of one cluster stand or fall together; empty: the item stands alone.
    """

    id: str
    task: Task
    cluster: str = ""


class Score(Frozen):
    """What a benchmark found of one trajectory.

    Attributes:
        measures: what is counted.
        details: what the measures rest on, such as a judge's words.
        usage: what scoring itself used (a judge's model); it is never added to the solver's.
    """

    measures: Measures
    details: dict[str, Value] = Field(default_factory=dict)
    usage: Usage = Usage()


class Row(Frozen):
    """The result of one item: one line of a rows file.

    Attributes:
        id: of the item. ``cluster``: of the item, its own id where it stands alone.
        task: first 16 hex digits of the digest of the task's text, so that rows of other data are noticed.
        outcome: how the trajectory ended; ``failed`` where solver or scoring raised.
        error: ``[code] message`` of what was raised; None where nothing was.
        seconds: wall time of the solver.
        usage: of the solver. ``scoring``: of the scoring, such as a judge's.
        trajectory: kept only where the run was asked to.
    """

    id: str
    cluster: str
    task: str
    benchmark: str
    solver: str
    outcome: Outcome
    error: str | None = None
    seconds: float
    usage: Usage
    scoring: Usage = Usage()
    measures: Measures = Field(default_factory=dict)
    details: dict[str, Value] = Field(default_factory=dict)
    trajectory: Trajectory | None = None

    def passed(self, measure: str) -> bool:
        """Return whether a boolean measure holds; an item that failed has none, which counts as False."""
        return bool(self.measures.get(measure, False))


class Benchmark(Protocol):
    """Items with the rule that scores them; a file in this package for each one."""

    @property
    def name(self) -> str:
        """The name in rows and reports."""
        ...

    @property
    def measure(self) -> str:
        """The boolean measure that means success."""
        ...

    @property
    def settings(self) -> Mapping[str, Value]:
        """What shapes the results beside the items, such as a rate of injected faults."""
        ...

    @property
    def items(self) -> Sequence[Item]:
        """All items, in a stable order."""
        ...

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        """Score the trajectory of one item.

        Raises:
            ToolmintError: it cannot be scored, such as where a judge's endpoint is down.
        """
        ...

    def summary(self, rows: Sequence[Row]) -> Report:
        """Return the report over rows of this benchmark, failed ones included."""
        ...
