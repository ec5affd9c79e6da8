"""What the gateway's speed is measured between: an upstream that answers at once, and a bare pass-through.

python benchmarks/gateway_peers.py mock PORT
python benchmarks/gateway_peers.py bare PORT UPSTREAM
"""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httptools
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

USAGE = {"prompt_tokens": 40, "completion_tokens": 20, "total_tokens": 60}
CHOICE = {
    "index": 0,
    "finish_reason": "stop",
    "logprobs": None,
    "message": {"role": "assistant", "content": "a reply of some length " * 10},
}
WHOLE = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5",
        "choices": [CHOICE],
        "usage": USAGE,
    }
).encode()
EVENTS = 22


def _events() -> bytes:
    common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5"}
    found: list[dict[str, Any]] = [
        {
            "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}],
            "usage": None,
        }
        for _ in range(EVENTS - 2)
    ]
    found.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None})
    found.append({"choices": [], "usage": USAGE})
    lines = "".join(f"data: {json.dumps(common | one)}\n\n" for one in found)
    return (lines + "data: [DONE]\n\n").encode()


def _reply(kind: bytes, body: bytes) -> bytes:
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\ncontent-length: %d\r\n\r\n" % len(body)
    )
    return head + body


class Mock(asyncio.Protocol):
    """Answers every request at once: whole, or as events where the body asks for a stream."""

    plain = _reply(b"application/json", WHOLE)
    streamed = _reply(b"text/event-stream", _events())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self._transport: Any = transport
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Keep a part of a body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        stream = b'"stream":true' in self._body or b'"stream": true' in self._body
        self._body = b""
        self._transport.write(self.streamed if stream else self.plain)


async def mock(port: int) -> None:
    """Serve the upstream."""
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", port)
    await server.serve_forever()


def bare(upstream: str) -> Starlette:
    """Return the plainest pass-through that one would write: Starlette in front, aiohttp behind."""
    sessions: list[aiohttp.ClientSession] = []

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncGenerator[None]:
        del app
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            sessions.append(session)
            yield

    async def chat(request: Request) -> Response:
        body = await request.body()
        heads = {"content-type": "application/json"}
        reply = await sessions[0].post(f"{upstream}/chat/completions", data=body, headers=heads)
        if "event-stream" in reply.headers["content-type"]:
            return StreamingResponse(reply.content.iter_any(), media_type="text/event-stream")
        async with reply:
            return Response(await reply.read(), media_type="application/json")

    return Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])], lifespan=life)


def main() -> None:
    if sys.argv[1] == "mock":
        asyncio.run(mock(int(sys.argv[2])))
        return
    uvicorn.run(bare(sys.argv[3]), port=int(sys.argv[2]), access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
