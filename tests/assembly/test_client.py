"""The client makes, answers, applies, serves and bills; from ordinary code, a notebook and any loop."""

import asyncio
import json
from pathlib import Path

import pytest
from openai import OpenAI
from tests.gateway.upstream import upstream
from tests.maker.tools import RIGHT, demos, fenced

import toolmint
from toolmint import AnsweringModel, ConfigError, InputError, ScriptedModel, Settings, Toolmint
from toolmint.assembly.session import Models
from toolmint.core.kept_open import KeptOpen
from toolmint.core.sync import run_sync

REQUESTS = [one.input for one in demos(6, seed=9)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=tmp_path / "tools.db", second="never")


def maker(*more: str) -> ScriptedModel:
    return ScriptedModel([fenced(RIGHT), *more])


def test_a_tool_is_made_and_answers_without_the_model(settings: Settings) -> None:
    lines: list[str] = []
    with Toolmint(maker(), settings=settings, observe=lines.append) as client:
        record = client.make(demos(), name="sorting")
        found = client.solve(REQUESTS[0])
        assert (record.label, found.answer) == ("sorting v1", demos(6, seed=9)[0].target)
        assert found.served is not None
        assert found.served.tier == "code"
        bill = client.bill()
    assert (bill.requests, bill.by_tools) == (1, 1)
    assert any("sorting" in line for line in lines)


def test_demonstrations_come_as_pairs_mappings_objects_and_files(
    settings: Settings, tmp_path: Path
) -> None:
    pairs = [(one.input, one.target or "") for one in demos()]
    mappings = [{"input": text, "target": target} for text, target in pairs]
    path = tmp_path / "ordering.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in mappings))
    for number, given in enumerate((pairs, mappings, demos(), path, str(path))):
        own = settings.model_copy(update={"store": tmp_path / f"{number}.db"})
        with Toolmint(maker(), settings=own) as client:
            record = client.make(given)
        assert record.demonstrations == tuple(demos())
        assert (record.request_class == "ordering") is (number >= 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([("a", "b", "c")], "demonstration 1: expected a pair"),
        ([3], "demonstration 1: expected a pair of request and answer, a mapping"),
        ([{"input": "a"}], "'target' is missing"),
        ("nowhere.jsonl", "'nowhere.jsonl' cannot be read"),
        ([], "has 0 different demonstrations"),
    ],
)
def test_demonstrations_that_are_none_are_named(
    settings: Settings, given: list[tuple[str, str]], said: str
) -> None:
    with Toolmint(maker(), settings=settings) as client, pytest.raises(InputError, match=said):
        client.make(given)


def test_one_client_is_used_from_plain_code_and_from_several_loops(settings: Settings) -> None:
    client = Toolmint(maker(), settings=settings)
    client.make(demos(), name="sorting")

    async def cell() -> tuple[str | None, str | None]:
        one = await client.asolve(REQUESTS[0])
        return one.answer, client.solve(REQUESTS[1]).answer

    answers = asyncio.run(cell()), asyncio.run(cell())
    assert answers[0] == answers[1] == tuple(one.target for one in demos(6, seed=9)[:2])
    client.close()
    assert client.solve(REQUESTS[0]).answer == answers[0][0]
    client.close()


def test_the_asynchronous_client_does_the_same(settings: Settings) -> None:
    async def work() -> list[str | None]:
        async with Toolmint(maker(), settings=settings) as client:
            await client.amake(demos(), name="sorting")
            found = [one.answer async for one in client.aapply(REQUESTS)]
            assert (await client.abill()).by_tools == len(REQUESTS)
            return found

    assert asyncio.run(work()) == [one.target for one in demos(6, seed=9)]


def test_many_requests_are_answered_in_order_and_a_failure_ends_no_other(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text("".join(one.model_dump_json() + "\n" for one in demos(6, seed=9)))
    with Toolmint(maker(), settings=settings) as client:
        client.make(demos(), name="sorting")
        found = list(client.apply([*REQUESTS, "What is love?"], concurrency=3))
        assert [one.request.input for one in found] == [*REQUESTS, "What is love?"]
        assert [one.error is None for one in found] == [True] * 6 + [False]
        assert getattr(found[-1].error, "code", "") == "script-ended"
        assert all(one.right for one in client.apply(path))
        some = client.apply(REQUESTS)
        assert next(some).right is None
        some.close()


def test_an_error_keeps_its_class_through_the_client(settings: Settings) -> None:
    with Toolmint(settings=settings) as client, pytest.raises(toolmint.NoAnswer):
        client.solve("Who answers this?")


@pytest.mark.parametrize(
    "uri", ["gpt-5", "opnai:gpt-5", "openai:gpt-5?bas_url=x", "cassette:no.jsonl"]
)
def test_a_wrong_uri_is_refused_at_once_wherever_a_model_is_taken(
    uri: str, settings: Settings
) -> None:
    with pytest.raises(ConfigError):
        Toolmint(uri, settings=settings)
    with pytest.raises(ConfigError):
        Toolmint(maker(), light_model=uri, settings=settings)
    with pytest.raises(ConfigError):
        Models(uri)
    with pytest.raises(ConfigError, match="is no model"):
        Models(3)  # pyright: ignore[reportArgumentType]


def test_a_gateway_serves_inside_the_process_and_learns(settings: Settings) -> None:
    strong = AnsweringModel(lambda _: fenced(RIGHT))
    context = KeptOpen(upstream)
    url, _ = run_sync(context.get())
    model = toolmint.openai("gpt-5", base_url=url, api_key="secret")
    client = Toolmint(model, settings=settings)
    client.models = Models(strong)
    with client.serving(port=0) as base_url, OpenAI(base_url=base_url, api_key="none") as sdk:
        reply = sdk.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": REQUESTS[0]}]
        )
        assert reply.choices[0].message.content == demos(6, seed=9)[0].target
        port = int(base_url.split(":")[2].split("/")[0])
        with pytest.raises(ConfigError, match="cannot be listened at"), client.serving(port=port):
            pass
    with Toolmint(strong, settings=settings) as other, pytest.raises(ConfigError, match="is none"):
        other.serve(port=0)
    run_sync(context.close())
