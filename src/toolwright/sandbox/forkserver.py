"""The primary sandbox: real CPython in a fork server that cages itself, one worker a call.

What is covered on Linux x86-64: a worker cannot open, list or stat a file, create a socket, a
process or a pipe, map executable memory, or use more time, memory or output than its limits; it
has no environment, no earlier caller's data, and is killed after its one reply. The kernel holds
all of this (seccomp and resource limits always; namespaces, an empty root, another user and
Landlock where the kernel grants them), not Python code inside.

What no layer here covers: faults of the kernel in the calls that are allowed (memory, futex,
clocks), side channels of the processor, and answers that are simply wrong. For code from hostile
tenants put the whole program in a virtual machine as well.
"""

import asyncio
import contextlib
import os
import signal
import time
from types import TracebackType

from toolwright.core.errors import SandboxError
from toolwright.core.sandbox import FunctionCall, SandboxResult, SandboxRun
from toolwright.sandbox.link import Ending, Link, Worker, base_python
from toolwright.sandbox.rehearsal import Rehearsed
from toolwright.sandbox.wire import HEADER, decode, encode, encode_compile

ENDING_SECONDS = 2.0
READ_BYTES = 1 << 15
KEPT_PROGRAMS = 512
REHEARSED = 16
FAULTY = "faulty"


