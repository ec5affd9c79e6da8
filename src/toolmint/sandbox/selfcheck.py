"""Probes that any sandbox must pass: small attacks and honest programs, each with one right outcome.

They run on the real machine, at start or from ``toolmint doctor``: kernels differ in what they grant,
so what is in force can only be found by trying.
"""

from collections.abc import Callable
from typing import NamedTuple

from toolmint.core.sandbox import FunctionCall, RunLimits, Sandbox, SandboxResult, SandboxRun


class Probe(NamedTuple):
    """A function body and the check of its outcome."""

    name: str
    body: str
    passes: Callable[[SandboxResult], bool]


class Finding(NamedTuple):
    """The outcome of one probe; ``passed`` says that it was the expected one."""

    name: str
    passed: bool
    seen: str


def _refused(result: SandboxResult) -> bool:
    return result.status in {"error", "killed"}


def _computed(result: SandboxResult) -> bool:
    return result.status == "ok" and result.value == (45,)


def _out_of_memory(result: SandboxResult) -> bool:
    return result.status == "memory"


def _no_json(result: SandboxResult) -> bool:
    return result.status == "output"


def _killed(result: SandboxResult) -> bool:
    return result.status == "killed"


def _ended(result: SandboxResult) -> bool:
    return result.status in {"timeout", "killed"}


def _small(result: SandboxResult) -> bool:
    """Return whether the environment contains only the three fixed variables of the guest."""
    if result.status != "ok":
        return True
    found = result.value[0]
    return isinstance(found, dict) and set(found) <= {"PYTHONHASHSEED", "LC_ALL", "TZ"}


PROBES: tuple[Probe, ...] = (
    Probe("computes", "return sum(range(10))", _computed),
    Probe("reads no file", "return open('/etc/hostname').read()", _refused),
    Probe("lists no directory", "import os; return os.listdir('/')", _refused),
    Probe("stats no file", "import os; return os.stat('/etc/passwd').st_size", _refused),
    Probe("writes no file", "open('/tmp/canary', 'w').write('x')", _refused),
    Probe("sees no environment", "import os; return dict(os.environ)", _small),
    Probe("opens no socket", "import socket; socket.socket().connect(('127.0.0.1', 9))", _refused),
    Probe("starts no process", "import os; return os.fork()", _refused),
    Probe("executes nothing", "import os; os.execv('/bin/sh', ['sh'])", _refused),
    Probe("kills nobody", "import os; os.kill(os.getppid() or 1, 9)", _refused),
    Probe("ends in time", "\n    while True: pass", _ended),
    Probe("holds its memory", "return len(bytearray(1 << 31))", _out_of_memory),
    Probe("returns JSON only", "return float('nan')", _no_json),
    Probe("exits without effect", "import os; os._exit(0)", _killed),
)


async def check_sandbox(sandbox: Sandbox, probes: tuple[Probe, ...] = PROBES) -> list[Finding]:
    """Run every probe and return the findings in order.

    Raises:
        SandboxError: the sandbox itself is broken.
    """
    findings: list[Finding] = []
    for probe in probes:
        run = SandboxRun(
            source=f"def f():\n    {probe.body}\n",
            calls=(FunctionCall(function="f"),),
            limits=RunLimits(seconds=0.5),
        )
        result = await sandbox.run(run)
        seen = result.status if result.status == "ok" else f"{result.status}: {result.message[:80]}"
        findings.append(Finding(probe.name, probe.passes(result), seen))
    return findings
