"""The protocol of a sandbox, which runs model-written code."""

from typing import Literal, Protocol

from pydantic import Field

from toolmint.core.messages import Frozen
from toolmint.core.values import Value

SandboxStatus = Literal["ok", "error", "timeout", "memory", "output", "killed"]


class Ref(Frozen):
    """The result of an earlier call of the same run, by its index from 0."""

    ref: int = Field(ge=0)


class FunctionCall(Frozen):
    """One function of the program, called with JSON values or with results of earlier calls.

    Attributes:
        function: a name that the program defines at its top level.
        arguments: positional arguments.
        spread: an object (or a Ref to one) passed as keyword arguments.
        fresh: run in a new copy of the module, which sees nothing that an earlier call left behind.
        refuses: a result of None ends the run without an error, as its last result.
    """

    function: str
    arguments: tuple[Value | Ref, ...] = ()
    spread: dict[str, Value] | Ref | None = None
    fresh: bool = False
    refuses: bool = False


class RunLimits(Frozen):
    """Limits of one run: wall and processor seconds, bytes of new memory, of results and of print."""

    seconds: float = Field(default=4.0, gt=0)
    cpu_seconds: int = Field(default=2, ge=1)
    memory_bytes: int = Field(default=256 << 20, gt=0)
    result_bytes: int = Field(default=1 << 20, gt=0)
    stdout_bytes: int = Field(default=16 << 10, ge=0)


class SandboxRun(Frozen):
    """A program and the calls of its functions, all in one worker that is thrown away afterwards.

    ``rehearsal`` holds calls without private data, such as those of a demonstration. A sandbox may make
    them beforehand, in another copy of the module, in the worker that waits for its one run of this
    program; that warms the caches of the process. Their results are thrown away.
    """

    source: str
    calls: tuple[FunctionCall, ...] = ()
    limits: RunLimits = RunLimits()
    rehearsal: tuple[FunctionCall, ...] = ()


class SandboxResult(Frozen):
    """How a run ended, as the host saw it, never as the code inside claims.

    ``ok``: every call returned a JSON value. ``error``: the code raised. ``timeout``: wall or CPU
    time. ``memory``: the memory limit. ``output``: a result that is not strict JSON or is too large.
    ``killed``: the worker died (a signal, or an exit without a result).

    Attributes:
        value: one result a call, in order, where status is ``ok``; else empty.
        error: the exception's type if status is ``error``, else a short word.
        message: the exception's text with the tool's own frames, at most 2,000 characters.
        stdout: what the code printed, cut at the limit.
        seconds: wall time, measured by the host.
        cpu_seconds: processor time of the worker; None if unknown.
        max_rss: largest resident memory of the worker in bytes, pages shared with the fork server
            included; None if unknown.
    """

    status: SandboxStatus
    value: tuple[Value, ...] = ()
    error: str = ""
    message: str = ""
    stdout: str = ""
    seconds: float = 0.0
    cpu_seconds: float | None = None
    max_rss: int | None = None


class Sandbox(Protocol):
    """Runs code that nobody has reviewed."""

    async def run(self, run: SandboxRun) -> SandboxResult:
        """Run a program once, in a worker of its own.

        Raises:
            SandboxError: the sandbox itself is broken; a failing program is a result.
        """
        ...
