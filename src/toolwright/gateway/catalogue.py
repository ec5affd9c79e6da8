"""The tools that a tenant's agents may call: its made tools that serve, and the gateway itself."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import orjson

from toolwright.core.messages import ToolCall, ToolResult, ToolSpec
from toolwright.core.store import ToolStore
from toolwright.core.tool import ToolRecord
from toolwright.core.toolbox import Tool, Toolbox, failed
from toolwright.core.traffic import Key, Rooms
from toolwright.gateway.asgi import Message
from toolwright.gateway.call import CHAT, Call
from toolwright.gateway.completions import Completions
from toolwright.gateway.refusal import Refusal

Box = Callable[[Sequence[ToolRecord], Sequence[Tool]], Toolbox]
"""Makes a toolbox of made tools and others; arguments are checked there."""

ANSWERING = (
    "Answers a request by the cheapest proved means: a made tool at no cost, else the strong model."
)


async def made(store: ToolStore) -> list[ToolRecord]:
    """Give the proved tools that serve in a store, under short names, each once."""
    found: dict[str, ToolRecord] = {}
    for record in await store.serving():
        if record.profile != "proved":
            continue
        *scope, name = record.request_class.split("/")
        if name in found:
            name = f"{name}_{'_'.join(scope)}"
        found[name] = record.model_copy(update={"request_class": name})
    return list(found.values())


class Catalogue:
    """Gives each key its tools.

    Args:
        rooms: the whole store.
        box: makes toolboxes.
        completions: what answers requests; None: there is no tool ``answer``.
        model: that ``answer`` asks for where the caller names none.
    """

    def __init__(
        self, rooms: Rooms, box: Box, completions: Completions | None, model: str = ""
    ) -> None:
        self._rooms, self._box = rooms, box
        self._completions, self._model = completions, model

    async def of(self, key: Key) -> Toolbox:
        """Give the toolbox of a key's tenant."""
        records = await made(self._rooms.room(f"{key.tenant}/"))
        more = [Answering(self._completions, key, self._model)] if self._completions else []
        return self._box(records, more)


class Answering:
    """The gateway as one tool: the cheapest tier that is proved able answers."""

    def __init__(self, completions: Completions, key: Key, model: str) -> None:
        self._completions, self._key, self._model = completions, key, model
        self.spec = ToolSpec(
            name="answer",
            description=ANSWERING,
            parameters={
                "type": "object",
                "properties": {
                    "text": {"type": "string", "description": "the whole request"},
                    "model": {"type": "string", "description": "the strong model to ask"},
                },
                "required": ["text"],
                "additionalProperties": False,
            },
        )

    async def call(self, call: ToolCall) -> ToolResult:
        """Answer one request as the gateway would."""
        given = call.parsed()
        started, sent = time.perf_counter(), list[Message]()

        async def send(message: Message) -> None:
            sent.append(message)

        async def never() -> Message:
            await asyncio.Event().wait()
            return {}

        asked = {
            "model": given.get("model") or self._model,
            "messages": [{"role": "user", "content": given["text"]}],
        }
        one = Call({"headers": []}, never, send, self._key, f"req_{uuid4().hex}", started)
        try:
            await self._completions.serve(one, CHAT, orjson.dumps(asked))
        except Refusal as refusal:
            return failed(
                call, refusal.code or "refused", refusal.message, time.perf_counter() - started
            )
        body: dict[str, Any] = orjson.loads(b"".join(part.get("body", b"") for part in sent))
        heads = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        if "choices" not in body:
            return failed(
                call, "model-refused", str(body.get("error")), time.perf_counter() - started
            )
        text = str(body["choices"][0]["message"].get("content") or "")
        data = {
            "answer": text, "tier": heads.get("x-toolwright-tier", ""), "request_id": one.number,
            "tool": heads.get("x-toolwright-tool"),
        }  # fmt: skip
        return ToolResult(
            call_id=call.id, content=text, data=data, seconds=time.perf_counter() - started
        )
