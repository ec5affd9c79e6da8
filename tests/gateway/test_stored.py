"""What is asked about an answer that the endpoint has stored is passed on as it came."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from tests.gateway.scripted import Asked, front
from yarl import URL

from toolmint.core.traffic import Key
from toolmint.gateway.auth.keys import digest_of, new_secret
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
ASKED = [
    ("GET", "/v1/responses/resp_1", b""),
    ("GET", "/v1/responses/resp_1?include[]=x&stream=false", b""),
    ("DELETE", "/v1/responses/resp_1", b""),
    ("POST", "/v1/responses/resp_1/cancel", b""),
    ("GET", "/v1/responses/resp_1/input_items?limit=2", b""),
    ("GET", "/v1/chat/completions/chatcmpl-1", b""),
    ("POST", "/v1/chat/completions/chatcmpl-1", b'{"metadata": {}}'),
    ("GET", "/v1/chat/completions/chatcmpl-1/messages", b""),
]
TYPED = "content-type: application/json"


async def echo(asked: Asked) -> None:
    """Answer with what was asked, with an odd status."""
    said = [*asked.head.split(" ")[:2], asked.raw.decode()]
    await asked.whole("203 Odd", json.dumps(said).encode(), TYPED, "x-request-id: theirs")


async def test_follow_up_requests_reach_the_endpoint_and_are_counted(tmp_path: Path) -> None:
    async with front(tmp_path, echo) as here, aiohttp.ClientSession() as session:
        for method, path, body in ASKED:
            data = body if method == "POST" else None
            async with session.request(method, here.url + path, data=data) as reply:
                found = await reply.json()
                assert (reply.status, found[0], found[2]) == (203, method, body.decode())
                assert found[1].replace("%5B%5D", "[]") == path
                assert reply.headers["x-upstream-request-id"] == "theirs"
                assert reply.headers.getall("x-request-id")[0].startswith("req_")
            assert f"x-request-id: {reply.headers['x-request-id']}" in here.script.asked[-1].head
        text = here.app.parts.metrics.text().decode()
        counted = [one for one in text.splitlines() if "requests_total" in one and "stored" in one]
        assert [one.rpartition(" ")[2] for one in counted] == [f"{len(ASKED)}.0"]


async def test_a_stored_answer_is_streamed_again(tmp_path: Path) -> None:
    events = b'event: response.completed\ndata: {"type": "response.completed"}\n\n'

    async def answer(asked: Asked) -> None:
        await asked.stream(events, events)

    async with (
        front(tmp_path, answer) as here,
        aiohttp.ClientSession() as session,
        session.get(f"{here.url}/v1/responses/resp_1?stream=true") as reply,
    ):
        assert reply.headers["content-type"] == "text/event-stream"
        assert await reply.read() == events * 2


async def test_a_slow_stored_answer_is_waited_for_until_its_client_leaves(tmp_path: Path) -> None:
    async def slow(asked: Asked) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await asked.gone()
                return
        await echo(asked)

    broken_off = asyncio.Event()

    async def never(asked: Asked) -> None:
        await asked.gone()
        broken_off.set()

    async with front(tmp_path, slow) as here, aiohttp.ClientSession() as session:
        async with session.get(f"{here.url}/v1/responses/resp_1") as reply:
            assert reply.status == 203
        here.script.answer = never
        asking = asyncio.create_task(session.get(f"{here.url}/v1/responses/resp_2").__aenter__())
        await here.script.came(2)
        asking.cancel()
        await here.watched.left(1)
        await broken_off.wait()


async def test_a_stored_answer_that_cannot_be_had_is_a_json_error(tmp_path: Path) -> None:
    async def away(asked: Asked) -> None:
        asked.writer.close()

    async with (
        front(tmp_path, away) as here,
        aiohttp.ClientSession() as session,
        session.get(f"{here.url}/v1/responses/resp_1") as reply,
    ):
        error = (await reply.json())["error"]
        assert (reply.status, error["code"]) == (502, "upstream_unavailable")


async def test_stored_answers_need_a_key_and_a_name(tmp_path: Path) -> None:
    store, secret = SqlStore.open(tmp_path / "tools.db"), new_secret()
    await store.traffic.keep_key(Key(id="k", tenant="acme", name="k"), digest_of(secret))
    store.close()
    async with front(tmp_path, echo) as here, aiohttp.ClientSession() as session:
        async with session.get(f"{here.url}/v1/responses/resp_1") as reply:
            assert reply.status == 401
        head = {"authorization": f"Bearer {secret}"}
        for name in ("%2E%2E", "a%0D%0Ax", "a%3Fb", "x" * 300):
            url = f"{here.url}/v1/responses/{name}/input_items"
            async with session.get(URL(url, encoded=True), headers=head) as reply:
                assert reply.status == 404, name
        assert here.script.asked == []
        async with session.get(f"{here.url}/v1/responses/resp_1", headers=head) as reply:
            assert reply.status == 203
        assert secret not in here.script.asked[0].head
