"""Tools of an MCP server, over stdio or streamable HTTP, through the official SDK."""

import asyncio
import shlex
import time
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar, cast

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.types import CallToolResult, ListToolsResult, TextContent
from mcp.types import Tool as McpSchema

from toolmint.core.errors import ToolError, aboundary
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.schema import schema_fault
from toolmint.core.toolbox import failed_result
from toolmint.core.values import Value, canonical, clip

_T = TypeVar("_T")
_MAX_PAGES = 100
_LONGEST = 1 << 20
"""Characters of a result that are kept."""
_LARGEST_EVENT = 64 << 20
"""Bytes of one event of a server over HTTP."""
_CLOSING = 5.0
"""Seconds that a server has to close."""


class _Connection:
    """A connected server, kept by a task of its own.

    The SDK cancels the task that opened a connection when its transport dies. That must not be the agent's.
    """

    def __init__(self, target: Any, where: str, seconds: float, headers: Mapping[str, str]) -> None:  # noqa: ANN401 - what the SDK's client takes
        self._target, self.where, self.seconds = target, where, seconds
        self._headers = dict(headers)
        self._stop = asyncio.Event()
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        async with AsyncExitStack() as stack:
            target = self._target
            if isinstance(target, str):
                http = await stack.enter_async_context(create_mcp_http_client(self._headers))
                target = streamable_http_client(
                    target, http_client=http, max_sse_event_size=_LARGEST_EVENT
                )
            opened = Client(target, read_timeout_seconds=self.seconds)
            client = await stack.enter_async_context(opened)
            if not self._ready.done():
                self._ready.set_result(client)
            await self._stop.wait()

    async def client(self) -> Client:
        """Return the client, once it is connected.

        Raises:
            ToolError: it cannot be connected in time.
        """
        waited: set[asyncio.Future[Any]] = {self._ready, self._task}
        await asyncio.wait(waited, timeout=self.seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._ready.done():
            return self._ready.result()
        said = (
            _said(_fault_of(self._task))
            if self._task.done()
            else f"no answer within {self.seconds:g} s"
        )
        raise ToolError(f"{self.where} cannot be used: {said}", code="tool-unreachable")

    async def ask(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Return what a request to the server brings.

        Raises:
            ToolError: the server is gone, answers with an error or against the protocol, or does not answer.
        """
        asked = asyncio.ensure_future(work)
        waited: set[asyncio.Future[Any]] = {asked, self._task}
        try:
            await asyncio.wait(
                waited, timeout=self.seconds + 1, return_when=asyncio.FIRST_COMPLETED
            )
            if asked.done():
                return await aboundary(asked, self._lost)
            if self._task.done():
                said = _said(_fault_of(self._task))
                raise ToolError(f"{self.where} is gone: {said}", code="tool-unreachable")
            raise self._late()
        finally:
            asked.cancel()

    def _late(self) -> ToolError:
        return ToolError(
            f"{self.where} gave no answer within {self.seconds:g} s", code="tool-timeout"
        )

    def _lost(self, fault: Exception) -> ToolError:
        if isinstance(fault, TimeoutError):
            return self._late()
        if isinstance(fault, MCPError):
            return ToolError(f"{self.where}: {_said(fault)}", code="tool-protocol")
        return ToolError(f"{self.where}: {_said(fault)}", code="tool-unreachable")

    async def close(self) -> None:
        """Close the connection, and end the server where it runs here; a dead one is closed already."""
        self._stop.set()
        await asyncio.wait({self._task}, timeout=_CLOSING)
        self._task.cancel()
        await asyncio.wait({self._task}, timeout=_CLOSING)
        if self._task.done():
            _fault_of(self._task)


def _fault_of(task: "asyncio.Task[None]") -> BaseException | None:
    """Return the exception that ended a task, so that nobody is told of it a second time."""
    return asyncio.CancelledError() if task.cancelled() else task.exception()


def _said(fault: BaseException | None) -> str:
    """Return an exception in words; of a group, the first one."""
    while isinstance(fault, BaseExceptionGroup):
        fault = cast("BaseExceptionGroup[BaseException]", fault).exceptions[0]
    if fault is None:
        return "it has closed"
    return clip(" ".join(f"{type(fault).__name__}: {fault}".split()).rstrip(": "), 400)


def _text(result: CallToolResult) -> str:
    parts = [
        part.text if isinstance(part, TextContent) else f"[{part.type}]" for part in result.content
    ]
    return "\n".join(parts)


class McpTool:
    """One tool of a connected server."""

    def __init__(self, client: Client, connection: _Connection, spec: ToolSpec) -> None:
        self.spec = spec
        self._client, self._connection = client, connection

    async def call(self, call: ToolCall) -> ToolResult:
        """Call the tool; an error of the tool or the protocol, or a dead server, is the observation."""
        start = time.perf_counter()
        work = self._client.call_tool(
            call.name,
            cast("dict[str, Any]", call.parsed()),
            read_timeout_seconds=self._connection.seconds,
        )
        try:
            result = await self._connection.ask(work)
        except ToolError as fault:
            return failed_result(call, fault.code, str(fault), time.perf_counter() - start)
        whole = _text(result)
        text = clip(whole, _LONGEST)
        seconds = time.perf_counter() - start
        if result.is_error:
            return failed_result(call, "tool-error", text, seconds)
        data = cast("Value", result.structured_content) if text == whole else None
        return ToolResult(
            call_id=call.id,
            content=text or clip(canonical(data), _LONGEST),
            data=data,
            seconds=seconds,
        )


@asynccontextmanager
async def mcp_tools(
    server: object,
    *,
    seconds: float = 60.0,
    env: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    problems: list[str] | None = None,
) -> AsyncGenerator[list[McpTool]]:
    """Connect to a server and yield its tools; the connection closes with the context.

    Args:
        server: a URL (streamable HTTP), a command line (stdio), or a server object in this process.
        seconds: timeout of the connection and of each call.
        env: variables that a command gets beside the few that it always has (``PATH``, ``HOME`` and such).
        headers: sent with each request to a URL.
        problems: takes a message for each tool that is left out or loosened.

    Raises:
        ToolError: the server cannot be started or reached, or does not speak MCP.
    """
    where = f"the MCP server {server!r}" if isinstance(server, str) else "the MCP server"
    connection = _Connection(_target(server, env), where, seconds, headers or {})
    try:
        client = await connection.client()
        listed = await connection.ask(_listed(client))
        specs = _specs(listed, where, problems if problems is not None else [])
        yield [McpTool(client, connection, spec) for spec in specs]
    finally:
        await asyncio.shield(connection.close())


def _target(server: object, env: Mapping[str, str] | None) -> object:
    if not isinstance(server, str) or server.startswith(("http://", "https://")):
        return server
    try:
        words = shlex.split(server)
    except ValueError as fault:
        raise ToolError(f"mcp:{server} is no command line: {fault}", code="config") from fault
    if not words:
        raise ToolError("mcp: needs a command or a URL after it", code="config")
    command, *arguments = words
    return StdioServerParameters(command=command, args=arguments, env=dict(env) if env else None)


async def _listed(client: Client) -> list[McpSchema]:
    found: list[McpSchema] = []
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page: ListToolsResult = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _specs(listed: list[McpSchema], where: str, problems: list[str]) -> list[ToolSpec]:
    """Return the specifications of a server's tools; what is wrong with one costs none of the others."""
    specs: dict[str, ToolSpec] = {}
    for one in listed:
        if not one.name or one.name in specs:
            problems.append(f"{where}: a second tool {one.name!r} was left out")
            continue
        parameters = cast("dict[str, Value]", one.input_schema)
        fault = schema_fault(parameters)
        if fault is not None:
            problems.append(f"{where}: {one.name!r} has no valid schema ({clip(fault, 100)})")
            parameters = cast("dict[str, Value]", {"type": "object"})
        specs[one.name] = ToolSpec(
            name=one.name,
            description=one.description or "",
            parameters=parameters,
            returns=one.output_schema,
            read_only=bool(one.annotations and one.annotations.read_only_hint),
        )
    return list(specs.values())
