"""What goes wrong with a request, as the official SDKs expect to hear it."""

from typing import Any

from toolwright.core.errors import ToolwrightError


class Refusal(Exception):
    """A request that is answered with an error.

    Attributes:
        status: of HTTP.
        message: names what was wrong and what was expected.
        kind: the error's ``type`` on the wire.
        param: the field that was wrong, where one was.
        code: stable, for programs.
        headers: that go along, such as ``retry-after``.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind = status, message, kind
        self.param, self.code, self.headers = param, code, headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """The error's JSON."""
        return {
            "error": {
                "message": self.message, "type": self.kind, "param": self.param, "code": self.code,
            }
        }  # fmt: skip


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refusal:
    """Give the refusal of a request whose field is wrong."""
    return Refusal(400, message, param=param, code=code)


def no_key(message: str) -> Refusal:
    """Give the refusal of a request without a valid key."""
    return Refusal(401, message, code="invalid_api_key")


def no_model(name: str) -> Refusal:
    """Give the refusal of a model that is not there, or that the key may not use."""
    return Refusal(
        404, f"The model {name!r} does not exist or this key may not use it.", param="model",
        code="model_not_found",
    )  # fmt: skip


def too_fast(message: str, seconds: float) -> Refusal:
    """Give the refusal of a request above a rate limit; it may be sent again after some seconds."""
    return Refusal(
        429, message, kind="rate_limit_error", code="rate_limit_exceeded",
        headers={"retry-after": str(max(1, round(seconds)))},
    )  # fmt: skip


def no_money(message: str) -> Refusal:
    """Give the refusal of a request above a budget: no 429, which SDKs would send again."""
    return Refusal(
        422, message, kind="budget_error", code="budget_exceeded",
        headers={"x-should-retry": "false"},
    )  # fmt: skip


def upstream_away(message: str, status: int = 502) -> Refusal:
    """Give the refusal where the strong model cannot be reached."""
    return Refusal(status, message, kind="server_error", code="upstream_unavailable")


def of_fault(fault: ToolwrightError) -> Refusal:
    """Give the refusal that an error of ours becomes."""
    status = 503 if fault.retryable else 500
    return Refusal(status, str(fault), kind="server_error", code=fault.code)


def gave_up(why: str) -> Refusal:
    """Give the refusal of a task that the agent could not solve; to ask again would not help."""
    return Refusal(
        422, f"The agent gave no answer: {why}.", code="agent_gave_up",
        headers={"x-should-retry": "false"},
    )  # fmt: skip
