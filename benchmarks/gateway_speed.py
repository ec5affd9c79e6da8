"""The gateway beside a bare pass-through (Starlette, aiohttp) in one run: processor time, latency, hits.

    python benchmarks/gateway_speed.py [--rounds 5] [--seconds 3] [--litellm FOLDER | --no-litellm]

Every feature is on: a key, the store, the log of each request, metrics. The targets take turns in each
round and medians are shown, as ratios; times of one machine say little about another. LiteLLM's proxy with
its in-memory cache stands beside them, installed in an environment of its own where it is not there yet.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from openai import OpenAI
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gateway_load import Load, Target, free_port, load, started
from history import figures_option, write_figures
from litellm_peer import FOLDER, HIT, NotInstalled, litellm_targets, program_in
from toolmint.core.namespace import Namespace
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.gateway.api.requests import scope_of
from toolmint.store.sql import SqlStore

HERE = Path(__file__).parent
TOOLMINT = str(Path(sys.executable).with_name("toolmint"))
ASK = "Put these words into alphabetical order: {}."
BARE, TOOL = "bare pass-through", "toolmint, a tool answers"
KEPT = {
    TOOL: "hit",
    HIT: "litellm_hit",
    "toolmint, pass-through": "pass",
    "toolmint, stream of 22 events": "stream",
}
"""Targets whose CPU against bare the history keeps."""
CALLERS = (1, 16)
Loads = dict[tuple[str, int], list[Load]]
"""The rounds, by target and number of callers."""
SOURCE = """import re

def parse(request):
    found = re.fullmatch(r"Put these words into alphabetical order: ([a-z]+(?:, [a-z]+)+)\\.", request)
    return {"words": found[1].split(", ")} if found else None

def unparse(args):
    return "Put these words into alphabetical order: " + ", ".join(args["words"]) + "."

def solve(words):
    return sorted(words)

def render(args, result):
    return ", ".join(result)
