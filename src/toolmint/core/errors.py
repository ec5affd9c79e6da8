"""Every error that toolmint raises, as one tree.

    ToolmintError
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
        HttpError
        UpstreamError
            UpstreamTimeout
        ClientLeft

Callers read ``code`` and ``retryable``, never the text. The text names the thing that was wrong,
says what was expected, and ends with the next step.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


class ToolmintError(Exception):
    """Root of the tree.

    Attributes:
        code: stable, kebab-case name of what went wrong.
        retryable: whether the same call may succeed later without any change.
    """

    code: str = "toolmint-error"
    retryable: bool = False

    def __init__(
        self, message: str, *, code: str | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class ConfigError(ToolmintError):
    """A setting, a flag or a model URI is wrong or missing."""

    code = "config"


class InputError(ToolmintError):
    """A file or a value that the user gave cannot be read as what it should be."""

    code = "input"


class ModelError(ToolmintError):
    """A model endpoint gave no usable reply."""

    code = "model"


class ModelUnavailable(ModelError):
    """The endpoint is down, refuses for now, or timed out: trying later may help."""

    code = "model-unavailable"
    retryable = True


class ContextOverflow(ModelError):
    """The prompt is longer than the model can read."""

    code = "context-overflow"


class ToolError(ToolmintError):
    """A tool cannot be called."""

    code = "tool"


class ToolNotFound(ToolError):
    """No tool of that name or version exists."""

    code = "tool-not-found"


class ToolArgumentsError(ToolError):
    """The arguments that a model wrote are no JSON object or break the tool's schema."""

    code = "tool-arguments"


class SandboxError(ToolmintError):
    """The sandbox itself is broken or not to be had; code that fails inside it is a result, not this."""

    code = "sandbox"


class StoreError(ToolmintError):
    """The store cannot be read or written; what it held before is untouched."""

    code = "store"


class MakerError(ToolmintError):
    """No tool could be made; the making report says why."""

    code = "maker"


class LimitExceeded(ToolmintError):
    """A limit that the user set (tokens, cost, time, calls) would be passed."""

    code = "limit"


class NoAnswer(ToolmintError):
    """No tier may answer: no tool serves the request and no model is configured."""

    code = "no-answer"


class HttpError(ToolmintError):
    """A gateway request that is answered with an HTTP error.

    Attributes:
        status: HTTP status.
        message: what was wrong and what was expected.
        kind: the error's ``type`` on the wire.
        param: the field that was wrong, or None.
        wire_code: the error's ``code`` on the wire, in OpenAI's spelling, or None.
        headers: additional response headers, such as ``retry-after``.
    """

    code = "http"

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
        super().__init__(message, code=code)
        self.status, self.message, self.kind = status, message, kind
        self.param, self.wire_code, self.headers = param, code, headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body, in the format that OpenAI's SDKs read."""
        return {
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.wire_code,
            }
        }


class UpstreamError(ToolmintError):
    """The upstream cannot be reached, or its answer broke off.

    Attributes:
        sent: the request may have reached it, and so may have been paid.
    """

    code = "upstream"
    retryable = True

    def __init__(self, message: str, *, code: str | None = None, sent: bool = True) -> None:
        super().__init__(message, code=code)
        self.sent = sent


class UpstreamTimeout(UpstreamError):
    """The upstream did not answer within the time limit."""

    code = "upstream-timeout"


class ClientLeft(ToolmintError):
    """The client closed its connection before it was answered."""

    code = "client-left"


def boundary(action: Callable[[], _T], wrap: Callable[[Exception], ToolmintError]) -> _T:
    """Run ``action``; any fault that is not ours leaves as the error that ``wrap`` makes of it."""
    try:
        return action()
    except ToolmintError:
        raise
    except Exception as fault:
        raise wrap(fault) from fault


async def aboundary(action: Awaitable[_T], wrap: Callable[[Exception], ToolmintError]) -> _T:
    """Await ``action``; any fault that is not ours leaves as the error that ``wrap`` makes of it."""
    try:
        return await action
    except ToolmintError:
        raise
    except Exception as fault:
        raise wrap(fault) from fault


async def contained(action: Awaitable[_T], wrap: Callable[[BaseException], ToolmintError]) -> _T:
    """Await code of somebody else: whatever it raises leaves as the error that ``wrap`` makes of it.

    Beyond ``aboundary``, this holds an exit of the program, a group of exceptions, and a cancellation that
    the code raised itself. A cancellation of the caller passes, and so does an interrupt of the user, which
    comes to the main thread alone.
    """
    try:
        return await action
    except ToolmintError:
        raise
    except BaseException as fault:
        if _is_the_callers(fault):
            raise
        raise wrap(fault) from fault


def _is_the_callers(fault: BaseException) -> bool:
    """Return whether an exception is the caller's: a cancellation, an interrupt, or that it was thrown away.

    A coroutine that is closed before its end gets a GeneratorExit, which it must let pass.
    """
    if isinstance(fault, GeneratorExit):
        return True
    import asyncio  # noqa: PLC0415 - a program that only reads an error need not load it
    import threading  # noqa: PLC0415

    if isinstance(fault, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    here = threading.current_thread()
    return isinstance(fault, KeyboardInterrupt) and here is threading.main_thread()


def outcome_of(action: Callable[[], _T]) -> tuple[_T | None, BaseException | None]:
    """Run code of somebody else and return its value, or whatever it raised, an exit included.

    For threads: an exit or a StopIteration would get lost or break the future that carries it.
    """
    try:
        return action(), None
    except BaseException as fault:  # noqa: BLE001 - it is handed on
        return None, fault
