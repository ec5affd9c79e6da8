"""Servers under load: starting them, asking them from many connections, and what that costs them."""

import asyncio
import json
import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import psutil


class Target(NamedTuple):
    """A server under load.

    Attributes:
        key: sent with each request.
        body: what it is asked.
        mark: a header that its answers have, in small letters; empty: any answer is right.
    """

    name: str
    port: int
    process: psutil.Process
    key: str
    body: dict[str, Any]
    mark: str = ""


class Load(NamedTuple):
    """What one round found: requests a second, seconds of each, and processor seconds a request."""

    rate: float
    seconds: list[float]
    cpu: float


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def started(
    words: list[str], port: int, patience: float = 60.0, **variables: str
) -> Generator[psutil.Process]:
    """Start a server and wait until it listens, for some seconds at most."""
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **variables}
    )
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with socket.socket() as recheck:
            if recheck.connect_ex(("127.0.0.1", port)) == 0:
                break
        if process.poll() is not None:
            raise RuntimeError(f"{words[0]} ended at once with status {process.returncode}")
        time.sleep(0.01)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def cpu_of(process: psutil.Process) -> float:
    """Return the processor seconds of a process and all that it has started, also those that have ended."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # what has ended is in its parent's sum
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Send a request, read its answer, and return the answer's head."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.decode())
    if b"content-length: " in head:
        size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
        return head
    while True:
        size = int(await reader.readline(), 16)
        await reader.readexactly(size + 2)
        if size == 0:
            return head


async def load(target: Target, callers: int, seconds: float) -> Load:
    """Ask a target from so many connections for some seconds.

    Raises:
        RuntimeError: fewer than nine in ten answers have the target's mark.
    """
    body = json.dumps(target.body).encode()
    request = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{target.port}\r\n"
        f"authorization: Bearer {target.key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body
    found: list[float] = []
    marked = 0
    before, begun = cpu_of(target.process), time.perf_counter()

    async def caller() -> None:
        nonlocal marked
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        while time.perf_counter() - begun < seconds:
            start = time.perf_counter()
            head = await _one(reader, writer, request)
            marked += target.mark.encode() in head
            found.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(caller() for _ in range(callers)))
    lasted = time.perf_counter() - begun
    if marked < 0.9 * len(found):  # a tool's answers are audited now and then
        raise RuntimeError(f"{target.name}: {marked} of {len(found)} answers have {target.mark!r}")
    return Load(len(found) / lasted, found, (cpu_of(target.process) - before) / len(found))
