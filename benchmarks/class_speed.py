"""Hits with 10, 1,000 and 100,000 classes known: is their rate flat? And the start, and the memory.

    python benchmarks/class_speed.py [--sizes 10 1000 100000] [--hits 6000] [--rounds 3]

Each class has a verified tool of its own wording in one store file. A process for each size opens its store
as ``toolmint solve`` does, and answers requests of 8 of its classes, 16 at once, through the tool server, the
sandbox's resident workers and the log of requests. The sizes take turns, so that all meet the same machine.
Aim: the rate at 100,000 within 20 % of that at 10.
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from history import figures_option, write_figures
from many_classes import request_of, wordings, write_store
from toolmint.assembly.session import Session
from toolmint.assembly.settings import Settings

HOT, AT_ONCE = 8, 16
AIM = 0.8


async def answer(session: Session, turn: Iterator[tuple[str, str]]) -> int:
    """Answer requests until there are none left; return how many answers were right."""
    right = 0
    for text, target in turn:
        solved = await session.solve(text)
        right += solved.answer == target
    return right


async def serve(store: str, size: int) -> None:
    """Open a store; then answer as many requests as each line of input says, and print what that took."""
    process = psutil.Process()
    found, rng = wordings(size), random.Random(1)
    hot = [size * number // HOT for number in range(HOT)]
    before, started = process.memory_info().rss, time.perf_counter()
    async with Session.open(Settings(store=store)) as session:
        server = await session.solver.server()
        print(json.dumps([time.perf_counter() - started, process.memory_info().rss - before]))
        sys.stdout.flush()
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = [request_of(found[one], one, rng) for one in rng.choices(hot, k=int(line))]
            cpu, started, turn = time.process_time(), time.perf_counter(), iter(asked)
            right = sum(await asyncio.gather(*[answer(session, turn) for _ in range(AT_ONCE)]))
            seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
            started = time.perf_counter()
            for text, _ in asked[:500]:
                server.classes.rank(text, most=8, least=0.0)
            ranking = (time.perf_counter() - started) / len(asked[:500])
            if right != len(asked):
                raise RuntimeError(f"{len(asked) - right} of {len(asked)} answers are wrong")
            print(json.dumps([len(asked) / seconds, cpu / len(asked), ranking]), flush=True)


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--sizes", type=int, nargs="+", default=[10, 1000, 100_000])
    words.add_argument("--hits", type=int, default=6000, help="of a round")
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    figures_option(words)
    given = words.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve[0], int(given.serve[1])))
        return
    running: dict[int, subprocess.Popen[str]] = {}
    starts: dict[int, list[float]] = {}
    rounds: dict[int, list[list[float]]] = {size: [] for size in given.sizes}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def told(size: int, line: str = "") -> list[float]:
            process = running[size]
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("a pipe is missing")
            if line:
                process.stdin.write(line)
                process.stdin.flush()
            return json.loads(process.stdout.readline())

        for size in given.sizes:
            store = folder / f"{size}.db"
            write_store(store, wordings(size))
            command = [sys.executable, __file__, "--serve", str(store), str(size)]
            running[size] = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            starts[size] = told(size)
            told(size, "300\n")
        for _ in range(given.rounds):
            for size in given.sizes:
                rounds[size].append(told(size, f"{given.hits}\n"))
        for process in running.values():
            process.communicate()
    report(starts, rounds, given.figures)


def report(
    starts: dict[int, list[float]], rounds: dict[int, list[list[float]]], figures: Path | None
) -> None:
    """Print a line for each size; write the figures."""
    table = Table(
        "classes", "hits a second", "against fewest", "host CPU us a hit", "against fewest"
    )
    for name in ("ranking us", "start s", "memory MiB", "KiB a class"):
        table.add_column(name)
    base, kept = min(starts), dict[str, float]()
    medians = {
        size: [statistics.median(column) for column in zip(*found, strict=True)]
        for size, found in rounds.items()
    }
    for size, (rate, cpu, ranking) in medians.items():
        seconds, memory = starts[size]
        table.add_row(
            f"{size:,}",
            f"{rate:,.0f}",
            f"{rate / medians[base][0]:.2f}",
            f"{1e6 * cpu:.0f}",
            f"{cpu / medians[base][1]:.2f}",
            f"{1e6 * ranking:.0f}",
            f"{seconds:.2f}",
            f"{memory / 2**20:.0f}",
            f"{memory / 2**10 / size:.1f}",
        )
        kept |= {f"start_{size}_s": seconds, f"memory_{size}_mib": memory / 2**20}
        kept[f"cpu_{size}_against_{base}"] = cpu / medians[base][1]
    Console(width=140).print(table)
    last = max(starts)
    flat = medians[last][1] / medians[base][1]
    print(
        f"{last:,} classes cost {flat:.2f} times the CPU of {base:,} a hit; aim: at most {1 / AIM:.2f}"
    )
    write_figures(figures, kept)


if __name__ == "__main__":
    main()
