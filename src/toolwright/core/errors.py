"""Every error that toolwright raises, as one tree.

    ToolwrightError
        ConfigError
        InputError
        ModelError
            ModelUnavailable
            ContextOverflow
        ToolError
            ToolNotFound
            ToolArgumentsError
        SandboxError
        StoreError
        MakerError
        LimitExceeded
        NoAnswer

Callers read ``code`` and ``retryable``, never the text. The text names the thing that was wrong,
says what was expected, and ends with the next step.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class ToolwrightError(Exception):
    """Root of the tree.

    Attributes:
        code: stable, kebab-case name of what went wrong.
        retryable: whether the same call may succeed later without any change.
    """

    code: str = "toolwright-error"
    retryable: bool = False

    def __init__(
        self, message: str, *, code: str | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class ConfigError(ToolwrightError):
    """A setting, a flag or a model URI is wrong or missing."""

    code = "config"


class InputError(ToolwrightError):
    """A file or a value that the user gave cannot be read as what it should be."""

    code = "input"


class ModelError(ToolwrightError):
    """A model endpoint gave no usable reply."""

    code = "model"


class ModelUnavailable(ModelError):
    """The endpoint is down, refuses for now, or timed out: trying later may help."""

    code = "model-unavailable"
    retryable = True


class ContextOverflow(ModelError):
    """The prompt is longer than the model can read."""

    code = "context-overflow"


class ToolError(ToolwrightError):
    """A tool cannot be called."""

    code = "tool"


class ToolNotFound(ToolError):
    """No tool of that name or version exists."""

    code = "tool-not-found"


class ToolArgumentsError(ToolError):
    """The arguments that a model wrote are no JSON object or break the tool's schema."""

    code = "tool-arguments"


class SandboxError(ToolwrightError):
    """The sandbox itself is broken or not to be had; code that fails inside it is a result, not this."""

    code = "sandbox"


class StoreError(ToolwrightError):
    """The store cannot be read or written; what it held before is untouched."""

    code = "store"


class MakerError(ToolwrightError):
    """No tool could be made; the making report says why."""

    code = "maker"


class LimitExceeded(ToolwrightError):
    """A limit that the user set (tokens, cost, time, calls) would be passed."""

    code = "limit"


class NoAnswer(ToolwrightError):
    """No tier may answer: no tool serves the request and no model is configured."""

    code = "no-answer"


def boundary(action: Callable[[], T], wrap: Callable[[Exception], ToolwrightError]) -> T:
    """Run ``action``; any fault that is not ours leaves as the error that ``wrap`` makes of it."""
    try:
        return action()
    except ToolwrightError:
        raise
    except Exception as fault:
        raise wrap(fault) from fault


async def aboundary(action: Awaitable[T], wrap: Callable[[Exception], ToolwrightError]) -> T:
    """Await ``action``; any fault that is not ours leaves as the error that ``wrap`` makes of it."""
    try:
        return await action
    except ToolwrightError:
        raise
    except Exception as fault:
        raise wrap(fault) from fault
