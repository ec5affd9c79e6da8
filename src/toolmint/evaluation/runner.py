"""The one evaluation loop: any solver on any benchmark, rows written as items end, resumable."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from toolmint.core.errors import InputError, ToolmintError, aboundary
from toolmint.core.model import Usage
from toolmint.core.task import Limits, Solver, Trajectory
from toolmint.core.values import Value, digest
from toolmint.evaluation.benchmark import Benchmark, Item, Row, Score
from toolmint.evaluation.rows import Header, RowFile


class RunState(NamedTuple):
    """How far a run is: items that are done (``resumed`` of them earlier), all items, and how it goes.

    ``passed`` counts items whose main measure holds, ``failed`` those with an error.
    """

    done: int
    resumed: int
    total: int
    passed: int
    failed: int


ObserveRun = Callable[[RunState], None]


class RunConfig(NamedTuple):
    """How a benchmark is run.

    Attributes:
        name: the solver's name in rows and reports.
        settings: what shapes the solver's answers, for the header of the rows.
        limits: of each item.
        concurrency: items that are solved at once.
        trajectories: keep trajectories in the rows.
        retry_failed: solve the items again whose rows hold an error.
    """

    name: str = "solver"
    settings: Mapping[str, Value] = MappingProxyType({})
    limits: Limits | None = None
    concurrency: int = 8
    trajectories: bool = False
    retry_failed: bool = False


class _Plan(NamedTuple):
    """What does not change during a run."""

    benchmark: Benchmark
    solver: Solver
    config: RunConfig


def _task_digest(item: Item) -> str:
    return digest(item.task.input)[:16]


def _wrapped(fault: Exception) -> ToolmintError:
    return ToolmintError(f"{type(fault).__name__}: {fault}", code="solver-fault")


def _said(fault: ToolmintError) -> str:
    return f"[{fault.code}] {fault}"


def _usage(trajectory: Trajectory) -> Usage:
    return trajectory.served.usage if trajectory.served is not None else trajectory.run.usage


async def _row(plan: _Plan, item: Item) -> Row:
    """Solve and score one item. What raises becomes a row with an error: one item never ends a run."""
    begun = time.perf_counter()
    trajectory: Trajectory | None = None
    score, error = Score(measures={}), None
    seconds = 0.0
    try:
        trajectory = await aboundary(plan.solver.solve(item.task, plan.config.limits), _wrapped)
        seconds = time.perf_counter() - begun
        score = await aboundary(plan.benchmark.score(item, trajectory), _wrapped)
    except ToolmintError as fault:
        error = _said(fault)
        seconds = seconds or time.perf_counter() - begun
    return Row(
        id=item.id,
        cluster=item.cluster or item.id,
        task=_task_digest(item),
        benchmark=plan.benchmark.name,
        solver=plan.config.name,
        outcome="failed" if trajectory is None or error is not None else trajectory.outcome,
        error=error,
        seconds=seconds,
        usage=_usage(trajectory) if trajectory is not None else Usage(),
        scoring=score.usage,
        measures=score.measures,
        details=score.details,
        trajectory=trajectory if plan.config.trajectories else None,
    )


async def run(
    benchmark: Benchmark,
    solver: Solver,
    out: Path | None = None,
    config: RunConfig = RunConfig(),  # noqa: B008 - immutable
    *,
    observe: ObserveRun | None = None,
) -> list[Row]:
    """Let a solver solve every item of a benchmark; return the rows in the items' order.

    A row is in ``out`` as soon as its item ends. The same call on the same file solves only what is
    missing there, so an interrupted run goes on where it was. Cancelling keeps every finished row.

    Args:
        benchmark: items and their score.
        solver: a bare model, an agent, a tool server, a scripted player.
        out: the file of rows; None: rows are only returned.
        config: names the solver, and says how its items are run.
        observe: called after each item.

    Raises:
        InputError: the file is of another run, or its items are others.
    """
    shaping = {**benchmark.settings, **config.settings}
    plan = _Plan(benchmark, solver, config)
    with ExitStack() as stack:
        file: RowFile | None = None
        found: dict[str, Row] = {}
        if out is not None:
            file = stack.enter_context(
                RowFile(out, Header.of(benchmark.name, config.name, shaping))
            )
            found = _resumed(benchmark.items, file, retry_failed=config.retry_failed)
        resumed = len(found)

        def keep(row: Row) -> None:
            if file is not None:
                file.append(row)
            found[row.id] = row
            if observe is not None:
                observe(_state(benchmark, found, resumed))

        if observe is not None:
            observe(_state(benchmark, found, resumed))
        await _solve(plan, [one for one in benchmark.items if one.id not in found], keep)
    return [found[item.id] for item in benchmark.items]


def _resumed(items: Sequence[Item], file: RowFile, *, retry_failed: bool) -> dict[str, Row]:
    """Return the rows of these items that a file holds already."""
    known = {item.id: item for item in items}
    if len(known) < len(items):
        raise InputError("two items of the benchmark have the same id", code="benchmark-ids")
    found: dict[str, Row] = {}
    for row in file.rows:
        item = known.get(row.id)
        if item is None or (retry_failed and row.error is not None):
            continue
        if row.task != _task_digest(item):
            raise InputError(
                f"the row {row.id!r} is of another task than the data's item of that id; "
                "name another --output",
                code="rows-other",
            )
        found[row.id] = row
    return found


def _state(benchmark: Benchmark, found: Mapping[str, Row], resumed: int) -> RunState:
    rows = found.values()
    return RunState(
        len(found),
        resumed,
        len(benchmark.items),
        sum(row.passed(benchmark.measure) for row in rows),
        sum(row.error is not None for row in rows),
    )


async def _solve(plan: _Plan, items: Sequence[Item], keep: Callable[[Row], None]) -> None:
    """Solve items side by side, at most ``concurrency`` at once; rows are kept as they end."""
    left = iter(enumerate(items))
    running: dict[asyncio.Task[Row], int] = {}
    try:
        while True:
            while len(running) < plan.config.concurrency and (one := next(left, None)) is not None:
                running[asyncio.create_task(_row(plan, one[1]))] = one[0]
            if not running:
                return
            ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(ended, key=running.__getitem__):
                del running[task]
                keep(task.result())
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
