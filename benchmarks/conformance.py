"""Requests of every shape through a real gateway with a proved tool: how many are served wrongly?

    python benchmarks/conformance.py [--all]

``conformance.jsonl`` holds the shapes, one a line, written by hand and not from the code: a field at the top
level, in a message or in a content part, or whole messages; and what has to become of a request that has it:

- ``served``: the tool answers.
- ``scope``: it is understood, and another scope; this tool does not answer it.
- ``model``: it is not understood. It reaches the endpoint byte for byte, its answer the client, and neither
  queue nor comparisons see it.

Each is sent to its endpoints (chat completions, responses), whole and streamed, twice: to a gateway whose
tool serves, and to one whose tool is only compared. The endpoint is a small server on loopback; the gateway
is called in this process.
"""

import argparse
import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from aiohttp import web
from rich.console import Console
from rich.table import Table

from toolmint.assembly.gateway import gateway
from toolmint.assembly.settings import FieldChoices, Settings
from toolmint.core.namespace import Namespace
from toolmint.core.tool import Demonstration, Provenance, State, ToolRecord
from toolmint.gateway.api.requests import scope_of
from toolmint.gateway.app import Gateway
from toolmint.store.sql import SqlStore

SHAPES = Path(__file__).with_suffix(".jsonl")
TEXT, ANSWER = "Write this word backwards: pear.", "raep"
SOURCE = """import re

def parse(request):
    found = re.fullmatch(r"Write this word backwards: ([a-z]+)\\.", request)
    return {"word": found[1]} if found else None

def unparse(args):
    return f"Write this word backwards: {args['word']}."

def solve(word):
    return word[::-1]

def render(args, result):
    return result
"""
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
Fate = Literal["served", "scope", "model"]


class Shape(NamedTuple):
    """A shape of a request: what is put where, and what has to become of it."""

    on: tuple[str, ...]
    at: str
    put: Any
    fate: Fate

    @property
    def name(self) -> str:
        """Return what tells it from others."""
        return f"{self.at} {json.dumps(self.put)}"[:110]

    def body(self, endpoint: str) -> dict[str, Any]:
        """Return a request of this shape, for an endpoint."""
        part = {"type": "text" if endpoint == "chat" else "input_text", "text": TEXT}
        message: dict[str, Any] = {"role": "user", "content": TEXT}
        field, top = "messages", dict[str, Any]()
        if endpoint == "responses":
            field, top = "input", {"store": False}
        messages: Any = [message]
        match self.at:
            case "top":
                top |= self.put
            case "message":
                messages = [message | self.put]
            case "part":
                messages = [message | {"content": [part | self.put]}]
            case "parts":
                messages = [message | {"content": [part, self.put]}]
            case "before":
                messages = [*self.put, message]
            case "after":
                messages = [message, *self.put]
            case _:
                messages = self.put
        return {"model": "gpt-5", field: messages} | top


def shapes() -> list[Shape]:
    """Return the shapes of the file."""
    lines = [json.loads(line) for line in SHAPES.read_text(encoding="utf-8").split("\n") if line]
    return [Shape(tuple(one["on"]), one["at"], one["put"], one["fate"]) for one in lines]


class Reply(NamedTuple):
    """What a client got, and what the endpoint was sent for it (None: it was not asked)."""

    status: int
    headers: dict[str, str]
    body: bytes
    passed: bytes | None


class Bench:
    """A gateway with one tool, and the endpoint behind it.

    Args:
        app: the gateway.
        seen: bodies that the endpoint was sent.

    Attributes:
        touched: how many requests wait for a tool, and how many comparisons there were, at the last look.
    """

    def __init__(self, app: Gateway, seen: list[bytes]) -> None:
        self.app, self._seen = app, seen
        self.touched = (0, 0)

    async def post(self, path: str, raw: bytes) -> Reply:
        """Send a body."""
        self._seen.clear()
        sent: list[Any] = []
        asked = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if asked.is_set():
                await asyncio.Event().wait()
            asked.set()
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's
            sent.append(message)

        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": []}
        await self.app(scope | {"query_string": b""}, receive, send)
        heads = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        body = b"".join(one.get("body", b"") for one in sent[1:])
        passed = self._seen[0] if self._seen else None
        return Reply(sent[0]["status"], heads, body, passed)

    async def look(self) -> None:
        """Wait until all that follows answers is done, and count what was touched."""
        parts = self.app.parts
        await parts.completions.idle()
        await parts.request_log.flush()
        queued = sum(len(one) for one in (await parts.store.queued()).values())
        known = (await parts.live.tallies()).values()
        trials = sum(tally.trials for versions in known for tally in versions.values())
        self.touched = queued, trials


def said(path: str, body: dict[str, Any]) -> web.Response:
    """Return the endpoint's answer, in the form that was asked for."""
    usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
    message = {"role": "assistant", "content": ANSWER}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    whole: dict[str, Any] = {"id": "1", "model": "gpt-5", "choices": [choice], "usage": usage}
    item = message | {"type": "message", "content": [{"type": "output_text", "text": ANSWER}]}
    response = {"id": "resp_1", "status": "completed", "model": "gpt-5", "output": [item]}
    if path == PATHS["responses"]:
        whole = response
    if not body.get("stream"):
        return web.json_response(whole)
    delta = choice | {"delta": message, "message": None}
    events: list[dict[str, Any]] = [whole | {"choices": [delta]}]
    if path == PATHS["responses"]:
        piece = {"type": "response.output_text.delta", "delta": ANSWER}
        events = [piece, {"type": "response.completed", "response": response}]
    text = "".join(f"data: {json.dumps(one)}\n\n" for one in events) + "data: [DONE]\n\n"
    return web.Response(text=text, content_type="text/event-stream")


