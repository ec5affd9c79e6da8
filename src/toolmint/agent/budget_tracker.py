"""The budget of a run: every model call and tool call is counted here against the limits."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from toolmint.core.errors import LimitExceeded
from toolmint.core.model import Model, ModelRequest, ModelResponse, Usage
from toolmint.core.spend import check_limits
from toolmint.core.task import Limits, Step

_T = TypeVar("_T")


class BudgetTracker:
    """Counts steps, calls, tokens, cost and seconds of one run; raises before a limit is exceeded."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.usage = Usage()
        self.steps = self.tool_calls = 0
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

    async def timed(self, work: Awaitable[_T]) -> _T:
        """Await ``work`` for at most the seconds that are left.

        Raises:
            LimitExceeded: the seconds are used up.
        """
        allowed = self.limits.seconds
        if allowed is None:
            return await work
        timer = asyncio.timeout(max(0.0, allowed - self.seconds))
        try:
            async with timer:
                return await work
        except TimeoutError:
            if not timer.expired():
                raise
        raise LimitExceeded(f"seconds: {self.seconds:.1f} spent, {allowed:g} are allowed")

    async def ask(self, model: Model, request: ModelRequest) -> ModelResponse:
        """Call a model within the limits.

        Raises:
            LimitExceeded: a limit is reached, or a cost limit is set and the price is unknown.
            ModelError: the model gave no usable reply.
        """
        check_limits(model.name, self.usage, self.limits)
        response = await self.timed(model.complete(request))
        self.usage += response.usage
        return response

    def call(self) -> None:
        """Count a tool call before it is made.

        Raises:
            LimitExceeded: the limit of tool calls is reached.
        """
        if self.limits.tool_calls is not None and self.tool_calls >= self.limits.tool_calls:
            self._exceeded("tool_calls", self.tool_calls, self.limits.tool_calls)
        self.tool_calls += 1
