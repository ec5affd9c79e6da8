"""Tiers between the compiled tools and the strong model: a light model that uses tools, and the agent."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openai import NotFoundError, UnprocessableEntityError
from tests.assembly.test_agents import TOOLS
from tests.gateway.house import QUESTIONS, house
from tests.gateway.test_living import quick
from tests.gateway.upstream import solved
from tests.maker.tools import fenced
from tests.models.endpoint import Said, completion, endpoint

from toolmint.assembly.keys import create_key
from toolmint.assembly.session import Models
from toolmint.assembly.settings import Settings
from toolmint.core.errors import ModelError
from toolmint.core.model import Model, ModelRequest
from toolmint.core.traffic import Key
from toolmint.models.scripted import AnsweringModel
from toolmint.models.wrap import PricedAs
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
TOOL = "def order(words):\n    return sorted(words)\n"
TESTS = "ret = order(['b', 'a'])\nans = 'a, b'\nassert ans == 'a, b'\n"


def paper_maker() -> Model:
    """Return a maker that writes no parser, and then LATM's tool, tests and uses."""

    def answer(request: ModelRequest) -> str:
        if "unparse" in request.messages[0].content:
            return "I cannot."
        return fenced({1: TOOL, 3: TESTS}.get(len(request.messages), TOOL))

    return AnsweringModel(answer)


def light(wrong: list[int]) -> Model:
    """Return a light model that reads the words off a request; it drops one where ``wrong`` is set."""

    def answer(request: ModelRequest) -> str:
        if wrong and wrong[0] < 0:
            raise ModelError("the light model is away")
        parsed = (
            request.messages[-1].content.rpartition("alphabetical order: ")[2].partition(".")[0]
        )
        words = parsed.split(", ")[1 if wrong else 0 :]
        return fenced(f"ret = order({words!r})\nans = ', '.join(ret)")

    return PricedAs(AnsweringModel(answer), "gpt-5-nano")


async def test_a_tool_without_a_parser_is_proved_and_answers_by_a_light_model(
    tmp_path: Path,
) -> None:
    wrong: list[int] = []
    models = Models(paper_maker(), None, light(wrong))
    async with house(tmp_path, quick, models=models) as here:
        await here.proved(60)
        ((record, state),) = await here.app.parts.store.versions()
        assert (record.profile, record.has_parser, state) == ("latm", False, "serving")
        headers: dict[str, str] = {}
        for text in QUESTIONS[60:90]:
            answer, headers = await here.ask(text)
            assert answer == solved(text)
            if headers["x-toolmint-cache"] == "hit":
                break
        assert headers["x-toolmint-tier"] == "light"
        assert 0 < float(headers["x-toolmint-cost-usd"]) < float(headers["x-toolmint-saved-usd"])
        await here.finish_background_work()
        await here.app.parts.request_log.flush()
        (kept,) = [one for one in await here.app.parts.log.requests() if one.tier == "light"][:1]
        assert kept.cost and kept.input_tokens > 0 and kept.calls == 0
        purposes = {entry.purpose for entry in await here.app.parts.store.ledger()}
        assert purposes == {"strong", "making", "use"}
        (report,) = await here.app.parts.store.reports()
        assert report.made and "without_a_light_model" in report.body


async def test_a_light_model_that_is_away_or_reads_wrongly_serves_nobody(tmp_path: Path) -> None:
    wrong: list[int] = []
    models = Models(paper_maker(), None, light(wrong))
    async with house(tmp_path, quick, models=models) as here:
        await here.proved(60)
        ((record, _),) = await here.app.parts.store.versions()
        wrong.append(-1)
        for text in QUESTIONS[60:70]:
            answer, headers = await here.ask(text)
            assert answer == solved(text) and headers["x-toolmint-tier"] == "strong"
        wrong[0] = 1
        bad, state = 0, ""
        for text in QUESTIONS[70:400]:
            answer, headers = await here.ask(text)
            bad += answer != solved(text)
            await here.finish_background_work()
            history = await here.app.parts.store.history(record.request_class, 1)
            state = history[-1].state
            if state == "demoted":
                break
        assert state == "demoted" and bad <= 40


async def test_a_light_model_is_on_the_bill_where_its_answer_does_not_fit(tmp_path: Path) -> None:
    models = Models(paper_maker(), None, light([]))
    rich = Key(id="key_rich", tenant="acme", record=True, budget=Decimal(50))
    secret = await create_key(Settings(store=tmp_path / "tools.db"), rich)
    async with house(tmp_path, quick, key=secret, models=models) as here:
        await here.proved(60)
        await here.finish_background_work()
        store = here.app.parts.store
        before = len([one for one in await store.ledger() if one.purpose == "use"])
        ids: list[str] = []
        for text in QUESTIONS[60:80]:
            _, headers = await here.ask(text, max_tokens=3)
            if headers["x-toolmint-cache"] == "miss":
                ids.append(headers["x-request-id"])
        assert ids, "no answer was too long"
        await here.finish_background_work()
        await here.app.parts.request_log.flush()
        rows = {one.id: one for one in await here.app.parts.log.requests()}
        for one in (rows[number] for number in ids):
            assert one.light is not None and one.light.cost and one.cost is not None
            assert one.charged == one.cost + one.light.cost
            assert "does not fit" in one.attempts[-1]
        after = [one for one in await store.ledger() if one.purpose == "use"]
        assert len(after) == before + 20


def called(name: str, **arguments: Any) -> dict[str, Any]:
    body = completion("")
    function = {"name": name, "arguments": json.dumps(arguments)}
    body["choices"][0]["message"]["tool_calls"] = [
        {"id": "x", "type": "function", "function": function}
    ]
    return body


