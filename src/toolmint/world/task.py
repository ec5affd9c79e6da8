"""A ToolWorld task (request, tools, state, faults), and the toolbox that executes it."""

from random import Random
from typing import Literal, NamedTuple

from toolmint.core.errors import ToolError
from toolmint.core.messages import Frozen, ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Task, Trajectory
from toolmint.core.toolbox import call_one, failed_result
from toolmint.core.values import canonical
from toolmint.world.goals import Check, Goal, check_goals
from toolmint.world.operations import run_operation
from toolmint.world.state import Deed, Record, WorldState
from toolmint.world.tools import Split, WorldTool, categories_of, world_tools

_DEAD_ERRORS = (
    "HTTP 503: the service is not available",
    "HTTP 403: access denied, this subscription has ended",
    "the API endpoint does not exist any more",
    "internal error, no response from upstream",
    "read timed out",
)
_FLAKY_ERRORS = (
    "HTTP 429: too many requests, try again",
    "temporary failure, please retry",
    "connection reset, try again",
)


class WorldTask(Frozen):
    """One self-contained task.

    Attributes:
        dead: names of tools that always fail.
        flaky: names of tools whose first call fails.
        calls: number of calls of the solvability proof; 0 where the task cannot be solved.
        proof: why the task cannot be solved; empty where it can.
        edition: of the tools' names and documents (``world_tools``).
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
        """Whether the task can be solved; if not, giving up is the right outcome."""
        return not self.proof

    def world_tools(self) -> list[WorldTool]:
        """Return the task's tools, in order."""
        known = {
            tool.spec.name: tool
            for name in self.records
            for tool in world_tools(self.split, name, self.edition)
        }
        return [known[name] for name in self.tools]

    def task(self) -> Task:
        """Return the task as an agent sees it: the request and the tool specs."""
        return Task(input=self.input, tools=tuple(tool.spec for tool in self.world_tools()))


class _BoundTool(NamedTuple):
    """A tool bound to a state."""

    tool: WorldTool
    state: WorldState

    @property
    def spec(self) -> ToolSpec:
        return self.tool.spec

    async def call(self, call: ToolCall) -> ToolResult:
        value = run_operation(self.state, self.tool.operation, self.tool.meanings(call.parsed()))
        return ToolResult(call_id=call.id, content=canonical(value), data=value)


class WorldToolbox:
    """The toolbox of one run of one task, with a state, faults and call counts of its own.

    Args:
        task: the task.
        faults: share of calls (0 to 1) that fail beyond the task's own faults (error injection); the
            task's seed and ``seed`` decide which.
        seed: of the injected faults.
    """

    def __init__(self, task: WorldTask, *, faults: float = 0.0, seed: int = 0) -> None:
        self._task = task
        self.state = WorldState(task.records, task.deeds)
        self._tools = {tool.spec.name: _BoundTool(tool, self.state) for tool in task.world_tools()}
        self._specs = tuple(tool.spec for tool in self._tools.values())
        self._faults = faults
        self._random = Random(f"{task.seed}/{seed}/faults")
        self._called: dict[str, int] = {}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The specs of the task's tools."""
        return self._specs

    async def call(self, call: ToolCall) -> ToolResult:
        """Execute a call, or return the failure that the task or the injection prescribes."""
        name = call.name
        before = self._called.get(name, 0)
        self._called[name] = before + 1
        errors = Random(f"{self._task.seed}/{name}")  # one tool always fails in the same words
        if name in self._task.dead:
            return failed_result(call, "unavailable", errors.choice(_DEAD_ERRORS))
        if name in self._task.flaky and before == 0:
            return failed_result(call, "temporary", errors.choice(_FLAKY_ERRORS))
        if self._faults and self._random.random() < self._faults:
            return failed_result(call, "temporary", self._random.choice(_FLAKY_ERRORS))
        return await call_one(self._tools, call)

    def check(self, done: Trajectory) -> Check:
        """Check the run that was made with this toolbox (``check_goals``)."""
        task = self._task
        return check_goals(task.goals, self.state, task.deeds, done, solvable=task.solvable)


def read_task(text: str, where: str = "the task") -> WorldTask:
    """Parse a task from a JSON line.

    Raises:
        ToolError: the text is no task, has another schema version, or names unknown tools.
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
        for tool in world_tools(task.split, name, task.edition)
    }
    unknown = [name for name in task.tools if name not in known]
    if unknown:
        raise ToolError(
            f"{where} names tools that the world has not: {', '.join(unknown[:3])}",
            code="world-task",
        )
    return task
