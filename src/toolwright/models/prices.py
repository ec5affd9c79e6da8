"""What tokens cost, from the maintained genai-prices tables; an unknown price is None, never 0."""

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from toolwright.core.model import Usage

if TYPE_CHECKING:
    from genai_prices import Usage as PricedUsage


def price(model: str, usage: Usage, provider: str | None = None) -> Decimal | None:
    """Give the cost in US dollars of what was used, or None where no price is known.

    Args:
        model: the model's name as the endpoint reports it.
        usage: tokens used; its own cost is not read.
        provider: a provider's id such as ``openai``; None looks in all of them.
    """
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415 - the tables take 0.3 s to load

    if not _known(model, provider):
        return None
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
    from genai_prices import calc_price  # noqa: PLC0415

    try:
        return calc_price(usage, model_ref=model, provider_id=provider).total_price
    except (LookupError, ValueError):
        return None


@cache
def _known(model: str, provider: str | None) -> bool:
    from genai_prices import Usage as PricedUsage  # noqa: PLC0415

    return _calculate(PricedUsage(input_tokens=1, output_tokens=1), model, provider) is not None
