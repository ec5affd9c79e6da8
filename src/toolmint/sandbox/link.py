"""The host's end of one fork server process: starts it, takes its workers, learns how they ended."""

import asyncio
import contextlib
import json
import os
import platform
import socket
import struct
import subprocess
import sys
from collections import deque
from pathlib import Path

from toolmint.core.errors import SandboxError

_START_SECONDS = 20.0
_LAUNCH = (
    "import sys; sys.path.insert(0, {root!r}); "
    "from toolmint.sandbox.guest import zygote; sys.path.pop(0); zygote.run_zygote()"
)
ROOT = str(Path(__file__).resolve().parents[2])
GUEST_ENVIRONMENT = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class WorkerExit:
    """How a worker ended: wait status, processor seconds, largest resident memory in bytes.

    The resident memory includes the pages shared with the fork server, so it does not say what the tool
    itself allocated; the memory limit is therefore set on the address space (see ``zygote``).
    """

    __slots__ = ("cpu_seconds", "max_rss", "status")

    def __init__(self, status: int, cpu_seconds: float, max_rss: int) -> None:
        self.status, self.cpu_seconds, self.max_rss = status, cpu_seconds, max_rss


class Worker:
    """A forked and confined process that waits for its first request.

    ``resident`` says that it may serve many requests of one program.
    """

    __slots__ = ("channel", "ended", "finished", "number", "resident")

    def __init__(self, number: int, channel: socket.socket, *, resident: bool) -> None:
        self.number, self.channel, self.resident = number, channel, resident
        self.finished = False
        self.ended: asyncio.Future[WorkerExit] = asyncio.get_running_loop().create_future()


def base_python() -> str:
    """Return the real path of the interpreter below any virtual environment.

    The guest must not see the packages of the host's environment.
    """
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable) or sys.executable)


