"""Tools of an MCP server, over stdio or streamable HTTP, through the official SDK."""

import asyncio
import shlex
import time
from collections.abc import AsyncGenerator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from mcp import Client, MCPError, StdioServerParameters
from mcp.types import CallToolResult, ListToolsResult, TextContent

from toolmint.core.errors import ToolError, contained
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.toolbox import failed_result
from toolmint.core.values import Value, canonical

_T = TypeVar("_T")
_MAX_PAGES = 100
_CLOSING_SECONDS = 3.0


async def _within(seconds: float, work: Awaitable[_T]) -> _T:
    """Await in this task: the SDK's cancel scopes must be left by the task that entered them."""
    async with asyncio.timeout(seconds):
        return await work


def _text(result: CallToolResult) -> str:
    parts = [
        part.text if isinstance(part, TextContent) else f"[{part.type}]" for part in result.content
    ]
    return "\n".join(parts)


class _Connection:
    """A client that lives in a task of its own.

    The SDK's task group cancels the task that entered it when a transport breaks; so that task must not be
    the agent's. Whoever calls sees the end of this one.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._closing = asyncio.Event()
        self._owner: asyncio.Task[None] | None = None

    async def open(self, seconds: float) -> list[ToolSpec]:
        """Connect and return the specifications of the tools.

        Raises:
            BaseException: whatever kept the connection from opening.
        """
        ready: asyncio.Future[list[ToolSpec]] = asyncio.get_running_loop().create_future()
        self._owner = asyncio.create_task(self._hold(ready))
        await asyncio.wait((self._owner, ready), timeout=seconds, return_when="FIRST_COMPLETED")
        if ready.done():
            return ready.result()
        if not self._owner.done():
            await self.close()
            raise TimeoutError(f"no answer within {seconds:g} s")
        fault = None if self._owner.cancelled() else self._owner.exception()
        raise fault or ConnectionError("the connection broke off")

    async def _hold(self, ready: "asyncio.Future[list[ToolSpec]]") -> None:
        async with self._client as client:
            specs = await _specs(client)
            if not ready.done():
                ready.set_result(specs)
            await self._closing.wait()

    async def call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Await a request; where the connection ends before, its request ends too.

        Raises:
            ConnectionError: the connection has ended.
        """
        owner = self._owner
        if owner is None or owner.done():
            work.close()
            raise ConnectionError(_why(owner))
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, owner), return_when="FIRST_COMPLETED")
            if task.done() and not task.cancelled():
                return task.result()
            raise ConnectionError(_why(owner))
        finally:
            task.cancel()

    async def close(self) -> None:
        """End the connection; one that does not end soon is left to itself, and its process is killed."""
        self._closing.set()
        if self._owner is None:
            return
        await asyncio.wait({self._owner}, timeout=_CLOSING_SECONDS)
        if not self._owner.done():
            self._owner.cancel()
            await asyncio.wait({self._owner}, timeout=_CLOSING_SECONDS)
        self._owner.add_done_callback(lambda one: one.cancelled() or one.exception())


def _why(owner: "asyncio.Task[None] | None") -> str:
    """Return why a connection has ended."""
    fault = None if owner is None or not owner.done() or owner.cancelled() else owner.exception()
    return _said(fault) if fault is not None else "the connection broke off"


def _said(fault: BaseException) -> str:
    """Return what went wrong in one line; of a group, its first member says it."""
    while isinstance(fault, BaseExceptionGroup):
        fault = cast("BaseExceptionGroup[BaseException]", fault).exceptions[0]
    return f"{type(fault).__name__}: {fault}".removesuffix(": ")


class McpTool:
    """One tool of a connected server."""

    def __init__(
        self, client: Client, connection: _Connection, where: str, spec: ToolSpec, timeout: float
    ) -> None:
        self.spec = spec
        self._client, self._connection = client, connection
        self._where, self._timeout = where, timeout

    async def call(self, call: ToolCall) -> ToolResult:
        """Call the tool; an error of the tool or the protocol, or a dead server, is the observation."""
        start = time.perf_counter()
        work = self._client.call_tool(
            call.name, cast("dict[str, Any]", call.parsed()), read_timeout_seconds=self._timeout
        )
        try:
            result = await contained(
                _within(self._timeout + 1, self._connection.call(work)), self._lost
            )
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

    def _lost(self, fault: BaseException) -> ToolError:
        if isinstance(fault, TimeoutError):
            return ToolError(
                f"{self._where} gave no answer within {self._timeout:g} s", code="tool-timeout"
            )
        if isinstance(fault, MCPError):
            return ToolError(f"{self._where}: {fault}", code="tool-protocol")
        return ToolError(f"{self._where} is gone: {_said(fault)}", code="tool-unreachable")


@asynccontextmanager
async def mcp_tools(server: object, *, seconds: float = 60.0) -> AsyncGenerator[list[McpTool]]:
    """Connect to a server and yield its tools; the connection closes with the context.

    A server that dies while the context is open makes calls fail and nothing else.

    Args:
        server: a URL (streamable HTTP), a command line (stdio), or a server object in this process.
        seconds: timeout of the connection and of each call.

    Raises:
        ToolError: the server cannot be started or reached, or does not speak MCP.
    """
    where = f"the MCP server {server!r}" if isinstance(server, str) else "the MCP server"
    target: Any = server
    if isinstance(server, str) and not server.startswith(("http://", "https://")):
        command, *arguments = _words(server)
        target = StdioServerParameters(command=command, args=arguments)
    client = Client(target, read_timeout_seconds=seconds)
    connection = _Connection(client)

    def unreachable(fault: BaseException) -> ToolError:
        return ToolError(f"{where} cannot be used: {_said(fault)}", code="tool-unreachable")

    specs = await contained(connection.open(seconds), unreachable)
    try:
        yield [McpTool(client, connection, where, spec, seconds) for spec in specs]
    finally:
        await connection.close()


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as fault:
        raise ToolError(f"mcp:{command} is no command line: {fault}", code="config") from fault
    if not words:
        raise ToolError("mcp: needs a command or a URL after it", code="config")
    return words


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
