"""Where the time of one request through the gateway goes: a table of stages, from ``cProfile``.

    python benchmarks/hit_profile.py [--seconds 3]

A gateway with a key is served by uvicorn in this process, as ``toolmint serve`` does; a child process asks
it one request after the other. The profiler gives each function's own time to the stage of its module; what
is written in C (sockets, JSON, hashing) counts for the function that called it. A profiler makes Python
functions slower and leaves C functions as they are, so shares are shown, beside the time of a request
without it. The thread that writes to the store and the tool's own process are not in the shares; the
processor time of the tool's process is in the last line.
"""

import argparse
import asyncio
import cProfile
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

import toolmint
from gateway_hops import QUESTIONS, SECRET, keep_key
from gateway_load import Target, free_port, load
from gateway_peers import Mock
from gateway_speed import keep_tool
from toolmint.assembly.serving import serving
from toolmint.assembly.session import Models
from toolmint.assembly.settings import Settings

PACKAGE = str(Path(toolmint.__file__).parent) + "/"
STAGES = (
    (
        "HTTP: uvicorn, reading the body, sending",
        ("gateway/http_server", "gateway/asgi", "gateway/app"),
    ),
    ("key: who asks, and may they", ("gateway/auth",)),
    (
        "reading the request",
        (
            "gateway/api/chat",
            "gateway/api/requests",
            "gateway/api/fields",
            "gateway/api/value_rules",
            "gateway/api/fitting",
        ),
    ),
    ("which tools may understand it", ("serving/classify", "serving/request_classes")),
    ("look-up", ("serving/server", "serving/lookup", "serving/lifecycle")),
    ("tool: to its process and back", ("sandbox/", "maker/", "core/values")),
    ("endpoint: to it and back", ("gateway/upstream",)),
    ("record: request, cost, class", ("gateway/recording", "serving/records", "core/", "models/")),
    ("answer: facts, headers, the rest", ("gateway/", "serving/")),
)
"""What a module counts for: the first stage that has a beginning of its path."""
ELSEWHERE = "event loop and libraries"
WAITING = ("run_until_complete", "epoll", "select")


def stage_of(path: str) -> str:
    """Return the stage of a source file."""
    if "/uvicorn/" in path:
        return STAGES[0][0]
    if not path.startswith(PACKAGE):
        return ELSEWHERE
    rest = path.removeprefix(PACKAGE)
    return next((stage for stage, heads in STAGES if rest.startswith(heads)), ELSEWHERE)


def shares(profile: cProfile.Profile) -> dict[str, float]:
    """Return each stage's part of the profiled time; waiting for events counts for none."""
    found = defaultdict[str, float](float)
    for entry in profile.getstats():
        if isinstance(entry.code, str):  # written in C: it counts for its callers
            continue
        stage = stage_of(entry.code.co_filename)
        found[stage] += entry.inlinetime
        for called in entry.calls or ():
            if isinstance(called.code, str) and not any(word in called.code for word in WAITING):
                found[stage] += called.inlinetime
    whole = sum(found.values())
    return {stage: found[stage] / whole for stage, _ in (*STAGES, (ELSEWHERE, ()))}


async def asked(port: int, text: str, seconds: float) -> float:
    """Let a child process ask for some seconds; return how many requests it sent a second."""
    words = [sys.executable, __file__, "--load", str(port), "--text", text]
    child = await asyncio.create_subprocess_exec(
        *words, "--seconds", str(seconds), stdout=subprocess.PIPE
    )
    out, _ = await child.communicate()
    if child.returncode:
        raise RuntimeError("the process that asks has failed")
    return float(out)


def load_from(port: int, text: str, seconds: float) -> None:
    """Ask one request after the other, as the child process."""
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": text}]}
    target = Target("", port, psutil.Process(), SECRET, body)
    print(asyncio.run(load(target, 1, seconds)).rate)


async def measure(folder: Path, seconds: float) -> dict[str, tuple[dict[str, float], float, float]]:
    """Return for each kind of request: shares, microseconds a request, and those of the tool's process."""
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", 0)
    upstream, port = server.sockets[0].getsockname()[1], free_port()
    settings = Settings(
        store=folder / "tools.db",
        model=f"openai:gpt-5?base_url=http://127.0.0.1:{upstream}/v1",
        making=False,
        audit_rate=1e-9,
        port=port,
    )
    found: dict[str, tuple[dict[str, float], float, float]] = {}
    async with serving(settings, Models(None)):
        for kind, text in QUESTIONS.items():
            await asked(port, text, 0.5)
            before = tools_cpu()
            rate = await asked(port, text, seconds)
            tools = (tools_cpu() - before) / (rate * seconds)
            profile = cProfile.Profile()
            profile.enable()
            await asked(port, text, seconds)
            profile.disable()
            found[kind] = shares(profile), 1e6 / rate, 1e6 * tools
    server.close()
    return found


def tools_cpu() -> float:
    """Return the processor seconds of the tools' processes."""
    times = [one.cpu_times() for one in psutil.Process().children(recursive=True)]
    return sum(one.user + one.system for one in times)


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    words.add_argument("--load", type=int, help=argparse.SUPPRESS)
    words.add_argument("--text", default="", help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.load:
        load_from(given.load, given.text, given.seconds)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keep_tool(folder / "tools.db")
        asyncio.run(keep_key(folder / "tools.db", record=False))
        found = uvloop.run(measure(folder, given.seconds))
    table = Table("stage", *found, title="share of the gateway's processor time")
    for stage, _ in (*STAGES, (ELSEWHERE, ())):
        table.add_row(stage, *(f"{100 * one[stage]:.1f} %" for one, _, _ in found.values()))
    table.add_section()
    table.add_row(
        "whole request, client to client", *(f"{us:.0f} us" for _, us, _ in found.values())
    )
    table.add_row("CPU of the tool's own process", *(f"{us:.0f} us" for _, _, us in found.values()))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
