"""The host's end of one fork server process: starts it, takes its workers, hears how they ended."""

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

from toolwright.core.errors import SandboxError

START_SECONDS = 20.0
LAUNCH = (
    "import sys; sys.path.insert(0, {root!r}); "
    "from toolwright.sandbox.guest import zygote; sys.path.pop(0); zygote.main()"
)
ROOT = str(Path(__file__).resolve().parents[2])
GUEST_ENVIRONMENT = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class Ending:
    """How a worker ended: wait status, CPU seconds, most resident bytes."""

    __slots__ = ("cpu_seconds", "max_rss", "status")

    def __init__(self, status: int, cpu_seconds: float, max_rss: int) -> None:
        self.status, self.cpu_seconds, self.max_rss = status, cpu_seconds, max_rss


class Worker:
    """A forked, caged process that waits for its one request."""

    __slots__ = ("channel", "ended", "finished", "number", "replaced")

    def __init__(self, number: int, channel: socket.socket) -> None:
        self.number, self.channel = number, channel
        self.finished = self.replaced = False
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()


def base_python() -> str:
    """Give the interpreter below any virtual environment, by its real path."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable) or sys.executable)


class Link:
    """A running fork server."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process, self._control = process, control
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[dict[str, object]] = self._loop.create_future()
        self._spares: deque[Worker] = deque()
        self._living: dict[int, Worker] = {}
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self.broken = False
        self._loop.add_reader(control.fileno(), self._hear)

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
        """Start a fork server with ``spares`` workers; gives it and the layers in force."""
        if sys.platform != "linux" or platform.machine() != "x86_64":
            raise SandboxError(
                f"the sandbox needs Linux on x86-64, this is {sys.platform} on {platform.machine()}; "
                "set sandbox = 'unsafe' only for code that you trust",
                code="sandbox-unavailable",
            )
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        launch = LAUNCH.format(root=ROOT)
        words = [theirs.fileno(), cpu_seconds, memory_bytes, int(namespaces)]
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: ASYNC220
                    [python, "-s", "-S", "-P", "-B", "-c", launch, *map(str, words)],
                    env=GUEST_ENVIRONMENT | {"PYTHONHASHSEED": str(hash_seed)},
                    pass_fds=[theirs.fileno()], cwd="/", stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
                )  # fmt: skip
            except OSError as fault:
                ours.close()
                raise SandboxError(
                    f"cannot start {python!r}: {fault}", code="sandbox-start"
                ) from fault
        link = cls(process, ours)
        try:
            layers = await asyncio.wait_for(link._ready, START_SECONDS)
        except (TimeoutError, SandboxError) as fault:
            raise SandboxError(
                f"the sandbox did not start: {link.close(tell=True) or fault}", code="sandbox-start"
            ) from fault
        for _ in range(spares):
            link.ask()
        return link, layers

    def ask(self) -> None:
        """Ask for one more worker."""
        self._send(b"N")

    def _send(self, message: bytes) -> None:
        try:
            self._control.send(message)
        except BlockingIOError:
            self._loop.call_later(0.001, self._send, message)
        except OSError:
            self._break()

    def _hear(self) -> None:
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
                    self._take(struct.unpack("!Q", message[1:])[0], descriptors[0])
                case b"X":
                    self._bury(*struct.unpack("!QidQ", message[1:]))
                case _:
                    self._break()

    def _take(self, number: int, descriptor: int) -> None:
        channel = socket.socket(fileno=descriptor)
        channel.setblocking(False)
        worker = Worker(number, channel)
        self._living[number] = worker
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(worker)
                return
        self._spares.append(worker)

    def _bury(self, number: int, status: int, cpu_seconds: float, max_rss: int) -> None:
        worker = self._living.pop(number, None)
        if worker is None:
            return
        if worker in self._spares:
            self._spares.remove(worker)
            worker.channel.close()
            self.ask()
        worker.ended.set_result(Ending(status, cpu_seconds, max_rss))

    def _break(self) -> None:
        if self.broken:
            return
        self.broken = True
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        fault = SandboxError("the fork server died", code="sandbox-died", retryable=True)
        for future in [self._ready, *self._waiting, *(w.ended for w in self._living.values())]:
            if not future.done():
                future.set_exception(fault)
                future.exception()
        for worker in self._spares:
            worker.channel.close()
        self._spares.clear()
        self._living.clear()

    def check(self) -> None:
        """Look whether the fork server still lives: its workers die with it, and may be seen dead before
        its socket closes, as a worker that is just being forked holds that open.
        """
        if self._process.poll() is not None:
            self._break()

    async def take(self) -> Worker:
        """Give a waiting worker; ``finish`` has the next one forked."""
        if self.broken:
            raise SandboxError("the fork server died", code="sandbox-died", retryable=True)
        if self._spares:
            return self._spares.popleft()
        waiting: asyncio.Future[Worker] = self._loop.create_future()
        self._waiting.append(waiting)
        return await waiting

    def spare(self) -> Worker | None:
        """Give a waiting worker to be prepared, with its replacement asked for now; None: too few wait."""
        if self.broken or len(self._spares) < 2:
            return None
        worker = self._spares.pop()
        worker.replaced = True
        self.ask()
        return worker

    def finish(self, worker: Worker) -> None:
        """Close a worker's socket, have it killed, whatever it is doing, and the next one forked.

        The fork comes after the reply, so that it takes no time from the call.
        """
        if worker.finished:
            return
        worker.finished = True
        worker.channel.close()
        if not self.broken:
            word = b"K" if worker.replaced else b"F"
            self._send(word + struct.pack("!Q", worker.number))

    def close(self, *, tell: bool = False) -> str:
        """End the fork server and all its workers; with ``tell``, give what it said as it failed."""
        self._break()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        self._process.kill()
        self._process.wait()
        said = b""
        if self._process.stderr is not None:
            if tell:
                said = self._process.stderr.read()[-600:]
            self._process.stderr.close()
        return said.decode("utf-8", "replace").strip()
