"""What three parts of the gateway save in processor time: its HTTP client, buffered writes, and routes.

    python benchmarks/gateway_parts.py [--starts 6] [--rounds 24]

Each part is replaced in turn by what a library offers in its place: aiohttp for the client (as
``AiohttpClient`` uses it: no proxy, no cookies), uvicorn's own protocol for buffered writes, Starlette's
router (alone, and as a whole application) for the routes. Every variant is a process of its own, run as
``toolmint serve`` runs: no keys, each request recorded, no tools made. All are asked in turn, in a new order
in each round, by 8 callers, for whole chat completions and for streams whose 30 events come one by one; all
are started anew some times, as two starts of one program differ too. A second gateway with nothing replaced
is the control: what it shows is noise.

Printed are microseconds of the gateway process per request (medians over rounds), with our part and with the
other, and the ratio of the two in one round: median, quartiles, and the 95 % interval of the median (a
bootstrap over starts). "Pieces" are those that an answer came in: where they differ, the work does too. Only
the ratios say something about another machine.

A fourth part was measured here and is gone: a timer of our own for bodies cost 2.3 % less processor time per
request than ``asyncio.timeout``, too little for the code that it took.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route, Router
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway_load import free_port, started
from gateway_peers import Mock
from toolmint.assembly.gateway import gateway
from toolmint.assembly.settings import Settings
from toolmint.cli import serve_process
from toolmint.gateway import http_server
from toolmint.gateway.api.endpoints import KINDS
from toolmint.gateway.app import Gateway
from toolmint.gateway.upstream import endpoint
from toolmint.gateway.upstream.session import AiohttpClient

CALLERS, EVENTS, WARM = 8, 30, 3
REST_SECONDS = 0.4
"""After a turn, until what it recorded is written and its processor time is read."""
GAP_SECONDS = 0.001
"""Between two events of a stream."""
TRAFFIC = {"whole": 240, "stream": 40}
"""Requests of a turn; it is short, as a disturbed turn then spoils little."""
ASK = {"model": "gpt-5", "messages": [{"role": "user", "content": "Say something friendly. " * 5}]}
OPTIONS = {"stream": True, "stream_options": {"include_usage": True}}
BODIES: dict[str, dict[str, Any]] = {"whole": ASK, "stream": ASK | OPTIONS}
OURS, CONTROL = "ours", "ours again"


@asynccontextmanager
async def routed(kind: Any, settings: Settings) -> AsyncGenerator[Any]:  # noqa: ANN401 - see VARIANTS
    """Put Starlette's router before the gateway, or its application with middleware and a function."""
    async with gateway(settings) as app:

        @asynccontextmanager
        async def life(_: object) -> AsyncGenerator[None]:
            await app.start()
            yield
            await app.close()

        async def function(request: Request) -> Gateway:
            del request
            return app  # called as a response is

        served = app if kind is Router else function
        routes = [Route(f"/v1{one.path}", served, methods=["POST"]) for one in KINDS]
        yield kind(routes=routes, lifespan=life)


VARIANTS: dict[str, tuple[str, str, tuple[Any, str, object] | None]] = {
    OURS: ("", "", None),
    CONTROL: ("nothing (control)", "the same", None),
    "aiohttp": ("HTTP client", "aiohttp", (endpoint, "client_for", AiohttpClient)),
    "unbuffered": (
        "buffered writes",
        "uvicorn's",
        (http_server, "BufferedProtocol", HttpToolsProtocol),
    ),
    "router": ("routes", "Starlette's Router", (serve_process, "gateway", partial(routed, Router))),
    "starlette": ("routes", "Starlette", (serve_process, "gateway", partial(routed, Starlette))),
}
"""What a variant replaces, by what, and the name that is bound anew for that."""


def serve(variant: str, port: str, store: str, base_url: str) -> None:
    """Run a gateway with a part replaced: what the child process does."""
    swap = VARIANTS[variant][2]
    if swap is not None:
        getattr(*swap[:2])  # fails where it has gone
        setattr(*swap)
    model = f"openai:gpt-5?base_url={base_url}"
    serve_process.run_gateway(Settings(store=store, port=int(port), making=False, model=model))


LINES = [one + b"\n\n" for one in Mock.streamed.partition(b"\r\n\r\n")[2].split(b"\n\n")[:-1]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
STREAM = LINES[:1] * (EVENTS - 3) + LINES[-3:]
"""Words, the end of the text, the usage, and the mark of the end."""


class Paced(Mock):
    """Answers whole at once, and streams event by event."""

    def on_message_complete(self) -> None:
        """Answer."""
        if b'"stream": true' not in self._body:
            super().on_message_complete()
            return
        self._body = b""
        self._task = asyncio.create_task(self._write())

    async def _write(self) -> None:
        self._transport.write(HEAD)
        for event in STREAM:
            self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))
            await asyncio.sleep(GAP_SECONDS)
        self._transport.write(b"0\r\n\r\n")


async def answer(port: str) -> None:
    """Serve the endpoint behind the gateways."""
    server = await asyncio.get_running_loop().create_server(Paced, "127.0.0.1", int(port))
    await server.serve_forever()


