"""List prices of tokens from the genai-prices tables; an unknown price is None, never 0."""

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from toolmint.core.model import Usage

if TYPE_CHECKING:
    from genai_prices import Usage as PricedUsage


def price(model: str, usage: Usage, provider: str | None = None) -> Decimal | None:
    """Return the cost of a usage in US dollars, or None where no price is known.

    Args:
        model: the model's name as the endpoint reports it.
        usage: token counts; its own cost is ignored.
        provider: a provider's id such as ``openai``; None searches all.
    """
    if not _known(model, provider):
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


def _calculate(usage: "PricedUsage", model: str, provider: str | None) -> Decimal | None:
    """Return a price; the tables find some models (OpenAI's embeddings) under their provider only."""
    from genai_prices import calc_price  # noqa: PLC0415

    for place in (provider,) if provider else (None, "openai"):
        try:
            return calc_price(usage, model_ref=model, provider_id=place).total_price
        except (LookupError, ValueError):
            continue
    return None


@cache
def _known(model: str, provider: str | None) -> bool:
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415

    return _calculate(PricedUsage(input_tokens=1, output_tokens=1), model, provider) is not None


_PROBE_TOKENS = 2_000_000


@cache
def _rates(model: str, provider: str | None) -> tuple[Decimal, Decimal, Decimal] | None:
    """Return the prices of a fresh, a cached and an output token; None where they depend on the amount.

    Constant rates make pricing a multiplication; the tables themselves are too slow for every request.
    """
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415

    def cost(fresh: int, cached: int, output: int) -> Decimal:
        usage = PricedUsage(
            input_tokens=fresh + cached, cache_read_tokens=cached or None, output_tokens=output
        )
        return _calculate(usage, model, provider) or Decimal(0)

    rates = (
        cost(_PROBE_TOKENS, 0, 0) / _PROBE_TOKENS,
        cost(0, _PROBE_TOKENS, 0) / _PROBE_TOKENS,
        cost(0, 0, _PROBE_TOKENS) / _PROBE_TOKENS,
    )
    for used in ((1, 0, 0), (1000, 3000, 500), (150_000, 7, 11), (300_000, 300_000, 90_000)):
        if cost(*used) != sum(part * rate for part, rate in zip(used, rates, strict=True)):
            return None
    return rates
