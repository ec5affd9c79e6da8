"""Requests go to the cheapest tier that proves able; unknown is an answer; classes make their tools."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from tests.maker.tools import RIGHT, demos, fenced

from toolmint.assembly.session import Models, Session, make_request_of
from toolmint.assembly.settings import Settings
from toolmint.core.errors import ConfigError, MakerError, NoAnswer
from toolmint.core.model import Model, ModelRequest, ModelResponse, Usage
from toolmint.core.task import Limits
from toolmint.models.scripted import AnsweringModel, ScriptedModel
from toolmint.models.wrap import PricedAs
from toolmint.serving.billing import read_bill

pytestmark = pytest.mark.anyio
NEW = demos(3, seed=77)
ODD = "Put these words into reverse order: pear, fig, apple."


@asynccontextmanager
async def client(
    settings: Settings, strong: Model | None = None, user: Model | None = None, **more: Any
) -> AsyncGenerator[Session]:
    models = Models(strong, None, user)
    async with Session.open(settings.model_copy(update=more), models=models) as opened:
        yield opened


async def made(shop: Session, profile: str = "proved") -> None:
    await shop.make(make_request_of("sorting", demos(), shop.settings, profile=profile))


async def test_a_made_tool_answers_with_no_model(settings: Settings) -> None:
    async with client(settings, ScriptedModel([fenced(RIGHT)])) as shop:
        await made(shop)
        for one in NEW:
            found = await shop.solve(one.input)
            assert found.answer == one.target and found.served is not None
            served = found.served
            assert (served.tier, served.request_class, served.version) == ("code", "sorting", 1)
            assert served.usage.requests == 0 and "understood every word" in served.why


async def test_a_tool_serves_again_after_a_restart(settings: Settings) -> None:
    async with client(settings, ScriptedModel([fenced(RIGHT)])) as shop:
        await made(shop)
    async with client(settings) as shop:
        assert (await shop.solve(NEW[0].input)).answer == NEW[0].target
        with pytest.raises(NoAnswer, match=r"sorting v1 refused.*no strong model is configured"):
            await shop.solve(ODD)


async def test_unknown_requests_have_no_answer_without_a_model(settings: Settings) -> None:
    async with client(settings) as shop:
        with pytest.raises(NoAnswer, match="no class has this wording"):
            await shop.solve("What is love?")
        with pytest.raises(ConfigError, match="needs a strong model"):
            await made(shop)


async def test_a_near_miss_goes_to_the_strong_model(settings: Settings) -> None:
    strong = ScriptedModel([fenced(RIGHT), "pear, fig, apple"])
    async with client(settings, strong) as shop:
        await made(shop)
        found = await shop.solve(ODD)
        assert found.answer == "pear, fig, apple" and found.served is not None
        assert found.served.tier == "strong" and "sorting v1 refused" in found.served.attempts[0]


async def test_a_light_model_reads_what_the_parser_refuses(settings: Settings) -> None:
    user = ScriptedModel(['{"words": ["b", "a"]}', "null", '{"wrong": 1}'])
    strong = ScriptedModel([fenced(RIGHT), "strong", "strong"])
    async with client(settings, strong, user) as shop:
        await made(shop)
        loose = "Put these words into alphabetical order: b , a"
        found = await shop.solve(loose)
        assert (found.answer, found.served and found.served.tier) == ("a, b", "light")
        assert demos()[0].input in user.requests[0].messages[0].content
        refused, failed = await shop.solve(loose + "?"), await shop.solve(loose + "!")
    assert [one.served and one.served.tier for one in (refused, failed)] == ["strong", "strong"]
    assert refused.served is not None and "writes no arguments" in refused.served.attempts[-1]
    assert failed.served is not None and "failed" in failed.served.attempts[-1]


async def test_the_bill_and_the_ledger_agree_where_a_light_model_read_in_vain(
    settings: Settings,
) -> None:
    user = PricedAs(ScriptedModel(["null", '{"words": ["b", "a"]}']), "gpt-5-mini")
    strong = PricedAs(ScriptedModel([fenced(RIGHT), "strong"]), "gpt-5")
    async with client(settings, strong, user) as shop:
        await made(shop)
        for mark in ("?", ""):
            await shop.solve(f"Put these words into alphabetical order: b , a{mark}")
        await shop.flush()
        ledger = sum((one.usage for one in await shop.store.ledger()), start=Usage())
        bill = await read_bill(shop.store, shop.store.traffic)
        missed = next(one for one in await shop.store.traffic.requests() if one.tier == "strong")
    assert missed.light is not None and missed.light.requests == 1 and missed.light.cost
    assert missed.used.cost == (missed.cost or 0) + missed.light.cost
    billed = (bill.spent.total or 0) + (bill.making.total or 0)
    assert ledger.cost is not None and billed == pytest.approx(float(ledger.cost), abs=1e-9)
    assert ledger.tokens == sum(one.tokens + one.making_tokens for one in bill.classes)


async def test_latms_own_tools_are_used_by_a_light_model(settings: Settings) -> None:
    tool = "def order(words):\n    return sorted(words)\n"
    tests = "ret = order(['b', 'a'])\nans = 'a, b'\nassert ans == 'a, b'\n"
    strong = ScriptedModel([fenced(tool), fenced(tests), fenced(tool), "strong", "strong"])
    user = ScriptedModel(
        [
            fenced("ret = order(['d', 'c'])\nans = ', '.join(ret)"),
            "prose",
            fenced("1 / 0"),
            fenced("ret = order([2, 1])"),
        ]
    )
    async with client(settings, strong, user) as shop:
        await made(shop, "latm")
        answers = [
            await shop.solve("Put these words into alphabetical order: d, c.") for _ in range(4)
        ]
    assert [one.answer for one in answers] == ["c, d", "strong", "strong", "[1, 2]"]


async def test_latms_dispatcher_asks_a_model(settings: Settings) -> None:
    user = ScriptedModel(["Kind: sorting", '{"words": ["z", "y"]}', "Kind: unknown"])
    strong = ScriptedModel([fenced(RIGHT), "strong"])
    async with client(settings, strong, user, dispatch="model") as shop:
        await made(shop)
        first, second = await shop.solve("z before y?"), await shop.solve("What is love?")
        assert first.answer == "y, z" and second.answer == "strong"
        assert first.served is not None and first.served.usage.requests == 2
        purposes = [entry.purpose for entry in await shop.store.ledger()]
    assert purposes == ["making", "dispatch", "use", "dispatch", "strong"]


async def test_limits_end_a_task_without_an_answer(settings: Settings) -> None:
    strong = PricedAs(AnsweringModel(lambda _: "x"), "gpt-5")
    async with client(settings, strong) as shop:
        for limits in (Limits(model_calls=0), Limits(tokens=0), Limits(cost=Decimal(0))):
            found = await shop.solve("What is love?", limits=limits)
            assert (found.outcome, found.answer) == ("limit", None)
        assert (await shop.solve("What is love?", limits=Limits(model_calls=1))).answer == "x"


async def test_a_slow_model_meets_the_time_limit(settings: Settings) -> None:
    class Never:
        name = "never"

        async def complete(self, request: object) -> Any:
            del request

            await asyncio.Event().wait()

    async with client(settings, Never()) as shop:
        found = await shop.solve("q", limits=Limits(seconds=0.05))
    assert (
        found.outcome == "limit" and found.served is not None and "time limit" in found.served.why
    )


def labels() -> dict[str, str]:
    return {one.input: one.target or "" for one in (*demos(30, seed=5), *demos(12, "swaps"))}


async def test_a_class_with_enough_answers_gets_its_tool(settings: Settings) -> None:
    known = labels()

    def answer(request: Any) -> str:
        return known.get(request.messages[-1].content, fenced(RIGHT))

    async with client(settings, AnsweringModel(answer), needed=8) as shop:
        tiers = [(await shop.solve(text)).served for text in list(known)[:20]]
        assert [one.tier for one in tiers if one] == ["strong"] * 8 + ["code"] * 12
        (report,) = await shop.store.reports()
        assert report.made and report.request_class.startswith("put-these-words-into-")
        queued = await shop.store.queued()
        assert [len(waiting) for waiting in queued.values()] == [8]


async def test_requests_to_come_stand_in_for_unlabelled_ones(settings: Settings) -> None:
    known = labels()
    texts = list(known)

    def answer(request: Any) -> str:
        return known.get(request.messages[-1].content, fenced(RIGHT))

    async with client(settings, AnsweringModel(answer), needed=8) as shop:
        shop.maker.upcoming = texts
        for text in texts[:9]:
            await shop.solve(text)
        (tool,) = await shop.store.serving()
        (report,) = await shop.store.reports()
    assert report.body["unlabelled"] == 22
    assert tool.evidence[-1].stage == "6 second tool" and tool.evidence[-1].verdict == "passed"
    assert tool.provenance.second_model == "answering"


async def test_a_failed_making_waits_for_twice_as_many_answers(settings: Settings) -> None:
    known = labels()

    def answer(request: Any) -> str:
        return known.get(request.messages[-1].content, "no code today")

    async with client(settings, AnsweringModel(answer), needed=6) as shop:
        for text in list(known)[:14]:
            await shop.solve(text)
        reports = await shop.store.reports()
        assert [report.made for report in reports] == [False, False]
        assert [report.body["demonstrations"] for report in reports] == [6, 12]


async def test_a_failed_making_says_where_its_report_is(settings: Settings) -> None:
    async with client(settings, ScriptedModel(["no"] * 3)) as shop:
        with pytest.raises(MakerError, match="toolmint tools report sorting"):
            await made(shop)
        assert (await shop.store.reports("sorting"))[0].made is False
        assert await shop.store.serving() == []


async def test_every_token_reaches_the_ledger_and_the_bill(settings: Settings) -> None:
    strong = ScriptedModel([fenced(RIGHT), "an answer"])
    async with client(settings, strong) as shop:
        await made(shop)
        await shop.solve("What is love?")
        await shop.solve(NEW[0].input)
        await shop.flush()
        entries = await shop.store.ledger()
        bill = await read_bill(shop.store, shop.store.traffic)
        records = await shop.store.traffic.requests()
    assert (entries[0].purpose, entries[0].request_class) == ("making", "sorting")
    assert entries[1].purpose == "strong" and len(entries) == 2
    assert sorted(one.tier for one in records) == ["code", "strong"]
    assert (bill.requests, bill.by_tools) == (2, 1)
    assert sum(one.tokens for one in bill.classes) == entries[1].usage.tokens
    assert sum(one.making_tokens for one in bill.classes) == entries[0].usage.tokens


async def test_requests_wait_for_the_tool_of_their_class_while_it_is_made(
    settings: Settings,
) -> None:
    known, begun, go_on = labels(), asyncio.Event(), asyncio.Event()

    class Slow:
        name = "slow maker"

        async def complete(self, request: ModelRequest) -> ModelResponse:
            text = request.messages[-1].content
            if text not in known:
                begun.set()
                await go_on.wait()
            return await AnsweringModel(lambda _: known.get(text, fenced(RIGHT))).complete(request)

    async with client(settings, Slow(), needed=8) as shop:
        texts = list(known)
        for text in texts[:8]:
            await shop.solve(text)
        await begun.wait()
        waiting = asyncio.create_task(shop.solve(texts[8]))
        other = await shop.solve(texts[40])
        go_on.set()
        found = await waiting
    assert other.served is not None and other.served.tier == "strong", "other classes do not wait"
    assert found.served is not None and found.served.tier == "code"
