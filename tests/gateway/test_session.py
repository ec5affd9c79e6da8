"""The client for endpoints behind a proxy follows nothing and reads nothing that nobody configured."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from toolmint.gateway.upstream.direct import Direct
from toolmint.gateway.upstream.protocol import UpstreamClient
from toolmint.gateway.upstream.session import AiohttpClient

pytestmark = pytest.mark.anyio
KEY = {"authorization": "Bearer sk-the-gateway"}
BODY = b'{"model": "gpt-5"}'
CHILD = """
import asyncio, os, sys
from toolmint.gateway.upstream.endpoint import client_for

async def main():
    client = client_for(sys.argv[1], {"authorization": "Bearer sk-the-gateway"}, 5.0)
    os.environ["HTTP_PROXY"] = "http://127.0.0.1:9"
    await client.start()
    for _ in range(2):
        reply = await client.send("POST", "/chat/completions", b"{}", {})
        print(type(client).__name__, reply.status, (await reply.read()).decode())
        reply.release()
    await client.close()

asyncio.run(main())
"""
"""Asks twice; by then the environment names a proxy that is not there."""


class Seen:
    """What an address on loopback was asked: hosts, paths and keys."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[tuple[str, str, str | None]] = []


@asynccontextmanager
async def listening(status: int = 200, **headers: str) -> AsyncGenerator[Seen]:
    """Answer every request alike, also those that are meant for a proxy."""
    seen = Seen("")

    async def answer(request: web.BaseRequest) -> web.Response:
        found = request.headers.get("authorization")
        seen.requests.append((request.url.host or "", request.url.path, found))
        return web.Response(text="here", status=status, headers=headers)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    seen.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield seen
    finally:
        await runner.cleanup()


async def ask_in_child(base_url: str, **variables: str) -> list[str]:
    """Return what a process with these variables of the environment printed, line by line."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CHILD,
        base_url,
        env={**kept, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, failed = await child.communicate()
    assert child.returncode == 0, failed.decode()
    return output.decode().splitlines()


@pytest.mark.parametrize("client_type", [Direct, AiohttpClient])
async def test_a_redirect_is_handed_on_and_the_key_is_not_sent_to_where_it_leads(
    client_type: type[Direct | AiohttpClient],
) -> None:
    async with listening() as elsewhere, listening(307, location=elsewhere.url) as endpoint:
        client: UpstreamClient = client_type(endpoint.url + "/v1", KEY, 5.0)
        await client.start()
        reply = await client.send("POST", "/chat/completions", BODY, {})
        assert (reply.status, await reply.read()) == (307, b"here")
        reply.release()
        await client.close()
    assert endpoint.requests == [("127.0.0.1", "/v1/chat/completions", KEY["authorization"])]
    assert elsewhere.requests == []


async def test_the_proxy_is_resolved_once_and_sees_every_request() -> None:
    async with listening() as proxy:
        output = await ask_in_child("http://strong.invalid/v1", HTTP_PROXY=proxy.url)
    assert output == ["AiohttpClient 200 here"] * 2
    asked = ("strong.invalid", "/v1/chat/completions", KEY["authorization"])
    assert proxy.requests == [asked] * 2


async def test_an_entry_in_netrc_does_not_take_the_place_of_the_key(tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine strong.invalid login somebody password secret\n")
    netrc.chmod(0o600)
    async with listening() as proxy:
        output = await ask_in_child(
            "http://strong.invalid/v1", HTTP_PROXY=proxy.url, NETRC=str(netrc)
        )
    assert output == ["AiohttpClient 200 here"] * 2
    assert {key for _, _, key in proxy.requests} == {KEY["authorization"]}
