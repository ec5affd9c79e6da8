"""``toolmint apply`` on a file of known classes: rows a second of the whole command.

    python benchmarks/apply_speed.py [--rows 20000] [--concurrency 4 16]

The tools are those of the bundled cassette, made and verified in the store that the command then opens; the
rows are new requests of their six classes. The start of the command is timed apart, with a file of one row.
Processor time is that of the command and its workers; a plain loop of Python stands beside it, as a row's
time in such loops says more about another machine than its microseconds.
"""

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from history import figures_option, write_figures
from toolmint.assembly.demo import arrivals_of, demo_session, recorded_maker, run_stream
from toolmint.embedded import cassette_path
from toolmint.embedded.classes import CLASSES

TOOLMINT = str(Path(sys.executable).with_name("toolmint"))
AIM = 2500


class Applied(NamedTuple):
    """One run of the command: seconds of wall and of processor time, and right answers."""

    seconds: float
    cpu: float
    right: int


async def keep_tools(store: Path) -> None:
    """Make the tools of the shipped classes into a store."""
    arrivals = arrivals_of(150)
    maker = recorded_maker(cassette_path())
    async with demo_session(arrivals, maker, lambda _: None, store) as session:
        async for _ in run_stream(session, arrivals):
            pass


def write_rows(path: Path, count: int) -> None:
    """Write requests of the shipped classes in turn, with their right answers."""
    rng, names = random.Random(3), list(CLASSES)
    with path.open("w") as out:
        for number in range(count):
            one = CLASSES[names[number % len(names)]](rng)
            out.write(json.dumps({"input": one.input, "target": one.target}) + "\n")


def applied(store: Path, rows: Path, concurrency: int) -> Applied:
    """Run the command on a file."""
    out = rows.with_suffix(".out")
    out.unlink(missing_ok=True)
    # No model is there to compare what an answer took that no verified request took.
    words = [TOOLMINT, "apply", str(rows), "-o", str(out), "--store", str(store)]
    words += ["--accept-unverified"]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [*words, "--concurrency", str(concurrency)], check=True, stdout=subprocess.DEVNULL
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    return Applied(seconds, cpu, sum(bool(line.get("right")) for line in lines))


def loop_seconds(count: int = 1_000_000) -> float:
    """Return the processor seconds of a loop of additions, which scale with the machine and its load."""
    started = time.process_time()
    total = 0
    for number in range(count):
        total += number
    return time.process_time() - started


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--rows", type=int, default=20_000)
    words.add_argument("--concurrency", type=int, nargs="*", default=[4])
    figures_option(words)
    given = words.parse_args()
    table = Table(
        "at once",
        "rows",
        "right",
        "seconds",
        "rows a second",
        "CPU us a row",
        "in million additions",
    )
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, rows, one = folder / "tools.db", folder / "rows.jsonl", folder / "one.jsonl"
        asyncio.run(keep_tools(store))
        write_rows(rows, given.rows)
        write_rows(one, 1)
        start = min((applied(store, one, 1) for _ in range(3)), key=lambda found: found.seconds)
        for concurrency in given.concurrency:
            found, loop = applied(store, rows, concurrency), loop_seconds()
            seconds, cpu = found.seconds - start.seconds, found.cpu - start.cpu
            figures[f"rows_{concurrency}_per_second"] = given.rows / seconds
            figures[f"cpu_{concurrency}_us"] = 1e6 * cpu / given.rows
            table.add_row(
                str(concurrency),
                f"{given.rows:,}",
                f"{found.right:,}",
                f"{seconds:.1f}",
                f"{given.rows / seconds:,.0f}",
                f"{1e6 * cpu / given.rows:.0f}",
                f"{cpu / given.rows / loop:.5f}",
            )
    Console(width=120).print(table)
    print(
        f"the command with one row: {start.seconds:.2f} s, taken off above; aim: {AIM} rows a second"
    )
    write_figures(given.figures, figures)


if __name__ == "__main__":
    main()
