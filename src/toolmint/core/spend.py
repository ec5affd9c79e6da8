"""The budget check before a model call, shared by budgets of models, limits of runs and of requests."""

from decimal import Decimal

from toolmint.core.errors import LimitExceeded
from toolmint.core.model import Usage
from toolmint.core.task import Limits


def check_spend(name: str, spent: Usage, *, tokens: int | None, cost: Decimal | None) -> None:
    """Check that the model ``name`` may be called again; None: no limit.

    Raises:
        LimitExceeded: the tokens or US dollars are used up, or a cost limit is set and the price is
            unknown.
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


def check_limits(name: str, spent: Usage, limits: Limits) -> None:
    """Refuse another call of the model ``name`` once the calls, tokens or dollars of a task are spent.

    Raises:
        LimitExceeded: a limit is reached, or a cost limit cannot be kept as a price is unknown.
    """
    allowed = limits.model_calls
    if allowed is not None and spent.requests >= allowed:
        raise LimitExceeded(f"model calls: {spent.requests} made, {allowed} are allowed")
    check_spend(name, spent, tokens=limits.tokens, cost=limits.cost)