class ForkServer:
    """A pool of one-call workers; start it with ``async with``."""

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        cpu_seconds: int = 8,
        memory_bytes: int = 256 << 20,
        namespaces: bool = True,
        hash_seed: int = 0,
        python: str | None = None,
    ) -> None:
        self.concurrency = concurrency or max(2, os.cpu_count() or 2)
        self._cpu_seconds, self._memory_bytes = cpu_seconds, memory_bytes
        self._namespaces, self._python = namespaces, python or base_python()
        self._hash_seed = hash_seed
        self._slots = asyncio.Semaphore(self.concurrency)
        self._starting = asyncio.Lock()
        self._rehearsed = Rehearsed(REHEARSED)
        self._link: Link | None = None
        self._seen: dict[str, str] = {}  # program -> "" (run once), its bytecode, or FAULTY
        self.layers: dict[str, object] = {}

    async def __aenter__(self) -> "ForkServer":
        await self._linked()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the pool."""
        if self._link is not None:
            self._rehearsed.clear()
            self._link.close()
            self._link = None

    async def _linked(self) -> Link:
        async with self._starting:
            if self._link is not None and self._link.broken:
                self._link.close()
                self._link = None
            if self._link is None:
                self._link, self.layers = await Link.start(
                    python=self._python,
                    cpu_seconds=self._cpu_seconds,
                    memory_bytes=self._memory_bytes,
                    spares=self.concurrency + 2,
                    namespaces=self._namespaces,
                    hash_seed=self._hash_seed,
                )
            return self._link

    async def run(self, run: SandboxRun) -> SandboxResult:
        """Run one program; see ``toolwright.core.sandbox.Sandbox``."""
        async with self._slots:
            code = await self._code(run.source)
            result = await self._retried(encode(run, code), run)
            idle = not self._slots.locked()  # a rehearsal costs a core what the run costs
            if code is not None and run.rehearsal and idle and self._link is not None:
                self._rehearsed.prepare(self._link, run, code)
            return result

    async def _code(self, source: str) -> str | None:
        """Give the bytecode of a program that runs again, base64; None for a first or faulty one.

        It was made by a worker that compiled and did not run; the host never reads it.
        """
        seen = self._seen.pop(source, None)
        if seen is None:
            self._seen[source] = ""
            if len(self._seen) > KEPT_PROGRAMS:
                del self._seen[next(iter(self._seen))]
            return None
        if seen == "":
            run = SandboxRun(source=source, calls=(FunctionCall(function="compile"),))
            result = await self._retried(encode_compile(source), run)
            code = result.value[0] if result.status == "ok" else None
            seen = code if isinstance(code, str) else FAULTY
        self._seen[source] = seen
        return None if seen == FAULTY else seen

    async def _retried(self, frame: bytes, run: SandboxRun) -> SandboxResult:
        for _ in range(3):
            try:
                result = await self._once(frame, run)
            except SandboxError as fault:
                if not fault.retryable:
                    raise
                continue
            if result is not None:
                return result
        raise SandboxError("workers keep dying before they start", code="sandbox-died")

    async def _once(self, frame: bytes, run: SandboxRun) -> SandboxResult | None:
        """One attempt; None where the worker had gone before it could read the request."""
        link = await self._linked() if self._link is None or self._link.broken else self._link
        worker = self._rehearsed.take(link, run.source) or await link.take()
        started = time.perf_counter()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(run.limits.seconds):
                try:
                    await loop.sock_sendall(worker.channel, frame)
                except OSError:
                    link.check()
                    return None
                reply = await _read_frame(loop, worker, run)
            return reply.model_copy(update={"seconds": time.perf_counter() - started})
        except TimeoutError:
            return await self._ended(link, worker, started, "timeout")
        except (EOFError, OSError):
            if worker.replaced:  # the rehearsal may have killed it: a fresh worker says
                self._rehearsed.refuse(run.source)
                link.check()
                return None
            return await self._ended(link, worker, started, None)
        finally:
            link.finish(worker)

    async def _ended(
        self, link: Link, worker: Worker, started: float, status: str | None
    ) -> SandboxResult | None:
        """Say how a worker without a reply ended, from what the kernel reports."""
        seconds = time.perf_counter() - started
        link.finish(worker)
        ending: Ending | None = None
        with contextlib.suppress(TimeoutError):
            ending = await asyncio.wait_for(asyncio.shield(worker.ended), ENDING_SECONDS)
        cpu = ending.cpu_seconds if ending else None
        rss = ending.max_rss if ending else None
        if status == "timeout":
            return SandboxResult(
                status="timeout", error="timeout", message=f"stopped after {seconds:.2f} s",
                seconds=seconds, cpu_seconds=cpu, max_rss=rss,
            )  # fmt: skip
        word, message = _cause(ending, self._cpu_seconds)
        return SandboxResult(
            status="timeout" if word == "cpu time" else "killed", error=word, message=message,
            seconds=seconds, cpu_seconds=cpu, max_rss=rss,
        )  # fmt: skip


def _cause(ending: Ending | None, cpu_limit: int) -> tuple[str, str]:
    if ending is None:
        return "unknown", "the worker closed its channel and lived on"
    if not os.WIFSIGNALED(ending.status):
        return "exit", f"ended with exit code {os.WEXITSTATUS(ending.status)} and no result"
    number = os.WTERMSIG(ending.status)
    if number == signal.SIGXCPU or (number == signal.SIGKILL and ending.cpu_seconds >= cpu_limit):
        return "cpu time", f"more than {cpu_limit} s of processor time"
    if number == signal.SIGSYS:
        return "forbidden", "a system call that no tool may make"
    return "signal", f"killed by {signal.Signals(number).name}"


async def _read_frame(
    loop: asyncio.AbstractEventLoop, worker: Worker, run: SandboxRun
) -> SandboxResult:
    """Read one frame, usually in one go; what a worker sends after it is not looked at."""
    data = bytearray()
    await _fill(loop, worker, data, HEADER.size)
    body_size, out_size = HEADER.unpack_from(data)
    if body_size < 1 or body_size > run.limits.result_bytes + 1:
        size = max(0, body_size - 1)
        return SandboxResult(
            status="output", error="too large",
            message=f"a result of {size} bytes, {run.limits.result_bytes} are allowed",
        )  # fmt: skip
    if out_size > 4 * run.limits.stdout_bytes:
        return SandboxResult(status="output", error="too large", message="more print than is kept")
    start, end = HEADER.size, HEADER.size + body_size
    await _fill(loop, worker, data, end + out_size)
    body, printed = bytes(data[start + 1 : end]), bytes(data[end : end + out_size])
    return decode(bytes(data[start : start + 1]), body, printed, run)


async def _fill(
    loop: asyncio.AbstractEventLoop, worker: Worker, data: bytearray, size: int
) -> None:
    while len(data) < size:
        part = await loop.sock_recv(worker.channel, READ_BYTES)
        if not part:
            raise EOFError
        data += part
