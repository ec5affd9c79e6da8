"""Behaviour added around any model: retries, rate, concurrency, a budget. Wrappers, not flags."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol, runtime_checkable

from aiolimiter import AsyncLimiter
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from toolwright.core.errors import ToolwrightError
from toolwright.core.model import Model, ModelRequest, ModelResponse, Usage
from toolwright.core.spend import check_spend
from toolwright.models.prices import price
from toolwright.models.refusals import RetryAfter


class Around:
    """What every wrapper has: the wrapped model's name, and its end."""

    _model: Model

    @property
    def name(self) -> str:
        """The wrapped model's name."""
        return self._model.name

    async def close(self) -> None:
        """Close the wrapped model, where it has anything to close."""
        await close(self._model)


async def close(model: object) -> None:
    """Close what a model keeps open, such as its connections."""
    if isinstance(model, Closing):
        await model.close()


@runtime_checkable
class Closing(Protocol):
    """A model that keeps something open."""

    async def close(self) -> None:
        """Close it."""
        ...


class Later:
    """A model that is opened with its first call, in a thread: its libraries may take long to load.

    Args:
        name: the model's name.
        open_model: gives the model.
    """

    def __init__(self, name: str, open_model: Callable[[], Model]) -> None:
        self.name, self._open = name, open_model
        self._model: Model | None = None
        self._opening = asyncio.Lock()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt."""
        async with self._opening:
            if self._model is None:
                self._model = await asyncio.to_thread(self._open)
        return await self._model.complete(request)

    async def close(self) -> None:
        """Close the model, if it was opened."""
        await close(self._model)


def _retryable(fault: BaseException) -> bool:
    return isinstance(fault, ToolwrightError) and fault.retryable


class Retrying(Around):
    """Tries again on errors that say they are retryable, with backoff and jitter.

    An endpoint's own ``retry-after`` is kept to, up to ``longest`` seconds.
    """

    def __init__(
        self, model: Model, *, attempts: int = 5, first: float = 0.5, longest: float = 30.0
    ) -> None:
        self._model, self._attempts, self._longest = model, attempts, longest
        self._backoff = wait_random_exponential(multiplier=first, max=longest)

    def _wait(self, state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        if isinstance(fault, RetryAfter) and fault.seconds is not None:
            return min(fault.seconds, self._longest)
        return float(self._backoff(state))

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt, trying again where that may help."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._wait,
            retry=retry_if_exception(_retryable),
            reraise=True,
        )
        return await retrying(self._model.complete, request)


class RateLimited(Around):
    """Holds calls to at most ``requests`` in any ``seconds``."""

    def __init__(self, model: Model, *, requests: float, seconds: float = 60.0) -> None:
        self._model, self._limiter = model, AsyncLimiter(requests, seconds)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt, waiting for a free place in the rate."""
        async with self._limiter:
            return await self._model.complete(request)


class Concurrent(Around):
    """Holds calls to at most ``most`` at once."""

    def __init__(self, model: Model, *, most: int) -> None:
        self._model, self._slots = model, asyncio.Semaphore(most)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt, waiting for a free place."""
        async with self._slots:
            return await self._model.complete(request)


class PricedAs(Around):
    """Prices each reply by the list price of a named model, whatever model gave it."""

    def __init__(self, model: Model, price_as: str) -> None:
        self._model, self._price_as = model, price_as

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt; the cost is that of ``price_as``."""
        response = await self._model.complete(request)
        cost = price(self._price_as, response.usage)
        usage = response.usage.model_copy(update={"cost": cost})
        return response.model_copy(update={"usage": usage})


class Budgeted(Around):
    """Refuses the next call once what was spent reaches a limit of tokens or US dollars."""

    def __init__(
        self, model: Model, *, tokens: int | None = None, cost: Decimal | None = None
    ) -> None:
        self._model, self._tokens, self._cost = model, tokens, cost
        self.spent = Usage()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt within the budget.

        Raises:
            LimitExceeded: the budget is used up, or a cost limit is set and the price is unknown.
        """
        check_spend(self.name, self.spent, tokens=self._tokens, cost=self._cost)
        response = await self._model.complete(request)
        self.spent += response.usage
        return response
