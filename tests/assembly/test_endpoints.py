"""Models in one call: keys, addresses and sampling are checked and sent; a model outlives its loop."""

import asyncio
from pathlib import Path

import pytest
from tests.models.endpoint import Said, completion, endpoint

import toolmint
from toolmint.core.errors import ConfigError
from toolmint.core.messages import UserMessage
from toolmint.core.model import ModelRequest
from toolmint.models.wrap import close

CASSETTE = Path(__file__).parents[2] / "benchmarks" / "cassettes" / "junction.jsonl"
ASK = ModelRequest(messages=(UserMessage(content="Hi"),), max_tokens=50)


async def asked(url: str, **more: float) -> toolmint.ModelResponse:
    fixed = {name: int(value) if name == "max_tokens" else value for name, value in more.items()}
    model = toolmint.openai("gpt-5", base_url=url, api_key="sk-own", **fixed)  # pyright: ignore[reportArgumentType]
    try:
        return await model.complete(ASK)
    finally:
        await close(model)


def test_an_endpoint_gets_the_key_and_the_fixed_sampling() -> None:
    async def work() -> None:
        replies = [Said(200, completion("Hello."))] * 2
        async with endpoint(replies) as (url, seen):
            assert (await asked(url, temperature=0.7, max_tokens=9)).content == "Hello."
            await asked(url)
        assert [one["authorization"] for one in seen] == ["Bearer sk-own"] * 2
        assert [(one["temperature"], one["max_tokens"]) for one in seen] == [(0.7, 9), (0.0, 50)]

    asyncio.run(work())


def test_one_model_is_used_from_several_event_loops() -> None:
    model = toolmint.openai("gpt-5", base_url="http://127.0.0.1:9/v1", attempts=1)

    async def work() -> str:
        with pytest.raises(toolmint.ModelUnavailable) as caught:
            await model.complete(ASK)
        await close(model)
        return str(caught.value)

    said = [asyncio.run(work()), asyncio.run(work()), toolmint.run_sync(work())]
    assert all("cannot be reached" in one for one in said)
    assert "Event loop" not in "".join(said)


def test_a_cassette_is_one_call_away() -> None:
    assert isinstance(toolmint.cassette(CASSETTE), toolmint.CassetteModel)


def test_what_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="must begin with http"):
        toolmint.openai("gpt-5", base_url="localhost:8000")
    with pytest.raises(ConfigError, match="must not be empty"):
        toolmint.openai("", api_key="x")
    with pytest.raises(ConfigError, match="max_tokens=0"):
        toolmint.openai("gpt-5", api_key="x", max_tokens=0)
    with pytest.raises(ConfigError, match="cannot be read"):
        toolmint.cassette("nowhere.jsonl")
    with pytest.raises(ConfigError):
        toolmint.onnx("nowhere")
    assert toolmint.openai("gpt-5", api_key="x").name == "gpt-5"
