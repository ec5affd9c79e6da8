"""Live runs on ToolWorld: success is executed; pass rates and win rates come with intervals."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from toolwright.agent.policy import Policy
from toolwright.agent.search import Search
from toolwright.core.messages import Frozen
from toolwright.core.model import Usage
from toolwright.core.task import Limits, Outcome, Trajectory
from toolwright.evaluation.bootstrap import Estimate, share
from toolwright.world.players import play
from toolwright.world.task import WorldTask

Player = Callable[[WorldTask], Policy]
Won = Literal["first", "second", "tie"]


class Played(Frozen):
    """One task's run: whether it passed, why not, how it ended, and what it took."""

    task: str
    solvable: bool
    passed: bool
    why: tuple[str, ...] = ()
    outcome: Outcome
    steps: int
    usage: Usage
    seconds: float


class LiveScore(NamedTuple):
    """The figures of many runs; every task counts, also those whose run failed."""

    pass_rate: Estimate
    pass_solvable: Estimate
    pass_unsolvable: Estimate
    steps: float
    usage: Usage
    seconds: float


async def run_world(
    tasks: Sequence[WorldTask],
    player: Player,
    search: Search,
    *,
    limits: Limits | None = None,
    faults: float = 0.0,
    seed: int = 0,
    concurrency: int = 8,
    done: Callable[[WorldTask, Played, Trajectory], None] | None = None,
) -> list[Played]:
    """Let a player play every task; gives the runs in the tasks' order.

    Args:
        tasks: what to play.
        player: gives the policy for a task; the same one each time, for models.
        search: ReACT or DFSDT.
        limits: of each task.
        faults: share of calls that fail by injection.
        seed: of the injection.
        concurrency: runs at once.
        done: told each run as it ends.
    """
    places = asyncio.Semaphore(concurrency)

    async def one(task: WorldTask) -> Played:
        async with places:
            trajectory, box = await play(
                task, player(task), search, limits=limits, faults=faults, seed=seed
            )
        check = box.check(trajectory)
        played = Played(
            task=task.id, solvable=task.solvable, passed=check.passed, why=check.why,
            outcome=trajectory.outcome, steps=len(trajectory.steps), usage=trajectory.run.usage,
            seconds=trajectory.run.seconds,
        )  # fmt: skip
        if done is not None:
            done(task, played, trajectory)
        return played

    async with asyncio.TaskGroup() as group:
        work = [group.create_task(one(task)) for task in tasks]
    return [one.result() for one in work]


def score(played: Sequence[Played]) -> LiveScore:
    """Give the figures of runs."""
    return LiveScore(
        pass_rate=share([one.passed for one in played]),
        pass_solvable=share([one.passed for one in played if one.solvable]),
        pass_unsolvable=share([one.passed for one in played if not one.solvable]),
        steps=sum(one.steps for one in played) / max(1, len(played)),
        usage=sum((one.usage for one in played), start=Usage()),
        seconds=sum(one.seconds for one in played),
    )


def winner(first: Played, second: Played) -> Won:
    """Say which of two runs of one task won: the one that passed; of two that passed, the shorter one."""
    if first.passed != second.passed:
        return "first" if first.passed else "second"
    if first.passed and first.steps != second.steps:
        return "first" if first.steps < second.steps else "second"
    return "tie"


class WinRate(NamedTuple):
    """Shares of tasks that the first run won, that the second won, and that were ties; they add up to 1."""

    first: Estimate
    second: Estimate
    ties: Estimate


def win_rate(first: Sequence[Played], second: Sequence[Played]) -> WinRate:
    """Compare two runs over the same tasks; ties stay ties."""
    won = [winner(one, other) for one, other in zip(first, second, strict=True)]
    return WinRate(*(share([one == side for one in won]) for side in ("first", "second", "tie")))
