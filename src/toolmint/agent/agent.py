"""The agent: a solver made of a policy, a toolbox and a search."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Policy
from toolmint.agent.react import ReACT
from toolmint.agent.tree import Observe, RunChoices, RunEnd, Search, Tree, ignore_step
from toolmint.core.errors import LimitExceeded, ToolmintError, aboundary
from toolmint.core.task import Limits, Step, Task, Trajectory
from toolmint.core.toolbox import Toolbox
from toolmint.core.values import sound


def _unforeseen(fault: Exception) -> ToolmintError:
    return ToolmintError(f"{type(fault).__name__}: {fault}", code="bug")


class AgentRun:
    """One run; its trajectory can be read at any moment, also after a cancellation."""

    def __init__(self, tree: Tree, search: Search) -> None:
        self.tree, self._search = tree, search

    async def finish(self) -> Trajectory:
        """Search to the end and return the trajectory.

        A limit, a model error, a broken sandbox, or any other fault ends the run and is recorded in the
        trajectory. Only a cancellation is raised; ``so_far`` then returns the steps taken.
        """
        try:
            ending = await aboundary(self._search.run(self.tree), _unforeseen)
        except LimitExceeded as fault:
            ending = RunEnd(self._last(), "limit", str(fault))
        except ToolmintError as fault:
            ending = RunEnd(self._last(), "failed", f"[{fault.code}] {fault}")
        return self.tree.trajectory(ending, self._search.name, self._search.settings())

    def _last(self) -> int | None:
        return self.tree.steps[-1].id if self.tree.steps else None

    def so_far(self, stopped: str = "cancelled") -> Trajectory:
        """Return the steps taken so far, as a trajectory that can be resumed."""
        ending = RunEnd(self._last(), "limit", stopped)
        return self.tree.trajectory(ending, self._search.name, self._search.settings())


class AgentLoop:
    """Solves tasks by calling tools.

    Args:
        policy: a ``ThreeRolePolicy`` or a ``SingleModelPolicy``.
        toolbox: the tools; a task that names no tools is shown all of them.
        search: ``ReACT`` (the default) or ``DFSDT``.
        observation: largest number of characters of an observation that are kept.
        all_calls: whether all calls that a role writes at once are made (those of read-only tools side by
            side), or the first one alone.
        check: whether an answer is flagged whose values stand in no observation and not in the task.
        limits: limits of a task that brings none of its own.
    """

    def __init__(
        self,
        policy: Policy,
        toolbox: Toolbox,
        search: Search | None = None,
        *,
        observation: int = 4096,
        all_calls: bool = True,
        check: bool = True,
        limits: Limits | None = None,
    ) -> None:
        self.policy, self.toolbox = policy, toolbox
        self.search: Search = search or ReACT()
        self._choices, self._limits = RunChoices(observation, all_calls, check), limits

    def begin(
        self,
        task: Task,
        limits: Limits | None = None,
        *,
        resume: Trajectory | None = None,
        observe: Observe = ignore_step,
    ) -> AgentRun:
        """Return a new run.

        Args:
            task: the question.
            limits: of this run; None: those of the agent.
            resume: an earlier trajectory to continue; its steps count against the limits, its seconds
                do not.
            observe: called with each step.
        """
        shown = task if task.tools else task.model_copy(update={"tools": tuple(self.toolbox.specs)})
        if shown.input != sound(
            shown.input
        ):  # what cannot be stored would lose the whole trajectory
            shown = shown.model_copy(update={"input": sound(shown.input)})
        tree = Tree(
            shown,
            self.policy,
            self.toolbox,
            BudgetTracker(limits or self._limits),
            choices=self._choices,
            resume=resume,
            observe=observe,
        )
        return AgentRun(tree, self.search)

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Solve one task within the limits and return its trajectory."""
        return await self.begin(task, limits).finish()

    async def stream(
        self, task: Task, limits: Limits | None = None, *, resume: Trajectory | None = None
    ) -> AsyncGenerator[Step | Trajectory]:
        """Yield each step as it is taken, then the trajectory; closing the generator cancels the run."""
        steps: asyncio.Queue[Step | None] = asyncio.Queue()
        attempt = self.begin(task, limits, resume=resume, observe=steps.put_nowait)
        work = asyncio.create_task(attempt.finish())
        work.add_done_callback(lambda _: steps.put_nowait(None))
        try:
            while (step := await steps.get()) is not None:
                yield step
            yield await work
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
