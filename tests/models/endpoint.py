"""A small OpenAI-compatible endpoint on loopback that answers as a test scripts it."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web


class Said(NamedTuple):
    """One scripted reply: status, body (a text is sent as it is), headers."""

    status: int
    body: Any
    headers: dict[str, str] | None = None


def completion(text: str, prompt: int = 12, output: int = 5) -> dict[str, Any]:
    return {
        "id": "c1",
        "model": "gpt-5",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
        },
    }


@asynccontextmanager
async def endpoint(replies: Sequence[Said]) -> AsyncGenerator[tuple[str, list[dict[str, Any]]]]:
    """Serve the replies in order; returns the base URL and the bodies that came."""
    left, seen = list(replies), list[dict[str, Any]]()

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        seen.append(body | {"authorization": request.headers.get("authorization")})
        said = left.pop(0)
        if body.get("stream"):
            stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
            await stream.prepare(request)
            for event in said.body:
                data = event if isinstance(event, str) else json.dumps(event)
                await stream.write(f"data: {data}\n\n".encode())
            return stream
        text = said.body if isinstance(said.body, str) else json.dumps(said.body)
        return web.Response(status=said.status, text=text, headers=said.headers)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/v1", seen
    finally:
        await runner.cleanup()
