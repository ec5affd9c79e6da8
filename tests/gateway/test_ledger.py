"""The ledger against the endpoint's own count, where clients leave early and late and answers break; and
mutated bodies and streams, of which none fails or is lost.
"""

import asyncio
import gzip
import random
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.gateway.scripted import (
    DONE,
    Asked,
    Front,
    chat_body,
    chunk,
    completion,
    front,
    usage_chunk,
)

pytestmark = pytest.mark.anyio
CALLERS = 16


class Count:
    """What the endpoint itself counted."""

    def __init__(self) -> None:
        self.requests = self.read = self.written = self.untold = 0

    def told(self, read: int, written: int) -> None:
        self.read += read
        self.written += written


class Bookkeeper:
    """An endpoint that counts what it tells, and whose answers end as the request's case says."""

    def __init__(self) -> None:
        self.count = Count()

    async def __call__(self, asked: Asked) -> None:
        count, body = self.count, asked.body
        count.requests += 1
        case, number = body["user"].split()
        used = (int(number) % 97 + 1, int(number) % 13 + 1)
        match case:
            case "whole" | "left whole":
                count.told(*used)
                await asked.whole("200 OK", orjson.dumps(completion("Hi", *used)))
            case "refused":
                await asked.whole("429 Too Many Requests", b"slow down")
            case "unreadable":
                count.untold += 1
                await asked.whole("200 OK", b"<html>")
            case "packed":
                count.told(*used)
                packed = gzip.compress(orjson.dumps(completion("Hi", *used)))
                await asked.whole("200 OK", packed, "content-encoding: gzip")
            case "cut":
                count.untold += 1
                await asked.stream(chunk({"content": "Hi"}), end=False)
                asked.writer.close()
            case _:
                count.told(*used)
                await self._stream(asked, case, used)

    async def _stream(self, asked: Asked, case: str, used: tuple[int, int]) -> None:
        await asked.stream(chunk({"role": "assistant"}), chunk({"content": "Hi"}), end=False)
        if case == "early":
            await _pause(0.002)
        last = (chunk({}, "stop"), usage_chunk(*used), DONE)
        await asked.write(*(b"%x\r\n%b\r\n" % (len(one), one) for one in last))
        if case == "late":
            await _pause(0.005)
        await asked.write(b"0\r\n\r\n")