class Link:
    """A running fork server and its waiting workers."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process, self._control = process, control
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[dict[str, object]] = self._loop.create_future()
        # By whether they may be resident: the kernel's limits of the two kinds differ.
        self._spares: dict[bool, deque[Worker]] = {False: deque(), True: deque()}
        self._waiting: dict[bool, deque[asyncio.Future[Worker]]] = {False: deque(), True: deque()}
        self._coming = {False: 0, True: 0}  # asked for, and not here yet
        self._living: dict[int, Worker] = {}
        self.broken = False
        self._loop.add_reader(control.fileno(), self._receive)

    @classmethod
    async def start(
        cls,
        *,
        python: str,
        cpu_seconds: int,
        memory_bytes: int,
        spares: int,
        namespaces: bool,
        hash_seed: int,
    ) -> tuple["Link", dict[str, object]]:
        """Start a fork server with ``spares`` waiting workers; return it and the layers in force.

        Raises:
            SandboxError: the machine is not Linux on x86-64, or the fork server did not start.
        """
        if sys.platform != "linux" or platform.machine() != "x86_64":
            raise SandboxError(
                f"the sandbox needs Linux on x86-64, this is {sys.platform} on {platform.machine()}; "
                "set sandbox = 'unsafe' only for code that you trust",
                code="sandbox-unavailable",
            )
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        launch = _LAUNCH.format(root=ROOT)
        words = [theirs.fileno(), cpu_seconds, memory_bytes, int(namespaces)]
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: ASYNC220
                    [python, "-s", "-S", "-P", "-B", "-c", launch, *map(str, words)],
                    env=GUEST_ENVIRONMENT | {"PYTHONHASHSEED": str(hash_seed)},
                    pass_fds=[theirs.fileno()],
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as fault:
                ours.close()
                raise SandboxError(
                    f"cannot start {python!r}: {fault}", code="sandbox-start"
                ) from fault
        link = cls(process, ours)
        try:
            layers = await asyncio.wait_for(link._ready, _START_SECONDS)
        except (TimeoutError, SandboxError) as fault:
            raise SandboxError(
                f"the sandbox did not start: {link.close(notify=True) or fault}",
                code="sandbox-start",
            ) from fault
        for _ in range(spares):
            link.ask()
        return link, layers

    def ask(self, *, resident: bool = False) -> None:
        """Ask the fork server for one more worker."""
        self._coming[resident] += 1
        self._send(b"R" if resident else b"N")

    def _send(self, message: bytes) -> None:
        try:
            self._control.send(message)
        except BlockingIOError:
            self._loop.call_later(0.001, self._send, message)
        except OSError:
            self._break()

    def _receive(self) -> None:
        while not self.broken:
            try:
                message, descriptors, _, _ = socket.recv_fds(self._control, 4096, 1)
            except BlockingIOError:
                return
            except OSError:
                message, descriptors = b"", []
            match message[:1]:
                case b"R":
                    self._ready.set_result(json.loads(message[1:]))
                case b"W":
                    self._add(*struct.unpack("!Q?", message[1:]), descriptors[0])
                case b"X":
                    self._remove(*struct.unpack("!QidQ", message[1:]))
                case _:
                    self._break()

    def _add(self, number: int, resident: bool, descriptor: int) -> None:  # noqa: FBT001 - as received
        channel = socket.socket(fileno=descriptor)
        channel.setblocking(False)
        worker = Worker(number, channel, resident=resident)
        self._living[number] = worker
        self._coming[resident] -= 1
        queue = self._waiting[resident]
        while queue:
            waiting = queue.popleft()
            if not waiting.done():
                waiting.set_result(worker)
                return
        self._spares[resident].append(worker)

    def _remove(self, number: int, status: int, cpu_seconds: float, max_rss: int) -> None:
        worker = self._living.pop(number, None)
        if worker is None:
            return
        spares = self._spares[worker.resident]
        if worker in spares:
            spares.remove(worker)
            worker.channel.close()
            self.ask(resident=worker.resident)
        worker.ended.set_result(WorkerExit(status, cpu_seconds, max_rss))

    def _break(self) -> None:
        if self.broken:
            return
        self.broken = True
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        fault = SandboxError("the fork server died", code="sandbox-died", retryable=True)
        waiting = [*self._waiting[False], *self._waiting[True]]
        for future in [self._ready, *waiting, *(w.ended for w in self._living.values())]:
            if not future.done():
                future.set_exception(fault)
                future.exception()
        for spares in self._spares.values():
            for worker in spares:
                worker.channel.close()
            spares.clear()
        self._living.clear()

    def check(self) -> None:
        """Mark the link as broken if the fork server has ended.

        Its workers die with it, and may be seen dead before its socket closes, because a worker that is
        just being forked still has that socket open.
        """
        if self._process.poll() is not None:
            self._break()

    async def take(self, *, resident: bool = False) -> Worker:
        """Return a waiting worker.

        The next one is asked for by ``finish``; where workers are resident, which live long, at once.

        Raises:
            SandboxError: the fork server died (retryable).
        """
        if self.broken:
            raise SandboxError("the fork server died", code="sandbox-died", retryable=True)
        spares = self._spares[resident]
        worker = spares.popleft() if spares else None
        waiting: asyncio.Future[Worker] = self._loop.create_future()
        if worker is None:
            self._waiting[resident].append(waiting)
        # One waits ready from the first resident worker on; a host without any pays for none.
        while resident and len(spares) + self._coming[True] < len(self._waiting[True]) + 1:
            self.ask(resident=True)
        return worker or await waiting

    def finish(self, worker: Worker) -> None:
        """Close a worker's socket and have the worker killed; the next one is forked in its place.

        The fork comes after the reply, so it adds nothing to the latency of the call. A resident worker has
        been replaced when it was taken.
        """
        if worker.finished:
            return
        worker.finished = True
        worker.channel.close()
        if not self.broken:
            word = b"K" if worker.resident else b"F"
            self._coming[False] += not worker.resident
            self._send(word + struct.pack("!Q", worker.number))

    @property
    def pid(self) -> int:
        """The process id of the fork server."""
        return self._process.pid

    def kill(self, worker: Worker) -> None:
        """Have a worker killed."""
        self._send(b"K" + struct.pack("!Q", worker.number))

    def close(self, *, notify: bool = False) -> str:
        """Kill the fork server and its workers; with ``notify``, return the end of its error output."""
        self._break()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        self._process.kill()
        self._process.wait()
        said = b""
        if self._process.stderr is not None:
            if notify:
                said = self._process.stderr.read()[-600:]
            self._process.stderr.close()
        return said.decode("utf-8", "replace").strip()
