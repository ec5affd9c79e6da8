"""Whatever ends a request, it is recorded once, with what is known of it: at the last event, not after it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from openai import OpenAI
from tests.gateway.scripted import (
    DONE,
    Asked,
    chat_body,
    chunk,
    completion,
    front,
    scripted,
    usage_chunk,
)
from tests.gateway.test_keys import key
from tests.gateway.test_tiers import TOOLS

from toolmint.assembly.keys import create_key
from toolmint.assembly.settings import Settings
from toolmint.core.traffic import Key

pytestmark = pytest.mark.anyio
TEXT = (chunk({"role": "assistant"}), chunk({"content": "Hi"}))
TOLD = (chunk({}, "stop"), usage_chunk(1000, 2000), DONE)
STREAM = chat_body(stream=True)


@asynccontextmanager
async def asking(
    url: str, body: dict[str, Any], path: str = "/v1/chat/completions", secret: str = "none"
) -> AsyncGenerator[asyncio.StreamReader]:
    """Send a request on a connection of its own, which is closed at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    raw = orjson.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\n"
    writer.write(f"{head}content-length: {len(raw)}\r\n\r\n".encode() + raw)
    try:
        yield reader
    finally:
        writer.close()


def sdk_streams(url: str, secret: str, count: int) -> list[str]:
    """Ask for streams with the official SDK, which closes at the mark of the end."""
    with OpenAI(base_url=f"{url}/v1", api_key=secret, max_retries=0) as client:
        said: list[str] = []
        for _ in range(count):
            create: Any = client.chat.completions.create
            pieces = create(model="gpt-5", messages=STREAM["messages"], stream=True)
            said.append("".join(one.choices[0].delta.content or "" for one in pieces))
        return said


async def test_a_stream_is_recorded_before_its_mark_of_the_end_is_out(tmp_path: Path) -> None:
    late = asyncio.Event()

    async def answer(asked: Asked) -> None:
        await asked.stream(*TEXT, *TOLD, end=False)
        await late.wait()
        await asked.write(b"0\r\n\r\n")

    secret = await key(tmp_path, record=True, budget=100)
    async with front(tmp_path, answer) as here:
        said = await asyncio.to_thread(sdk_streams, here.url, secret, 5)
        assert said == ["Hi"] * 5
        # The endpoint has ended none of its bodies.
        rows = await here.rows(5)
        assert [(one.status, one.input_tokens, one.answer) for one in rows] == [
            (200, 1000, "Hi")
        ] * 5
        assert all(one.cost for one in rows)
        text = here.app.parts.metrics.text().decode()
        assert 'toolmint_upstream_tokens_total{kind="output"} 10000.0' in text
        late.set()
    assert len(rows) == 5


async def test_a_response_is_recorded_before_the_event_that_completes_it_is_out(
    tmp_path: Path,
) -> None:
    used = {"input_tokens": 7, "output_tokens": 8}
    events = (
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n',
        b"event: response.completed\ndata: "
        + orjson.dumps(
            {"type": "response.completed", "response": {"status": "completed", "usage": used}}
        )
        + b"\n\n",
    )

    async def answer(asked: Asked) -> None:
        await asked.stream(*events, end=False)
        await asked.gone()

    async with front(tmp_path, answer) as here:
        body = {"model": "gpt-5", "input": "Hello", "stream": True}
        async with asking(here.url, body, "/v1/responses") as reader:
            await reader.readuntil(b"response.completed")
            (row,) = await here.rows(1)
        assert (row.input_tokens, row.output_tokens, row.answer) == (7, 8, "Hi")


async def test_an_answer_is_read_on_after_its_client_has_left_so_that_it_is_paid_by_its_key(
    tmp_path: Path,
) -> None:
    left = asyncio.Event()

    async def answer(asked: Asked) -> None:
        if asked.body.get("stream"):
            await asked.stream(*TEXT, end=False)
            await left.wait()
            await asked.write(*(b"%x\r\n%b\r\n" % (len(one), one) for one in TOLD), b"0\r\n\r\n")
        else:
            await left.wait()
            await asked.whole("200 OK", orjson.dumps(completion("Hi", 1000, 2000)))

    async with front(tmp_path, answer) as here:
        async with asking(here.url, STREAM) as reader:
            await reader.readuntil(b"Hi")
        async with asking(here.url, chat_body()):
            await here.script.came(2)
        await here.watched.left(2)
        left.set()
        rows = await here.rows(2)
        told = [(one.status, one.input_tokens, one.output_tokens, one.answer) for one in rows]
        assert told == [(499, 1000, 2000, "Hi")] * 2
        assert all(one.cost and "left" in one.why for one in rows)


@pytest.mark.parametrize("seconds", [0.0, 0.2])
async def test_an_answer_without_its_client_is_broken_off_and_recorded_by_the_setting(
    tmp_path: Path, seconds: float
) -> None:
    gone: asyncio.Queue[bool] = asyncio.Queue()

    async def answer(asked: Asked) -> None:
        if asked.body.get("stream"):
            await asked.stream(*TEXT, end=False)
        await asked.gone()
        gone.put_nowait(True)

    async with front(tmp_path, answer, read_on=seconds) as here:
        async with asking(here.url, STREAM) as reader:
            await reader.readuntil(b"Hi")
        async with asking(here.url, chat_body()):
            await here.script.came(2)
        rows = await here.rows(2)
        assert [(one.status, one.cost, one.calls, one.answer) for one in rows] == [
            (499, None, 1, None)
        ] * 2
        assert await gone.get() and await gone.get(), "the endpoint was let go"


