"""The tools that a tenant's agents may call: its made tools that serve, and the gateway itself."""

import asyncio
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import orjson

from toolmint.core.errors import HttpError
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.namespace import ClassKey
from toolmint.core.store import ToolStore
from toolmint.core.tool import ToolRecord
from toolmint.core.toolbox import Tool, Toolbox, failed_result
from toolmint.core.traffic import Key
from toolmint.gateway.api.chat import CHAT
from toolmint.gateway.api.completions import Completions
from toolmint.gateway.asgi import AsgiMessage
from toolmint.gateway.call import GatewayCall
from toolmint.gateway.upstream.answer_text import first_content
from toolmint.gateway.upstream.reading import json_object

ToolboxFactory = Callable[[Sequence[ToolRecord], Sequence[Tool], str | None], Toolbox]
"""Makes a toolbox of made tools and others, for one tenant or for all; arguments are checked there."""

_MOST_SAID = 2000
"""Bytes of an answer that is none, as far as an agent is told of them."""
ANSWERING = (
    "Answers a request by the cheapest proved means: a made tool at no cost, else the strong model."
)


async def serving_tools(store: ToolStore, tenant: str | None = None) -> list[ToolRecord]:
    """Return the verified tools that serve, under short names, each once.

    Args:
        store: the whole store.
        tenant: of this tenant alone; None: of all.
    """
    found: dict[str, ToolRecord] = {}
    for record in await store.serving():
        key = ClassKey.parse(record.request_class)
        if record.profile != "proved" or tenant not in {None, key.tenant}:
            continue
        name = key.name if key.name not in found else f"{key.name}_{key.tenant}_{key.scope}"
        found[name] = record.model_copy(update={"request_class": name})
    return list(found.values())


class McpCatalog:
    """The toolbox of each key.

    Args:
        store: the whole store.
        box: makes toolboxes.
        completions: what answers requests; None: there is no tool ``answer``.
        model: that ``answer`` asks for where the caller names none.
    """

    def __init__(
        self,
        store: ToolStore,
        box: ToolboxFactory,
        completions: Completions | None,
        model: str = "",
    ) -> None:
        self._store, self._box = store, box
        self._completions, self._model = completions, model

    async def of(self, key: Key) -> Toolbox:
        """Return the toolbox of a key's tenant."""
        records = await serving_tools(self._store, key.tenant)
        more = [AnswerTool(self._completions, key, self._model)] if self._completions else []
        return self._box(records, more, key.tenant)


class AnswerTool:
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
        started, sent = time.perf_counter(), list[AsgiMessage]()

        async def send(message: AsgiMessage) -> None:
            sent.append(message)

        async def never() -> AsgiMessage:
            await asyncio.Event().wait()
            return {}

        parsed = {
            "model": given.get("model") or self._model,
            "messages": [{"role": "user", "content": given["text"]}],
        }
        one = GatewayCall({"headers": []}, never, send, self._key, f"req_{uuid4().hex}", started)
        try:
            await self._completions.serve(one, CHAT, orjson.dumps(parsed))
        except HttpError as error:
            return failed_result(
                call, error.wire_code or "error", error.message, time.perf_counter() - started
            )
        raw = b"".join(part.get("body", b"") for part in sent)
        heads = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        text = first_content(json_object(raw) or {})
        if text is None:
            said = raw[:_MOST_SAID].decode("utf-8", "replace")
            return failed_result(call, "model-refused", said, time.perf_counter() - started)
        data = {
            "answer": text,
            "tier": heads.get("x-toolmint-tier", ""),
            "request_id": one.number,
            "tool": heads.get("x-toolmint-tool"),
        }
        return ToolResult(
            call_id=call.id, content=text, data=data, seconds=time.perf_counter() - started
        )
