"""A labelled stream as a benchmark: an item is the whole stream, in the order of one seed."""

from collections.abc import Mapping, Sequence

from toolmint.core.errors import InputError
from toolmint.core.model import Usage
from toolmint.core.task import Limits, Run, Task, Trajectory
from toolmint.core.tool import Demonstration
from toolmint.core.values import Value, digest
from toolmint.evaluation.benchmark import Item, Row, Score
from toolmint.evaluation.report import Report
from toolmint.evaluation.stream import (
    StreamOutcome,
    StreamPlan,
    StreamPlayer,
    StreamRequest,
    outcome_of,
    stream_of,
)
from toolmint.evaluation.stream_report import outcomes_of, stream_report


class StreamTask(Task):
    """A stream to be played, in the order of a seed."""

    seed: int


class LabelledStream:
    """A labelled stream, played once a seed.

    Args:
        labelled: requests with their right answers.
        plan: how streams are made of them.
        seeds: how many streams.
        epsilon: share of answers that may be wrong.
        call_cost: US dollars a call of the strong model; None: not known.
        first_seed: the number of the first one.
    """

    name = "stream"
    measure = "kept"

    def __init__(
        self,
        labelled: Sequence[Demonstration],
        plan: StreamPlan,
        seeds: int,
        *,
        epsilon: float,
        call_cost: float | None = None,
        first_seed: int = 0,
    ) -> None:
        self._labelled, self._plan = labelled, plan
        self._epsilon, self._call_cost = epsilon, call_cost
        self._first_seed = first_seed
        data = digest([[one.input, one.target] for one in labelled])[:16]
        self.settings: Mapping[str, Value] = {
            **plan.model_dump(exclude_none=True),
            "data": data,
            "epsilon": epsilon,
        }
        self.items = tuple(
            Item(
                f"seed-{seed:03d}",
                StreamTask(input=f"the stream {data} in the order of seed {seed}", seed=seed),
            )
            for seed in range(first_seed, first_seed + seeds)
        )

    def stream(self, seed: int) -> list[StreamRequest]:
        """Return the stream of a seed.

        Raises:
            InputError: there are fewer labels than the plan needs.
        """
        return stream_of(self._labelled, self._plan, seed)

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        """Return the counts of a stream, and whether its served answers keep the bound.

        The bound is kept against what the strong model says; without noise that is the label.
        """
        del item
        outcome = StreamOutcome.model_validate_json(trajectory.answer or "{}")
        whole = outcome.whole
        return Score(
            measures={
                "kept": whole.disagreed <= self._epsilon * whole.answered,
                "coverage": whole.answered / whole.requests,
                "last coverage": outcome.last.answered / outcome.last.requests,
                "error": whole.wrong / whole.answered if whole.answered else 0.0,
                "strong calls": whole.strong / whole.requests,
            },
            details=outcome.model_dump(mode="json"),
        )

    def summary(self, rows: Sequence[Row]) -> Report:
        """Return the report over rows of any systems."""
        first = self.stream(self._first_seed)
        labels = len({one.label for one in first})
        return stream_report(
            f"A stream of {len(first):,} requests with {labels} labels, epsilon {self._epsilon:g}",
            outcomes_of(rows),
            self._plan,
            epsilon=self._epsilon,
            call_cost=self._call_cost,
        )


class StreamSolver:
    """Lets a player play the streams of a benchmark; the answer is the outcome as JSON.

    Args:
        benchmark: whose streams are played.
        player: a gateway or a cache.
    """

    def __init__(self, benchmark: LabelledStream, player: StreamPlayer) -> None:
        self._benchmark, self._player = benchmark, player

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Play one stream.

        Raises:
            InputError: the task is no stream.
        """
        del limits
        if not isinstance(task, StreamTask):
            raise InputError("this solver plays streams alone")
        stream = self._benchmark.stream(task.seed)
        outcome = outcome_of(stream, await self._player.play(stream, task.seed))
        used = Usage(requests=outcome.whole.strong)
        return Trajectory(task=task, answer=outcome.model_dump_json(), run=Run(usage=used))
