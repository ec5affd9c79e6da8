"""Constructors of the HTTP errors that the gateway sends, as the official SDKs expect them."""

from decimal import Decimal

from toolmint.core.errors import HttpError, ToolmintError


def invalid_request(message: str, param: str | None = None, code: str | None = None) -> HttpError:
    """Return the error for a request whose field is wrong."""
    return HttpError(400, message, param=param, code=code)


def invalid_key(message: str) -> HttpError:
    """Return the error for a request without a valid key."""
    return HttpError(401, message, code="invalid_api_key")


def unknown_model(name: str) -> HttpError:
    """Return the error for a model that is not there, or that the key may not use."""
    return HttpError(
        404,
        f"The model {name!r} does not exist or this key may not use it.",
        param="model",
        code="model_not_found",
    )


def rate_limited(message: str, seconds: float) -> HttpError:
    """Return the error for a request above a rate limit; it may be sent again after some seconds."""
    return HttpError(
        429,
        message,
        kind="rate_limit_error",
        code="rate_limit_exceeded",
        headers={"retry-after": str(max(1, round(seconds)))},
    )


def budget_exceeded(message: str) -> HttpError:
    """Return the error for a request above a budget: no 429, which SDKs would send again."""
    return HttpError(
        422,
        message,
        kind="budget_error",
        code="budget_exceeded",
        headers={"x-should-retry": "false"},
    )


def budget_reserved(message: str) -> HttpError:
    """Return the error for a request whose budget is reserved by others at work; it may be sent again."""
    return HttpError(
        429,
        message,
        kind="rate_limit_error",
        code="budget_reserved",
        headers={"retry-after": "1"},
    )


def price_unknown(model: str, budget: Decimal) -> HttpError:
    """Return the error for a model of unknown price, asked for with a key that has a budget."""
    return HttpError(
        422,
        f"The price of {model!r} is unknown, so the key's budget of ${budget} cannot be kept. Set the price "
        f'in toolmint.toml under [prices."{model}"], or allow such models with unknown_prices = "allow".',
        kind="budget_error",
        param="model",
        code="price_unknown",
        headers={"x-should-retry": "false"},
    )


def upstream_unavailable(message: str, status: int = 502) -> HttpError:
    """Return the error where the strong model cannot be reached."""
    return HttpError(status, message, kind="server_error", code="upstream_unavailable")


def from_error(fault: ToolmintError) -> HttpError:
    """Return the HTTP error that another error becomes."""
    status = 503 if fault.retryable else 500
    return HttpError(status, str(fault), kind="server_error", code=fault.code)


def agent_gave_up(why: str) -> HttpError:
    """Return the error for a task that the agent could not solve; to ask again would not help."""
    return HttpError(
        422,
        f"The agent gave no answer: {why}.",
        code="agent_gave_up",
        headers={"x-should-retry": "false"},
    )


def internal_error(fault: Exception) -> HttpError:
    """Return the error for a fault of the gateway itself; details go to the log, not to the client."""
    del fault
    return HttpError(
        500,
        "The gateway failed on this request; its log has the reason under the request id.",
        kind="server_error",
        code="internal_error",
    )
