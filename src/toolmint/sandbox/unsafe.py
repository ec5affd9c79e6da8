"""NOT a sandbox: one plain child process a call, for development where no real sandbox is available.

Code that runs here can read your files, use your network and outlive its call. It is never chosen
automatically: the user must set ``sandbox = "unsafe"``, and every start warns.
"""

import asyncio
import socket
import subprocess
import time
import warnings

from toolmint.core.sandbox import Program, SandboxResult, SandboxRun
from toolmint.core.values import Value
from toolmint.sandbox.link import GUEST_ENVIRONMENT, ROOT, base_python
from toolmint.sandbox.wire import ARCS_BYTES, HEADER, decode_reply, encode_run

_LAUNCH = (
    "import sys; sys.path.insert(0, {root!r}); "
    "from toolmint.sandbox.guest import worker; sys.path.pop(0); worker.serve_worker({channel})"
)


class UnsafeSandboxWarning(UserWarning):
    """Issued at every start of the unsafe engine."""


class UnsafeSubprocess:
    """Runs each program in a fresh interpreter with no protection but its own process."""

    def __init__(self) -> None:
        warnings.warn(
            "sandbox = 'unsafe': model-written code runs with all your rights",
            UnsafeSandboxWarning,
            stacklevel=2,
        )
        self.layers: dict[str, object] = {"unsafe": True}

    async def run(self, run: SandboxRun) -> SandboxResult:
        """Run one program without protection; see ``toolmint.core.sandbox.Sandbox``."""
        return await asyncio.to_thread(self._run, run)

    async def call(self, program: Program, given: Value, owner: str) -> SandboxResult:
        """Answer an input in a process of its own; see ``toolmint.core.sandbox.Sandbox``."""
        del owner
        return await self.run(program.run(given))

    def _run(self, run: SandboxRun) -> SandboxResult:
        started = time.perf_counter()
        ours, theirs = socket.socketpair()
        launch = _LAUNCH.format(root=ROOT, channel=theirs.fileno())
        with ours, theirs:
            process = subprocess.Popen(
                [base_python(), "-s", "-S", "-P", "-B", "-c", launch],
                env=GUEST_ENVIRONMENT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            theirs.close()
            ours.settimeout(run.limits.seconds)
            try:
                ours.sendall(encode_run(run))
                result = _reply(ours, run)
            except TimeoutError:
                result = SandboxResult(status="timeout", error="timeout", message="stopped")
            except OSError:
                result = SandboxResult(
                    status="killed", error="exit", message="died without a result"
                )
            finally:
                process.kill()
                process.wait()
        return result._replace(seconds=time.perf_counter() - started)

    def close(self) -> None:
        """Do nothing: no process is kept."""


def _reply(channel: socket.socket, run: SandboxRun) -> SandboxResult:
    with channel.makefile("rb") as stream:
        head = stream.read(HEADER.size)
        if len(head) < HEADER.size:
            raise OSError("no reply")
        body_size, out_size = HEADER.unpack(head)
        most = run.limits.result_bytes + (ARCS_BYTES if run.arcs else 0)
        if not 1 <= body_size <= most + 1 or out_size > 1 << 20:
            return SandboxResult(status="output", error="too large", message=f"{body_size} bytes")
        data = stream.read(body_size + out_size)
    if len(data) < body_size + out_size:
        raise OSError("a cut reply")
    return decode_reply(data[:1], data[1:body_size], data[body_size:], run)
