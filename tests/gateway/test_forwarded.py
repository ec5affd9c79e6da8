"""The query and some headers of a request reach the endpoint; what belongs to the client's connection not."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from benchmarks.conformance import PATHS, keep_tool
from tests.gateway.scripted import DONE, Asked, chat_body, chunk, completion, front
from tests.gateway.test_fields import PLAIN, read

from toolmint.core.errors import HttpError
from toolmint.core.traffic import Key
from toolmint.gateway.auth.keys import digest_of, new_secret
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
GOOD = json.dumps(completion("Hi")).encode()
SENT = {
    "OpenAI-Beta": "assistants=v2",
    "Idempotency-Key": "abc",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "Authorization": "Bearer of-the-client",
    "Cookie": "a=1",
    "OpenAI-Organization": "org-1",
    "TE": "trailers",
    "X-Own": "1",
    "Accept-Encoding": "br",
}


async def answered(asked: Asked) -> None:
    """Answer as asked, whole or as a stream."""
    if asked.body.get("stream"):
        await asked.stream(chunk({"content": "Hi"}), chunk({}, "stop"), DONE)
    else:
        await asked.whole("200 OK", GOOD, "content-type: application/json")


def heads_of(asked: Asked) -> dict[str, str]:
    """Return the headers that came to the endpoint."""
    lines = asked.head.split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}


async def test_a_query_and_listed_headers_reach_the_endpoint(tmp_path: Path) -> None:
    async with front(tmp_path, answered) as here, aiohttp.ClientSession() as session:
        for query in ("", "?api-version=2024-10-21&x=%C3%A4&y=a+b"):
            url = f"{here.url}/v1/chat/completions{query}"
            async with session.post(url, json=chat_body(), headers=SENT) as reply:
                assert reply.status == 200
            asked = here.script.asked[-1]
            path = asked.head.split(" ")[1]
            assert path == f"/v1/chat/completions{query}"
            heads = heads_of(asked)
            assert (heads["openai-beta"], heads["idempotency-key"]) == ("assistants=v2", "abc")
            assert heads["traceparent"] == SENT["traceparent"]
            assert heads["accept-encoding"] == "identity"
            assert not heads.keys() & {"cookie", "openai-organization", "te", "x-own"}
            assert "of-the-client" not in asked.head


async def test_an_idempotency_key_is_the_tenants_own(tmp_path: Path) -> None:
    store, secret = SqlStore.open(tmp_path / "tools.db"), new_secret()
    await store.traffic.keep_key(Key(id="k", tenant="acme", name="k"), digest_of(secret))
    store.close()
    heads = {"authorization": f"Bearer {secret}", "idempotency-key": "abc"}
    async with front(tmp_path, answered) as here, aiohttp.ClientSession(headers=heads) as session:
        async with session.post(f"{here.url}/v1/chat/completions", json=chat_body()) as reply:
            assert reply.status == 200
        assert heads_of(here.script.asked[0])["idempotency-key"] == "acme-abc"


async def test_a_request_into_which_something_is_put_has_an_idempotency_key_of_its_own(
    tmp_path: Path,
) -> None:
    async def answer(asked: Asked) -> None:
        if "stream_options" in asked.body:
            await asked.whole("400 Bad Request", b"stream_options")
        else:
            await answered(asked)

    heads = {"idempotency-key": "abc"}
    async with front(tmp_path, answer) as here, aiohttp.ClientSession(headers=heads) as session:
        body = chat_body(stream=True)
        async with session.post(f"{here.url}/v1/chat/completions", json=body) as reply:
            assert reply.status == 200
        keys = [heads_of(one)["idempotency-key"] for one in here.script.asked]
        assert keys == ["abc-usage", "abc"]


async def test_no_store_counts_however_it_is_written(tmp_path: Path) -> None:
    await keep_tool(tmp_path / "tools.db", "serving")
    body = PLAIN.body("chat")
    async with (
        front(tmp_path, answered, audit_rate=1e-9) as here,
        aiohttp.ClientSession() as session,
    ):
        for said, cache in (("No-Store", "bypass"), ("NO-CACHE", "bypass"), ("max-age=0", "hit")):
            heads = {"cache-control": said}
            url = here.url + PATHS["chat"]
            async with session.post(url, json=body, headers=heads) as reply:
                assert reply.headers["x-toolmint-cache"] == cache, said


def with_fields(more: str) -> bytes:
    """Return a plain request with more fields, as they are written."""
    return (json.dumps(PLAIN.body("chat"))[:-1] + ", " + more + "}").encode()


@pytest.mark.parametrize(
    "more",
    [
        '"tools": [{"type": "function"}], "tools": null',
        '"tools": null, "tools": null',
        '"n": 2, "n": 1',
        '"t\\u006fols": [{"type": "function"}], "tools": null',
        '"messages": [{"role": "user", "content": "another text"}]',
        '"seed": 1, "seed": 1',
        '"response_format": {"type": "text"}, "response_format": {"type": "json_object"}',
        '"messages": [{"role": "user", "content": "one", "content": "two"}]',
    ],
)
def test_a_field_that_stands_twice_is_for_the_model(more: str) -> None:
    found = read("chat", with_fields(more))
    assert found.text is None and "twice" in found.why


@pytest.mark.parametrize(
    "second", ['"model": "dear"', '"m\\u006fdel": "dear"', '"x": NaN, "model": "dear"']
)
@pytest.mark.parametrize("kind", ["chat", "responses"])
def test_a_request_that_names_two_models_is_refused(kind: str, second: str) -> None:
    body = (json.dumps(PLAIN.body(kind))[:-1] + ", " + second + "}").encode()
    with pytest.raises(HttpError, match="'model' stands twice"):
        read(kind, body)


def test_a_name_that_is_also_a_value_stands_once() -> None:
    for more in (
        '"tools": null, "user": "tools"',
        '"tools": null, "metadata": {"tools": "\\u00e9"}',
    ):
        found = read("chat", with_fields(more))
        assert found.text is not None and found.why == ""


@pytest.mark.parametrize(
    "more",
    [
        '"seed": ' + "9" * 5000,
        '"x": ' + "[" * 2000 + "]" * 2000,
        '"x": "\\"[[{", "y": ' + '{"a": ' * 2000 + '"]"' + "}" * 2000,
    ],
    ids=["digits", "lists", "objects"],
)
async def test_json_that_no_reader_here_follows_goes_on_as_it_came(
    tmp_path: Path, more: str
) -> None:
    async def answer(asked: Asked) -> None:
        await asked.whole("200 OK", GOOD, "content-type: application/json")

    async with front(tmp_path, answer) as here, aiohttp.ClientSession() as session:
        for stream in ("false", "true"):
            raw = with_fields(f'"stream": {stream}, {more}')
            async with session.post(here.url + PATHS["chat"], data=raw) as reply:
                assert (reply.status, await reply.read()) == (200, GOOD)
            assert here.script.asked[-1].raw == raw


@pytest.mark.parametrize(
    "raw",
    [
        b'{"model": "gpt-5", "x": ' + b"[" * 2000,
        b'{"model": 3, "x": ' + b"[" * 2000 + b"]" * 2000 + b"}",
        b"[" * 2000 + b"]" * 2000,
        b'{"model": "gpt-5", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
    ids=["open", "no model", "no object", "long"],
)
async def test_deep_json_without_a_model_is_refused(tmp_path: Path, raw: bytes) -> None:
    async with front(tmp_path, answered) as here, aiohttp.ClientSession() as session:
        async with session.post(here.url + PATHS["chat"], data=raw) as reply:
            error: Any = await reply.json()
            assert (reply.status, error["error"]["type"]) == (400, "invalid_request_error")
        assert here.script.asked == []
