"""What a run has spent against its limits; every model call and tool call passes through here."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from toolwright.core.errors import LimitExceeded
from toolwright.core.model import Model, ModelRequest, ModelResponse, Usage
from toolwright.core.spend import check_spend
from toolwright.core.task import Limits, Step

T = TypeVar("T")


class Meter:
    """Counts steps, calls, tokens, cost and seconds of one run; refuses what would pass a limit."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.usage = Usage()
        self.steps = self.tool_calls = 0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall seconds since the run began."""
        return time.monotonic() - self._start

    def take(self, step: Step) -> None:
        """Count a step that an earlier run took."""
        self.steps += 1
        self.tool_calls += len(step.calls)
        self.usage = sum((turn.usage for turn in step.turns), start=self.usage)

    def _refuse(self, what: str, spent: object, allowed: object) -> None:
        raise LimitExceeded(f"{what}: {spent} spent, {allowed} are allowed")

    def step(self) -> None:
        """Begin a step.

        Raises:
            LimitExceeded: the limit of steps is reached.
        """
        if self.limits.steps is not None and self.steps >= self.limits.steps:
            self._refuse("steps", self.steps, self.limits.steps)
        self.steps += 1

    async def timed(self, work: Awaitable[T]) -> T:
        """Await within what is left of the seconds.

        Raises:
            LimitExceeded: the time is over.
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
            LimitExceeded: a limit is reached, or a cost limit cannot be kept as the price is unknown.
            ModelError: the model gave no usable reply.
        """
        limits, spent = self.limits, self.usage
        if limits.model_calls is not None and spent.requests >= limits.model_calls:
            self._refuse("model_calls", spent.requests, limits.model_calls)
        check_spend(model.name, spent, tokens=limits.tokens, cost=limits.cost)
        response = await self.timed(model.complete(request))
        self.usage += response.usage
        return response

    def call(self) -> None:
        """Count a tool call before it is made.

        Raises:
            LimitExceeded: the limit of tool calls is reached.
        """
        if self.limits.tool_calls is not None and self.tool_calls >= self.limits.tool_calls:
            self._refuse("tool_calls", self.tool_calls, self.limits.tool_calls)
        self.tool_calls += 1