async def test_the_agent_answers_under_the_name_of_a_model(tmp_path: Path) -> None:
    script = [
        Said(200, completion("I look.\nNext: caller")),
        Said(200, called("founded", company="Norda")),
        Said(200, completion("Done.\nNext: summarizer")),
        Said(200, completion("In 1987.")),
    ]
    async with endpoint([*script, *script]) as (roles, _):

        def tools(settings: Settings) -> Settings:
            update = {"toolbox": (TOOLS,), "planner_model": f"openai:gpt-5?base_url={roles}"}
            return settings.model_copy(update=update)

        async with house(tmp_path, tools) as here:
            answer, headers = await here.ask("When was Norda founded?", model="agent")
            assert (answer, headers["x-toolmint-tier"]) == ("In 1987.", "agent")
            assert here.endpoint.seen == [], "the strong model was not asked"
            events = await here.client.responses.create(
                model="agent", input="When was Norda founded?", stream=True
            )
            text = "".join(
                [one.delta async for one in events if one.type == "response.output_text.delta"]
            )
            assert text == "In 1987."
            assert "agent" in [one.id async for one in here.client.models.list()]
            await here.app.parts.request_log.flush()
            kept = await here.app.parts.log.requests()
            assert [one.tier for one in kept] == ["agent", "agent"] and kept[0].input_tokens > 0
            traces = await here.app.parts.traces.traces()
            assert [one.outcome for one in traces] == ["answered", "answered"]
            purposes = {entry.purpose for entry in await here.app.parts.store.ledger()}
            assert purposes == {"agent"}


async def test_an_agent_that_gives_up_says_so_and_is_not_asked_again(tmp_path: Path) -> None:
    script = [Said(200, completion("No tool knows that.\nNext: give up")) for _ in range(4)]
    async with endpoint(script) as (roles, _):

        def tools(settings: Settings) -> Settings:
            update = {"toolbox": (TOOLS,), "planner_model": f"openai:gpt-5?base_url={roles}"}
            return settings.model_copy(update=update)

        async with house(tmp_path, tools) as here:
            with pytest.raises(UnprocessableEntityError, match="The agent gave no answer"):
                await here.ask("What is the weather?", model="agent")
            two: Any = [{"role": "user", "content": text} for text in ("a", "b")]
            with pytest.raises(Exception, match="one user's text alone"):
                await here.client.chat.completions.create(model="agent", messages=two)


async def test_without_a_toolbox_there_is_no_agent(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        with pytest.raises(NotFoundError):
            await here.client.models.retrieve("agent")


async def test_what_a_light_model_costs_is_charged_to_the_keys_budget(tmp_path: Path) -> None:
    rich = Key(id="key_rich", tenant="acme", record=True, budget=Decimal(50))
    at = Settings(store=tmp_path / "tools.db")
    secret = await create_key(at, rich)
    models = Models(paper_maker(), None, light([]))
    async with house(tmp_path, quick, key=secret, models=models) as here:
        await here.proved(60)
        tiers: set[str] = set()
        for text in QUESTIONS[60:90]:
            _, headers = await here.ask(text)
            tiers.add(headers["x-toolmint-tier"])
        assert tiers == {"light", "strong"}
        await here.finish_background_work()
        await here.app.parts.request_log.flush()
        kept = await here.app.parts.log.requests(most=1000)
        store = SqlStore.open(at.store)
        found = (await store.traffic.spending({rich.id: None}))[rich.id]
        assert found.reserved == 0
        costs = [one.used.cost for one in kept]
        assert found.spent == sum((one for one in costs if one), start=Decimal(0))
        assert any(one.tier == "light" and one.cost for one in kept) and None not in costs
        assert any(one.light is not None for one in kept), "an audit pays the light model as well"
        store.close()


async def test_an_agent_stops_where_its_keys_budget_ends(tmp_path: Path) -> None:
    poor = Key(id="key_poor", tenant="acme", budget=Decimal("0.000001"))
    at = Settings(store=tmp_path / "tools.db")
    secret = await create_key(at, poor)
    script = [Said(200, completion("I look.\nNext: caller")) for _ in range(4)]
    async with endpoint(script) as (roles, asked):

        def tools(settings: Settings) -> Settings:
            update = {"toolbox": (TOOLS,), "planner_model": f"openai:gpt-5?base_url={roles}"}
            return settings.model_copy(update=update)

        async with house(tmp_path, tools, key=secret) as here:
            with pytest.raises(UnprocessableEntityError, match="are allowed"):
                await here.ask("When was Norda founded?", model="agent")
            assert len(asked) == 1
            with pytest.raises(UnprocessableEntityError, match=r"budget of \$0.000001 is spent"):
                await here.ask("When was Norda founded?", model="agent")
            assert len(asked) == 1


async def test_an_agent_of_unknown_price_is_refused_where_a_key_has_a_budget(
    tmp_path: Path,
) -> None:
    poor = Key(id="key_poor", tenant="acme", budget=Decimal(1))
    secret = await create_key(Settings(store=tmp_path / "tools.db"), poor)
    async with endpoint([]) as (roles, asked):

        def tools(settings: Settings) -> Settings:
            update = {"toolbox": (TOOLS,), "planner_model": f"openai:ours?base_url={roles}"}
            return settings.model_copy(update=update)

        async with house(tmp_path, tools, key=secret) as here:
            with pytest.raises(UnprocessableEntityError, match="unknown_prices"):
                await here.ask("When was Norda founded?", model="agent")
            assert not asked
