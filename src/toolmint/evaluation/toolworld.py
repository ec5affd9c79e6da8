"""ToolWorld: live runs whose success is executed: the run's calls are made again and the world is checked."""

from collections.abc import Callable, Mapping, Sequence

from toolmint.agent.policy import Policy
from toolmint.agent.tree import Search
from toolmint.core.errors import InputError
from toolmint.core.model import Usage
from toolmint.core.task import Limits, Task, Trajectory
from toolmint.core.values import Value
from toolmint.evaluation.benchmark import Item, Row, Score
from toolmint.evaluation.bootstrap import share
from toolmint.evaluation.report import Figure, Line, Report, Section, dollars
from toolmint.world.players import play_task
from toolmint.world.task import WorldTask, WorldToolbox

Player = Callable[[WorldTask], Policy]
"""Returns the policy that plays a task; for models the same one each time."""


class WorldQuestion(Task):
    """A task with the world that it is played in; whoever solves it gets a world of its own."""

    world: WorldTask


class PlayerSolver:
    """Solves ToolWorld's tasks with a policy and a search, each in a fresh world.

    Args:
        player: gives the policy for a task.
        search: ReACT or DFSDT.
        faults: share of calls that fail by injection, beside the tasks' own faults.
        seed: of the injection; which calls fail is fixed by it and by the task.
    """

    def __init__(
        self, player: Player, search: Search, *, faults: float = 0.0, seed: int = 0
    ) -> None:
        self._player, self._search = player, search
        self._faults, self._seed = faults, seed

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Play one task.

        Raises:
            InputError: it is no task of ToolWorld.
        """
        if not isinstance(task, WorldQuestion):
            raise InputError("a player of ToolWorld solves tasks of ToolWorld alone")
        world = task.world
        trajectory, _ = await play_task(
            world,
            self._player(world),
            self._search,
            limits=limits,
            faults=self._faults,
            seed=self._seed,
        )
        return trajectory


async def replayed_world(task: WorldTask, trajectory: Trajectory) -> WorldToolbox:
    """Return the world after a run: every call that succeeded is made again, in order, without faults.

    A call that failed changed nothing, so the state is that of the run whatever faults were injected, and
    a trajectory from elsewhere can be scored too.
    """
    box = WorldToolbox(task.model_copy(update={"dead": (), "flaky": ()}))
    for step in trajectory.steps:
        for call, result in zip(step.calls, step.results, strict=True):
            if result.failure is None:
                await box.call(call)
    return box


class ToolWorld:
    """ToolWorld's tasks as a benchmark.

    Args:
        tasks: what is played.
        faults: the share of injected faults, for the title of the report and the header of rows.
    """

    name = "toolworld"
    measure = "passed"

    def __init__(self, tasks: Sequence[WorldTask], *, faults: float = 0.0) -> None:
        self._tasks = {task.id: task for task in tasks}
        self.items = tuple(Item(task.id, _question(task)) for task in tasks)
        self.settings: Mapping[str, Value] = {"faults": faults}
        self._title = (
            "ToolWorld: executed pass rate (%), 95 % intervals; "
            f"{faults:.0%} of calls fail by injection"
        )

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        """Make the run's calls again, and check world and answer.

        Measures: ``passed``, and ``steps`` of the whole tree. A task that cannot be solved is passed by
        giving up.
        """
        task = self._tasks[item.id]
        check = (await replayed_world(task, trajectory)).check(trajectory)
        return Score(
            measures={"passed": check.passed, "steps": len(trajectory.steps)},
            details={"why": list(check.why), "solvable": task.solvable},
        )

    def summary(self, rows: Sequence[Row]) -> Report:
        """Return pass rates over all tasks, solvable and impossible ones; a failed run did not pass."""
        lines = [
            self._line(name, [row for row in rows if row.solver == name])
            for name in dict.fromkeys(row.solver for row in rows)
        ]
        return Report(sections=(Section(title=self._title, lines=tuple(lines)),))

    def _line(self, name: str, rows: Sequence[Row]) -> Line:
        def rate(chosen: Sequence[Row]) -> Figure:
            return Figure.of(share([row.passed("passed") for row in chosen]))

        solvable = [row for row in rows if self._tasks[row.id].solvable]
        impossible = [row for row in rows if not self._tasks[row.id].solvable]
        used = sum((row.usage for row in rows), start=Usage())
        steps = sum(row.measures.get("steps", 0) for row in rows)
        return Line(
            name=name,
            cells={
                "tasks": len(rows),
                "passed": rate(rows),
                "solvable": rate(solvable),
                "impossible": rate(impossible),
                "steps": steps / max(1, len(rows)),
                "tokens": used.tokens,
                "cost": dollars(used),
                "errors": sum(row.error is not None for row in rows),
            },
        )


def _question(task: WorldTask) -> WorldQuestion:
    shown = task.task()
    return WorldQuestion(input=shown.input, tools=shown.tools, world=task)
