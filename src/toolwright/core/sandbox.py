"""The protocol of the place where model-written code runs."""

from typing import Literal, Protocol

from pydantic import Field

from toolwright.core.messages import Frozen
from toolwright.core.values import Value

SandboxStatus = Literal["ok", "error", "timeout", "memory", "output", "killed"]


class Ref(Frozen):
    """Stands for the result of an earlier call of the same run, counted from 0."""

    ref: int = Field(ge=0)


class FunctionCall(Frozen):
    """One function of the program, called with JSON values or with results of earlier calls.

    Attributes:
        function: a name that the program defines at its top level.
        arguments: positional arguments.
        spread: an object (or a Ref to one) passed as keyword arguments.
        fresh: run in a new copy of the module, so that nothing an earlier call left behind is seen.
        refuses: None means refusal: the run ends there, in order, with None as the last result.
    """

    function: str
    arguments: tuple[Value | Ref, ...] = ()
    spread: dict[str, Value] | Ref | None = None
    fresh: bool = False
    refuses: bool = False


class RunLimits(Frozen):
    """What one run may use: wall seconds, CPU seconds, bytes of new memory, bytes of result and of print."""

    seconds: float = Field(default=4.0, gt=0)
    cpu_seconds: int = Field(default=2, ge=1)
    memory_bytes: int = Field(default=256 << 20, gt=0)
    result_bytes: int = Field(default=1 << 20, gt=0)
    stdout_bytes: int = Field(default=16 << 10, ge=0)


class SandboxRun(Frozen):
    """A program and the calls to make of it, all in one worker that is thrown away afterwards.

    ``rehearsal`` are calls without private data, such as those of a demonstration. A sandbox may make them
    in a worker that waits for its one run of this program, in another copy of the module, so that what
    the process caches (patterns, memory pages) is warm; what they give is thrown away.
    """

    source: str
    calls: tuple[FunctionCall, ...] = ()
    limits: RunLimits = RunLimits()
    rehearsal: tuple[FunctionCall, ...] = ()


class SandboxResult(Frozen):
    """How a run ended, as the host saw it; never as the code inside claims.

    ``ok``: every call returned a JSON value. ``error``: the code raised. ``timeout``: wall or CPU
    time. ``memory``: the memory limit. ``output``: a result that is no strict JSON or is too large.
    ``killed``: the worker died (a signal, or an exit without a result).

    Attributes:
        value: one result a call, in order, where status is ``ok``; else empty.
        error: the exception's type, where status is ``error``; a short word for the other faults.
        message: the exception's text with the tool's own frames, at most 2,000 characters.
        stdout: what the code printed, cut at the limit.
        seconds: wall time that the host saw.
        cpu_seconds: processor time of the worker, where known.
        max_rss: most resident memory of the worker in bytes, where known.
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
    """Runs code that nobody has read."""

    async def run(self, run: SandboxRun) -> SandboxResult:
        """Run a program once, in a worker of its own.

        Raises:
            SandboxError: the sandbox itself is broken; a failing program is a result.
        """
        ...
