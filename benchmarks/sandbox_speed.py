"""The sandbox alone: latency, calls a second beside a bare fork, and a soak with hostile calls.

Run: ``python benchmarks/sandbox_speed.py [--calls 15000]``. Times depend on the machine; the ratio to
``fork + exit + wait`` of a bare process in the same run does not.
"""

import argparse
import asyncio
import json
import os
import resource
import time
from pathlib import Path

from toolmint.core.sandbox import FunctionCall, RunLimits, SandboxRun
from toolmint.sandbox.forkserver import ForkServer

TRIVIAL = SandboxRun(
    source="def f(x):\n    return x + 1\n", calls=(FunctionCall(function="f", arguments=(1,)),)
)
HOSTILE = tuple(
    SandboxRun(
        source=f"import os, ctypes\ndef f():\n    {body}\n",
        calls=(FunctionCall(function="f"),),
        limits=RunLimits(seconds=0.2),
    )
    for body in (
        "ctypes.string_at(0)",
        "os._exit(0)",
        "return len(bytearray(1 << 31))",
        "return 'x' * (3 << 20)",
        "while True: print('x' * 1000)",
    )
)
WANTED = ("killed", "killed", "memory", "output", "timeout")


def bare_fork_ms(count: int = 300) -> float:
    """Return milliseconds of fork + exit + wait of this process, which is larger than a worker."""
    started = time.perf_counter()
    for _ in range(count):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    return (time.perf_counter() - started) / count * 1000


def quantiles(seconds: list[float]) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] * 1000, ordered[int(0.99 * len(ordered))] * 1000


async def latency(sandbox: ForkServer, pause: float) -> tuple[float, float]:
    seconds: list[float] = []
    for _ in range(400):
        await asyncio.sleep(pause)
        started = time.perf_counter()
        await sandbox.run(TRIVIAL)
        seconds.append(time.perf_counter() - started)
    return quantiles(seconds)


async def throughput(sandbox: ForkServer, count: int = 2000) -> float:
    async def worker() -> None:
        for _ in range(count // 4):
            await sandbox.run(TRIVIAL)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(worker())
    return count / (time.perf_counter() - started)


def usage() -> dict[str, int]:
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "rss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def children() -> int:
    """Return how many processes descend from this one."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    mine = {os.getpid()}
    while new := {pid for pid, parent in parents.items() if parent in mine and pid not in mine}:
        mine |= new
    return len(mine) - 1


async def soak(sandbox: ForkServer, count: int) -> dict[str, object]:
    """Run ``count`` calls, every fourth hostile; returns wrong outcomes and what leaked."""
    await asyncio.sleep(0.3)
    before, processes = usage(), children()
    wrong = 0
    turn = iter(range(count))

    async def worker() -> None:
        nonlocal wrong
        for number in turn:
            if number % 4:
                result = await sandbox.run(TRIVIAL)
                wrong += result.value != (2,)
            else:
                kind = number // 4 % len(HOSTILE)
                result = await sandbox.run(HOSTILE[kind])
                wrong += result.status != WANTED[kind]

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(worker())
    seconds = time.perf_counter() - started
    await asyncio.sleep(0.2)
    after = usage()
    return {
        "calls": count,
        "hostile": count // 4,
        "wrong": wrong,
        "seconds": round(seconds, 1),
        "descriptors_more": after["descriptors"] - before["descriptors"],
        "processes_more": children() - processes,
        "peak_rss_more_kb": after["rss_kb"] - before["rss_kb"],
    }


async def main(calls: int) -> None:
    bare = bare_fork_ms()
    started = time.perf_counter()
    async with ForkServer() as sandbox:
        first = (time.perf_counter() - started) * 1000
        await throughput(sandbox, 200)
        paced, busy = await latency(sandbox, 0.005), await latency(sandbox, 0.0)
        rate = await throughput(sandbox)
        found = {
            "start_ms": round(first),
            "bare_fork_ms": round(bare, 3),
            "paced_p50_ms": round(paced[0], 2),
            "paced_p99_ms": round(paced[1], 2),
            "busy_p50_ms": round(busy[0], 2),
            "busy_p99_ms": round(busy[1], 2),
            "calls_per_second": round(rate),
            "paced_p50_in_bare_forks": round(paced[0] / bare, 2),
            "soak": await soak(sandbox, calls),
        }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=15_000)
    asyncio.run(main(parser.parse_args().calls))
