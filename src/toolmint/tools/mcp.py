"""Tools of an MCP server, over stdio or streamable HTTP, through the official SDK."""

import asyncio
import shlex
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from mcp import Client, MCPError, StdioServerParameters
from mcp.types import CallToolResult, ListToolsResult, TextContent

from toolmint.core.errors import ToolError, aboundary
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.toolbox import failed_result
from toolmint.core.values import Value, canonical

_T = TypeVar("_T")
_MAX_PAGES = 100


async def _within(seconds: float, work: Awaitable[_T]) -> _T:
    """Await in this task: the SDK's cancel scopes must be left by the task that entered them."""
    async with asyncio.timeout(seconds):
        return await work


def _text(result: CallToolResult) -> str:
    parts = [
        part.text if isinstance(part, TextContent) else f"[{part.type}]" for part in result.content
    ]
    return "\n".join(parts)


class McpTool:
    """One tool of a connected server."""

    def __init__(self, client: Client, where: str, spec: ToolSpec, timeout: float) -> None:
        self.spec = spec
        self._client, self._where, self._timeout = client, where, timeout

    async def call(self, call: ToolCall) -> ToolResult:
        """Call the tool; an error of the tool or the protocol, or a dead server, is the observation."""
        start = time.perf_counter()
        work = self._client.call_tool(
            call.name, cast("dict[str, Any]", call.parsed()), read_timeout_seconds=self._timeout
        )
        try:
            result = await aboundary(_within(self._timeout + 1, work), self._lost)
        except ToolError as fault:
            return failed_result(call, fault.code, str(fault), time.perf_counter() - start)
        text = _text(result)
        seconds = time.perf_counter() - start
        if result.is_error:
            return failed_result(call, "tool-error", text, seconds)
        data = cast("Value", result.structured_content)
        return ToolResult(
            call_id=call.id, content=text or canonical(data), data=data, seconds=seconds
        )

    def _lost(self, fault: Exception) -> ToolError:
        if isinstance(fault, TimeoutError):
            return ToolError(
                f"{self._where} gave no answer within {self._timeout:g} s", code="tool-timeout"
            )
        if isinstance(fault, MCPError):
            return ToolError(f"{self._where}: {fault}", code="tool-protocol")
        return ToolError(
            f"{self._where} is gone: {type(fault).__name__} {fault}".strip(),
            code="tool-unreachable",
        )


@asynccontextmanager
async def mcp_tools(server: object, *, seconds: float = 60.0) -> AsyncGenerator[list[McpTool]]:
    """Connect to a server and yield its tools; the connection closes with the context.

    Args:
        server: a URL (streamable HTTP), a command line (stdio), or a server object in this process.
        seconds: timeout of the connection and of each call.

    Raises:
        ToolError: the server cannot be started or reached, or does not speak MCP.
    """
    where = f"the MCP server {server!r}" if isinstance(server, str) else "the MCP server"
    target: Any = server
    if isinstance(server, str) and not server.startswith(("http://", "https://")):
        command, *arguments = shlex.split(server)
        target = StdioServerParameters(command=command, args=arguments)
    client = Client(target, read_timeout_seconds=seconds)

    def unreachable(fault: Exception) -> ToolError:
        cause: BaseException = fault
        while isinstance(cause, BaseExceptionGroup):
            cause = cast("BaseExceptionGroup[BaseException]", cause).exceptions[0]
        return ToolError(
            f"{where} cannot be used: {type(cause).__name__}: {cause}", code="tool-unreachable"
        )

    await aboundary(_within(seconds, client.__aenter__()), unreachable)
    try:
        specs = await aboundary(_specs(client), unreachable)
        yield [McpTool(client, where, spec, seconds) for spec in specs]
    finally:
        await client.__aexit__(None, None, None)


async def _specs(client: Client) -> list[ToolSpec]:
    specs: list[ToolSpec] = []
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page: ListToolsResult = await client.list_tools(cursor=cursor)
        specs += [
            ToolSpec(
                name=one.name,
                description=one.description or "",
                parameters=one.input_schema,
                returns=one.output_schema,
                read_only=bool(one.annotations and one.annotations.read_only_hint),
            )
            for one in page.tools
        ]
        cursor = page.next_cursor
        if cursor is None:
            break
    return specs
