"""Made tools, and the gateway itself, as an MCP server: streamable HTTP and stdio, by the official SDK."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from mcp import MCPError
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    TextContent,
    ToolAnnotations,
)
from mcp.types import Tool as Document

from toolmint.core.messages import ToolCall, ToolSpec
from toolmint.core.toolbox import Toolbox
from toolmint.gateway.asgi import Receive, Scope, Send

KEY = "toolmint.key"
_OUTPUT: dict[str, Any] = {
    "type": "object",
    "properties": {"result": {"description": "what the tool computed"}},
    "required": ["result"],
}
PROVED = ToolAnnotations(
    read_only_hint=True, idempotent_hint=True, destructive_hint=False, open_world_hint=False
)
"""What verification has shown of a made tool: it computes alone, and twice the same."""
_OPEN = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=True)
Tools = Callable[[Any], Awaitable[Toolbox]]
"""Returns the tools of whoever sent a request; takes the SDK's request context."""


def _document(spec: ToolSpec) -> Document:
    return Document(
        name=spec.name,
        description=spec.description,
        input_schema=dict(spec.parameters),
        output_schema=_OUTPUT,
        annotations=_OPEN if spec.name == "answer" else PROVED,
    )


def server_of(tools: Tools, version: str) -> Server[Any]:
    """Return the MCP server of a catalogue that may change at any moment."""

    async def list_tools(context: Any, params: Any) -> ListToolsResult:  # noqa: ANN401 - the SDK's own
        del params
        box = await tools(context)
        return ListToolsResult(tools=[_document(spec) for spec in box.specs])

    async def call_tool(context: Any, params: CallToolRequestParams) -> CallToolResult:  # noqa: ANN401
        box = await tools(context)
        if params.name not in {spec.name for spec in box.specs}:
            raise MCPError(code=INVALID_PARAMS, message=f"there is no tool {params.name!r}")
        call = ToolCall(id="mcp", name=params.name, arguments=json.dumps(params.arguments or {}))
        result = await box.call(call)
        text = TextContent(type="text", text=result.content)
        if result.failure is not None:
            return CallToolResult(content=[text], is_error=True)
        return CallToolResult(content=[text], structured_content={"result": result.data})

    return Server("toolmint", version=version, on_list_tools=list_tools, on_call_tool=call_tool)


class McpOverHttp:
    """Serves MCP under one path; it begins with its first request, and whoever serves it ends it."""

    def __init__(self, server: Server[Any]) -> None:
        self._manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
        self._running: asyncio.Task[None] | None = None
        self._ready, self._stop = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; ``scope`` holds the key under ``KEY``."""
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="mcp")
        await self._ready.wait()
        await self._manager.handle_request(scope, receive, send)

    async def _run(self) -> None:
        async with self._manager.run():
            self._ready.set()
            await self._stop.wait()

    async def close(self) -> None:
        """Stop the requests at work."""
        self._stop.set()
        if self._running is not None:
            await self._running


async def over_stdio(server: Server[Any]) -> None:
    """Serve one client over standard input and output, until it ends."""
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
