"""Examines the sandbox of this machine."""

from typing import NamedTuple

from toolmint.sandbox.forkserver import ForkServer
from toolmint.sandbox.selfcheck import Finding, check_sandbox


class Examination(NamedTuple):
    """The layers in force, and what each probe showed."""

    layers: dict[str, object]
    findings: list[Finding]


async def examine() -> Examination:
    """Start a sandbox and try every probe.

    Raises:
        SandboxError: no sandbox can be had on this machine.
    """
    async with ForkServer() as sandbox:
        return Examination(sandbox.layers, await check_sandbox(sandbox))
