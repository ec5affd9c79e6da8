"""Examines the sandbox of this machine."""

from typing import NamedTuple

from toolmint.core.sandbox import FunctionCall, Given, Program
from toolmint.sandbox.forkserver import ForkServer
from toolmint.sandbox.residents import most_processes
from toolmint.sandbox.selfcheck import Finding, check_sandbox

_PROGRAM = Program(
    source="def f(x):\n    return x + 1\n",
    calls=(FunctionCall(function="f", arguments=(Given(),)),),
)


class Examination(NamedTuple):
    """The layers in force, and what each probe showed.

    Attributes:
        resident_seconds: the median of 100 calls of a resident worker; None: it did not stay, or was wrong.
        most_residents: that this machine has memory for.
    """

    layers: dict[str, object]
    findings: list[Finding]
    resident_seconds: float | None
    most_residents: int


async def examine() -> Examination:
    """Start a sandbox and try every probe.

    Raises:
        SandboxError: no sandbox can be had on this machine.
    """
    async with ForkServer() as sandbox:
        found = await check_sandbox(sandbox)
        answers = [await sandbox.call(_PROGRAM, number, "doctor") for number in range(100)]
        right = all(one.value == (number + 1,) for number, one in enumerate(answers))
        seconds = sorted(one.seconds for one in answers)[len(answers) // 2]
        kept = right and len(sandbox.residents) == 1
        return Examination(sandbox.layers, found, seconds if kept else None, most_processes())
