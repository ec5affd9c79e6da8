"""The sandbox alone: a process a call and resident workers, beside a bare fork and a bare socket pair.

Run: ``python benchmarks/sandbox_speed.py [--calls 15000] [--resident-calls 100000]``. Times depend on the
machine; the ratios to ``fork + exit + wait`` of a bare process and to one byte there and back over a socket
pair, in the same run, do less. The two soaks mix honest with hostile calls: a fourth, and a tenth.
"""

import argparse
import asyncio
import json
import os
import resource
import socket
import time
from pathlib import Path

import psutil
from rich.progress import track

from gateway_speed import SOURCE
from history import figures_option, write_figures
from toolmint.core.sandbox import FunctionCall, Given, Program, RunLimits, SandboxRun
from toolmint.core.values import Value
from toolmint.maker.each import each
from toolmint.maker.program import answer_program, run_tool, serve_tool
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


def bare_echo_ms(count: int = 3000) -> float:
    """Return the median of milliseconds of one byte to another process and back."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        while theirs.recv(1):
            theirs.send(b"x")
        os._exit(0)
    theirs.close()
    seconds: list[float] = []
    for _ in range(count):
        started = time.perf_counter()
        ours.send(b"x")
        ours.recv(1)
        seconds.append(time.perf_counter() - started)
    ours.close()
    os.waitpid(child, 0)
    return quantiles(seconds)[0]


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
    return len(psutil.Process().children(recursive=True))


def leaked(before: dict[str, int], processes: int) -> dict[str, int]:
    """Return what this process has more than before: descriptors, processes, peak memory."""
    after = usage()
    return {
        "descriptors_more": after["descriptors"] - before["descriptors"],
        "processes_more": children() - processes,
        "peak_rss_more_kb": after["rss_kb"] - before["rss_kb"],
    }


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
    return {
        "calls": count,
        "hostile": count // 4,
        "wrong": wrong,
        "seconds": round(seconds, 1),
        **leaked(before, processes),
    }


def resident(source: str, known: Value = None, seconds: float = 2.0) -> Program:
    """Return a program whose ``f`` takes the input."""
    calls = (FunctionCall(function="f", arguments=(Given(),)),)
    return Program(source=source, calls=calls, limits=RunLimits(seconds=seconds), known=known)


HONEST = tuple(resident(f"def f(x):\n    return x + {n}\n", known=1) for n in range(8))
HOSTILE_RESIDENTS = tuple(
    resident(f"def f(x):\n    {body}\n", seconds=0.2)
    for body in (
        "return len(bytearray(1 << 31))",
        "return 'x' * (3 << 20)",
        "raise KeyboardInterrupt",
        "return {1, 2}",
        "return __import__('os')._exit(0)",
        "print('x' * 100000)",
        "return f(x)",
    )
)


async def resident_speed(sandbox: ForkServer, count: int = 20_000) -> dict[str, float]:
    """Return latency with one caller, and calls a second with 16, of one resident program."""
    tool = HONEST[1]
    seconds: list[float] = []
    for number in range(3000):
        started = time.perf_counter()
        await sandbox.call(tool, number, "bench")
        seconds.append(time.perf_counter() - started)
    turn = iter(range(count))

    async def worker() -> None:
        for number in turn:
            await sandbox.call(tool, number, "bench")

    started = time.perf_counter()
    await asyncio.gather(*[worker() for _ in range(16)])
    rate = count / (time.perf_counter() - started)
    p50, p99 = quantiles(seconds)
    return {
        "resident_p50_ms": round(p50, 3),
        "resident_p99_ms": round(p99, 3),
        "resident_calls_per_second": round(rate),
    }


async def near_misses(sandbox: ForkServer, count: int = 320) -> dict[str, float]:
    """Return the seconds that stage 4 of verification takes for ``count`` requests, both ways."""
    requests = [
        f"Put these words in alphabetical order: b, a{'a' * number}." for number in range(count)
    ]
    program = answer_program(SOURCE)
    started = time.perf_counter()
    await each(lambda text: run_tool(sandbox, SOURCE, text), requests)
    alone = time.perf_counter() - started
    started = time.perf_counter()
    await each(lambda text: serve_tool(sandbox, program, text, "bench"), requests)
    return {
        f"{count}_near_misses_s": round(time.perf_counter() - started, 3),
        f"{count}_near_misses_a_process_each_s": round(alone, 2),
    }


async def resident_soak(sandbox: ForkServer, count: int) -> dict[str, object]:
    """Make ``count`` calls, a tenth of hostile tools; return wrong answers of honest ones and what leaked."""
    before, processes = usage(), children()
    wrong = 0
    turn = iter(track(range(count), "resident soak", transient=True))

    async def worker() -> None:
        nonlocal wrong
        for number in turn:
            if number % 10:
                which = number % len(HONEST)
                result = await sandbox.call(HONEST[which], number, "bench")
                wrong += result.value != (number + which,)
            else:
                which = number // 10 % len(HOSTILE_RESIDENTS)
                await sandbox.call(HOSTILE_RESIDENTS[which], number, "bench")

    started = time.perf_counter()
    await asyncio.gather(*[worker() for _ in range(8)])
    seconds = time.perf_counter() - started
    replaced = dict(sandbox.residents.recycled)
    sandbox.residents.clear()
    await asyncio.sleep(0.3)
    return {
        "calls": count,
        "hostile": count // 10,
        "wrong_answers_of_honest_tools": wrong,
        "seconds": round(seconds, 1),
        "replaced": replaced,
        **leaked(before, processes),
    }


async def main(calls: int, resident_calls: int, out: Path | None) -> None:
    bare, echo = bare_fork_ms(), bare_echo_ms()
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
            "bare_echo_p50_ms": round(echo, 3),
            **(await resident_speed(sandbox)),
            **(await near_misses(sandbox)),
            "resident_soak": await resident_soak(sandbox, resident_calls),
            "soak": await soak(sandbox, calls),
        }
    print(json.dumps(found, indent=1))
    write_figures(out, {name: one for name, one in found.items() if isinstance(one, (int, float))})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=15_000)
    parser.add_argument("--resident-calls", type=int, default=100_000)
    figures_option(parser)
    words = parser.parse_args()
    asyncio.run(main(words.calls, words.resident_calls, words.figures))
