"""How much of the package one request goes through: files and functions, counted by ``sys.setprofile``.

    python benchmarks/gateway_hops.py [--record] [--list]

A gateway with a key is opened in this process, with an endpoint on loopback behind it and a verified tool in
its store. One request is then called as an ASGI server calls it, and each function of ``toolmint`` that is
entered until the last ``send`` is counted once, in the thread of the event loop and in all others. Lambdas
and comprehensions count as a part of the function that they stand in; functions that are written in C or
generated (``NamedTuple``) do not count. Two kinds of requests are counted: one that a tool answers, and one
that is passed on. Each was sent before, so that what is opened once (connections, tools) is not counted.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import threading
from collections.abc import MutableMapping
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

import toolmint
from gateway_peers import Mock
from gateway_speed import ASK, keep_tool
from toolmint.assembly.gateway import gateway
from toolmint.assembly.settings import Settings
from toolmint.core.traffic import Key
from toolmint.gateway.app import Gateway
from toolmint.gateway.auth.keys import digest_of
from toolmint.store.sql import SqlStore

PACKAGE = Path(toolmint.__file__).parent
QUESTIONS = {
    "a tool answers": ASK.format("pear, fig, apple"),
    "passed on": "Say something friendly.",
}
SECRET = "tw-hops"
WARM = 3
"""Requests of each kind before the one that is counted."""


class Profile:
    """Keeps the code that is entered while it is on; made before the threads that it is to see."""

    def __init__(self) -> None:
        self.on, self._entered = False, set[CodeType]()
        threading.setprofile(self._enter)
        sys.setprofile(self._enter)

    def _enter(self, frame: FrameType, event: str, _: object) -> None:
        if self.on and event == "call":
            self._entered.add(frame.f_code)

    def start(self) -> None:
        """Count from here on."""
        self._entered.clear()
        self.on = True

    def functions(self) -> set[tuple[str, str]]:
        """Return what was entered of the package: files and names."""
        found: set[tuple[str, str]] = set()
        for code in self._entered:
            path = Path(code.co_filename)
            if path.is_relative_to(PACKAGE):
                # "f.<locals>.<lambda>" and "f.<locals>.<listcomp>" belong to f
                name = code.co_qualname.partition(".<locals>.<")[0]
                found.add((str(path.relative_to(PACKAGE)), name))
        return found


class Answer(NamedTuple):
    """Status and headers of an answer."""

    status: int
    headers: dict[bytes, bytes]


async def ask(app: Gateway, text: str, profile: Profile | None = None) -> Answer:
    """Send one request; a profile counts from its call to the last part of its answer."""
    body = json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": text}]}).encode()
    left = [{"type": "http.request", "body": body}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if left:
            return left.pop()
        await asyncio.Event().wait()  # the client stays
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)
        if profile is not None and message.get("body") and not message.get("more_body"):
            profile.on = False

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "headers": [(b"authorization", f"Bearer {SECRET}".encode())],
    }
    if profile is not None:
        profile.start()
    await app(scope, receive, send)
    return Answer(sent[0]["status"], dict(sent[0]["headers"]))


async def count(folder: Path, profile: Profile) -> dict[str, set[tuple[str, str]]]:
    """Return the functions of the package that each kind of request enters."""
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(
        store=folder / "tools.db",
        model=f"openai:gpt-5?base_url=http://127.0.0.1:{port}/v1",
        making=False,
        audit_rate=1e-9,
    )
    found: dict[str, set[tuple[str, str]]] = {}
    async with gateway(settings) as app:
        await app.start()
        for kind, text in QUESTIONS.items():
            for _ in range(WARM):
                await ask(app, text)
            await app.parts.completions.idle()
            await app.parts.request_log.flush()
            answer = await ask(app, text, profile)
            cache = answer.headers.get(b"x-toolmint-cache")
            if answer.status != 200 or (cache == b"hit") != (kind == "a tool answers"):
                raise RuntimeError(f"{kind}: {answer}")
            found[kind] = profile.functions()
        await app.close()
    server.close()
    return found


async def keep_key(store: Path, *, record: bool) -> None:
    """Put a key into the store, of the tenant whose tool is there."""
    opened = SqlStore.open(store)
    key = Key(id="hops", tenant="bench", record=record)
    await opened.traffic.keep_key(key, digest_of(SECRET))
    opened.close()


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--record", action="store_true", help="the key lets texts be kept")
    words.add_argument("--list", action="store_true", help="name the functions too")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keep_tool(folder / "tools.db")
        asyncio.run(keep_key(folder / "tools.db", record=given.record))
        found = asyncio.run(count(folder, Profile()))
    table = Table("request", "files", "functions")
    for kind, functions in found.items():
        table.add_row(kind, str(len({file for file, _ in functions})), str(len(functions)))
    Console().print(table)
    if given.list:
        for kind, functions in found.items():
            print(f"\n{kind}:")
            print("\n".join(f"  {file}: {name}" for file, name in sorted(functions)))


if __name__ == "__main__":
    main()
