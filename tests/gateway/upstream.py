"""A strong model's endpoint on loopback: it sorts words, counts what it used, and fails when a model's
name says so.
"""

import asyncio
import base64
import json
import struct
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from tests.maker.tools import RIGHT, fenced

from toolmint.gateway.api.requests import content_text
from toolmint.gateway.api.responses import read_response, response_events, response_reply

MAKING = "You write a tool"


def solved(text: str) -> str:
    """Sort the words after a colon; anything else is answered with its length."""
    words = text.partition(": ")[2].rstrip(".")
    return ", ".join(sorted(words.split(", "))) if words else f"{len(text)} characters"


class Endpoint:
    """Answers as OpenAI's endpoints do.

    Attributes:
        seen: bodies that came.
        keys: authorizations that came.
        left: set once a client has left before the end.
        solve: answers a text.
        spoil: changes an answer, for a world that has changed.
        hold: requests wait for it before they are answered.
        makings: how often a tool was asked for; ``making`` is set by the first, ``hold_making`` holds them.
    """

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.left = asyncio.Event()
        self.input_tokens = self.output_tokens = 0
        self.solve: Callable[[str], str] = solved
        self.spoil: Callable[[str], str] = str
        self.hold = asyncio.Event()
        self.hold.set()
        self.makings = 0
        self.making = asyncio.Event()
        self.hold_making = asyncio.Event()
        self.hold_making.set()

    async def _made(self) -> str:
        self.makings += 1
        self.making.set()
        await self.hold_making.wait()
        return fenced(RIGHT)

    def _used(self, text: str, answer: str) -> tuple[int, int]:
        used = len(text) // 4 + 1, len(answer) // 4 + 1
        self.input_tokens += used[0]
        self.output_tokens += used[1]
        return used

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await self._take(request)
        failed = await self._fail(request, str(body["model"]))
        if failed is not None:
            return failed
        text = content_text(body["messages"][-1]["content"]) or ""
        answer = await self._made() if MAKING in text else self.spoil(self.solve(text))
        parsed, said = self._used(text, answer)
        usage = {"prompt_tokens": parsed, "completion_tokens": said, "total_tokens": parsed + said}
        if body.get("stream"):
            return await self._stream(request, body, answer, usage)
        message: dict[str, Any] = {"role": "assistant", "content": answer}
        finish = "stop"
        if body.get("tools"):
            call = {
                "id": "call_1",
                "type": "function",
                "function": {"name": "f", "arguments": "{}"},
            }
            message, finish = (
                {"role": "assistant", "content": None, "tool_calls": [call]},
                "tool_calls",
            )
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        whole = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": body["model"],
            "choices": [choice] * (body.get("n") or 1),
            "usage": usage,
        }
        return web.json_response(whole)

    async def _take(self, request: web.Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        self.seen.append(body)
        self.keys.append(request.headers.get("authorization"))
        try:
            await self.hold.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        return body

    async def _fail(self, request: web.Request, model: str) -> web.StreamResponse | None:
        match model:
            case "fails-401" | "fails-500":
                status = int(model[-3:])
                return web.json_response({"error": {"message": "no", "type": "t"}}, status=status)
            case "fails-429":
                error = {"error": {"message": "slow down", "type": "rate_limit_error"}}
                return web.json_response(error, status=429, headers={"retry-after": "0"})
            case "fails-hang":
                await asyncio.Event().wait()
            case "fails-cut":
                cut = web.StreamResponse(headers={"content-type": "text/event-stream"})
                await cut.prepare(request)
                await cut.write(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')
                assert request.transport is not None
                request.transport.abort()
                return cut
            case _:
                pass
        return None

    async def _stream(
        self, request: web.Request, body: dict[str, Any], answer: str, usage: dict[str, int]
    ) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await stream.prepare(request)
        common = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": body["model"],
        }
        options: dict[str, Any] = body.get("stream_options") or {}
        wanted = options.get("include_usage")
        pieces = [{"role": "assistant", "content": ""}, *({"content": one} for one in answer)]
        events: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": one, "finish_reason": None}]} for one in pieces
        ]
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if wanted:
            events = [one | {"usage": None} for one in events]
            events.append({"choices": [], "usage": usage})
        try:
            for one in events:
                await stream.write(f"data: {json.dumps(common | one)}\n\n".encode())
            await stream.write(b"data: [DONE]\n\n")
        except ConnectionError:
            self.left.set()
        return stream

    async def response(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = await self._take(request)
        parsed = read_response(raw)
        asked = body["input"]
        text = asked if isinstance(asked, str) else content_text(asked[-1]["content"], "input_text")
        answer = solved(text or "")
        asked_tokens, said_tokens = self._used(text or "", answer)
        used = {
            "input_tokens": asked_tokens,
            "output_tokens": said_tokens,
            "total_tokens": asked_tokens + said_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
        if body.get("stream"):
            stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
            await stream.prepare(request)
            for one in response_events(parsed, answer, {}):
                await stream.write(one)
            return stream
        whole: dict[str, Any] = json.loads(response_reply(parsed, answer, {}))
        return web.json_response(whole | {"usage": used})

    async def embedding(self, request: web.Request) -> web.StreamResponse:
        body = await self._take(request)
        failed = await self._fail(request, str(body["model"]))
        if failed is not None:
            return failed
        parsed = len(body["input"]) // 4 + 1
        self.input_tokens += parsed
        vector = base64.b64encode(struct.pack("<2f", 0.5, len(body["input"]))).decode()
        usage = {"prompt_tokens": parsed, "total_tokens": parsed}
        data = [{"object": "embedding", "index": 0, "embedding": vector}]
        whole = {"object": "list", "data": data, "model": body["model"], "usage": usage}
        return web.json_response(whole)

    async def completion(self, request: web.Request) -> web.StreamResponse:
        body = await self._take(request)
        answer = solved(body["prompt"])
        parsed, said = self._used(body["prompt"], answer)
        usage = {"prompt_tokens": parsed, "completion_tokens": said, "total_tokens": parsed + said}
        common = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": body["model"]}
        choice = {"index": 0, "text": answer, "logprobs": None, "finish_reason": "stop"}
        if not body.get("stream"):
            return web.json_response(common | {"choices": [choice], "usage": usage})
        events: list[dict[str, Any]] = [{"choices": [choice]}]
        options: dict[str, Any] = body.get("stream_options") or {}
        if options.get("include_usage"):
            events.append({"choices": [], "usage": usage})
        stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await stream.prepare(request)
        for one in events:
            await stream.write(f"data: {json.dumps(common | one)}\n\n".encode())
        await stream.write(b"data: [DONE]\n\n")
        return stream

    async def models(self, request: web.Request) -> web.Response:
        del request
        names = ("gpt-5", "gpt-5-mini")
        data = [{"id": one, "object": "model", "created": 1, "owned_by": "o"} for one in names]
        return web.json_response({"object": "list", "data": data})


@asynccontextmanager
async def upstream() -> AsyncGenerator[tuple[str, Endpoint]]:
    """Serve an endpoint; returns its base URL and it."""
    endpoint = Endpoint()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/chat/completions", endpoint.chat)
    app.router.add_post("/v1/responses", endpoint.response)
    app.router.add_post("/v1/embeddings", endpoint.embedding)
    app.router.add_post("/v1/completions", endpoint.completion)
    app.router.add_get("/v1/models", endpoint.models)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", endpoint
    finally:
        endpoint.hold.set()
        await runner.cleanup()