async def test_what_is_known_is_recorded_where_an_answer_is_broken_off(tmp_path: Path) -> None:
    async def answer(asked: Asked) -> None:
        await asked.stream(*TEXT, *TOLD[:2], end=False)
        await asked.gone()

    async with front(tmp_path, answer, read_on=0.0) as here:
        async with asking(here.url, STREAM | {"stream_options": {"include_usage": True}}) as reader:
            await reader.readuntil(b"prompt_tokens")
        (row,) = await here.rows(1)
        assert (row.status, row.input_tokens, row.output_tokens) == (499, 1000, 2000) and row.cost
        assert row.answer is None


BROKEN: dict[str, tuple[bytes, int, tuple[int, bool]]] = {
    "a stream that breaks off": (b"stream", 200, (1, False)),
    "a stream that breaks off after its usage": (b"used", 200, (1, True)),
    "a whole answer that breaks off": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{",
        502,
        (1, False),
    ),
    "what is no HTTP": (b"hello\r\n\r\n", 502, (1, False)),
    "nothing": (b"", 502, (1, False)),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_breaks_off_is_recorded_as_unknown_and_answered(
    tmp_path: Path, name: str
) -> None:
    wrote, status, (calls, known) = BROKEN[name]

    async def answer(asked: Asked) -> None:
        if wrote in {b"stream", b"used"}:
            more = TOLD[:2] if wrote == b"used" else ()
            await asked.stream(*TEXT, *more, chunk({"content": "cut"})[:20], end=False)
        else:
            await asked.write(wrote)
        asked.writer.close()

    async with front(tmp_path, answer) as here, aiohttp.ClientSession() as session:
        body = STREAM if status == 200 else chat_body()
        async with session.post(f"{here.url}/v1/chat/completions", json=body) as reply:
            assert reply.status == status
            raw = await reply.read()
        assert b'"upstream_unavailable"' in raw and b"cut" not in raw
        (row,) = await here.rows(1)
        assert (row.status, row.calls, row.cost is not None) == (status, calls, known)
        assert (row.answer is None and "broke off" in row.why) or row.status == 502
        text = here.app.parts.metrics.text().decode()
        assert f'status="{status}",tier="strong"' in text and 'tier="none"' not in text


async def test_a_request_that_no_endpoint_got_costs_nothing_and_is_recorded(tmp_path: Path) -> None:
    async def answer(asked: Asked) -> None: ...

    async with front(tmp_path, answer, model="openai:gpt-5?base_url=http://127.0.0.1:9") as here:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{here.url}/v1/chat/completions", json=chat_body()) as reply,
        ):
            assert reply.status == 502
        (row,) = await here.rows(1)
        assert (row.status, row.calls, row.cost) == (502, 0, 0)


async def test_an_endpoint_that_hangs_is_recorded_as_unknown(tmp_path: Path) -> None:
    async def answer(asked: Asked) -> None:
        await asked.gone()

    async with scripted(answer) as (url, _):
        model = f"openai:gpt-5?base_url={url}&timeout=0.2"
        async with front(tmp_path, answer, model=model) as here:
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{here.url}/v1/chat/completions", json=chat_body()) as reply,
            ):
                assert reply.status == 504
            (row,) = await here.rows(1)
            assert (row.status, row.calls, row.cost) == (504, 1, None)


async def test_a_task_of_the_agent_whose_client_leaves_is_recorded_as_unknown(
    tmp_path: Path,
) -> None:
    async def answer(asked: Asked) -> None:
        await asked.gone()

    async with scripted(answer) as (url, planner):
        more = {"toolbox": (TOOLS,), "planner_model": f"openai:gpt-5?base_url={url}"}
        async with front(tmp_path, answer, **more) as here:
            async with asking(here.url, chat_body(model="agent")):
                await planner.came(1)
            (row,) = await here.rows(1)
            assert (row.tier, row.status, row.cost) == ("agent", 499, None)


async def test_a_request_whose_client_leaves_while_it_waits_for_money_is_never_sent(
    tmp_path: Path,
) -> None:
    more = asyncio.Event()

    async def answer(asked: Asked) -> None:
        await more.wait()
        await asked.whole("200 OK", orjson.dumps(completion("Hi", 1000, 2000)))

    poor = Key(id="key_poor", tenant="acme", budget=Decimal(1))
    secret = await create_key(Settings(store=tmp_path / "tools.db"), poor)
    async with front(tmp_path, answer) as here:
        async with asking(here.url, chat_body("first"), secret=secret) as first:
            await here.script.came(1)
            async with asking(here.url, chat_body("second"), secret=secret):
                pass  # it waits, as all money is reserved for the first one
            await here.watched.left(1)
            more.set()
            await first.readuntil(b"Hi")
        async with asking(here.url, chat_body("third"), secret=secret) as third:
            await third.readuntil(b"Hi")
        await here.rows(2)
        said = [one.body["messages"][0]["content"] for one in here.script.asked]
        assert said == ["first", "third"]
