"""Runs every attack against a sandbox, as this user or as another; prints those that were not contained.

As a program: ``python -m tests.sandbox.siege CANARY [USER_ID PYTHON]`` gives up root first.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.sandbox.attacks import ATTACKS, Attack

from toolmint.core.sandbox import FunctionCall, RunLimits, Sandbox, SandboxResult, SandboxRun
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


async def besiege(sandbox: Sandbox, attacks: Sequence[Attack], canary: Path) -> list[str]:
    """Run attacks one by one, each followed by an honest call that must be right."""
    faults: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    head = f"CANARY = {str(canary)!r}\nPORT = {listener.getsockname()[1]}\n"
    before = canary.stat()
    for attack in attacks:
        run = SandboxRun(
            source=head + attack.source,
            calls=(FunctionCall(function="f"),),
            limits=RunLimits(seconds=0.6),
        )
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


async def _main(python: str | None, canary: Path) -> list[str]:
    async with ForkServer(python=python) as sandbox:
        return await besiege(sandbox, ATTACKS, canary)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    base = sys.argv[3] if len(sys.argv) > 3 else None
    if len(sys.argv) > 2:
        user = int(sys.argv[2])
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    os.environ["SECRET_KEY"] = "SECRET"
    print(json.dumps({"user": os.getuid(), "faults": asyncio.run(_main(base, place))}))
