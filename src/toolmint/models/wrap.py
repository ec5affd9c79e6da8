"""Wrappers that add behaviour to any model: retries, rate and concurrency limits, prices, a budget."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol, runtime_checkable

from aiolimiter import AsyncLimiter
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from toolmint.core.budgets import Prices
from toolmint.core.errors import ToolmintError
from toolmint.core.model import Model, ModelRequest, ModelResponse, Usage
from toolmint.core.spend import check_spend
from toolmint.models.prices import LIST_PRICES
from toolmint.models.retry_after import RetryAfter


class ModelWrapper:
    """Base of the wrappers: delegates the name and ``close`` to the wrapped model."""

    _model: Model

    @property
    def name(self) -> str:
        """The wrapped model's name."""
        return self._model.name

    @property
    def raw_prompts(self) -> bool:
        """Whether the wrapped model reads one raw text."""
        return bool(getattr(self._model, "raw_prompts", False))

    @property
    def described_tools(self) -> bool:
        """Whether its prompts describe the tools' arguments."""
        return bool(getattr(self._model, "described_tools", False))

    async def close(self) -> None:
        """Close the wrapped model."""
        await close(self._model)


async def close(model: object) -> None:
    """Close a model that has a ``close`` method; do nothing for others."""
    if isinstance(model, Closeable):
        await model.close()


@runtime_checkable
class Closeable(Protocol):
    """A model with resources to close."""

    async def close(self) -> None:
        """Release the resources."""
        ...


class LazyModel:
    """A model that is loaded at its first request, in a thread, as its libraries may take long to load.

    Args:
        name: the model's name.
        open_model: returns the model.
    """

    def __init__(self, name: str, open_model: Callable[[], Model]) -> None:
        self.name, self._open = name, open_model
        self._model: Model | None = None
        self._opening = asyncio.Lock()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Load the model if need be, and answer one prompt."""
        async with self._opening:
            if self._model is None:
                self._model = await asyncio.to_thread(self._open)
        return await self._model.complete(request)

    async def close(self) -> None:
        """Close the model, if it was loaded."""
        await close(self._model)


def _retryable(fault: BaseException) -> bool:
    return isinstance(fault, ToolmintError) and fault.retryable


class Retrying(ModelWrapper):
    """Retries errors that are ``retryable``, with exponential backoff and jitter.

    An endpoint's ``retry-after`` takes precedence, up to ``longest`` seconds.

    Args:
        model: the model.
        attempts: bound on the attempts.
        first: scale of the first wait, seconds.
        longest: bound on a wait, seconds.
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
        """Answer one prompt, with retries."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._wait,
            retry=retry_if_exception(_retryable),
            reraise=True,
        )
        return await retrying(self._model.complete, request)


class RateLimited(ModelWrapper):
    """Limits requests to ``requests`` in any ``seconds``."""

    def __init__(self, model: Model, *, requests: float, seconds: float = 60.0) -> None:
        self._model, self._limiter = model, AsyncLimiter(requests, seconds)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt as soon as the rate allows."""
        async with self._limiter:
            return await self._model.complete(request)


class ConcurrencyLimited(ModelWrapper):
    """Limits requests to ``most`` at a time."""

    def __init__(self, model: Model, *, most: int) -> None:
        self._model, self._slots = model, asyncio.Semaphore(most)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt as soon as a slot is free."""
        async with self._slots:
            return await self._model.complete(request)


class PricedAs(ModelWrapper):
    """Prices each reply by the price of the model ``price_as``."""

    def __init__(self, model: Model, price_as: str, prices: Prices = LIST_PRICES) -> None:
        self._model, self._price_as, self._prices = model, price_as, prices

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt; the cost is that of ``price_as``."""
        response = await self._model.complete(request)
        cost = self._prices.cost(self._price_as, response.usage)
        usage = response.usage.model_copy(update={"cost": cost})
        return response.model_copy(update={"usage": usage})


class Budgeted(ModelWrapper):
    """Refuses requests once the usage reaches a limit of tokens or US dollars.

    Attributes:
        spent: the usage so far.
    """

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
