"""The budget of a run: every model call and tool call is counted here against the limits."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from toolmint.core.errors import LimitExceeded, ModelError, contained
from toolmint.core.model import Model, ModelRequest, ModelResponse, Usage
from toolmint.core.spend import check_limits
from toolmint.core.task import Limits, Step

_T = TypeVar("_T")


# An event loop keeps weak references to its tasks: one that is left to itself must not be collected.
_LEFT: "set[asyncio.Future[Any]]" = set()
_GRACE = 0.2  # seconds in which cancelled work may end


def _fault_of(model: Model) -> Callable[[BaseException], ModelError]:
    return lambda fault: ModelError(
        f"the model {model.name!r} failed: {type(fault).__name__}: {fault}", code="model-fault"
    )


async def _stopped(task: "asyncio.Future[Any]") -> None:
    """Cancel a task; one that does not end soon is left to itself."""
    task.cancel()
    await asyncio.wait({task}, timeout=_GRACE)
    _LEFT.add(task)
    task.add_done_callback(_ended)


def _ended(task: "asyncio.Future[Any]") -> None:
    _LEFT.discard(task)
    if not task.cancelled():
        task.exception()  # read, so that asyncio does not complain of an error that nobody saw


class BudgetTracker:
    """Counts steps, calls, tokens, cost and seconds of one run; raises before a limit is exceeded."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.usage = Usage()
        self.steps = self.tool_calls = 0
        self.compaction = (
            0  # how far the run's history is cut, as a prompt was too long for its model
        )
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the wall seconds since the run began."""
        return time.monotonic() - self._start

    def take(self, step: Step) -> None:
        """Count a step of an earlier run that is replayed."""
        self.steps += 1
        self.tool_calls += len(step.calls)
        self.usage = sum((turn.usage for turn in step.turns), start=self.usage)

    def _exceeded(self, what: str, spent: object, allowed: object) -> None:
        raise LimitExceeded(f"{what}: {spent} spent, {allowed} are allowed")

    def step(self) -> None:
        """Count a new step.

        Raises:
            LimitExceeded: the limit of steps is reached.
        """
        if self.limits.steps is not None and self.steps >= self.limits.steps:
            self._exceeded("steps", self.steps, self.limits.steps)
        self.steps += 1

    def check_seconds(self) -> None:
        """Raise where the seconds are used up.

        Raises:
            LimitExceeded: no time is left.
        """
        if self.limits.seconds is not None and self.seconds >= self.limits.seconds:
            raise self._out_of_time()

    def _out_of_time(self) -> LimitExceeded:
        return LimitExceeded(
            f"seconds: {self.seconds:.1f} spent, {self.limits.seconds:g} are allowed"
        )

    async def timed(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Await ``work`` for at most the seconds that are left.

        Work that does not end when it is cancelled is abandoned: it goes on unseen, the run does not wait.

        Raises:
            LimitExceeded: the seconds are used up.
        """
        if self.limits.seconds is None:
            return await work
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task}, timeout=max(0.0, self.limits.seconds - self.seconds))
        except asyncio.CancelledError:
            await _stopped(task)
            raise
        if task.done():
            return task.result()
        await _stopped(task)
        raise self._out_of_time()

    async def ask(self, model: Model, request: ModelRequest) -> ModelResponse:
        """Call a model within the limits.

        Raises:
            LimitExceeded: a limit is reached, or a cost limit is set and the price is unknown.
            ModelError: the model gave no usable reply, or its own code failed.
        """
        check_limits(model.name, self.usage, self.limits)
        self.check_seconds()
        response = await self.timed(contained(model.complete(request), _fault_of(model)))
        self.usage += response.usage
        return response

    def call(self) -> None:
        """Count a tool call before it is made.

        Raises:
            LimitExceeded: the limit of tool calls is reached, or no time is left.
        """
        self.check_seconds()
        if self.limits.tool_calls is not None and self.tool_calls >= self.limits.tool_calls:
            self._exceeded("tool_calls", self.tool_calls, self.limits.tool_calls)
        self.tool_calls += 1
