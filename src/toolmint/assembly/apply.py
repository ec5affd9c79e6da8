"""Answers many requests, several at once, and yields the results in order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from typing import NamedTuple

from toolmint.core.errors import ModelError, NoAnswer, ToolmintError
from toolmint.core.sameness import same_answer
from toolmint.core.sync import run_sync
from toolmint.core.task import Trajectory
from toolmint.core.tool import Demonstration


class ApplyResult(NamedTuple):
    """How one of many requests was answered.

    Attributes:
        request: with its right answer, where that is known.
        trajectory: who answered and why; None: nobody could.
        error: why not.
    """

    request: Demonstration
    trajectory: Trajectory | None
    error: ToolmintError | None = None

    @property
    def answer(self) -> str | None:
        """The answer; None where there is none."""
        return self.trajectory.answer if self.trajectory is not None else None

    @property
    def right(self) -> bool | None:
        """Whether the answer is the known one (``core.sameness``); None: that is not known."""
        if self.request.target is None:
            return None
        return self.answer is not None and same_answer(self.answer, self.request.target) is not None


async def apply_all(
    solve: Callable[[str], Awaitable[Trajectory]],
    requests: Iterable[Demonstration],
    concurrency: int,
) -> AsyncGenerator[ApplyResult]:
    """Yield the result of each request, in order; ``concurrency`` are answered at once.

    Raises:
        ToolmintError: an error that is not about one request, such as an endpoint that is down.
    """

    async def one(request: Demonstration) -> ApplyResult:
        try:
            return ApplyResult(request, await solve(request.input))
        except (NoAnswer, ModelError) as fault:
            if fault.retryable:
                raise
            return ApplyResult(request, None, fault)

    left, running = deque(requests), deque[asyncio.Task[ApplyResult]]()
    try:
        while left or running:
            while left and len(running) < concurrency:
                running.append(asyncio.create_task(one(left.popleft())))
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def apply_sync(results: AsyncGenerator[ApplyResult]) -> Generator[ApplyResult]:
    """Yield the same results to ordinary code."""

    async def step() -> ApplyResult | None:
        return await anext(results, None)

    try:
        while (result := run_sync(step())) is not None:
            yield result
    finally:
        run_sync(results.aclose())