async def keep_tool(path: Path, state: State) -> None:
    """Put a tool into a store, in the scope of plain requests."""
    store = SqlStore.open(path)
    record = ToolRecord(
        request_class="backwards",
        source=SOURCE,
        has_parser=True,
        demonstrations=(Demonstration(input=TEXT, target=ANSWER),),
        provenance=Provenance(model="none", demonstrations_digest="", prompts_digest=""),
    )
    namespace = store.namespace(Namespace(scope=scope_of("gpt-5")))
    await namespace.add(record, state, "for the benchmark")
    store.close()


@asynccontextmanager
async def bench(
    folder: Path, state: State, fields: FieldChoices | None = None
) -> AsyncGenerator[Bench]:
    """Open a gateway whose tool is in a state: it serves, or is compared."""
    seen: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        raw = await request.read()
        seen.append(raw)
        try:
            return said(request.path, json.loads(raw))
        except (ValueError, RecursionError):
            return said(request.path, {})

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = Settings(
        store=folder / "tools.db",
        model=f"openai:gpt-5?base_url=http://127.0.0.1:{runner.addresses[0][1]}/v1",
        making=False,
        audit_rate=1e-9,
        approval=True,  # so that a tool that is compared is not promoted on the way
        fields=fields or {},
    )
    await keep_tool(folder / "tools.db", state)
    try:
        async with gateway(settings) as opened:
            await opened.start()
            yield Bench(opened, seen)
            await opened.close()
    finally:
        await runner.cleanup()


class Case(NamedTuple):
    """A shape as it is sent: to which endpoint, whole or streamed."""

    shape: Shape
    endpoint: str
    stream: bool

    @property
    def body(self) -> dict[str, Any]:
        """Return the request."""
        return self.shape.body(self.endpoint) | ({"stream": True} if self.stream else {})


def cases(found: Iterable[Shape]) -> list[Case]:
    """Return all ways to send shapes."""
    return [
        Case(shape, endpoint, stream)
        for shape in found
        for endpoint in shape.on
        for stream in (False, True)
        if not (stream and shape.at == "top" and shape.put.keys() & {"stream", "stream_options"})
    ]


async def fault(here: Bench, case: Case, state: State) -> str:
    """Send a case; return what is wrong with what became of it, empty where nothing is."""
    raw, before, fate = json.dumps(case.body).encode(), here.touched, case.shape.fate
    reply = await here.post(PATHS[case.endpoint], raw)
    await here.look()
    served = reply.passed is None
    if reply.status != 200 or ANSWER.encode() not in reply.body:
        return f"status {reply.status}: {reply.body[:80]!r}"
    if served != (fate == "served" and state == "serving"):
        return f"{'served' if served else 'passed on'} ({reply.headers.get('x-toolmint-why')})"
    queued, compared = (now - then for now, then in zip(here.touched, before, strict=True))
    became = (reply.headers["x-toolmint-cache"], compared, fate == "model" and queued)
    due = {"served": ("shadow", 1, False), "scope": ("miss", 0, False), "model": ("bypass", 0, 0)}
    if became != (("hit", 0, False) if served else due[fate]):
        return f"(cache, compared, queued) is {became}"
    same = fate != "model" or _same(reply.passed or b"", raw, case)
    return "" if same else f"changed on its way: {reply.passed!r}"


def _same(passed: bytes, raw: bytes, case: Case) -> bool:
    """Return whether the endpoint was sent what the client sent; a stream's usage may be asked for."""
    if passed == raw or not case.body.get("stream"):
        return passed == raw
    sent: dict[str, Any] = json.loads(passed)
    return sent | {"stream_options": None} == json.loads(raw) | {"stream_options": None}


async def run(found: list[Case]) -> dict[State, list[tuple[Case, str]]]:
    """Send all cases to a tool that serves and to one that is compared; return the faults."""
    faults: dict[State, list[tuple[Case, str]]] = {}
    states: tuple[State, ...] = ("serving", "shadowing")
    for state in states:
        with tempfile.TemporaryDirectory() as folder:
            async with bench(Path(folder), state) as here:
                said = [(case, await fault(here, case, state)) for case in found]
        faults[state] = [(case, why) for case, why in said if why]
    return faults


def main() -> None:
    options = argparse.ArgumentParser(description="Requests of every shape through a gateway.")
    options.add_argument("--all", action="store_true", help="name every case that went wrong")
    shown_all = options.parse_args().all
    found = cases(shapes())
    faults = asyncio.run(run(found))
    table = Table(
        "endpoint", "sent", "fate", "cases", "wrong: tool serves", "wrong: tool is compared"
    )
    kinds = Counter((one.endpoint, one.stream, one.shape.fate) for one in found)
    for (endpoint, stream, fate), count in sorted(kinds.items()):
        wrong = [
            sum((c.endpoint, c.stream, c.shape.fate) == (endpoint, stream, fate) for c, _ in some)
            for some in faults.values()
        ]
        table.add_row(
            endpoint, "streamed" if stream else "whole", fate, str(count), *map(str, wrong)
        )
    console = Console(width=160)
    console.print(table)
    every = [(case, why) for some in faults.values() for case, why in some]
    served = sum(why.startswith("served") for _, why in every)
    console.print(
        f"{len(found)} cases of {len(shapes())} shapes, each to two gateways; "
        f"served wrongly: {served}; otherwise wrong: {len(every) - served}"
    )
    for case, why in every if shown_all else every[:20]:
        way = "streamed" if case.stream else "whole"
        console.print(f"{case.endpoint} {way} {case.shape.name}: {why}", markup=False)


if __name__ == "__main__":
    main()
