"""An endpoint that writes byte for byte what a test says, and a gateway before it."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from tests.gateway.house import served

from toolmint.assembly.gateway import gateway
from toolmint.assembly.settings import Settings
from toolmint.core.traffic import RequestRecord
from toolmint.gateway.app import Gateway
from toolmint.gateway.asgi import AsgiMessage, Receive, Scope, Send

Answer = Callable[["Asked"], Awaitable[None]]


class Asked(NamedTuple):
    """A request as it came to the endpoint; ``write`` answers it."""

    head: str
    raw: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def body(self) -> dict[str, Any]:
        return orjson.loads(self.raw)

    async def write(self, *parts: bytes) -> None:
        """Write parts, each by itself."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Wait until the gateway has closed the connection."""
        while await self.reader.read(1 << 16):
            pass

    async def whole(self, status: str, body: bytes, *heads: str) -> None:
        """Write an answer with its length."""
        lines = "".join(f"{one}\r\n" for one in (*heads, f"content-length: {len(body)}"))
        await self.write(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body)

    async def stream(self, *parts: bytes, heads: tuple[str, ...] = (), end: bool = True) -> None:
        """Write a stream of parts; without ``end`` it goes on."""
        kind = () if any(one.startswith("content-type") for one in heads) else (EVENTS,)
        lines = "".join(f"{one}\r\n" for one in (*kind, *heads, "transfer-encoding: chunked"))
        await self.write(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode())
        await self.write(*(b"%x\r\n%b\r\n" % (len(part), part) for part in parts))
        if end:
            await self.write(b"0\r\n\r\n")


EVENTS = "content-type: text/event-stream"


class Script:
    """Answers as it is told; ``asked`` are the requests that came."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, list[Asked]()
        self.tasks: set[asyncio.Task[None]] = set()
        self._more = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await asyncio.wait({task})

    async def came(self, count: int) -> None:
        """Wait until so many requests have come."""
        while len(self.asked) < count:
            self._more.clear()
            await self._more.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                size = re.search(r"content-length: (\d+)", head)
                raw = await reader.readexactly(int(size[1]) if size else 0)
                one = Asked(head, raw, reader, writer)
                self.asked.append(one)
                self._more.set()
                await self.answer(one)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def scripted(answer: Answer) -> AsyncGenerator[tuple[str, Script]]:
    """Serve an endpoint; returns its base URL and it."""
    script = Script(answer)
    server = await asyncio.start_server(script, "127.0.0.1", 0, limit=64 << 20)
    async with server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", script
        finally:
            for task in tuple(script.tasks):
                task.cancel()


class Watched:
    """A gateway whose requests tell when it has learned that their clients left."""

    def __init__(self, app: Gateway) -> None:
        self._app, self._left = app, 0
        self._more = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched() -> AsgiMessage:
            message = await receive()
            if message["type"] == "http.disconnect":
                self._left += 1
                self._more.set()
            return message

        await self._app(scope, watched, send)

    async def left(self, count: int) -> None:
        """Wait until so many have left."""
        while self._left < count:
            self._more.clear()
            await self._more.wait()


class Front(NamedTuple):
    """A gateway before a scripted endpoint."""

    url: str
    app: Gateway
    script: Script
    watched: Watched

    async def rows(self, count: int, seconds: float = 10.0) -> list[RequestRecord]:
        """Return the records in the order of their ids, once there are so many of them."""
        async with asyncio.timeout(seconds):
            while True:
                await self.app.parts.request_log.flush()
                found = await self.app.parts.log.requests(most=count + 1000)
                if len(found) >= count:
                    return sorted(found, key=lambda one: one.id)
                await asyncio.sleep(0.01)


@asynccontextmanager
async def front(folder: Path, answer: Answer, **settings: Any) -> AsyncGenerator[Front]:
    """Open a gateway before an endpoint that answers as it is told."""
    async with scripted(answer) as (url, script):
        model = f"openai:gpt-5?base_url={url}"
        plain = Settings(store=folder / "tools.db", model=model, making=False)
        async with (
            gateway(plain.model_copy(update=settings)) as app,
            served(watched := Watched(app)) as address,
        ):
            yield Front(address, app, script, watched)


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """Return an event of a streamed chat completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    common = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5"}
    return b"data: " + orjson.dumps(common | {"choices": [choice]} | more) + b"\n\n"


def usage_chunk(read: int, written: int) -> bytes:
    """Return the event that holds the usage."""
    used = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    common = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5"}
    return b"data: " + orjson.dumps(common | {"choices": [], "usage": used}) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def chat_body(text: str = "Hello there", **more: Any) -> dict[str, Any]:
    """Return a chat request."""
    return {"model": "gpt-5", "messages": [{"role": "user", "content": text}]} | more


def completion(text: str | None, read: int = 3, written: int = 2, **message: Any) -> dict[str, Any]:
    """Return a whole chat completion."""
    said = {"role": "assistant", "content": text} | message
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5",
        "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": read, "completion_tokens": written},
    }
