"""The agent: a policy, a toolbox and a search, put together as a solver."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from toolwright.agent.meter import Meter
from toolwright.agent.policy import Policy
from toolwright.agent.search import React, Search
from toolwright.agent.tree import Ending, Observe, Tree, unwatched
from toolwright.core.errors import LimitExceeded, ToolwrightError
from toolwright.core.task import Limits, Step, Task, Trajectory
from toolwright.core.toolbox import Toolbox


class Attempt:
    """One run: can be awaited, watched, and read at any moment, also after it was cancelled."""

    def __init__(self, tree: Tree, search: Search) -> None:
        self.tree, self._search = tree, search

    async def finish(self) -> Trajectory:
        """Search to the end; a limit, a model's fault or a broken sandbox ends the run and is told in it.

        A cancellation passes through; ``so_far`` then gives what was done.
        """
        try:
            ending = await self._search.run(self.tree)
        except LimitExceeded as fault:
            ending = Ending(self._last(), "limit", str(fault))
        except ToolwrightError as fault:
            ending = Ending(self._last(), "failed", f"[{fault.code}] {fault}")
        return self.tree.trajectory(ending, self._search.name, self._search.settings())

    def _last(self) -> int | None:
        return self.tree.steps[-1].id if self.tree.steps else None

    def so_far(self, stopped: str = "cancelled") -> Trajectory:
        """Give what was done until now, as a trajectory that can be resumed."""
        ending = Ending(self._last(), "limit", stopped)
        return self.tree.trajectory(ending, self._search.name, self._search.settings())


class Agent:
    """Turns a task into a trajectory by calling tools.

    Args:
        policy: a ``Team`` of three models, or a ``Single`` one.
        toolbox: what may be called; a task without tools of its own is shown all of them.
        search: ``React`` or ``Dfsdt``.
        observation: characters of an observation that are kept.
        limits: what a task may spend, where it does not say so itself.
    """

    def __init__(
        self,
        policy: Policy,
        toolbox: Toolbox,
        search: Search | None = None,
        *,
        observation: int = 4096,
        limits: Limits | None = None,
    ) -> None:
        self.policy, self.toolbox = policy, toolbox
        self.search: Search = search or React()
        self._observation, self._limits = observation, limits

    def begin(
        self,
        task: Task,
        limits: Limits | None = None,
        *,
        resume: Trajectory | None = None,
        observe: Observe = unwatched,
    ) -> Attempt:
        """Begin a run, or take up an earlier one: its steps count against the limits, its seconds do not."""
        shown = task if task.tools else task.model_copy(update={"tools": tuple(self.toolbox.specs)})
        tree = Tree(
            shown, self.policy, self.toolbox, Meter(limits or self._limits),
            observation=self._observation, resume=resume, observe=observe,
        )  # fmt: skip
        return Attempt(tree, self.search)

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Solve one task within the limits."""
        return await self.begin(task, limits).finish()

    async def stream(
        self, task: Task, limits: Limits | None = None, *, resume: Trajectory | None = None
    ) -> AsyncGenerator[Step | Trajectory]:
        """Yield each step as it is taken, and the whole trajectory at the end; closing it cancels the run."""
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
