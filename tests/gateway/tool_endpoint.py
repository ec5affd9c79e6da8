"""A strong model's endpoint that calls a tool and stores responses; it refuses what does not add up.

To a request with tools it answers with a call of the first one; once the call's result is there, with a
sentence that holds it.
"""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web
from benchmarks.conformance import keep_tool
from tests.gateway.house import served

from toolmint.assembly.gateway import gateway
from toolmint.assembly.settings import Settings

Item = dict[str, Any]
CITY, DEGREES = "Oslo", "21 degrees"
FINAL = f"It is {DEGREES} there."
_USED = {"input_tokens": 5, "output_tokens": 4, "total_tokens": 9}
_DETAILS = {
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}


class ToolEndpoint:
    """Answers chat completions and responses.

    Attributes:
        seen: bodies that came.
    """

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self._stored: dict[str, list[Item]] = {}
        self._items: dict[str, Item] = {}
        self._numbers = count(1)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat completion."""
        body = await self._take(request)
        messages: list[dict[str, Any]] = body["messages"]
        called = {one["id"] for m in messages for one in m.get("tool_calls") or ()}
        for one in messages:
            if one["role"] == "tool" and one["tool_call_id"] not in called:
                return _refused(f"no call {one['tool_call_id']!r}")
        message: dict[str, Any] = {"role": "assistant", "content": None}
        if messages[-1]["role"] == "tool":
            message["content"] = f"It is {messages[-1]['content']} there."
        elif body.get("tools"):
            name = body["tools"][0]["function"]["name"]
            function = {"name": name, "arguments": json.dumps({"city": CITY})}
            number = f"call_{next(self._numbers)}"
            message["tool_calls"] = [{"id": number, "type": "function", "function": function}]
        else:
            message["content"] = "Hello."
        finish = "tool_calls" if "tool_calls" in message else "stop"
        common = {"id": "chatcmpl-1", "created": 1, "model": body["model"]}
        used = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        if not body.get("stream"):
            whole = {"object": "chat.completion", "choices": [choice], "usage": used}
            return web.json_response(common | whole)
        calls = [{"index": at} | one for at, one in enumerate(message.get("tool_calls", ()))]
        delta = message | ({"tool_calls": calls} if calls else {})
        parts: list[Any] = [{"index": 0, "delta": delta, "finish_reason": None}]
        parts.append({"index": 0, "delta": {}, "finish_reason": finish})
        common["object"] = "chat.completion.chunk"
        events: list[Any] = [common | {"choices": [one]} for one in parts]
        options: dict[str, Any] = body.get("stream_options") or {}
        if options.get("include_usage"):
            events.append(common | {"choices": [], "usage": used})
        return _events([f"data: {json.dumps(one)}\n\n" for one in events] + ["data: [DONE]\n\n"])

    async def response(self, request: web.Request) -> web.StreamResponse:
        """Answer a response."""
        body = await self._take(request)
        before, previous = list[Item](), body.get("previous_response_id")
        if previous is not None:
            if previous not in self._stored:
                return _refused(f"no response {previous!r}")
            before = self._stored[previous]
        given = body["input"]
        asked: list[Item] = (
            [{"role": "user", "content": given}] if isinstance(given, str) else given
        )
        items = [*before]
        for one in asked:
            known = self._items.get(one.get("id", ""))
            if one.get("type") == "item_reference" and known is None:
                return _refused(f"no item {one['id']!r}")
            items.append(known if one.get("type") == "item_reference" and known else one)
        called = {one["call_id"] for one in items if one.get("type") == "function_call"}
        for one in items:
            if one.get("type") == "function_call_output" and one["call_id"] not in called:
                return _refused(f"no call {one['call_id']!r}")
        return self._respond(body, items)

    def _respond(self, body: dict[str, Any], items: list[Item]) -> web.StreamResponse:
        number, last = next(self._numbers), items[-1]
        text: Item = {"type": "output_text", "text": "Hello.", "annotations": []}
        text["logprobs"] = []
        said: Item = {"type": "message", "id": f"msg_{number}", "role": "assistant"}
        said |= {"status": "completed", "content": [text]}
        output = [said]
        if last.get("type") == "function_call_output":
            text["text"] = f"It is {last['output']} there."
        elif body.get("tools"):
            thought: Item = {"type": "reasoning", "id": f"rs_{number}", "summary": []}
            if "reasoning.encrypted_content" in (body.get("include") or ()):
                thought["encrypted_content"] = "x"
            call: Item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"c_{number}"}
            call |= {"name": body["tools"][0]["name"], "arguments": json.dumps({"city": CITY})}
            output = [thought, call | {"status": "completed"}]
        whole: dict[str, Any] = {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 1,
            "status": "completed",
            "model": body["model"],
            "output": output,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": body.get("tools") or [],
            "temperature": 1.0,
            "top_p": 1.0,
            "usage": _USED | _DETAILS,
        }
        if body.get("store", True):
            self._stored[whole["id"]] = [*items, *output]
            self._items |= {one["id"]: one for one in output}
        if not body.get("stream"):
            return web.json_response(whole)
        return _events(
            f"event: {one['type']}\ndata: {json.dumps({'sequence_number': at} | one)}\n\n"
            for at, one in enumerate(_steps(whole))
        )

    async def _take(self, request: web.Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        self.seen.append(body)
        return body


def _steps(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events of a response."""
    delta: dict[str, Any]
    done: dict[str, Any]
    begun: dict[str, Any] = whole | {"status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    for at, item in enumerate(whole["output"]):
        empty = item | {"status": "in_progress"}
        place: dict[str, Any] = {"item_id": item["id"], "output_index": at}
        if item["type"] == "message":
            (part,) = item["content"]
            empty["content"] = []
            yield {"type": "response.output_item.added", "output_index": at, "item": empty}
            place["content_index"] = 0
            added = part | {"text": ""}
            yield {"type": "response.content_part.added", "part": added} | place
            delta = {"delta": part["text"], "logprobs": []}
            yield {"type": "response.output_text.delta"} | delta | place
            done = {"text": part["text"], "logprobs": []}
            yield {"type": "response.output_text.done"} | done | place
            yield {"type": "response.content_part.done", "part": part} | place
        elif item["type"] == "function_call":
            empty["arguments"] = ""
            yield {"type": "response.output_item.added", "output_index": at, "item": empty}
            delta = {"delta": item["arguments"]}
            yield {"type": "response.function_call_arguments.delta"} | delta | place
            done = {"arguments": item["arguments"], "name": item["name"]}
            yield {"type": "response.function_call_arguments.done"} | done | place
        else:
            yield {"type": "response.output_item.added", "output_index": at, "item": item}
        yield {"type": "response.output_item.done", "output_index": at, "item": item}
    yield {"type": "response.completed", "response": whole}


def _refused(why: str) -> web.Response:
    error = {"message": why, "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": error}, status=400)


def _events(parts: Any) -> web.Response:
    return web.Response(text="".join(parts), content_type="text/event-stream")


class ToolHouse(NamedTuple):
    """A gateway with a proved tool before such an endpoint: its URL, and the endpoint."""

    url: str
    endpoint: ToolEndpoint


@asynccontextmanager
async def tool_house(folder: Path) -> AsyncGenerator[ToolHouse]:
    """Open a gateway with a tool that serves ``conformance.TEXT``, before such an endpoint."""
    endpoint = ToolEndpoint()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", endpoint.chat)
    app.router.add_post("/v1/responses", endpoint.response)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    store = folder / "tools.db"
    settings = Settings(
        store=store, model=f"openai:gpt-5?base_url={url}", making=False, audit_rate=1e-9
    )
    await keep_tool(store, "serving")
    try:
        async with gateway(settings) as opened, served(opened) as address:
            yield ToolHouse(f"{address}/v1", endpoint)
    finally:
        await runner.cleanup()
