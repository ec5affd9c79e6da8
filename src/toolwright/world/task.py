"""A task of the world: what is asked, with which tools, in which state, and what fails; and its toolbox."""

from random import Random
from typing import Literal, NamedTuple

from toolwright.core.errors import ToolError
from toolwright.core.messages import Frozen, ToolCall, ToolResult, ToolSpec
from toolwright.core.task import Task, Trajectory
from toolwright.core.toolbox import call_one, failed
from toolwright.core.values import canonical
from toolwright.world.goals import Check, Goal, check
from toolwright.world.operations import run
from toolwright.world.state import Deed, Record, State
from toolwright.world.tools import Split, WorldTool, categories_of, tools_of

DEAD = (
    "HTTP 503: the service is not available",
    "HTTP 403: access denied, this subscription has ended",
    "the API endpoint does not exist any more",
    "internal error, no response from upstream",
    "read timed out",
)
FLAKY = (
    "HTTP 429: too many requests, try again",
    "temporary failure, please retry",
    "connection reset, try again",
)


class WorldTask(Frozen):
    """One task; everything that it needs is in it.

    Attributes:
        dead: names of tools that never work.
        flaky: names of tools whose first call fails.
        calls: how many calls the proof needed; 0 where the task cannot be solved.
        proof: why it cannot be solved; empty where it can.
        edition: of the tools' documents (``tools_of``).
    """

    schema_version: Literal[1] = 1
    id: str
    split: Split
    seed: int
    input: str
    tools: tuple[str, ...]
    records: dict[str, list[Record]]
    deeds: tuple[Deed, ...] = ()
    goals: tuple[Goal, ...]
    dead: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    calls: int
    proof: str = ""
    edition: int = 0

    @property
    def solvable(self) -> bool:
        """Whether a proof of it was found; where not, giving up is right."""
        return not self.proof

    def world_tools(self) -> list[WorldTool]:
        """Give the task's tools, in order."""
        known = {
            tool.spec.name: tool
            for name in self.records
            for tool in tools_of(self.split, name, self.edition)
        }
        return [known[name] for name in self.tools]

    def task(self) -> Task:
        """Give what an agent is shown."""
        return Task(input=self.input, tools=tuple(tool.spec for tool in self.world_tools()))


class _Runs(NamedTuple):
    """One tool, bound to a state."""

    tool: WorldTool
    state: State

    @property
    def spec(self) -> ToolSpec:
        return self.tool.spec

    async def call(self, call: ToolCall) -> ToolResult:
        value = run(self.state, self.tool.operation, self.tool.meanings(call.parsed()))
        return ToolResult(call_id=call.id, content=canonical(value), data=value)


class WorldBox:
    """The toolbox of one run of one task: its own state, its faults, its count of calls.

    Args:
        task: what to play.
        faults: the share of calls that fail beyond the task's own faults (error injection); which ones
            is fixed by the task's seed and ``seed``.
        seed: another seed, other faults.
    """

    def __init__(self, task: WorldTask, *, faults: float = 0.0, seed: int = 0) -> None:
        self._task = task
        self.state = State(task.records, task.deeds)
        self._tools = {tool.spec.name: _Runs(tool, self.state) for tool in task.world_tools()}
        self._specs = tuple(tool.spec for tool in self._tools.values())
        self._faults = faults
        self._random = Random(f"{task.seed}/{seed}/faults")
        self._called: dict[str, int] = {}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The documents of the task's tools."""
        return self._specs

    async def call(self, call: ToolCall) -> ToolResult:
        """Run a call, or let it fail as the task or the injection says."""
        name = call.name
        before = self._called.get(name, 0)
        self._called[name] = before + 1
        said = Random(f"{self._task.seed}/{name}")
        if name in self._task.dead:
            return failed(call, "unavailable", said.choice(DEAD))
        if name in self._task.flaky and before == 0:
            return failed(call, "temporary", said.choice(FLAKY))
        if self._faults and self._random.random() < self._faults:
            return failed(call, "temporary", self._random.choice(FLAKY))
        return await call_one(self._tools, call)

    def check(self, done: Trajectory) -> Check:
        """Judge the run that was made with this box."""
        task = self._task
        return check(task.goals, self.state, task.deeds, done, solvable=task.solvable)


def read_task(text: str, where: str = "the task") -> WorldTask:
    """Read a task from its JSON line.

    Raises:
        ToolError: it is no task, of a newer version, or names tools that the world does not have.
    """
    try:
        task = WorldTask.model_validate_json(text)
    except ValueError as fault:
        raise ToolError(
            f"{where} is no task of ToolWorld: {str(fault).splitlines()[-1]}", code="world-task"
        ) from fault
    known = {
        tool.spec.name
        for name in set(task.records) & set(categories_of(task.split))
        for tool in tools_of(task.split, name, task.edition)
    }
    unknown = [name for name in task.tools if name not in known]
    if unknown:
        raise ToolError(
            f"{where} names tools that the world has not: {', '.join(unknown[:3])}",
            code="world-task",
        )
    return task
