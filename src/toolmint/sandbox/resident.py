"""The host's end of one resident worker: one request at a time, one frame each way."""

import asyncio
import json
import os
import struct
import time
from collections.abc import Callable
from typing import NamedTuple

from toolmint.core.sandbox import Program, SandboxResult
from toolmint.core.values import Value
from toolmint.sandbox.link import Link, Worker
from toolmint.sandbox.wire import ARCS_BYTES, decode_results, encode_setup

_REQUEST, _REPLY = struct.Struct("!8sI"), struct.Struct("!8sIIII")
_READ_BYTES = 1 << 16


class Reply(NamedTuple):
    """A frame of a resident worker: its kind, its body, its print.

    ``O`` results, ``A`` arcs and results, ``E`` the code raised, ``B`` a result that is not JSON, ``N`` the
    program may not be resident, ``S`` a call left something behind, ``L`` larger than allowed.
    """

    kind: bytes
    body: bytes
    printed: bytes


class ResidentWorker:
    """A process that answers inputs of one program for one owner.

    The worker is not trusted: a frame counts only where a request is open and the frame carries the token
    of that request. Any other byte ends the process.

    Args:
        link: the fork server that forked it.
        worker: the process.
        program: what it runs.
        owner: whose inputs it sees.
        lost: called once, when it cannot be used any longer: with itself and the reason.
    """

    __slots__ = (
        "_data",
        "_loop",
        "_lost",
        "_setup",
        "_token",
        "_waiting",
        "calls",
        "cpu_seconds",
        "deadline",
        "gone",
        "link",
        "owner",
        "program",
        "rss",
        "since",
        "start_rss",
        "worker",
    )

    def __init__(
        self,
        link: Link,
        worker: Worker,
        program: Program,
        owner: str,
        lost: Callable[["ResidentWorker", str], None],
    ) -> None:
        self.link, self.worker, self.program, self.owner = link, worker, program, owner
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._data = bytearray()
        self._token = b""
        self._waiting: asyncio.Future[Reply] | None = None
        self._setup = encode_setup(program)
        self.calls, self.cpu_seconds, self.rss, self.start_rss = 0, 0.0, 0, 0
        self.since = time.monotonic()
        self.deadline = float("inf")
        self.gone = ""
        self._loop.add_reader(worker.channel.fileno(), self._readable)

    def ask(self, given: Value) -> "asyncio.Future[Reply]":
        """Send an input; the future gets the reply, or EOFError where the process ends before it.

        Only where no other request is open.
        """
        body = json.dumps(given).encode()
        # Random, so that code that ran before cannot know the token of a later request.
        self._token = os.urandom(8)
        frame = _REQUEST.pack(self._token, len(body)) + body
        if self._setup:
            frame, self._setup = self._setup + frame, b""
        self.calls += 1
        self.since = time.monotonic()
        self.deadline = self.since + self.program.limits.seconds
        waiting: asyncio.Future[Reply] = self._loop.create_future()
        self._waiting = waiting
        self._send(frame)
        return waiting

    def _send(self, frame: bytes) -> None:
        try:
            sent = self.worker.channel.send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.end("died")
            return
        if sent < len(frame):  # larger than the socket's buffer, which the worker empties
            rest = frame[sent:]
            self._loop.add_writer(self.worker.channel.fileno(), self._send_more, rest)

    def _send_more(self, rest: bytes) -> None:
        self._loop.remove_writer(self.worker.channel.fileno())
        if not self.gone:
            self._send(rest)

    def _readable(self) -> None:
        try:
            data = self.worker.channel.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end("died")
            return
        self._data += data
        if len(self._data) >= _REPLY.size:
            self._parse()

    def _parse(self) -> None:
        token, size, printed, cpu, rss = _REPLY.unpack_from(self._data)
        limits = self.program.limits
        if self._waiting is None or token != self._token:
            told = self._told(token, size)
            if told is not None:
                self.end(told)
            return
        most = limits.result_bytes + (ARCS_BYTES if self.program.arcs else 0)
        if size < 1 or size > most + 1 or printed > 4 * limits.stdout_bytes:
            # Never read: a worker cannot make the host allocate memory.
            self._reply(Reply(b"L", str(max(0, size - 1)).encode(), b""))
            self.end("output")
            return
        end = _REPLY.size + size + printed
        if len(self._data) < end:
            return
        frame = bytes(self._data)
        if len(frame) > end:
            self.end("breach")
            return
        self._data.clear()
        self.cpu_seconds, self.rss = cpu / 1e6, rss << 10
        self.start_rss = self.start_rss or self.rss
        self.since = time.monotonic()
        self.deadline, self._token = float("inf"), b""
        start = _REPLY.size
        self._reply(
            Reply(
                frame[start : start + 1], frame[start + 1 : start + size], frame[start + size : end]
            )
        )

    def _reply(self, reply: Reply) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():  # done: it was cancelled a moment ago
            waiting.set_result(reply)

    def _told(self, token: bytes, size: int) -> str | None:
        """Return why a frame that was not asked for came; None: more of it has to come first."""
        if token.strip(b"\0") or size > 4096:
            return "breach"
        if len(self._data) < _REPLY.size + size:
            return None
        said = bytes(self._data[_REPLY.size : _REPLY.size + size])
        return f"state: {said[1:].decode('utf-8', 'replace')}" if said[:1] == b"S" else "breach"

    def end(self, why: str) -> None:
        """Kill the process. A request that is open fails with EOFError."""
        if self.gone:
            return
        self.gone = why
        descriptor = self.worker.channel.fileno()
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)
        self.link.finish(self.worker)
        waiting, self._waiting = self._waiting, None
        self._lost(self, why)
        if waiting is not None and not waiting.done():
            waiting.set_exception(EOFError(why))


class ResidentLost(EOFError):
    """A resident worker ended before its reply."""

    def __init__(self, resident: ResidentWorker, seconds: float) -> None:
        super().__init__(resident.gone)
        self.resident, self.seconds = resident, seconds


def read_reply(reply: Reply, program: Program) -> SandboxResult:
    """Return the result that a frame means."""
    if reply.kind == b"L":
        return SandboxResult(
            status="output",
            error="too large",
            message=f"a result of {reply.body.decode()} bytes, or more print than is kept; "
            f"{program.limits.result_bytes} bytes are allowed",
        )
    return decode_results(reply.kind, reply.body, reply.printed, program.calls)
