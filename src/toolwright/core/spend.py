"""Whether more may be spent: the one check behind budgets of models and limits of runs."""

from decimal import Decimal

from toolwright.core.errors import LimitExceeded
from toolwright.core.model import Usage


def check_spend(name: str, spent: Usage, *, tokens: int | None, cost: Decimal | None) -> None:
    """Refuse another call of the model ``name`` once a limit is reached; None: no limit.

    Raises:
        LimitExceeded: the tokens or US dollars are used up, or a cost limit is set and the price unknown.
    """
    if tokens is not None and spent.tokens >= tokens:
        raise LimitExceeded(f"{spent.tokens} tokens spent, {tokens} are allowed")
    if cost is None:
        return
    if spent.cost is None:
        raise LimitExceeded(
            f"the price of {name!r} is unknown, so a cost limit cannot be kept; "
            "set a token limit or price_as"
        )
    if spent.cost >= cost:
        raise LimitExceeded(f"${spent.cost} spent, ${cost} are allowed")
