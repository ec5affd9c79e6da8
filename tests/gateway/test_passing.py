"""Requests pass to the strong model and back as the official SDK expects, and every fault has its status."""

import re
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.gateway.house import QUESTIONS, House, house

from toolmint.core.errors import ConfigError
from toolmint.gateway.observability.spans import Spans

pytestmark = pytest.mark.anyio
HELLO: Any = [{"role": "user", "content": "Hello there"}]


async def test_an_unknown_request_is_answered_by_the_strong_model(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        answer, headers = await here.ask("Hello there")
        assert answer == "11 characters"
        assert headers["x-toolmint-cache"] == "miss" and headers["x-toolmint-tier"] == "strong"
        assert headers["x-request-id"].startswith("req_")
        assert headers["content-type"] == "application/json; charset=utf-8"  # the endpoint's own
        assert "content-length" in headers


async def test_streams_pass_with_the_usage_only_where_it_is_asked_for(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        for wanted in (True, False):
            more: Any = {"stream_options": {"include_usage": True}} if wanted else {}
            stream = await here.client.chat.completions.create(
                model="gpt-5", messages=HELLO, stream=True, **more
            )
            chunks = [chunk async for chunk in stream]
            text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
            assert text == "11 characters"
            assert [c.usage is not None for c in chunks].count(True) == wanted
            assert all(c.choices for c in chunks) != wanted
        await here.app.parts.request_log.flush()
        kept = await here.app.parts.log.requests()
        assert [one.input_tokens for one in kept] == [3, 3] and {one.streamed for one in kept} == {
            True
        }


async def test_what_only_a_model_can_do_goes_to_it_and_is_not_learned_from(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    kinds: list[dict[str, Any]] = [{"tools": [tool]}, {"n": 2}, {"logprobs": True}]
    async with house(tmp_path) as here:
        for more in kinds:
            _, headers = await here.ask("Hello there", **more)
            assert headers["x-toolmint-cache"] == "bypass" and "it " in headers["x-toolmint-why"]
        turns: Any = [*HELLO, {"role": "assistant", "content": "Hi"}, *HELLO]
        await here.client.chat.completions.create(model="gpt-5", messages=turns)
        assert await here.app.parts.store.queued() == {}


async def test_responses_pass_too(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        said = await here.client.responses.create(model="gpt-5", input="Hello there")
        assert said.output_text == "11 characters"


async def test_vectors_and_older_completions_pass_and_are_counted(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        made = await here.client.embeddings.create(model="text-embedding-3-small", input="Hello")
        assert made.data[0].embedding == [0.5, 5.0]
        said = await here.client.completions.create(model="gpt-5", prompt="Hello there")
        assert said.choices[0].text == "11 characters"
        stream = await here.client.completions.create(
            model="gpt-5", prompt="Hello there", stream=True
        )
        chunks = [chunk async for chunk in stream]
        assert [one.choices[0].text for one in chunks] == ["11 characters"]
        await here.app.parts.request_log.flush()
        kept = await here.app.parts.log.requests()
        assert sum(one.input_tokens for one in kept) == here.endpoint.input_tokens
        assert sum(one.output_tokens for one in kept) == here.endpoint.output_tokens
        assert {one.why for one in kept} == {"it is no conversation"}
        assert all(one.cost is not None and one.input is None for one in kept)
        with pytest.raises(openai.InternalServerError):
            await here.client.embeddings.create(model="fails-500", input="Hello")
        with pytest.raises(openai.BadRequestError, match="'model' is missing"):
            await here.client.embeddings.create(model="", input="Hello")


async def test_models_are_listed_and_one_is_found_or_not(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        assert [one.id async for one in here.client.models.list()] == ["gpt-5", "gpt-5-mini"]
        assert (await here.client.models.retrieve("gpt-5")).id == "gpt-5"
        with pytest.raises(openai.NotFoundError) as caught:
            await here.client.models.retrieve("gpt-9")
        assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("fails-401", 401, None),
        ("fails-429", 429, None),
        ("fails-500", 500, None),
        ("fails-hang", 504, "upstream_unavailable"),
    ],
)
async def test_faults_of_the_strong_model_are_told_as_what_they_are(
    tmp_path: Path, model: str, status: int, code: str | None
) -> None:
    def patient(settings: Any) -> Any:
        return settings.model_copy(update={"model": settings.model + "&timeout=0.3"})

    async with house(tmp_path, patient) as here:
        with pytest.raises(openai.APIStatusError) as caught:
            await here.ask("Hello there", model)
        assert caught.value.status_code == status and caught.value.code == code
        assert caught.value.response.headers["x-request-id"].startswith("req_")
        assert (await here.ask("Hello there"))[0] == "11 characters"


async def test_a_stream_that_breaks_off_ends_with_an_error(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        stream = await here.client.chat.completions.create(
            model="fails-cut", messages=HELLO, stream=True
        )
        with pytest.raises(openai.APIError, match="broke off"):
            async for _ in stream:
                pass
        assert await here.app.parts.store.queued() == {}


BODIES: list[tuple[bytes, int, str]] = [
    (b"{", 400, "no JSON"),
    (b"[]", 400, "must be a JSON object"),
    (b"{}", 400, "'model' is missing"),
    (b'{"model": 3}', 400, "'model' has the value 3: a text that names a model"),
    (b'{"model": "\\ud800"}', 400, "'model' has the value"),
    (b"[" * 4000, 400, "no JSON"),
    (b" " * 5000, 413, "larger than"),
]


async def test_a_wrong_body_is_named_and_the_service_goes_on(tmp_path: Path) -> None:
    def small(settings: Any) -> Any:
        return settings.model_copy(update={"largest_body": 4096})

    async with house(tmp_path, small) as here, aiohttp.ClientSession() as session:
        for body, status, says in BODIES:
            async with session.post(f"{here.url}/v1/chat/completions", data=body) as reply:
                error = (await reply.json())["error"]
            assert reply.status == status and says in error["message"], (body, error)
            assert set(error) == {"message", "type", "param", "code"}
        for method, path, status in (("GET", "/v1/nothing", 404), ("GET", "/v1/responses", 405)):
            async with session.request(method, here.url + path) as reply:
                assert reply.status == status
        assert here.endpoint.seen == []
        assert (await here.ask("Hello there"))[0] == "11 characters"


async def test_a_client_that_leaves_breaks_off_the_request_to_the_model_where_that_is_set(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, lambda s: s.model_copy(update={"read_on": 0.0})) as here:
        here.endpoint.hold.clear()
        with pytest.raises(openai.APITimeoutError):
            await here.ask("Hello there", timeout=0.2)
        await here.endpoint.left.wait()
        here.endpoint.hold.set()
        assert (await here.ask("Hello there"))[0] == "11 characters"


async def test_the_ledger_is_the_endpoints_own_usage_to_the_token(
    tmp_path: Path, full: bool
) -> None:
    count = 10_000 if full else 60
    async with house(tmp_path, lambda s: s.model_copy(update={"making": False})) as here:
        await _many(here, count)
        await here.app.parts.request_log.flush(10)
        kept = await here.app.parts.log.requests(most=2 * count)
        entries = await here.app.parts.store.ledger()
        assert sum(one.input_tokens for one in kept) == here.endpoint.input_tokens
        assert sum(one.usage.input_tokens for one in entries) == here.endpoint.input_tokens
        assert sum(one.usage.output_tokens for one in entries) == here.endpoint.output_tokens
        assert len(kept) == sum(one.usage.requests for one in entries) == count


async def _many(here: House, count: int) -> None:
    for number in range(count):
        text = QUESTIONS[number % len(QUESTIONS)]
        if number % 3:
            await here.ask(text)
            continue
        stream = await here.client.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": text}], stream=True
        )
        async for _ in stream:
            pass


async def test_health_says_when_it_is_ready(tmp_path: Path) -> None:
    async with house(tmp_path) as here, aiohttp.ClientSession() as session:
        for path in ("/healthz", "/readyz"):
            async with session.get(here.url + path) as reply:
                assert (reply.status, await reply.json()) == (200, {"status": "ok", "store": "ok"})
        async with session.get(f"{here.url}/metrics") as reply:
            assert "toolmint_requests_total" in await reply.text()


async def test_spans_tell_of_requests_without_their_texts(tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with house(tmp_path) as here:
        here.app.parts.completions.recorder.spans = Spans(provider)
        await here.ask("Hello secret")
        with pytest.raises(openai.InternalServerError):
            await here.ask("Hello secret", "fails-500")
    good, bad = exporter.get_finished_spans()
    assert good.name == "chat gpt-5" and good.attributes is not None and bad.attributes is not None
    assert good.attributes["gen_ai.usage.input_tokens"] == 4
    assert good.attributes["toolmint.tier"] == "strong" and bad.attributes["error.type"] == "500"
    assert "secret" not in str(good.attributes) + str(bad.attributes)


def hide(text: str) -> str:
    """Hide digits."""
    return re.sub(r"\d", "#", text)


async def test_texts_are_redacted_before_they_are_kept(tmp_path: Path) -> None:
    named = f"{__name__}:hide"
    async with house(tmp_path, lambda s: s.model_copy(update={"redact": named})) as here:
        answer, _ = await here.ask("My card is 4711")
        assert answer == "15 characters"
        await here.app.parts.request_log.flush()
        (kept,) = await here.app.parts.log.requests()
        ((one,),) = (await here.app.parts.store.queued()).values()
        assert (
            kept.input == one.input == "My card is ####"
            and kept.answer == one.target == "## characters"
        )
    assert b"4711" not in (tmp_path / "tools.db").read_bytes()


@pytest.mark.parametrize("named", ["nowhere:x", "json:nothing", "json", "math:pi"])
async def test_a_redaction_that_is_none_is_named(tmp_path: Path, named: str) -> None:
    with pytest.raises(ConfigError, match="redact names"):
        async with house(tmp_path, lambda s: s.model_copy(update={"redact": named})):
            pass
