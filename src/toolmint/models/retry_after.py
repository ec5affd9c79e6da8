"""The error of an endpoint that asks to try again later."""

from toolmint.core.errors import ModelUnavailable


class RetryAfter(ModelUnavailable):
    """The endpoint is temporarily unavailable.

    Attributes:
        seconds: its ``retry-after`` header; None where it sent none.
    """

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds
