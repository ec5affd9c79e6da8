"""The protocol of a sandbox, which runs model-written code."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from pydantic import Field

from toolmint.core.messages import Frozen
from toolmint.core.values import Value, canonical

SandboxStatus = Literal["ok", "error", "timeout", "memory", "output", "killed"]


class Ref(Frozen):
    """The result of an earlier call of the same run, by its index from 0."""

    ref: int = Field(ge=0)


class Given(Frozen):
    """The place of the input in the calls of a ``Program``."""

    given: Literal[True] = True


class FunctionCall(Frozen):
    """One function of the program, called with JSON values or with results of earlier calls.

    Attributes:
        function: a name that the program defines at its top level.
        arguments: positional arguments.
        spread: an object (or a Ref to one, or Given) passed as keyword arguments.
        fresh: run in a new copy of the module, which sees nothing that an earlier call left behind.
        refuses: a result of None ends the run without an error, as its last result.
    """

    function: str
    arguments: tuple[Value | Ref | Given, ...] = ()
    spread: dict[str, Value] | Ref | Given | None = None
    fresh: bool = False
    refuses: bool = False


class RunLimits(Frozen):
    """Limits of one run: wall seconds, bytes of results and of print.

    Processor time and memory are limited for each process, by the sandbox itself.
    """

    seconds: float = Field(default=4.0, gt=0)
    result_bytes: int = Field(default=1 << 20, gt=0)
    stdout_bytes: int = Field(default=16 << 10, ge=0)


_USUAL_LIMITS = RunLimits()


class SandboxRun(Frozen):
    """A program and the calls of its functions, all in one worker that is thrown away afterwards.

    ``arcs``: the result tells which arcs of the program the calls took. ``describe``: the program does not
    run; the one result has what each of its arcs is, in words (``lines``), and its ``constants``.
    """

    source: str
    calls: tuple[FunctionCall, ...] = ()
    limits: RunLimits = _USUAL_LIMITS
    arcs: bool = False
    describe: bool = False


@dataclass(frozen=True)
class Program:
    """A verified program, with the calls that answer an input; it runs many times.

    Attributes:
        source: the module.
        calls: its calls; ``Given`` stands where the input goes.
        limits: of each run.
        known: an input whose results are known from a fresh process. A sandbox that keeps a process asks
            it again between other inputs, and compares. It must hold no private data.
        arcs: its results tell which arcs of the program were taken.
        omit: arcs that its results need not tell, in hexadecimal, as they are verified: what is not recorded
            costs nothing.
    """

    source: str
    calls: tuple[FunctionCall, ...]
    limits: RunLimits = _USUAL_LIMITS
    known: Value = None
    arcs: bool = False
    omit: str = ""

    @cached_property
    def key(self) -> str:
        """The digest of source and calls, and of what is recorded."""
        calls = canonical([one.model_dump(mode="json") for one in self.calls])
        what = f"{f'arcs {self.omit} ' if self.arcs else ''}{calls}\n{self.source}"
        return hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()

    def run(self, given: Value) -> SandboxRun:
        """Return the run that answers an input in a worker of its own."""
        calls = tuple(_filled(one, given) for one in self.calls)
        return SandboxRun(source=self.source, calls=calls, limits=self.limits, arcs=self.arcs)


def _filled(call: FunctionCall, given: Value) -> FunctionCall:
    arguments = tuple(given if isinstance(one, Given) else one for one in call.arguments)
    spread = given if isinstance(call.spread, Given) else call.spread
    return FunctionCall.model_validate(
        call.model_dump() | {"arguments": arguments, "spread": spread}
    )


class SandboxResult(NamedTuple):
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
        arcs: the arcs that were taken, where they were asked for and the status is ``ok``: a number in
            hexadecimal whose lowest bit is arc 0. The code inside could forge it.
    """

    status: SandboxStatus
    value: Sequence[Value] = ()
    error: str = ""
    message: str = ""
    stdout: str = ""
    seconds: float = 0.0
    cpu_seconds: float | None = None
    max_rss: int | None = None
    arcs: str = ""


class Sandbox(Protocol):
    """Runs code that nobody has reviewed."""

    async def run(self, run: SandboxRun) -> SandboxResult:
        """Run a program once, in a worker of its own.

        Raises:
            SandboxError: the sandbox itself is broken; a failing program is a result.
        """
        ...

    async def call(self, program: Program, given: Value, owner: str) -> SandboxResult:
        """Answer an input with a program that is verified.

        A process may be kept for later inputs of the same program and the same owner, never for two
        owners. The module is executed anew for each input.

        Args:
            program: what runs.
            given: the input.
            owner: whose inputs these are: the asking tenant.

        Raises:
            SandboxError: the sandbox itself is broken; a failing program is a result.
        """
        ...
