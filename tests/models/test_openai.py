"""An OpenAI-compatible endpoint over real HTTP on loopback: usage, faults, retries, streams."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from tests.models.endpoint import Said, completion, endpoint

from toolmint.core.errors import ContextOverflow, ModelError, ModelUnavailable
from toolmint.core.messages import (
    AssistantMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from toolmint.core.model import ModelRequest, Usage
from toolmint.models.openai import OpenAIModel
from toolmint.models.openai_wire import decode_response, encode_request
from toolmint.models.prices import price
from toolmint.models.scripted import AnsweringModel
from toolmint.models.wrap import LazyModel, Retrying

pytestmark = pytest.mark.anyio
ASK = ModelRequest(messages=(UserMessage(content="2 + 2?"),), seed=3, stop=("\n",))


@asynccontextmanager
async def model(
    replies: Sequence[Said], **options: Any
) -> AsyncGenerator[tuple[OpenAIModel, list[dict[str, Any]]]]:
    async with endpoint(replies) as (url, seen):
        made = OpenAIModel("gpt-5", api_key="k", base_url=url, **options)
        try:
            yield made, seen
        finally:
            await made.close()


async def test_an_answer_comes_with_exact_usage_and_price() -> None:
    async with model([Said(200, completion("4", 1000, 100))]) as (gpt, seen):
        response = await gpt.complete(ASK)
    assert (response.content, response.model) == ("4", "gpt-5")
    assert (response.usage.input_tokens, response.usage.output_tokens) == (1000, 100)
    assert response.usage.cost == price("gpt-5", response.usage) and response.usage.cost != 0
    assert seen[0]["seed"] == 3 and seen[0]["stop"] == ["\n"]
    assert seen[0]["authorization"] == "Bearer k"


async def test_a_model_that_takes_no_temperature_is_asked_without() -> None:
    error = Said(
        400, {"error": {"message": "Unsupported value: 'temperature' does not support 0.2"}}
    )
    async with model([error, Said(200, completion("4")), Said(200, completion("5"))]) as (
        gpt,
        seen,
    ):
        assert [(await gpt.complete(ASK)).content for _ in range(2)] == ["4", "5"]
    assert ["temperature" in body for body in seen] == [True, False, False]
    assert all(body["max_tokens"] == 2048 for body in seen)


def test_a_vectors_price_is_known_and_has_no_output() -> None:
    found = price("text-embedding-3-small", Usage(input_tokens=1_000_000))
    assert found is not None and 0 < found < 1


async def test_an_unknown_price_is_unknown() -> None:
    assert price("no-such-model", Usage(input_tokens=5)) is None
    async with model([Said(200, completion("4"))], price_as="no-such-model") as (gpt, _):
        assert (await gpt.complete(ASK)).usage.cost is None


async def test_missing_usage_is_unknown_not_zero() -> None:
    body = completion("4")
    del body["usage"]
    async with model([Said(200, body)], price_as="no-such-model") as (gpt, _):
        usage = (await gpt.complete(ASK)).usage
    assert usage.cost is None and usage.requests == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, "bad key", ModelError, "model-key"),
        (429, "slow down", ModelUnavailable, "model-unavailable"),
        (500, "oops", ModelUnavailable, "model-unavailable"),
        (400, "context_length_exceeded", ContextOverflow, "context-overflow"),
        (404, "no such model", ModelError, "model-refused"),
        (200, "<html>", ModelError, "model-reply"),
        (200, {"choices": []}, ModelError, "model-reply"),
        (200, {"choices": [{"message": 5}]}, ModelError, "model-reply"),
        (200, [], ModelError, "model-reply"),
    ],
)
async def test_faults_have_stable_codes(
    status: int, body: Any, kind: type[ModelError], code: str
) -> None:
    async with model([Said(status, body)]) as (gpt, _):
        with pytest.raises(kind) as caught:
            await gpt.complete(ASK)
    assert caught.value.code == code
    assert caught.value.retryable == (code == "model-unavailable")


async def test_busy_endpoints_are_asked_again_as_they_advise() -> None:
    busy = Said(429, "wait", {"retry-after": "0"})
    async with model([busy, Said(503, "x", {"retry-after": "0"}), Said(200, completion("4"))]) as (
        gpt,
        seen,
    ):
        response = await Retrying(gpt, attempts=3, first=0.0).complete(ASK)
    assert response.content == "4" and len(seen) == 3


async def test_retries_end_and_refusals_are_not_retried() -> None:
    async with model([Said(500, "x")] * 2) as (gpt, seen):
        with pytest.raises(ModelUnavailable):
            await Retrying(gpt, attempts=2, first=0.0, longest=0.0).complete(ASK)
        assert len(seen) == 2
    async with model([Said(401, "x")] * 2) as (gpt, seen):
        with pytest.raises(ModelError):
            await Retrying(gpt, attempts=2, first=0.0).complete(ASK)
        assert len(seen) == 1


async def test_an_endpoint_that_is_down_is_named() -> None:
    gpt = OpenAIModel("m", api_key=None, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ModelUnavailable, match=r"127.0.0.1:9.*cannot be reached"):
        await gpt.complete(ASK)
    await gpt.close()


def _chunk(text: str | None = None, **more: Any) -> dict[str, Any]:
    delta: dict[str, Any] = {"content": text} if text is not None else {}
    return {"model": "gpt-5", "choices": [{"delta": delta | more, "finish_reason": None}]}


async def test_a_stream_gives_text_and_then_the_whole() -> None:
    usage = completion("", 7, 2)["usage"]
    events: list[Any] = [_chunk("4"), _chunk("2"), {"choices": [], "usage": usage}, "[DONE]"]
    async with model([Said(200, events)]) as (gpt, seen):
        deltas = [delta async for delta in gpt.stream(ASK)]
    assert [delta.text for delta in deltas] == ["4", "2", ""]
    whole = deltas[-1].response
    assert whole is not None and whole.content == "42"
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (7, 2)
    assert seen[0]["stream_options"] == {"include_usage": True}


async def test_streamed_tool_calls_are_put_together() -> None:
    first = {"index": 0, "id": "c", "function": {"name": "add", "arguments": '{"a"'}}
    events = [
        _chunk(tool_calls=[first]),
        _chunk(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
    ]
    async with model([Said(200, events)]) as (gpt, _):
        deltas = [delta async for delta in gpt.stream(ASK)]
    whole = deltas[-1].response
    assert whole is not None
    assert whole.tool_calls == (ToolCall(id="c", name="add", arguments='{"a": 1}'),)


@pytest.mark.parametrize("event", ["{oops", {"choices": [5]}, {"error": {"message": "overloaded"}}])
async def test_a_broken_stream_is_an_error(event: Any) -> None:
    async with model([Said(200, [event])]) as (gpt, _):
        with pytest.raises(ModelError) as caught:
            [delta async for delta in gpt.stream(ASK)]
    assert caught.value.code == "model-reply"


async def test_every_kind_of_message_crosses_the_wire() -> None:
    call = ToolCall(id="1", name="t", arguments="{}")
    request = ModelRequest(
        messages=(
            SystemMessage(content="s"),
            UserMessage(content="u"),
            AssistantMessage(content="", tool_calls=(call,)),
            ToolMessage(tool_call_id="1", content="r"),
        ),
        tools=(ToolSpec(name="t", description="d", parameters={"type": "object"}),),
    )
    body = encode_request(request, "m")
    assert [message["role"] for message in body["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
    ]
    assert body["messages"][2]["tool_calls"][0]["function"] == {"name": "t", "arguments": "{}"}
    assert body["tools"][0]["function"]["name"] == "t"


async def test_tool_calls_are_read() -> None:
    body = completion("")
    body["choices"][0]["message"]["tool_calls"] = [
        {"id": "1", "type": "function", "function": {"name": "t", "arguments": "{}"}}
    ]
    body["choices"][0]["finish_reason"] = "tool_calls"
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 4}
    response = decode_response(body, 0.5)
    assert response.tool_calls[0].name == "t" and response.finish_reason == "tool_calls"
    assert response.usage.cached_tokens == 4 and response.usage.cost is None
    assert Decimal(str(response.seconds)) == Decimal("0.5")


async def test_a_model_that_is_opened_late_is_opened_once_and_closed() -> None:
    opened: list[int] = []

    def open_one() -> AnsweringModel:
        opened.append(1)
        return AnsweringModel(lambda _: "4")

    late = LazyModel("gpt", open_one)
    assert (late.name, opened) == ("gpt", [])
    answers = await asyncio.gather(*(late.complete(ASK) for _ in range(5)))
    assert [one.content for one in answers] == ["4"] * 5 and opened == [1]
    await late.close()
    await LazyModel("gpt", open_one).close()
    assert opened == [1]
