"""The gateway beside a bare pass-through (Starlette, aiohttp) in one run: processor time, latency, hits.

    python benchmarks/gateway_speed.py [--rounds 5] [--seconds 3] [--litellm FOLDER]

Every feature is on: a key, the store, the log of each request, metrics. The targets take turns in each
round and medians are shown, as ratios; times of one machine say little about another. LiteLLM's proxy stands
beside them where a folder is named; it is installed there, in an environment of its own.
"""

import argparse
import asyncio
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from openai import OpenAI
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gateway_load import Load, Target, free_port, load, started
from toolmint.core.namespace import Namespace
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.gateway.api.requests import scope_of
from toolmint.store.sql import SqlStore

HERE = Path(__file__).parent
LITELLM = ("litellm[proxy]<1.109", "opentelemetry-sdk")
"""Later ones ask for parts that the package index does not have; without the second it looks for it at each
request, which would not be a fair comparison.
"""
TOOLMINT = str(Path(sys.executable).with_name("toolmint"))
ASK = "Put these words into alphabetical order: {}."
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


def litellm_in(folder: Path) -> str:
    """Return LiteLLM's program, installed in a folder where it is not there yet."""
    program = folder / "bin" / "litellm"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", *LITELLM], check=True)
    return str(program)


def targets(stack: ExitStack, folder: Path, litellm: str | None) -> list[Target]:
    """Start the upstream and everything that is measured."""
    ports = [free_port() for _ in range(4)]
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
        Target("bare pass-through", ports[1], bare, key, hello),
        Target("toolmint, pass-through", ports[2], ours, key, hello),
        Target("bare, stream of 22 events", ports[1], bare, key, stream),
        Target("toolmint, stream of 22 events", ports[2], ours, key, stream),
        Target("toolmint, a tool answers", ports[2], ours, key, hit, "x-toolmint-cache: hit"),
    ]
    if litellm:
        config = folder / "litellm.yaml"
        config.write_text(
            "model_list:\n- model_name: gpt-5\n  litellm_params:\n    model: openai/gpt-5\n"
            f"    api_base: {upstream}\n    api_key: none\n"
        )
        words = [litellm, "--config", str(config), "--port", str(ports[3])]
        master = f"sk-{secrets.token_hex(16)}"
        proxy = stack.enter_context(
            started(words, ports[3], LITELLM_LOG="ERROR", LITELLM_MASTER_KEY=master)
        )
        found.append(Target("LiteLLM proxy", ports[3], proxy, master, hello))
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


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--seconds", type=float, default=3.0)
    words.add_argument("--litellm", type=Path, help="folder of an environment for LiteLLM")
    given = words.parse_args()
    loads: dict[tuple[str, int], list[Load]] = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = targets(stack, folder, given.litellm and litellm_in(given.litellm))
        for target in found:
            asyncio.run(load(target, 4, 0.5))
        for _ in track(range(given.rounds), "rounds"):
            for callers in (1, 16):
                for target in found:
                    loads[target.name, callers].append(
                        asyncio.run(load(target, callers, given.seconds))
                    )
        table = Table(
            "target",
            "callers",
            "requests a second",
            "p50 ms",
            "p99 ms",
            "CPU us a request",
            "CPU against bare",
        )
        for target in found:
            beside = "bare, stream of 22 events" if "stream" in target.name else "bare pass-through"
            for callers in (1, 16):
                mine = loads[target.name, callers]
                cpu = statistics.median(one.cpu for one in mine)
                base = statistics.median(one.cpu for one in loads[beside, callers])
                seconds = [second for one in mine for second in one.seconds]
                table.add_row(
                    target.name,
                    str(callers),
                    f"{statistics.median(one.rate for one in mine):,.0f}",
                    f"{1000 * share(seconds, 0.5):.2f}",
                    f"{1000 * share(seconds, 0.99):.2f}",
                    f"{1e6 * cpu:.0f}",
                    f"{cpu / base:.2f}",
                )
        Console(width=140).print(table)
        starts = [first_answer(folder, found[0].port) for _ in range(5)]
        print(
            f"start of the command to its first answer: {statistics.median(starts):.2f} s (median of 5)"
        )
        hit, memory = found[4], found[4].process.memory_full_info().pss / 2**20
        print(
            f"the official SDK sees a tool's answer in {sdk_milliseconds(hit):.2f} ms back to back, in"
            f" {sdk_milliseconds(hit, 0.02):.2f} ms with 20 ms between requests; an answer passed on in"
            f" {sdk_milliseconds(found[1]):.2f}, a bare one in {sdk_milliseconds(found[0]):.2f} (medians)"
        )
        print(f"memory of the gateway after all this: {memory:.0f} MiB (PSS, without its workers)")


if __name__ == "__main__":
    main()
