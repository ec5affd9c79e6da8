"""A long steady load on one gateway: its memory and its open files over time, which are to stay flat.

    python benchmarks/soak.py [--minutes 60] [--rate 40]

Requests are a mix: passed on whole, passed on as streams, and answered by a tool; every fault ends the run.
"""

import argparse
import asyncio
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gateway_speed import Target, targets

LOOKS = 12
KINDS = (1, 3, 1, 3, 4)
"""Which targets of ``gateway_speed`` take turns: passed on whole and as a stream, and a tool's answer."""


class Look(NamedTuple):
    """One look at the gateway: minutes so far, requests, MiB (PSS), open files, and its workers' MiB."""

    minutes: float
    requests: int
    memory: float
    files: int
    workers: float


def look(process: psutil.Process, started: float, requests: int) -> Look:
    others = sum(_pss(one) for one in process.children(recursive=True))
    minutes = (time.monotonic() - started) / 60
    return Look(minutes, requests, _pss(process), process.num_fds(), others)


def _pss(process: psutil.Process) -> float:
    try:
        return process.memory_full_info().pss / 2**20
    except psutil.NoSuchProcess:
        return 0.0


async def ask(target: Target) -> None:
    body = json.dumps(target.body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    writer.write(
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {target.key}\r\n"
        f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    reply = await reader.read()
    writer.close()
    if not reply.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(reply[:300].decode())


async def soak(found: list[Target], minutes: float, rate: float) -> list[Look]:
    process, started = found[1].process, time.monotonic()
    looks: list[Look] = []
    number = 0
    with Progress() as progress:
        bar = progress.add_task("soaking", total=60 * minutes)
        while (passed := time.monotonic() - started) < 60 * minutes:
            await ask(found[KINDS[number % len(KINDS)]])
            number += 1
            if passed >= 60 * minutes * len(looks) / LOOKS:
                looks.append(look(process, started, number))
            progress.update(bar, completed=passed)
            await asyncio.sleep(max(0.0, number / rate - (time.monotonic() - started)))
    return [*looks, look(process, started, number)]


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--minutes", type=float, default=60.0)
    words.add_argument("--rate", type=float, default=40.0, help="requests a second")
    given = words.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        looks = asyncio.run(soak(targets(stack, folder, None), given.minutes, given.rate))
    table = Table("minutes", "requests", "memory (MiB)", "open files", "workers (MiB)")
    for one in looks:
        table.add_row(
            f"{one.minutes:.0f}",
            f"{one.requests:,}",
            f"{one.memory:.1f}",
            str(one.files),
            f"{one.workers:.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
