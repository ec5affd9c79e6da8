"""The sandbox: CPython in a fork server that confines itself, with one worker process a call.

Why a fork server: starting CPython and importing modules takes tens of milliseconds at every call; a
fork of a process that has already done both is far cheaper. The fork server (the *zygote*) imports
every allowed module once, confines itself, and forks workers ahead of time.

Why one worker a call: code that has run may have changed anything in its process. A process that is
thrown away needs no trust, and no call can see the data of another one.

Why resident workers (``call``): a fork costs more than a tool's answer. A verified program of one owner
may keep its process; ``residents`` says what such a process must not carry from one input to the next.

What is covered on Linux x86-64: a worker cannot open, list or stat a file, create a socket, a
process or a pipe, map executable memory, or use more time, memory or output than its limits; it
has no environment, no earlier caller's data, and is killed after its one reply. The kernel holds
all of this (seccomp and resource limits always; namespaces, an empty root, another user and
Landlock where the kernel grants them), not Python code inside.

Not covered: kernel bugs in the system calls that are allowed (memory, futex, clocks), side channels
of the processor, and answers that are simply wrong. For code from hostile tenants, put the whole
program in a virtual machine as well.
"""

import asyncio
import contextlib
import os
import signal
import time
from types import TracebackType

from toolmint.core.errors import SandboxError
from toolmint.core.sandbox import FunctionCall, Program, SandboxResult, SandboxRun
from toolmint.core.values import Value
from toolmint.sandbox.link import Link, Worker, WorkerExit, base_python
from toolmint.sandbox.resident import ResidentLost
from toolmint.sandbox.residents import ResidentLimits, Residents
from toolmint.sandbox.wire import ARCS_BYTES, HEADER, decode_reply, encode_compile, encode_run

_EXIT_SECONDS = 2.0  # how long the report of a worker's end is waited for
_READ_BYTES = 1 << 15
_KEPT_PROGRAMS = 512  # programs whose bytecode is kept
_FAULTY = "faulty"