"""


def keep_tool(store: Path) -> None:
    """Put a proved tool into the store, so that its requests are hits."""

    async def keep() -> None:
        opened = SqlStore.open(store)
        namespace = opened.namespace(Namespace("bench", scope_of("gpt-5")))
        record = ToolRecord(
            request_class="sorting",
            source=SOURCE,
            has_parser=True,
            demonstrations=(Demonstration(input=ASK.format("b, a"), target="a, b"),),
            provenance=Provenance(model="none", demonstrations_digest="", prompts_digest=""),
        )
        await namespace.add(record, "serving", "for the benchmark")
        opened.close()

    asyncio.run(keep())


def targets(stack: ExitStack, folder: Path, litellm: str | None) -> list[Target]:
    """Start the upstream and everything that is measured."""
    ports = [free_port() for _ in range(3)]
    upstream = f"http://127.0.0.1:{ports[0]}/v1"
    python, store = sys.executable, folder / "tools.db"
    stack.enter_context(
        started([python, str(HERE / "gateway_peers.py"), "mock", str(ports[0])], ports[0])
    )
    keep_tool(store)
    made = subprocess.run(
        [TOOLMINT, "keys", "create", "bench", "--store", str(store)],
        check=True,
        capture_output=True,
        text=True,
    )
    key = made.stdout.split()[3]
    bare = stack.enter_context(
        started([python, str(HERE / "gateway_peers.py"), "bare", str(ports[1]), upstream], ports[1])
    )
    words = [
        TOOLMINT,
        "serve",
        "--store",
        str(store),
        "--port",
        str(ports[2]),
        "--no-making",
        "--audit-rate",
        "1e-9",  # the upstream's answer never agrees: one audit would end the tool
        "--model",
        f"openai:gpt-5?base_url={upstream}",
    ]
    ours = stack.enter_context(started(words, ports[2]))
    hello = {
        "model": "gpt-5",
        "messages": [{"role": "user", "content": "Say something friendly. " * 5}],
    }
    stream = hello | {"stream": True, "stream_options": {"include_usage": True}}
    hit = {
        "model": "gpt-5",
        "messages": [{"role": "user", "content": ASK.format("pear, fig, apple")}],
    }
    found = [
        Target(BARE, ports[1], bare, key, hello),
        Target("toolmint, pass-through", ports[2], ours, key, hello),
        Target("bare, stream of 22 events", ports[1], bare, key, stream),
        Target("toolmint, stream of 22 events", ports[2], ours, key, stream),
        Target(TOOL, ports[2], ours, key, hit, "x-toolmint-cache: hit"),
    ]
    if litellm:
        found += litellm_targets(stack, litellm, folder, upstream, hit)
    return found


def share(found: list[float], part: float) -> float:
    return sorted(found)[min(len(found) - 1, int(part * len(found)))]


def sdk_milliseconds(target: Target, pause: float = 0.0, count: int = 200) -> float:
    """Return the median milliseconds that the official SDK sees; each request waits a pause (seconds)."""
    client = OpenAI(base_url=f"http://127.0.0.1:{target.port}/v1", api_key=target.key)
    found: list[float] = []
    for _ in range(count):
        time.sleep(pause)
        start = time.perf_counter()
        client.chat.completions.create(**target.body)
        found.append(time.perf_counter() - start)
    return 1000 * statistics.median(found)


def first_answer(folder: Path, upstream: int) -> float:
    """Return the seconds from starting the command to its first answer."""
    port, start = free_port(), time.perf_counter()
    words = [
        TOOLMINT,
        "serve",
        "--store",
        str(folder / "fresh.db"),
        "--port",
        str(port),
        "--no-making",
        "--model",
        f"openai:gpt-5?base_url=http://127.0.0.1:{upstream}/v1",
    ]
    with started(words, port):
        parsed = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="any")
        parsed.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": "Hello"}]
        )
        return time.perf_counter() - start


class Found(NamedTuple):
    """Medians of a target with so many callers: requests a second, milliseconds, CPU, CPU against bare."""

    rate: float
    p50: float
    p99: float
    cpu: float
    against: float


def medians(targets: list[Target], loads: Loads) -> dict[tuple[str, int], Found]:
    """Return what all rounds found."""
    found: dict[tuple[str, int], Found] = {}
    for target in targets:
        beside = "bare, stream of 22 events" if "stream" in target.name else BARE
        for callers in CALLERS:
            mine = loads[target.name, callers]
            cpu = statistics.median(one.cpu for one in mine)
            base = statistics.median(one.cpu for one in loads[beside, callers])
            seconds = [1000 * second for one in mine for second in one.seconds]
            rate = statistics.median(one.rate for one in mine)
            found[target.name, callers] = Found(
                rate, share(seconds, 0.5), share(seconds, 0.99), 1e6 * cpu, cpu / base
            )
    return found


def table(found: dict[tuple[str, int], Found]) -> Table:
    """Return a table with a line for each target and number of callers."""
    out = Table("target", "callers", "requests a second", "p50 ms", "p99 ms")
    out.add_column("CPU us a request")
    out.add_column("CPU against bare")
    for (name, callers), one in found.items():
        numbers = f"{one.rate:,.0f}", f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.cpu:.0f}"
        out.add_row(name, str(callers), *numbers, f"{one.against:.2f}")
    return out


def figures_of(found: dict[tuple[str, int], Found]) -> dict[str, float]:
    """Return what the history keeps of the table."""
    out: dict[str, float] = {}
    for name, key in KEPT.items():
        for callers in CALLERS:
            if (name, callers) in found:
                out[f"{key}_cpu_against_bare_{callers}"] = found[name, callers].against
    for callers in CALLERS:
        hit = found[TOOL, callers]
        out[f"hit_p50_ms_{callers}"] = hit.p50
        out[f"hits_{callers}_per_second"] = hit.rate
        if (HIT, callers) in found:
            out[f"hits_{callers}_times_litellm"] = hit.rate / found[HIT, callers].rate
    return out


def say_litellm(found: dict[tuple[str, int], Found]) -> None:
    """Print a tool's answer beside LiteLLM's cache hit, as ratios."""
    for callers in CALLERS:
        ours, theirs = found[TOOL, callers], found[HIT, callers]
        print(
            f"a tool's answer against LiteLLM's cache hit, {callers} callers: {ours.rate / theirs.rate:.1f}"
            f" times as many a second, {theirs.p50 / ours.p50:.1f} times less time (p50),"
            f" {theirs.cpu / ours.cpu:.1f} times less CPU"
        )


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--seconds", type=float, default=3.0)
    words.add_argument("--litellm", type=Path, default=FOLDER, help="where LiteLLM is installed")
    words.add_argument("--no-litellm", action="store_true")
    figures_option(words)
    given = words.parse_args()
    litellm, why = None, "it was not asked for"
    if not given.no_litellm:
        try:
            litellm = program_in(given.litellm)
        except NotInstalled as fault:
            why = f"it cannot be installed: {fault}"
    loads: Loads = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = targets(stack, folder, litellm)
        for target in running:
            with suppress(RuntimeError):  # a cache is empty at first
                asyncio.run(load(target, 4, 0.5))
        for _ in track(range(given.rounds), "rounds"):
            for callers in CALLERS:
                for target in running:
                    found = asyncio.run(load(target, callers, given.seconds))
                    loads[target.name, callers].append(found)
        found = medians(running, loads)
        Console(width=140).print(table(found))
        if litellm:
            say_litellm(found)
        else:
            print(f"LiteLLM does not stand beside them: {why}")
        starts = [first_answer(folder, running[0].port) for _ in range(5)]
        start = statistics.median(starts)
        print(f"start of the command to its first answer: {start:.2f} s (median of 5)")
        hit, memory = running[4], running[4].process.memory_full_info().pss / 2**20
        sdk = sdk_milliseconds(hit)
        print(
            f"the official SDK sees a tool's answer in {sdk:.2f} ms back to back, in"
            f" {sdk_milliseconds(hit, 0.02):.2f} ms with 20 ms between requests; an answer passed on in"
            f" {sdk_milliseconds(running[1]):.2f}, a bare one in {sdk_milliseconds(running[0]):.2f} (medians)"
        )
        print(f"memory of the gateway after all this: {memory:.0f} MiB (PSS, without its workers)")
    more = {"first_answer_s": start, "sdk_hit_ms": sdk, "memory_mib": memory}
    write_figures(given.figures, figures_of(found) | more)


if __name__ == "__main__":
    main()
