"""Cassettes, scripts, wrappers and model URIs."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from toolmint.assembly.uri import model_of, parse_uri
from toolmint.core.errors import ConfigError, LimitExceeded, ModelError, ModelUnavailable
from toolmint.core.messages import UserMessage
from toolmint.core.model import ModelRequest, ModelResponse
from toolmint.models.cassette import CassetteModel, RecordingModel, from_transcript
from toolmint.models.scripted import AnsweringModel, ScriptedModel
from toolmint.models.wrap import Budgeted, ConcurrencyLimited, PricedAs, RateLimited

pytestmark = pytest.mark.anyio


def ask(text: str) -> ModelRequest:
    return ModelRequest(messages=(UserMessage(content=text),))


async def test_what_was_recorded_replays_in_order(tmp_path: Path) -> None:
    cassette = tmp_path / "cassette.jsonl"
    recorder = RecordingModel(
        ScriptedModel(["one", "two", "three"], name="m"), cassette, note="made by hand"
    )
    said = [(await recorder.complete(ask(text))).content for text in ("a", "a", "b")]
    replay = CassetteModel.load(cassette)
    assert (replay.name, replay.note) == ("m", "made by hand")
    assert [(await replay.complete(ask(text))).content for text in ("a", "a", "b")] == said
    assert (await replay.complete(ask("a"))).content == "two"


async def test_a_prompt_that_is_not_in_the_cassette_is_an_error(tmp_path: Path) -> None:
    cassette = tmp_path / "cassette.jsonl"
    await RecordingModel(ScriptedModel(["x"]), cassette).complete(ask("a"))
    with pytest.raises(ModelError, match="holds no reply to this prompt") as caught:
        await CassetteModel.load(cassette).complete(ask("other"))
    assert caught.value.code == "cassette-miss"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        "[]\n",
        '{"cassette": 1}\n{"key": "k"}\n',
        '{"tape": 1}\n{"key": "k", "response": {}}\n',
    ],
)
async def test_what_is_no_cassette_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.jsonl").write_text(text)
    with pytest.raises(ConfigError, match=r"t\.jsonl"):
        CassetteModel.load(tmp_path / "t.jsonl")


async def test_a_missing_cassette_or_transcript_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        CassetteModel.load(tmp_path / "none.jsonl")
    with pytest.raises(ConfigError, match="cannot be read"):
        from_transcript(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"a": 1}')
    with pytest.raises(ConfigError, match="no JSON list"):
        from_transcript(tmp_path / "bad.json")


async def test_a_transcript_gives_each_assistant_turn_once(tmp_path: Path) -> None:
    turns = [
        ("user", "q"),
        ("assistant", "a"),
        ("assistant", "a"),
        ("user", "r"),
        ("assistant", "b"),
    ]
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"role": role, "content": text} for role, text in turns]))
    model = model_of(f"transcript:{path}")
    assert [(await model.complete(ask("x"))).content for _ in range(2)] == ["a", "b"]


async def test_a_script_ends_and_can_fail() -> None:
    model = ScriptedModel(
        ["a", ModelUnavailable("down"), lambda request: request.messages[0].content]
    )
    assert (await model.complete(ask("q"))).usage.cost is None
    with pytest.raises(ModelUnavailable):
        await model.complete(ask("q"))
    assert (await model.complete(ask("echo"))).content == "echo"
    with pytest.raises(ModelError, match="no reply left"):
        await model.complete(ask("q"))
    assert len(model.requests) == 4


async def test_a_budget_refuses_the_next_call() -> None:
    model = Budgeted(AnsweringModel(lambda _: "four"), tokens=2)
    await model.complete(ask("12345678"))
    with pytest.raises(LimitExceeded, match="2 are allowed"):
        await model.complete(ask("x"))
    unpriced = Budgeted(AnsweringModel(lambda _: "x"), cost=Decimal(1))
    await unpriced.complete(ask("x"))
    with pytest.raises(LimitExceeded, match="is unknown"):
        await unpriced.complete(ask("x"))
    priced = Budgeted(PricedAs(AnsweringModel(lambda _: "x"), "gpt-5"), cost=Decimal("0.00000001"))
    await priced.complete(ask("x"))
    with pytest.raises(LimitExceeded, match="spent"):
        await priced.complete(ask("x"))


class Gauge:
    """Counts how many calls are inside at once."""

    name = "gauge"

    def __init__(self) -> None:
        self.inside = self.most = 0

    async def complete(self, request: ModelRequest) -> ModelResponse:
        self.inside += 1
        self.most = max(self.most, self.inside)
        for _ in range(3):
            await asyncio.sleep(0)
        self.inside -= 1
        return await AnsweringModel(lambda _: "x").complete(request)


async def test_concurrency_and_rate_are_held() -> None:
    gauge = Gauge()
    model = ConcurrencyLimited(gauge, most=2)
    await asyncio.gather(*[model.complete(ask("x")) for _ in range(8)])
    assert gauge.most == 2
    limited = RateLimited(gauge, requests=100, seconds=60)
    assert (await limited.complete(ask("x"))).content == "x" and limited.name == "gauge"


async def test_uris_are_read_and_refused_with_a_hint(tmp_path: Path) -> None:
    assert parse_uri("openai:gpt-5?base_url=http://h/v1&rpm=3").options == {
        "base_url": "http://h/v1",
        "rpm": "3",
    }
    for uri, says in [
        ("gpt-5", "no model URI"),
        ("openai:", "no model URI"),
        ("magic:x", "unknown model scheme 'magic'"),
        ("openai:m?base_ulr=x", "did you mean 'base_url'"),
        ("openai:m?zzz=1", "known are base_url"),
        ("openai:m?base_url=http://h&timeout=soon", "'timeout' must be a positive number"),
    ]:
        with pytest.raises(ConfigError, match=says):
            model_of(uri)


async def test_wrappers_are_named_in_the_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="set the variable OPENAI_API_KEY"):
        model_of("openai:gpt-5")
    model = model_of("openai:m?base_url=http://127.0.0.1:9/v1&rpm=5&concurrency=2&price_as=gpt-5")
    assert model.name == "m" and isinstance(model, ConcurrencyLimited)
    cassette = tmp_path / "t.jsonl"
    await RecordingModel(ScriptedModel(["x"]), cassette).complete(ask("a"))
    bounded = model_of(f"cassette:{cassette}?tokens=1&budget=0.5")
    await bounded.complete(ask("a"))
    with pytest.raises(LimitExceeded):
        await bounded.complete(ask("a"))
    copy = tmp_path / "copy.jsonl"
    response = await model_of(f"cassette:{cassette}?record={copy}&price_as=gpt-5").complete(
        ask("a")
    )
    assert response.usage.cost is not None
    assert (await CassetteModel.load(copy).complete(ask("a"))).content == "x"
