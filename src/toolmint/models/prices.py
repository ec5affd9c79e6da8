"""What models cost: prices of one's own, then list prices (genai-prices); unknown is None, never 0."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import Field

from toolmint.core.messages import Frozen
from toolmint.core.model import Usage

if TYPE_CHECKING:
    from genai_prices import Usage as PricedUsage
    from genai_prices.types import PriceCalculation

_MILLION = 1_000_000
_MOST_MODELS, _LONGEST_NAME = 4096, 200
"""Clients choose the names that are looked up: how many are kept, and how long one may be."""


class OwnPrice(Frozen):
    """What one model costs, in US dollars for a million tokens; 0 is a model that costs nothing.

    Attributes:
        input: of prompts.
        output: of answers.
        cached: of the part of a prompt that the endpoint had cached; None: as ``input``.
        window: tokens that a prompt and its answer may have together; None: not known.
        longest: tokens of an answer whose request sets no limit, at most; None: not known.
    """

    input: Decimal = Field(ge=0, allow_inf_nan=False)
    output: Decimal = Field(ge=0, allow_inf_nan=False)
    cached: Decimal | None = Field(default=None, ge=0, allow_inf_nan=False)
    window: int | None = Field(default=None, ge=1)
    longest: int | None = Field(default=None, ge=1)

    def cost(self, usage: Usage) -> Decimal:
        """Return what a usage costs in US dollars."""
        cached = min(usage.cached_tokens, usage.input_tokens)
        rate = self.input if self.cached is None else self.cached
        parts = (usage.input_tokens - cached) * self.input + cached * rate
        return (parts + usage.output_tokens * self.output) / _MILLION


class PriceTable:
    """Prices of one's own, by the models' names, before list prices; see ``toolmint.core.budgets.Prices``.

    Args:
        own: by the names that the endpoint or the client gives models.
        longest: tokens of an answer whose request sets no limit, where the model's own are not known.
    """

    def __init__(
        self, own: Mapping[str, OwnPrice] | None = None, longest: int | None = None
    ) -> None:
        self._own, self._longest = dict(own or {}), longest

    def cost(self, model: str, usage: Usage, asked: str = "") -> Decimal | None:
        """Return what a usage costs in US dollars; None where the price or the usage is not known."""
        own = self._own.get(model) or self._own.get(asked)
        if own is None:
            return price(model, usage)
        return own.cost(usage) if _is_known(usage) else None

    def window(self, model: str) -> int | None:
        """Return the tokens that a model's prompt and answer may have together; None: not known."""
        own = self._own.get(model)
        if own is not None and own.window is not None:
            return own.window
        return _list_window(model) if len(model) <= _LONGEST_NAME else None

    def longest(self, model: str) -> int | None:
        """Return the tokens that an answer has at most where its request sets no limit; None: not known."""
        own = self._own.get(model)
        return self._longest if own is None or own.longest is None else own.longest


LIST_PRICES = PriceTable()
"""List prices alone."""


def _is_known(usage: Usage) -> bool:
    """Return whether a usage was reported: no call is without a prompt, so 0 tokens were not counted."""
    return usage.input_tokens > 0 or usage.requests == 0


def price(model: str, usage: Usage, provider: str | None = None) -> Decimal | None:
    """Return the list price of a usage in US dollars, or None where the price or the usage is not known.

    Args:
        model: the model's name as the endpoint reports it.
        usage: token counts; its own cost is ignored. No call and no token cost nothing.
        provider: a provider's id such as ``openai``; None searches all.
    """
    if usage.tokens == 0 and usage.requests == 0:
        return Decimal(0)
    if not _is_known(usage):
        return None
    if len(model) > _LONGEST_NAME or not _known(model, provider):
        return None
    rates = _rates(model, provider)
    if rates is not None:
        fresh = max(0, usage.input_tokens - usage.cached_tokens)
        return fresh * rates[0] + usage.cached_tokens * rates[1] + usage.output_tokens * rates[2]
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415 - the tables take 0.3 s to load

    return _calculate(
        PricedUsage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cached_tokens or None,
            output_tokens=usage.output_tokens,
        ),
        model,
        provider,
    )


def _calculated(
    usage: "PricedUsage", model: str, provider: str | None
) -> "PriceCalculation | None":
    """Return a calculation; the tables find some models (OpenAI's embeddings) under their provider only."""
    from genai_prices import calc_price  # noqa: PLC0415

    for place in (provider,) if provider else (None, "openai"):
        try:
            return calc_price(usage, model_ref=model, provider_id=place)
        except (LookupError, ValueError):
            continue
    return None


def _calculate(usage: "PricedUsage", model: str, provider: str | None) -> Decimal | None:
    found = _calculated(usage, model, provider)
    return None if found is None else found.total_price


@lru_cache(_MOST_MODELS)
def _known(model: str, provider: str | None) -> bool:
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415

    return _calculate(PricedUsage(input_tokens=1, output_tokens=1), model, provider) is not None


@lru_cache(_MOST_MODELS)
def _list_window(model: str) -> int | None:
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415

    found = _calculated(PricedUsage(input_tokens=1, output_tokens=1), model, None)
    return None if found is None else found.model.context_window


_PROBE_TOKENS = 2_000_000


@lru_cache(_MOST_MODELS)
def _rates(model: str, provider: str | None) -> tuple[Decimal, Decimal, Decimal] | None:
    """Return the prices of a fresh, a cached and an output token; None where they depend on the amount.

    Constant rates make pricing a multiplication; the tables themselves are too slow for every request.
    """
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415

    def cost(fresh: int, cached: int, output: int) -> Decimal | None:
        usage = PricedUsage(
            input_tokens=fresh + cached, cache_read_tokens=cached or None, output_tokens=output
        )
        return _calculate(usage, model, provider)

    input_cost = cost(_PROBE_TOKENS, 0, 0)
    cached_cost = cost(0, _PROBE_TOKENS, 0)
    output_cost = cost(0, 0, _PROBE_TOKENS)
    if input_cost is None or cached_cost is None or output_cost is None:
        return None
    rates = input_cost / _PROBE_TOKENS, cached_cost / _PROBE_TOKENS, output_cost / _PROBE_TOKENS
    for used in ((1, 0, 0), (1000, 3000, 500), (150_000, 7, 11), (300_000, 300_000, 90_000)):
        if cost(*used) != sum(part * rate for part, rate in zip(used, rates, strict=True)):
            return None
    return rates
