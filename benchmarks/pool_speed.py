"""The pool of resident workers with 10,000 known tools of which 64 are hot: is it steady?

    python benchmarks/pool_speed.py [--tools 10000] [--hot 64] [--seconds 60] [--residents N]

Each call is of a hot tool nine times in ten, else of any tool: a rare one has to begin a process, and takes
the place of the least recently used. Printed in equal parts of the run: calls a second, processes, how many
were replaced, memory of this process, and of the workers (PSS: what they share counts once).
"""

import argparse
import asyncio
import os
import random
import time
from contextlib import suppress
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from history import figures_option, write_figures
from many_classes import request_of, source_of, wordings
from toolmint.maker.program import answer_program, serve_tool
from toolmint.sandbox.forkserver import ForkServer
from toolmint.sandbox.residents import ResidentLimits

PARTS, CALLERS, RARE = 6, 16, 0.1


def worker_pss() -> float:
    """Return the memory of all processes that descend from this one, in bytes."""
    total = 0.0
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it ended meanwhile
            total += one.memory_full_info().pss
    return total


async def main(
    tools: int, hot: int, seconds: float, residents: int | None, out: Path | None
) -> None:
    rng, found = random.Random(1), wordings(tools)
    programs = [answer_program.__wrapped__(source_of(one, n)) for n, one in enumerate(found)]
    table = Table(
        "seconds", "calls", "calls a second", "processes", "replaced", "host MiB", "workers MiB"
    )
    rates: list[float] = []
    wrong = calls = 0
    async with ForkServer(resident=ResidentLimits(processes=residents)) as sandbox:
        ends, part = time.perf_counter() + seconds, seconds / PARTS

        async def caller() -> None:
            nonlocal wrong, calls
            while time.perf_counter() < ends:
                one = rng.randrange(tools) if rng.random() < RARE else rng.randrange(hot)
                text, answer = request_of(found[one], one, rng)
                run = await serve_tool(sandbox, programs[one], text, "bench")
                wrong += run.answer != answer
                calls += 1

        running = [asyncio.create_task(caller()) for _ in range(CALLERS)]
        before, begun = 0, time.perf_counter()
        for number in range(PARTS):
            await asyncio.sleep(max(0.0, begun + part * (number + 1) - time.perf_counter()))
            now = time.perf_counter() - begun
            done = calls - before
            rates.append(done / (now - number * part))
            before = calls
            table.add_row(
                f"{now:.0f}",
                f"{done:,}",
                f"{rates[-1]:,.0f}",
                str(len(sandbox.residents)),
                f"{sandbox.residents.recycled.total():,}",
                f"{psutil.Process().memory_info().rss / 2**20:.0f}",
                f"{await asyncio.to_thread(worker_pss) / 2**20:.0f}",
            )
        await asyncio.gather(*running)
        reasons = dict(sandbox.residents.recycled)
        most = len(sandbox.residents)
    Console(width=120).print(table)
    drift = rates[-1] / rates[0]
    print(
        f"{calls:,} calls, {wrong} wrong; replaced {reasons}; last part {drift:.2f} times the first"
    )
    print(
        f"{os.cpu_count()} processors; processes at the end: {most}, "
        f"after it: {len(psutil.Process().children())}"
    )
    write_figures(out, {"calls_per_second": sum(rates) / PARTS, "wrong": wrong})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", type=int, default=10_000)
    parser.add_argument("--hot", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--residents", type=int, help="processes at most")
    figures_option(parser)
    words = parser.parse_args()
    asyncio.run(main(words.tools, words.hot, words.seconds, words.residents, words.figures))
