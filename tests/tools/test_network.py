"""HTTP over the network: sizes, redirects that carry nothing away, and addresses that are not public."""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from tests.tools.api_server import api

from toolmint.assembly.remote_tools import openapi_box
from toolmint.assembly.tool_sources import source_of
from toolmint.core.errors import ToolError
from toolmint.core.http import HttpRequest
from toolmint.core.messages import ToolCall
from toolmint.tools.addresses import is_own_host, is_public
from toolmint.tools.network import Network, PublicResolver

pytestmark = pytest.mark.anyio
SECRETS = {"Authorization": "Bearer s3", "X-Key": "s3", "Cookie": "a=s3", "Accept": "text/x"}


@asynccontextmanager
async def redirecting(to: str, status: int = 302) -> AsyncGenerator[str]:
    async def away(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": to})

    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", away)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{cast('Any', runner.addresses[0])[1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def network(**given: Any) -> AsyncGenerator[Network]:
    opened = Network(timeout=10, **given)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_credentials_stay_where_they_belong(status: int) -> None:
    async with (
        api() as other,
        redirecting(f"{other}/x?own=1#part", status) as url,
        network() as wire,
    ):
        request = HttpRequest("GET", f"{url}/start", "key=s3", SECRETS)
        seen = json.loads((await wire.send(request)).text)
    assert "s3" not in json.dumps(seen)
    assert seen["headers"]["accept"] == "text/x"
    assert seen["query"] == [["own", "1"]]


@pytest.mark.parametrize("status", [307, 308])
async def test_what_changes_something_is_not_sent_to_another_origin(status: int) -> None:
    async with api() as other, redirecting(f"{other}/x", status) as url, network() as wire:
        with pytest.raises(ToolError, match="redirects POST to another origin") as fault:
            await wire.send(HttpRequest("POST", f"{url}/a", "", SECRETS, b"secret body"))
        assert fault.value.code == "tool-redirect"
        with pytest.raises(ToolError, match="redirects DELETE"):
            await wire.send(HttpRequest("DELETE", f"{url}/a"))


async def test_redirects_within_an_origin_keep_everything_and_end() -> None:
    async with network() as wire:
        async with redirecting("/again") as url:
            with pytest.raises(ToolError, match="redirects more than 5 times"):
                await wire.send(HttpRequest("GET", f"{url}/a"))
        async with redirecting("ftp://h/x") as url:
            with pytest.raises(ToolError, match="redirects to 'ftp://h/x'"):
                await wire.send(HttpRequest("GET", f"{url}/a"))

    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/new?b=2"})

    async def new(request: web.Request) -> web.Response:
        return web.Response(
            text=f"{request.method} {await request.text()} {request.headers['X-Key']}"
        )

    application = web.Application()
    application.router.add_route("*", "/old", moved)
    application.router.add_route("*", "/new", new)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{cast('Any', runner.addresses[0])[1]}"
    async with network() as wire:
        found = await wire.send(HttpRequest("POST", f"{url}/old", "", SECRETS, b"body"))
    await runner.cleanup()
    assert (found.text, found.url) == ("POST body s3", f"{url}/new?b=2")


async def test_a_key_in_the_query_stands_in_no_message() -> None:
    async with network() as wire:
        for url in ("http://127.0.0.1:9/x", "http://nowhere.invalid/x", "http://[::1/x"):
            with pytest.raises(ToolError) as fault:
                await wire.send(HttpRequest("GET", url, "key=s3cret"))
            assert "s3cret" not in str(fault.value)


async def test_a_response_is_kept_up_to_the_limit() -> None:
    async with api() as url, network(kept=100) as wire:
        found = await wire.send(HttpRequest("GET", f"{url}/huge"))
    assert (len(found.text), found.cut) == (100, True)


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "fe80::1",
    "fc00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "224.0.0.1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)
    assert is_own_host(address)


def test_hosts_that_are_ones_own_as_they_are_written() -> None:
    assert all(map(is_own_host, ["localhost", "LOCALHOST.", "api.localhost", "[::1]"]))
    assert not any(map(is_own_host, ["example.com", "8.8.8.8", "localhost.example.com", ""]))
    assert is_public("8.8.8.8") and is_public("2001:4860:4860::8888")
    assert not is_public("no address")


@given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fd00::/8"))
def test_no_address_of_a_private_network_is_public(address: object) -> None:
    assert not is_public(str(address))


async def test_private_addresses_are_refused_however_they_are_written() -> None:
    async with api() as url, network(private=False) as wire:
        port = url.rpartition(":")[2]
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"):
            with pytest.raises(ToolError, match="private=allow") as fault:
                await wire.send(HttpRequest("GET", f"http://{host}:{port}/x"))
            assert fault.value.code == "tool-private"
        for host in ("2130706433", "127.1", "0x7f000001"):
            with pytest.raises(ToolError):
                await wire.send(HttpRequest("GET", f"http://{host}:{port}/x"))
    with pytest.raises(OSError, match=r"is the address 127\.0\.0\.1"):
        await PublicResolver().resolve("localhost", 80)


async def test_relative_servers_start_from_where_a_document_came_from() -> None:

    document = {
        "openapi": "3.0.4",
        "servers": [{"url": "v1"}],
        "paths": {"/x": {"get": {"operationId": "x"}}},
    }
    text = json.dumps(document) + " " * (3 << 20)

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/docs/api.json":
            return web.Response(text=text)
        return web.Response(text=request.path)

    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{cast('Any', runner.addresses[0])[1]}"
    async with AsyncExitStack() as stack:
        box, _ = await openapi_box(source_of(f"{url}/docs/api.json"), stack)
        found = await box.call(ToolCall(id="c", name="x", arguments="{}"))
    await runner.cleanup()
    assert found.content == "/docs/v1/x", "documents may be longer than 1 MiB"