async def _pause(seconds: float) -> None:
    """Let the endpoint take some time, as the one of the report did."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over


UNTIL = {
    "early": b"Hi",
    "late": b"[DONE]",
    "stream": b"\r\n0\r\n\r\n",
    "cut": b"broke off",
    "left": b"",
}
"""What a client reads before it leaves; others read a whole body."""
CASES = [*["early"] * 3, *["late"] * 3, "whole", "stream", "cut", "unreadable", "refused"]
CASES.extend(["packed", "left"])


async def send(here: Front, case: str, number: int) -> None:
    """Send one request, and leave where its case says."""
    port = int(here.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    streamed = case in {"early", "late", "stream", "cut"}
    name = "whole" if case == "left" else case
    raw = orjson.dumps(chat_body(f"Hello {number}", stream=streamed, user=f"{name} {number}"))
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(raw)}\r\n\r\n"
    writer.write(head.encode() + raw)
    try:
        if case in UNTIL:
            await reader.readuntil(UNTIL[case]) if UNTIL[case] else await here.script.came(1)
        else:
            top = await reader.readuntil(b"\r\n\r\n")
            size = int(top.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            await reader.readexactly(size)
    finally:
        writer.close()


async def send_all(here: Front, cases: list[str]) -> None:
    queue = list(enumerate(cases))

    async def caller() -> None:
        while queue:
            number, case = queue.pop()
            await send(here, case, number)

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())


async def test_the_ledger_is_the_endpoints_own_count_however_requests_end(
    tmp_path: Path, full: bool
) -> None:
    count = 10_000 if full else 130
    chance = random.Random(7)
    cases = [chance.choice(CASES) for _ in range(count)]
    keeper = Bookkeeper()
    async with front(tmp_path, keeper) as here:
        await send_all(here, cases)
        rows = await here.rows(count, 60)
        entries = await here.app.parts.store.ledger()
    told, by_case = keeper.count, Counter(cases)
    assert len(rows) == told.requests == count
    assert sum(one.input_tokens for one in rows) == told.read
    assert sum(one.output_tokens for one in rows) == told.written
    assert sum(one.usage.input_tokens for one in entries) == told.read
    assert sum(one.usage.output_tokens for one in entries) == told.written
    unknown = [one for one in rows if one.cost is None]
    assert len(unknown) == told.untold == by_case["cut"] + by_case["unreadable"]
    assert sum(one.calls for one in rows) == count - by_case["refused"]
    assert {one.status for one in rows} <= {200, 429, 499}


def mutated(chance: random.Random, raw: bytes) -> bytes:
    """Return bytes with some changed, cut, doubled or put in."""
    out = bytearray(raw)
    odd = [
        b"NaN",
        b"null",
        b'"\\ud800"',
        b"[[",
        b"}",
        b"\xff",
        b"\r",
        b"\n\n",
        b"data:",
        b"\0",
        b"1e999",
    ]
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        match chance.randrange(4):
            case 0:
                out[at : at + chance.randint(1, 9)] = b""
            case 1:
                out[at:at] = chance.choice(odd)
            case 2:
                out[at : at + 1] = bytes([chance.randrange(256)])
            case _:
                out[at:at] = out[at : at + chance.randint(1, 40)]
    return bytes(out)


STREAMED = b"".join(
    [
        chunk({"role": "assistant"}),
        chunk({"content": "Hi"}),
        chunk({}, "stop"),
        usage_chunk(3, 4),
        DONE,
    ]
)


async def test_mutated_bodies_and_answers_neither_fail_nor_are_lost(
    tmp_path: Path, full: bool, caplog: pytest.LogCaptureFixture
) -> None:
    count = 100_000 if full else 300
    chance = random.Random(11)
    sent = dict[str, bytes]()

    async def answer(asked: Asked) -> None:
        number = asked.head.partition("x-request-id: ")[2].split("\r\n")[0]
        if b'"stream":true' in asked.raw:
            raw = sent[number] = mutated(chance, STREAMED)
            cut = sorted(chance.randrange(len(raw)) for _ in range(3))
            parts = (raw[: cut[0]], raw[cut[0] : cut[1]], raw[cut[1] : cut[2]], raw[cut[2] :])
            await asked.stream(*(part for part in parts if part))
        else:
            raw = sent[number] = mutated(chance, orjson.dumps(completion("Hi")))
            await asked.whole("200 OK", raw)

    async with front(tmp_path, answer) as here:
        done = Counter[int]()
        queue = [(n, n % 2 == 0, n % 5 == 0) for n in range(count)]

        async def caller() -> None:
            while queue:
                number, streamed, spoilt = queue.pop()
                more: dict[str, Any] = (
                    {"stream_options": {"include_usage": True}} if streamed else {}
                )
                body = orjson.dumps(chat_body(f"Hello {number}", stream=streamed, **more))
                status, name, raw = await fetch(here, mutated(chance, body) if spoilt else body)
                done[status] += 1
                # A spoilt plea for the usage leaves it to the gateway to ask, and to keep that event.
                told = sent.pop(name, raw)
                assert spoilt or raw == told, (number, raw)

        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(caller())
        passed = len(here.script.asked)
        rows = await here.rows(passed, 120)
        entries = await here.app.parts.store.ledger()
    assert set(done) <= {200, 400} and done.total() == count, done
    assert len(rows) == passed == done[200] and not sent
    assert sum(one.usage.requests for one in entries) == passed
    assert not [one.getMessage() for one in caplog.records if one.exc_info]


async def fetch(here: Front, body: bytes) -> tuple[int, str, bytes]:
    """Return status, the gateway's id and the body of an answer, read to its end."""
    port = int(here.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    whole = await reader.read()
    writer.close()
    top, _, rest = whole.partition(b"\r\n\r\n")
    heads = (line.partition(b": ") for line in top.lower().split(b"\r\n")[1:])
    lines = {name: value for name, _, value in heads}
    if lines.get(b"transfer-encoding") == b"chunked":
        rest = unchunked(rest)
    return int(top.split()[1]), lines[b"x-request-id"].decode(), rest


def unchunked(raw: bytes) -> bytes:
    """Return a chunked body's bytes."""
    parts: list[bytes] = []
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        parts.append(raw[: int(size, 16)])
        raw = raw[int(size, 16) + 2 :]
    return b"".join(parts)
