"""MCP servers over stdio, over streamable HTTP, and when they die."""

import contextlib
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.tools.mcp_server import server

from toolmint.core.errors import ToolError
from toolmint.core.messages import ToolCall
from toolmint.tools.mcp import mcp_tools
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio
STDIO = f"{sys.executable} {Path(__file__).with_name('mcp_server.py')}"


def call(name: str, arguments: str = "{}") -> ToolCall:
    return ToolCall(id="c", name=name, arguments=arguments)


async def test_a_server_over_stdio_gives_its_tools() -> None:
    async with mcp_tools(STDIO, seconds=20) as tools:
        box = ToolCollection(tools)
        assert [spec.name for spec in box.specs] == ["add", "fail", "die"]
        assert [spec.read_only for spec in box.specs] == [True, False, False]
        result = await box.call(call("add", '{"a": 2, "b": 3}'))
        assert (result.content, result.data) == ("5", {"result": 5})
        assert (await box.call(call("add", '{"a": 2}'))).failure == "tool-arguments"
        failed = await box.call(call("fail"))
        assert failed.failure == "tool-error"
        assert "never works" in failed.content


async def test_a_server_that_dies_in_the_middle_of_a_call_is_an_observation() -> None:
    async with mcp_tools(STDIO, seconds=30) as tools:
        box = ToolCollection(tools)
        assert (await box.call(call("die"))).failure in {"tool-protocol", "tool-unreachable"}
        assert (await box.call(call("add", '{"a": 2, "b": 3}'))).failure is not None


async def test_what_is_no_server_is_refused() -> None:
    for where in ("/nowhere/at-all", f"{sys.executable} -c 0", "http://127.0.0.1:9/mcp"):
        with pytest.raises(ToolError, match="cannot be used"):
            async with mcp_tools(where, seconds=5):
                raise AssertionError("connected")


@contextlib.contextmanager
def served(only: str | None = None) -> Generator[str]:
    """Serve over HTTP; with ``only``, to requests that are authorized so."""
    inner = server.streamable_http_app()

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        given = dict(scope.get("headers") or ()).get(b"authorization", b"").decode()
        if scope["type"] == "http" and only is not None and given != only:
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
            return
        await inner(scope, receive, send)

    config = uvicorn.Config(guarded, port=0, log_level="error", ws="none")
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


async def test_a_server_over_streamable_http_gives_its_tools() -> None:
    with served() as url:
        async with mcp_tools(url, seconds=20) as tools:
            result = await ToolCollection(tools).call(call("add", '{"a": 20, "b": 3}'))
            assert result.content == "23"


async def test_a_server_over_http_that_dies_is_an_observation_and_nothing_else() -> None:
    with served() as url:
        opened = mcp_tools(url, seconds=3)
        tools = await opened.__aenter__()
        box = ToolCollection(tools)
        assert (await box.call(call("add", '{"a": 1, "b": 1}'))).content == "2"
    gone = await box.call(call("add", '{"a": 1, "b": 1}'))
    assert gone.failure in {"tool-unreachable", "tool-protocol", "tool-timeout"}
    again = await box.call(call("add", '{"a": 1, "b": 1}'))
    assert again.failure in {"tool-unreachable", "tool-protocol", "tool-timeout"}
    await opened.__aexit__(None, None, None)


@pytest.mark.parametrize("command", ["", "'unclosed"])
async def test_a_command_that_is_none_is_one_clear_line(command: str) -> None:
    with pytest.raises(ToolError, match="mcp:"):
        async with mcp_tools(command):
            raise AssertionError("connected")