class ForkServer:
    """A pool of one-call workers; start it with ``async with``.

    Args:
        concurrency: runs at the same time; None: the number of processors, at least 2.
        cpu_seconds: processor time of a worker.
        memory_bytes: memory that a worker may allocate beyond what it shares with the fork server.
        namespaces: leave the host's namespaces where the kernel allows it.
        hash_seed: of every worker; fixed, so that the order of sets is the same in each call.
        python: the interpreter; None: the one below any virtual environment.
        resident: when resident workers are replaced; with ``processes=0`` each call has a process of its own.
    """

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        cpu_seconds: int = 8,
        memory_bytes: int = 256 << 20,
        namespaces: bool = True,
        hash_seed: int = 0,
        python: str | None = None,
        resident: ResidentLimits | None = None,
    ) -> None:
        self.concurrency = concurrency or max(2, os.cpu_count() or 2)
        self._cpu_seconds, self._memory_bytes = cpu_seconds, memory_bytes
        self._namespaces, self._python = namespaces, python or base_python()
        self._hash_seed = hash_seed
        self._slots = asyncio.Semaphore(self.concurrency)
        self._starting = asyncio.Lock()
        self._resident_limits = resident or ResidentLimits()
        self.residents = Residents(self._resident_limits)
        self._link: Link | None = None
        self._seen: dict[str, str] = {}  # program -> "" (run once), its bytecode, or _FAULTY
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
        """Kill every process of the pool."""
        if self._link is not None:
            self.residents.clear()
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
        """Run one program in a worker of its own; see ``toolmint.core.sandbox.Sandbox``."""
        async with self._slots:
            code = None if run.describe else await self._code(run.source, arcs=run.arcs)
            return await self._retried(encode_run(run, code), run)

    async def call(self, program: Program, given: Value, owner: str) -> SandboxResult:
        """Answer an input, in a resident worker if it may; see ``toolmint.core.sandbox.Sandbox``."""
        # A limit of processor time holds in a resident worker because wall time holds it.
        slow = program.limits.seconds > self._cpu_seconds
        if self._resident_limits.processes == 0 or slow or program.key in self.residents.barred:
            return await self.run(program.run(given))
        for _ in range(2):
            link = self._link
            if link is None or link.broken:
                link = await self._linked()
            try:
                try:
                    answered = await self.residents.call(link, program, given, owner)
                except ResidentLost as lost:
                    mine = lost.resident.link  # of an earlier fork server, where that one died idle
                    mine.check()
                    if mine.broken:  # the fork server died, not this program
                        continue
                    return await self._lost(mine, lost)
            except SandboxError as fault:  # also while the reason of a worker's end is awaited
                if not fault.retryable:
                    raise
                continue
            if answered is not None:
                return answered
            break
        return await self.run(program.run(given))

    async def _lost(self, link: Link, lost: ResidentLost) -> SandboxResult:
        """Return the result of a call whose resident worker ended before its reply."""
        reason = lost.resident.gone
        if reason == "breach":
            return SandboxResult(
                status="output",
                error="breach",
                message="bytes that nobody asked for",
                seconds=lost.seconds,
            )
        status = "timeout" if reason == "timeout" else None
        started = time.perf_counter() - lost.seconds
        return await self._exited(link, lost.resident.worker, started, status)

    async def _code(self, source: str, *, arcs: bool) -> str | None:
        """Return the bytecode (base64) of a program that runs again; None for a first or faulty one.

        Compiling may take longer than the run itself. A program that runs once is not compiled twice:
        its bytecode is made at the second run, by a worker that compiles and does not run. The host
        keeps the bytecode and never unmarshals it, as ``marshal`` is not safe for untrusted bytes.
        """
        kept = f"{arcs} {source}"
        seen = self._seen.pop(kept, None)
        if seen is None:
            self._seen[kept] = ""
            if len(self._seen) > _KEPT_PROGRAMS:
                del self._seen[next(iter(self._seen))]
            return None
        if seen == "":
            run = SandboxRun(source=source, calls=(FunctionCall(function="compile"),))
            result = await self._retried(encode_compile(source, arcs=arcs), run)
            code = result.value[0] if result.status == "ok" else None
            seen = code if isinstance(code, str) else _FAULTY
        self._seen[kept] = seen
        return None if seen == _FAULTY else seen

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
        """Make one attempt; return None if the worker was gone before it could read the request."""
        link = await self._linked() if self._link is None or self._link.broken else self._link
        worker = await link.take()
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
            return reply._replace(seconds=time.perf_counter() - started)
        except TimeoutError:
            return await self._exited(link, worker, started, "timeout")
        except (EOFError, OSError):
            return await self._exited(link, worker, started, None)
        finally:
            link.finish(worker)

    async def _exited(
        self, link: Link, worker: Worker, started: float, status: str | None
    ) -> SandboxResult:
        """Return the result of a worker that sent no reply, from the exit status that the kernel reports.

        Nothing that the code inside claims is used: only the kernel knows which limit it hit.
        """
        seconds = time.perf_counter() - started
        link.finish(worker)
        ending: WorkerExit | None = None
        with contextlib.suppress(TimeoutError):
            ending = await asyncio.wait_for(asyncio.shield(worker.ended), _EXIT_SECONDS)
        cpu = ending.cpu_seconds if ending else None
        rss = ending.max_rss if ending else None
        if status == "timeout":
            return SandboxResult(
                status="timeout",
                error="timeout",
                message=f"stopped after {seconds:.2f} s",
                seconds=seconds,
                cpu_seconds=cpu,
                max_rss=rss,
            )
        word, message = _cause(ending, self._cpu_seconds)
        return SandboxResult(
            status="timeout" if word == "cpu time" else "killed",
            error=word,
            message=message,
            seconds=seconds,
            cpu_seconds=cpu,
            max_rss=rss,
        )


def _cause(ending: WorkerExit | None, cpu_limit: int) -> tuple[str, str]:
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
    """Read one frame, usually in one read; anything that the worker sends after it is ignored.

    The sizes are checked before the body is read, so that a worker cannot make the host allocate memory.
    """
    data = bytearray()
    await _fill(loop, worker, data, HEADER.size)
    body_size, out_size = HEADER.unpack_from(data)
    most = run.limits.result_bytes + (ARCS_BYTES if run.arcs else 0)
    if body_size < 1 or body_size > most + 1:
        size = max(0, body_size - 1)
        return SandboxResult(
            status="output",
            error="too large",
            message=f"a result of {size} bytes, {run.limits.result_bytes} are allowed",
        )
    if out_size > 4 * run.limits.stdout_bytes:
        return SandboxResult(status="output", error="too large", message="more print than is kept")
    start, end = HEADER.size, HEADER.size + body_size
    await _fill(loop, worker, data, end + out_size)
    body, printed = bytes(data[start + 1 : end]), bytes(data[end : end + out_size])
    return decode_reply(bytes(data[start : start + 1]), body, printed, run)


async def _fill(
    loop: asyncio.AbstractEventLoop, worker: Worker, data: bytearray, size: int
) -> None:
    while len(data) < size:
        part = await loop.sock_recv(worker.channel, _READ_BYTES)
        if not part:
            raise EOFError
        data += part
