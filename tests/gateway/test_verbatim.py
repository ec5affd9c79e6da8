"""Status, headers, body and events of the endpoint reach the client byte for byte, and nothing read beside
costs an answer.
"""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import aiohttp
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
Got = tuple[int, list[tuple[str, str]], bytes]
OURS = {"x-request-id", "x-upstream-request-id", "transfer-encoding", "content-length"}


async def post(here: Front, body: dict[str, Any], path: str = "/v1/chat/completions") -> Got:
    """Return status, headers and body as they came; the gateway's own headers aside."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.post(here.url + path, json=body, allow_redirects=False) as reply,
    ):
        raw = await reply.read()
        heads = [
            (name.decode().lower(), value.decode("latin-1")) for name, value in reply.raw_headers
        ]
    assert len({name for name, _ in heads if name.startswith("x-toolmint")}) >= 3
    kept = [one for one in heads if one[0] not in OURS and not one[0].startswith("x-toolmint")]
    return reply.status, kept, raw


GOOD = json.dumps(completion("Hi")).encode()
TYPED = "content-type: application/json"
WHOLE: dict[str, tuple[str, bytes, tuple[str, ...], tuple[int, bool]]] = {
    "a text 429": (
        "429 Too Many Requests",
        b"slow down",
        ("content-type: text/plain", "retry-after: 7", "x-should-retry: true"),
        (0, True),
    ),
    "a page for 413": (
        "413 Too Large",
        b"<html>no</html>",
        ("content-type: text/html",),
        (0, True),
    ),
    "a page for 503": ("503 No", b"<html>no</html>", ("Retry-After: 3", "Server: x"), (0, True)),
    "an empty 400": ("400 Bad Request", b"", (), (0, True)),
    "a list of errors": ("400 Bad Request", b'[{"error": {"code": 400}}]', (TYPED,), (0, True)),
    "an error with a list": ("422 Odd", b'{"detail": [{"loc": ["body"]}]}', (TYPED,), (0, True)),
    "a 401 with its reason": (
        "401 Unauthorized",
        b'{"error": {"message": "key expired"}}',
        (TYPED, 'www-authenticate: Bearer error="x"'),
        (0, True),
    ),
    "a 403 with its reason": (
        "403 Forbidden",
        b'{"error": {"message": "your country"}}',
        (TYPED,),
        (0, True),
    ),
    "an odd status": ("529 Overloaded", b"{}", ("x-own: 1", "x-own: 2"), (0, True)),
    "a redirect": ("307 There", b"there", ("location: /elsewhere",), (0, True)),
    "nothing": ("204 No Content", b"", (), (1, False)),
    "NaN": ("200 OK", GOOD.replace(b'"created": 1', b'"created": NaN'), (TYPED,), (1, True)),
    "a lone surrogate": ("200 OK", GOOD.replace(b"Hi", b"\\ud83d"), (TYPED,), (1, True)),
    "a byte order mark": ("200 OK", b"\xef\xbb\xbf" + GOOD, (TYPED,), (1, True)),
    "gzip": (
        "200 OK",
        gzip.compress(GOOD, mtime=0),
        (TYPED, "content-encoding: gzip"),
        (1, True),
    ),
    "deflate": ("200 OK", zlib.compress(GOOD), (TYPED, "content-encoding: deflate"), (1, True)),
    "what says gzip and is not": ("200 OK", GOOD, (TYPED, "content-encoding: gzip"), (1, False)),
    "an encoding that we do not know": (
        "200 OK",
        b"\x1b\x00",
        (TYPED, "content-encoding: br"),
        (1, False),
    ),
    "a page": ("200 OK", b"<html>oops</html>", ("content-type: text/html",), (1, False)),
    "no type": ("200 OK", GOOD, (), (1, True)),
    "a list": ("200 OK", b"[1, 2]", (TYPED,), (1, False)),
    "a number": ("201 Made", b"3", (TYPED,), (1, False)),
    "a usage that is a text": (
        "200 OK",
        json.dumps(completion("Hi") | {"usage": "12 tokens"}).encode(),
        (TYPED,),
        (1, False),
    ),
    "a usage of nonsense": (
        "200 OK",
        json.dumps(completion("Hi") | {"usage": {"prompt_tokens": [], "x": -1}}).encode(),
        (TYPED,),
        (1, False),
    ),
    "a usage beyond all numbers": (
        "200 OK",
        json.dumps(completion("Hi", 10**40, -5)).encode(),
        (TYPED,),
        (1, False),
    ),
    "choices of nonsense": (
        "200 OK",
        json.dumps(completion("Hi") | {"choices": [[{}], 3]}).encode(),
        (TYPED, "set-cookie: a=1", "set-cookie: b=2"),
        (1, True),
    ),
    "a model that is no name": (
        "200 OK",
        json.dumps(completion("Hi") | {"model": ["\ud800", None]}).encode(),
        (TYPED,),
        (1, True),
    ),
    "a deep nest": ("200 OK", b"[" * 20_000, (TYPED,), (1, False)),
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
async def test_a_whole_answer_reaches_the_client_byte_for_byte(tmp_path: Path, path: str) -> None:
    more = ("connection: keep-alive, x-hop", "x-hop: 1", "keep-alive: timeout=5")

    async def answer(asked: Asked) -> None:
        status, body, heads, _ = WHOLE[asked.body["case"]]
        await asked.whole(status, body, *heads, "x-ratelimit-left: 3", *more)

    async with front(tmp_path, answer) as here:
        for count, (name, (status, body, heads, (calls, known))) in enumerate(WHOLE.items(), 1):
            ask = chat_body() if "chat" in path else {"model": "gpt-5", "input": "Hello"}
            split = [one.partition(": ") for one in (*heads, "x-ratelimit-left: 3")]
            sent = [(name.lower(), value) for name, _, value in split]
            assert await post(here, ask | {"case": name}, path) == (int(status[:3]), sent, body), (
                name
            )
            row = (await here.rows(count))[-1]
            told = (row.status, row.calls, row.cost is not None)
            assert told == (int(status[:3]), calls, known), name
            assert row.tier == "strong" and row.model == "gpt-5"


async def test_the_answer_of_a_request_for_a_stream_may_be_whole(tmp_path: Path) -> None:
    async def answer(asked: Asked) -> None:
        await asked.whole("200 OK", GOOD, TYPED)

    async with front(tmp_path, answer) as here:
        assert await post(here, chat_body(stream=True)) == (
            200,
            [("content-type", "application/json")],
            GOOD,
        )
        (row,) = await here.rows(1)
        assert (row.input_tokens, row.output_tokens, row.answer) == (3, 2, None)


EVENTS = (
    b": open\n\n",
    chunk({"role": "assistant"}),
    chunk({"content": "Hi"}) + chunk({}, "stop")[:9],
    chunk({}, "stop")[9:],
    usage_chunk(5, 6),
    DONE,
)
ASKED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize(
    "heads",
    [
        ("content-type: text/event-stream",),
        ("content-type: text/plain",),
        ("content-type: application/octet-stream", "x-own: 1", "cache-control: no-store"),
        ("content-type: application/json",),
    ],
)
@pytest.mark.parametrize("asked_usage", [True, False])
async def test_a_stream_reaches_the_client_byte_for_byte_whatever_its_type(
    tmp_path: Path, heads: tuple[str, ...], asked_usage: bool
) -> None:
    async def answer(asked: Asked) -> None:
        assert asked.body["stream_options"]["include_usage"] is True
        await asked.stream(*EVENTS, heads=heads)

    async with front(tmp_path, answer) as here:
        body = chat_body() | (ASKED if asked_usage else {"stream": True})
        status, found, raw = await post(here, body)
        sent = b"".join(EVENTS)
        assert raw == (sent if asked_usage else sent.replace(usage_chunk(5, 6), b""))
        assert status == 200 and found == [
            (name, value) for name, _, value in (one.partition(": ") for one in heads)
        ]
        (row,) = await here.rows(1)
        assert (row.input_tokens, row.output_tokens, row.answer) == (5, 6, "Hi")


@pytest.mark.parametrize("asked_usage", [True, False])
async def test_a_compressed_stream_is_passed_as_it_is_or_decoded_where_a_part_stays_here(
    tmp_path: Path, asked_usage: bool
) -> None:
    packed = gzip.compress(b"".join(EVENTS), mtime=0)
    pieces = [packed[at : at + 7] for at in range(0, len(packed), 7)]

    async def answer(asked: Asked) -> None:
        await asked.stream(*pieces, heads=("content-encoding: gzip",))

    async with front(tmp_path, answer) as here:
        body = chat_body() | (ASKED if asked_usage else {"stream": True})
        _, heads, raw = await post(here, body)
        if asked_usage:
            assert raw == packed and ("content-encoding", "gzip") in heads
        else:
            assert raw == b"".join(EVENTS).replace(usage_chunk(5, 6), b"")
            assert "content-encoding" not in dict(heads)
        (row,) = await here.rows(1)
        assert (row.input_tokens, row.answer) == (5, "Hi")


PLAIN_EVENTS = b"".join(EVENTS)
PACKED = gzip.compress(PLAIN_EVENTS, mtime=0)


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("br", b"\x0b\x02\x80abc"),
        ("zstd", b"(\xb5/\xfdabc"),
        ("gzip, gzip", gzip.compress(PACKED, mtime=0)),
        ("gzip", PLAIN_EVENTS),
        ("GZIP", b"\x1f\x8bxx" + PLAIN_EVENTS),
        ("deflate", b"zzz"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
async def test_a_stream_that_cannot_be_decoded_is_passed_as_it_is(
    tmp_path: Path, encoding: str, raw: bytes, size: int
) -> None:
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]

    async def answer(asked: Asked) -> None:
        await asked.stream(*pieces, heads=(f"content-encoding: {encoding}",))

    async with front(tmp_path, answer) as here:
        status, heads, got = await post(here, chat_body(stream=True))
        assert (status, dict(heads)["content-encoding"], got) == (200, encoding, raw)
        (row,) = await here.rows(1)
        assert (row.status, row.cost, row.answer) == (200, None, None)
        assert "accept-encoding: identity" in here.script.asked[0].head


async def test_a_stream_whose_events_are_compressed_one_by_one_is_decoded(tmp_path: Path) -> None:
    packed = b"".join(gzip.compress(one, mtime=0) for one in EVENTS) + b"\0\0"
    pieces = [packed[at : at + 50] for at in range(0, len(packed), 50)]

    async def answer(asked: Asked) -> None:
        await asked.stream(*pieces, heads=("content-encoding: gzip",))

    async with front(tmp_path, answer) as here:
        _, _, raw = await post(here, chat_body(stream=True))
        assert raw == PLAIN_EVENTS.replace(usage_chunk(5, 6), b"")
        (row,) = await here.rows(1)
        assert (row.input_tokens, row.answer) == (5, "Hi")


async def test_a_stream_with_a_byte_order_mark_is_no_label_as_clients_read_it_differently(
    tmp_path: Path,
) -> None:
    async def answer(asked: Asked) -> None:
        await asked.stream(b"\xef\xbb\xbf" + b"".join(EVENTS[1:]))

    async with front(tmp_path, answer) as here:
        _, _, raw = await post(here, chat_body(stream=True))
        assert raw.startswith(b"\xef\xbb\xbf")
        (row,) = await here.rows(1)
        assert (row.input_tokens, row.answer) == (5, None)


REFUSALS = {
    "names it": ("400 Bad Request", b'{"error": "Unrecognized argument: stream_options"}'),
    "names its field": ("422 Odd", b'{"detail": [{"loc": ["body", "stream_options"]}]}'),
    "names nothing": ("400 Bad Request", b""),
    "is a fault of its own": ("500 Oops", b"TypeError: unexpected keyword 'include_usage'"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_the_gateway_puts_in_never_fails_a_request(tmp_path: Path, name: str) -> None:
    status, body = REFUSALS[name]

    async def answer(asked: Asked) -> None:
        if "stream_options" in asked.body:
            await asked.whole(status, body)
        else:
            await asked.stream(*EVENTS[:4], DONE)

    async with front(tmp_path, answer) as here:
        for _ in range(2):
            got, _, raw = await post(here, chat_body(stream=True))
            assert got == 200 and raw == b"".join((*EVENTS[:4], DONE))
        # The second request knows.
        assert [("stream_options" in one.body) for one in here.script.asked] == [True, False, False]
        assert json.loads(here.script.asked[1].raw) == chat_body(stream=True)
        await post(here, chat_body(stream=True, model="gpt-5-mini"))
        assert "stream_options" in here.script.asked[3].body
        rows = await here.rows(3)
        assert [(one.cost, one.calls, one.answer) for one in rows] == [(None, 1, "Hi")] * 3


async def test_a_request_that_is_wrong_by_itself_gets_its_own_refusal(tmp_path: Path) -> None:
    async def answer(asked: Asked) -> None:
        await asked.whole("400 Bad Request", b"plea" if "stream_options" in asked.body else b"own")

    async with front(tmp_path, answer) as here:
        assert (await post(here, chat_body(stream=True)))[::2] == (400, b"own")
        assert (await post(here, chat_body(stream=True)))[::2] == (400, b"own")
        assert len(here.script.asked) == 4  # it was not the plea, so the plea goes on
        (row, _) = await here.rows(2)
        assert (row.status, row.calls, row.cost) == (400, 0, 0)


async def test_a_refusal_is_passed_on_where_the_endpoint_is_gone_when_asked_again(
    tmp_path: Path,
) -> None:
    async def answer(asked: Asked) -> None:
        if "stream_options" in asked.body:
            await asked.whole("400 Bad Request", b"seed is wrong", "retry-after: 7")
        else:
            asked.writer.close()

    async with front(tmp_path, answer) as here:
        status, heads, raw = await post(here, chat_body(stream=True))
        assert (status, raw) == (400, b"seed is wrong") and ("retry-after", "7") in heads
        assert len(here.script.asked) == 2
        (row,) = await here.rows(1)
        assert (row.status, row.cost) == (400, None), "the second request may have been paid"
        assert "cannot be reached" in row.why


async def test_a_refusal_for_another_reason_is_not_asked_twice(tmp_path: Path) -> None:
    async def answer(asked: Asked) -> None:
        await asked.whole("429 Too Many Requests", b"slow", "retry-after: 1")

    async with front(tmp_path, answer) as here:
        status, heads, raw = await post(here, chat_body(stream=True))
        assert (status, dict(heads)["retry-after"], raw) == (429, "1", b"slow")
        assert len(here.script.asked) == 1


@pytest.mark.parametrize(
    "given", [None, {}, {"include_usage": False}, {"include_obfuscation": False}]
)
async def test_a_request_keeps_its_other_options(
    tmp_path: Path, given: dict[str, Any] | None
) -> None:
    async def answer(asked: Asked) -> None:
        await asked.stream(*EVENTS)

    async with front(tmp_path, answer) as here:
        await post(here, chat_body(stream=True, stream_options=given))
        (asked,) = here.script.asked
        assert asked.body["stream_options"] == (given or {}) | {"include_usage": True}


async def test_the_bytes_of_a_request_stay_as_they_are_around_what_is_put_in(
    tmp_path: Path,
) -> None:
    async def answer(asked: Asked) -> None:
        await asked.stream(*EVENTS)

    raw = b' {"model":"gpt-5", "stream" : true,"messages":[{"role":"user","content":"\\u00e9"}],"seed":1e5}\n'
    async with front(tmp_path, answer) as here, aiohttp.ClientSession() as session:
        async with session.post(f"{here.url}/v1/chat/completions", data=raw) as reply:
            await reply.read()
        plea = b'"stream_options":{"include_usage":true},'
        assert here.script.asked[0].raw == raw.replace(b"{", b"{" + plea, 1)


async def test_a_status_that_is_none_is_told_as_a_fault_of_the_endpoint(tmp_path: Path) -> None:
    async def answer(asked: Asked) -> None:
        await asked.whole("999 Denied", b"no")

    async with front(tmp_path, answer) as here:
        status, _, raw = await post(here, chat_body())
        assert status == 502 and b"999" in raw


async def test_a_list_of_models_that_is_refused_says_why(tmp_path: Path) -> None:
    async def answer(asked: Asked) -> None:
        heads = ("retry-after: 5", "content-type: application/json")
        await asked.whole("429 Too Many Requests", b'{"error": {"message": "slow down"}}', *heads)

    async with (
        front(tmp_path, answer) as here,
        aiohttp.ClientSession() as session,
        session.get(f"{here.url}/v1/models") as reply,
    ):
        assert reply.status == 429 and reply.headers["retry-after"] == "5"
        assert (await reply.json())["error"]["message"] == "slow down"
