"""What an endpoint says when it refuses for now."""

from toolwright.core.errors import ModelUnavailable


class RetryAfter(ModelUnavailable):
    """The endpoint refused for now; ``seconds`` is its own advice, where it gave any."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds
