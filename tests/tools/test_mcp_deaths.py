"""MCP servers that die at any message, lie, or say too much: an observation, or one line."""

import asyncio
import contextlib
import shlex
import socket
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.tools.mcp_server import server
from tests.tools.test_mcp import STDIO

from toolmint.core.errors import ToolError
from toolmint.core.messages import ToolCall, ToolResult
from toolmint.tools.mcp import mcp_tools
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio
KILLED = Path(__file__).with_name("killed_server.py")
MOST = 12
ADD = ToolCall(id="c", name="add", arguments='{"a": 2, "b": 3}')


async def outcome(source: str, call: ToolCall, seconds: float = 20) -> str:
    """Return how a server went: no connection, a failed call, or answers."""
    try:
        async with mcp_tools(source, seconds=seconds) as tools:
            box = ToolCollection(tools)
            results = [await box.call(call), await box.call(call)]
    except ToolError as fault:
        return "refused" if "\n" not in str(fault) else str(fault)
    assert all(isinstance(one, ToolResult) for one in results)
    return "failed" if any(one.failure for one in results) else "answered"


async def test_a_server_over_stdio_may_die_at_every_message() -> None:
    command = shlex.join([sys.executable, str(KILLED)])
    seen = [await outcome(f"{command} {count} {STDIO}", ADD) for count in (0, 1, 2, 3, MOST)]
    order = ["refused", "failed", "answered"]
    assert [order.index(one) for one in seen] == sorted(order.index(one) for one in seen)
    assert (seen[0], seen[-1]) == ("refused", "answered")
    assert "failed" in seen


@contextlib.contextmanager
def dying(after: int) -> Generator[str]:
    """Serve over HTTP, and break every connection once so many requests were taken."""
    inner = server.streamable_http_app()
    taken = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal taken
        if scope["type"] != "http":
            await inner(scope, receive, send)
            return
        taken += 1
        if taken > after:
            # The head of an answer, and then nothing: as a process that is killed leaves it.
            head = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise ConnectionResetError
        await inner(scope, receive, send)

    config = uvicorn.Config(app, port=0, log_level="critical", ws="none")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        thread.join(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        running.should_exit = True
        thread.join()


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 5, 30])
async def test_a_server_over_http_may_die_at_every_message(after: int) -> None:
    with dying(after) as url:
        found = await outcome(url, ADD)
    assert found == {0: "refused", 30: "answered"}.get(after, found)


async def test_a_server_that_is_gone_between_calls_is_an_observation() -> None:
    with dying(30) as url:
        opened = mcp_tools(url, seconds=5)
        tools = await opened.__aenter__()
    box = ToolCollection(tools)
    gone = await box.call(ADD)
    assert gone.failure in {"tool-unreachable", "tool-protocol", "tool-timeout"}
    assert (await box.call(ADD)).failure is not None
    await opened.__aexit__(None, None, None)


LIAR = """
import json, sys

def say(number, result):
    print(json.dumps({"jsonrpc": "2.0", "id": number, "result": result}), flush=True)

TOOLS = [
    {"name": "odd", "inputSchema": {"type": "object", "properties": {"a": {"type": "odd"}}}},
    {"name": "lies", "inputSchema": {"type": "object"},
     "outputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
    {"name": "huge", "inputSchema": {"type": "object"}},
    {"name": "huge", "inputSchema": {"type": "object"}},
    {"name": "noise", "inputSchema": {"type": "object"}},
]
for line in sys.stdin:
    said = json.loads(line)
    method, number = said.get("method"), said.get("id")
    if number is None:
        continue
    if method == "initialize":
        say(number, {"protocolVersion": said["params"]["protocolVersion"], "capabilities": {"tools": {}},
                     "serverInfo": {"name": "liar", "version": "1"}})
    elif method == "tools/list":
        say(number, {"tools": TOOLS})
    elif method == "tools/call":
        name = said["params"]["name"]
        if name == "lies":
            say(number, {"content": [], "structuredContent": {"n": "no number"}})
        elif name == "huge":
            say(number, {"content": [{"type": "text", "text": "x" * (10 << 20)}]})
        elif name == "noise":
            print("this is no JSON", flush=True)
            say(number, {"content": "not a list"})
        else:
            say(number, {"content": [{"type": "text", "text": "fine"}]})
    else:
        print(json.dumps({"jsonrpc": "2.0", "id": number,
                          "error": {"code": -32601, "message": "no such method"}}), flush=True)
"""


async def test_a_server_that_lies_costs_no_more_than_its_own_tool(tmp_path: Path) -> None:
    file = tmp_path / "liar.py"
    file.write_text(LIAR)
    problems: list[str] = []
    async with mcp_tools(f"{sys.executable} {file}", seconds=20, problems=problems) as tools:
        box = ToolCollection(tools)

        async def called(name: str) -> ToolResult:
            return await box.call(ToolCall(id="c", name=name, arguments="{}"))

        assert [one.name for one in box.specs] == ["odd", "lies", "huge", "noise"]
        assert len(problems) == 2
        assert "'odd' has no valid schema" in problems[0]
        assert "a second tool 'huge' was left out" in problems[1]
        assert (await called("odd")).content == "fine"
        assert (await called("lies")).failure in {"tool-unreachable", "tool-protocol"}
        huge = await called("huge")
        assert huge.content.endswith("characters cut]")
        assert len(huge.content) < 2 << 20
        assert (await called("noise")).failure is not None
        assert (await called("odd")).content == "fine", "the others go on"


@pytest.mark.parametrize("command", ["'unclosed", "", "/no/such/program"])
async def test_what_is_no_command_is_one_line(command: str) -> None:
    with pytest.raises(ToolError, match=r"mcp:|the MCP server") as fault:
        async with mcp_tools(command, seconds=5):
            raise AssertionError("connected")
    assert "\n" not in str(fault.value)


async def test_a_call_that_is_cancelled_leaves_the_server_usable() -> None:
    async with mcp_tools(STDIO, seconds=20) as tools:
        box = ToolCollection(tools)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await box.call(ADD)
        assert (await box.call(ADD)).content == "5"


async def test_an_address_where_nobody_listens_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ToolError, match="cannot be used: Connect"):
            async with mcp_tools(f"http://127.0.0.1:{taken.getsockname()[1]}/mcp", seconds=5):
                raise AssertionError("connected")
