"""Runs every attack against a sandbox, as this user or as another; prints those that were not contained.

As a program: ``python -m tests.sandbox.siege CANARY [--user ID --python PATH] [--resident]``. Resident: each
attack is asked as a verified tool is, which keeps its process where its source may, and tools that try to
see their earlier calls are added.
"""

import argparse
import asyncio
import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from tests.sandbox.attacks import ATTACKS, Attack
from tests.sandbox.hostile import HostileTool
from tests.sandbox.stayers import STAYERS

from toolmint.core.sandbox import (
    FunctionCall,
    Given,
    Program,
    RunLimits,
    Sandbox,
    SandboxResult,
    SandboxRun,
)
from toolmint.core.values import Value
from toolmint.sandbox.forkserver import ForkServer

HONEST = SandboxRun(
    source="def f(x):\n    return sorted(x)\n",
    calls=(FunctionCall(function="f", arguments=([3, 1, 2],)),),
)


def contained(attack: Attack, result: SandboxResult) -> bool:
    """Return whether the outcome is right: one of those wanted, and never a true result."""
    if result.status == "ok" and any(result.value):
        return False
    return attack.want is None or result.status in attack.want


async def besiege(
    sandbox: Sandbox, attacks: Sequence[Attack], canary: Path, *, resident: bool = False
) -> list[str]:
    """Run attacks one by one, each followed by an honest call that must be right."""
    faults: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    head = f"CANARY = {str(canary)!r}\nPORT = {listener.getsockname()[1]}\n"
    before = canary.stat()
    for attack in attacks:
        calls, limits = (FunctionCall(function="f"),), RunLimits(seconds=0.6)
        if resident:
            tool = Program(source=head + attack.source, calls=calls, limits=limits)
            result = await sandbox.call(tool, None, "attacker")
        else:
            run = SandboxRun(source=head + attack.source, calls=calls, limits=limits)
            result = await sandbox.run(run)
        if not contained(attack, result):
            faults.append(f"{attack.group}/{attack.name}: {result}")
        honest = await sandbox.run(HONEST)
        if honest.value != ([1, 2, 3],):
            faults.append(f"after {attack.group}/{attack.name}: {honest}")
    after = canary.stat()
    if (before.st_mtime_ns, before.st_size, before.st_mode) != (
        after.st_mtime_ns,
        after.st_size,
        after.st_mode,
    ):
        faults.append("the canary was touched")
    try:
        listener.accept()
        faults.append("somebody connected")
    except BlockingIOError:
        pass
    finally:
        listener.close()
    return faults


def program_of(tool: HostileTool, known: Value = None) -> Program:
    """Return a hostile tool as a program whose ``f`` takes the input."""
    calls = (FunctionCall(function="f", arguments=(Given(),)),)
    return Program(source=tool.source, calls=calls, limits=RunLimits(seconds=2.0), known=known)


async def calls_that_saw_others(server: ForkServer, tool: HostileTool, count: int = 6) -> int:
    """Return how many of some calls saw an earlier one, and an honest call after each was still right."""
    saw = 0
    for number in range(count):
        result = await server.call(program_of(tool), number, "anna")
        saw += result.status == "ok" and bool(result.value[0])
    honest = await server.run(HONEST)
    return saw + (honest.value != ([1, 2, 3],))


async def _main(python: str | None, canary: Path, *, resident: bool) -> dict[str, object]:
    async with ForkServer(python=python) as sandbox:
        if not resident:
            return {"attacks": len(ATTACKS), "faults": await besiege(sandbox, ATTACKS, canary)}
        faults = await besiege(sandbox, ATTACKS, canary, resident=True)
        for tool in STAYERS:
            saw = await calls_that_saw_others(sandbox, tool)
            faults += [f"{tool.name}: {saw} calls saw another"] * bool(saw)
        return {"attacks": len(ATTACKS) + len(STAYERS), "faults": faults}


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("canary", type=Path)
    words.add_argument("--user", type=int, help="give up root first")
    words.add_argument("--python")
    words.add_argument("--resident", action="store_true")
    given = words.parse_args()
    if given.user is not None:
        os.setgroups([])
        os.setresgid(given.user, given.user, given.user)
        os.setresuid(given.user, given.user, given.user)
    os.environ["SECRET_KEY"] = "SECRET"
    found = asyncio.run(_main(given.python, given.canary, resident=given.resident))
    print(json.dumps({"user": os.getuid(), **found}))