async def _one(reader: asyncio.StreamReader) -> int:
    """Read an answer; return how many pieces it came in."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.decode())
    _, found, size = head.partition(b"content-length: ")
    if found:
        await reader.readexactly(int(size.partition(b"\r\n")[0]))
        return 1
    pieces = 0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        pieces += 1
    await reader.readexactly(2)
    return pieces


async def ask(port: int, traffic: str, count: int) -> float:
    """Ask a gateway some times; return how many pieces an answer came in."""
    body = json.dumps(BODIES[traffic]).encode()
    request = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body
    pieces, left = 0, count

    async def caller() -> None:
        nonlocal left, pieces
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left > 0:
            left -= 1
            writer.write(request)
            came = await _one(reader)
            pieces += came
        writer.close()

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return pieces / count


def micros(pid: int) -> float:
    """Return the processor time of a process with all its threads."""
    return 1e6 * time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) of Linux


Found = dict[tuple[str, str], NDArray[np.float64]]
"""By variant and traffic, then start and round: microseconds a request, and pieces of an answer."""


def servers(stack: ExitStack) -> dict[str, tuple[int, int]]:
    """Start a gateway for each variant, and the endpoint behind them; return their ports and processes."""
    folder, behind = Path(stack.enter_context(tempfile.TemporaryDirectory())), free_port()
    me, url = [sys.executable, __file__], f"http://127.0.0.1:{behind}/v1"
    stack.enter_context(started([*me, "endpoint", str(behind)], behind))
    found: dict[str, tuple[int, int]] = {}
    for name in random.sample(list(VARIANTS), len(VARIANTS)):
        port = free_port()
        words = [*me, "serve", name, str(port), str(folder / f"{name}.db"), url]
        found[name] = port, stack.enter_context(started(words, port)).pid
    return found


async def take_turns(places: dict[str, tuple[int, int]], rounds: int, found: Found) -> None:
    """Let all variants take turns; while the next one is asked, the last one writes what it recorded."""
    tails: dict[str, asyncio.Task[None]] = {}

    async def read_cpu(out: NDArray[np.float64], pid: int, before: float, count: int) -> None:
        await asyncio.sleep(REST_SECONDS)
        out[0] = (micros(pid) - before) / count

    for now in range(rounds):
        for traffic, count in TRAFFIC.items():
            for name in random.sample(list(VARIANTS), len(VARIANTS)):
                if name in tails:
                    await tails[name]
                (port, pid), out = places[name], found[name, traffic][now]
                before = micros(pid)
                out[1] = await ask(port, traffic, count)
                tails[name] = asyncio.create_task(read_cpu(out, pid, before, count))
    await asyncio.gather(*tails.values())


def measure(starts: int, rounds: int) -> Found:
    """Start everything some times, and let it take turns; the first rounds warm up and are left out."""
    shape = (starts, rounds + WARM, 2)
    found = {(name, traffic): np.zeros(shape) for name in VARIANTS for traffic in TRAFFIC}
    for start in track(range(starts), "starts"):
        with ExitStack() as stack:
            here = {key: turns[start] for key, turns in found.items()}
            uvloop.run(take_turns(servers(stack), rounds + WARM, here))
    return {key: turns[:, WARM:] for key, turns in found.items()}


def interval(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 95 % interval of the median of all ratios, by a bootstrap over starts and their rounds."""
    dice, (starts, rounds) = np.random.default_rng(1), ratios.shape
    rows = dice.integers(starts, size=(4000, starts, 1))
    columns = dice.integers(rounds, size=(4000, starts, rounds))
    return np.quantile(np.median(ratios[rows, columns], axis=(1, 2)), (0.025, 0.975))


def table(found: Found) -> Table:
    """Return a table with a line for each part and kind of traffic."""
    out = Table(
        "part",
        "in its place",
        "traffic",
        "CPU us with ours",
        "with the other",
        "ours / other",
        "quartiles",
        "95 % of the median",
        "pieces",
    )
    for name, (part, other, _) in list(VARIANTS.items())[1:]:
        for traffic in TRAFFIC:
            theirs, ours = found[name, traffic], found[OURS, traffic]
            if name != CONTROL:
                ours = (ours + found[CONTROL, traffic]) / 2
            ratios = ours[..., 0] / theirs[..., 0]
            low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
            least, most = interval(ratios)
            out.add_row(
                part,
                other,
                traffic,
                f"{np.median(ours[..., 0]):.0f}",
                f"{np.median(theirs[..., 0]):.0f}",
                f"{middle:.3f}",
                f"{low:.3f} to {high:.3f}",
                f"{least:.3f} to {most:.3f}",
                f"{np.median(theirs[..., 1]):.1f}",
            )
    return out


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["endpoint"]:
        asyncio.run(answer(sys.argv[2]))
        return
    words = argparse.ArgumentParser()
    words.add_argument("--starts", type=int, default=6)
    words.add_argument("--rounds", type=int, default=24)
    Console(width=150).print(table(measure(**vars(words.parse_args()))))


if __name__ == "__main__":
    main()
