"""Made tools and the gateway as an MCP server, seen by the official client over HTTP and stdio."""

import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from tests.gateway.house import QUESTIONS, house
from tests.gateway.test_keys import key
from tests.gateway.test_living import quick
from tests.gateway.upstream import solved

pytestmark = pytest.mark.anyio


async def test_agents_see_the_tools_that_serve_and_call_them(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        async with Client(f"{here.url}/mcp") as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["answer"]
        await here.proved()
        async with Client(f"{here.url}/mcp") as client:
            answer, made = (await client.list_tools()).tools
            assert made.annotations is not None and made.annotations.idempotent_hint
            assert answer.annotations is not None and answer.annotations.open_world_hint
            called = await client.call_tool(made.name, {"words": ["pear", "fig"]})
            assert called.structured_content == {"result": ["fig", "pear"]} and not called.is_error
            wrong = await client.call_tool(made.name, {"word": 1})
            assert wrong.is_error and "do not fit" in str(wrong.content)
            with pytest.raises(MCPError, match="no tool 'nothing'"):
                await client.call_tool("nothing", {})
            tiers: set[str] = set()
            for text in QUESTIONS[-9:]:
                said: Any = (await client.call_tool("answer", {"text": text})).structured_content
                assert said["result"]["answer"] == solved(text)
                tiers.add(said["result"]["tier"])
            assert "code" in tiers
        kept = await here.app.parts.log.requests()
        assert kept and {one.tenant for one in kept} == {"local"}


async def test_a_key_opens_its_own_tenants_tools(tmp_path: Path) -> None:
    mine, other = await key(tmp_path, record=True), await key(tmp_path, "other")
    async with house(tmp_path, quick, key=mine) as here:
        await here.proved()
        for secret, count in ((mine, 2), (other, 1)):
            heads = {"authorization": f"Bearer {secret}"}
            async with httpx2.AsyncClient(headers=heads) as http:
                transport = streamable_http_client(f"{here.url}/mcp", http_client=http)
                async with Client(transport) as client:
                    assert len((await client.list_tools()).tools) == count
        async with httpx2.AsyncClient() as http:
            assert (await http.post(f"{here.url}/mcp", json={})).status_code == 401


async def test_tools_of_a_store_are_served_over_stdio(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
    words = ["-m", "toolmint.cli.main", "mcp", "--store", str(tmp_path / "tools.db")]
    async with Client(StdioServerParameters(command=sys.executable, args=words)) as client:
        (made,) = (await client.list_tools()).tools
        called = await client.call_tool(made.name, {"words": ["b", "a"]})
        assert called.structured_content == {"result": ["a", "b"]}
