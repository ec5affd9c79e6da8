"""The dashboard shows the bill and the tools, lets people decide, and opens for admins alone."""

import html
import re
from pathlib import Path

import aiohttp
import pytest
from tests.gateway.house import House, house
from tests.gateway.test_keys import key

from toolmint.assembly.settings import Settings
from toolmint.core.namespace import ClassKey
from toolmint.core.store import ClassInfo
from toolmint.core.totals import DailyTotal, MakingCost
from toolmint.gateway.dashboard.naming import dollar_text
from toolmint.gateway.dashboard.plots import Bar, bars
from toolmint.gateway.dashboard.session import DashboardSession
from toolmint.serving.billing import bill_of
from toolmint.serving.titles import class_title, with_titles
from toolmint.world.generate import make_tasks
from toolmint.world.players import Reference, play_task

pytestmark = pytest.mark.anyio
HERE = {"sec-fetch-site": "same-origin"}


def waiting(settings: Settings) -> Settings:
    return settings.model_copy(update={"epsilon": 0.3, "confidence": 0.8, "approval": True})


async def page(session: aiohttp.ClientSession, here: House, path: str) -> str:
    async with session.get(f"{here.url}/dashboard{path}") as reply:
        assert reply.status == 200, path
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        return await reply.text()


async def ready(here: House) -> str:
    """Ask until the class's tool is proved and waits for a person; returns its full name."""
    from tests.gateway.house import QUESTIONS

    for text in QUESTIONS[:60]:
        await here.ask(text)
        await here.finish_background_work()
        for record, _ in await here.app.parts.store.versions():
            if (await here.app.parts.live.tally(ClassKey.parse(record.request_class), 1)).ready:
                return record.request_class
    raise AssertionError("no tool was proved")


async def test_a_person_approves_a_proved_tool_and_sees_all_of_it(tmp_path: Path) -> None:
    from tests.gateway.house import QUESTIONS

    async with house(tmp_path, waiting) as here, aiohttp.ClientSession() as session:
        name = await ready(here)
        assert "waits for approval" in await page(session, here, "/classes")
        shown = await page(session, here, "/tools/" + name.replace("/", "%2F"))
        assert "def parse" in shown and "near misses" in shown and "Approve" in shown
        form = {"name": name, "version": "1", "what": "approve"}
        change = f"{here.url}/dashboard/change"
        async with session.post(
            change, data=form, headers={"origin": "http://evil.example"}
        ) as reply:
            assert reply.status == 403
        async with session.post(change, data=form, headers=HERE, allow_redirects=False) as reply:
            assert reply.status == 303
        kinds = [(await here.ask(text))[1]["x-toolmint-cache"] for text in QUESTIONS[-8:]]
        assert "hit" in kinds
        await here.app.parts.request_log.flush()
        bill = await page(session, here, "")
        assert (
            "Put these words" in bill
            and name not in bill.replace("/", "%2F")
            and "<svg" in bill
            and "Answered by tools" in bill
        )
        listed = await page(session, here, "/requests")
        number = re.search(r"/dashboard/requests/(req_\w+)", listed)
        assert number is not None
        one = await page(session, here, "/requests/" + number[1])
        assert "understood every word" in one or "the strong model answered" in one
        makings = await page(session, here, "/makings")
        assert "made v1" in makings and "passed" in await page(session, here, "/makings/1")
        for what, state in (("demote", "demoted"), ("rollback", "serving"), ("retire", "retired")):
            async with session.post(change, data=form | {"what": what}, headers=HERE) as reply:
                assert reply.status == 200 and state in await reply.text()
        async with session.post(change, data=form | {"what": "rollback"}, headers=HERE) as reply:
            assert reply.status == 400 and "cannot become serving" in await reply.text()


async def test_only_admins_get_in(tmp_path: Path) -> None:
    plain, admin = await key(tmp_path), await key(tmp_path, "boss", admin=True)
    async with house(tmp_path) as here, aiohttp.ClientSession() as session:
        async with session.get(f"{here.url}/dashboard", allow_redirects=False) as reply:
            assert (reply.status, reply.headers["location"]) == (303, "/dashboard/login")
        for secret, status in (("tm-wrong", 401), (plain, 403)):
            async with session.post(f"{here.url}/dashboard/login", data={"key": secret}) as reply:
                assert reply.status == status and 'role="alert"' in await reply.text()
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as boss:
            async with boss.post(f"{here.url}/dashboard/login", data={"key": admin}) as reply:
                assert reply.status == 200 and "Nothing has been asked yet" in await reply.text()
            assert all(one["httponly"] and one["samesite"] == "strict" for one in jar)
            assert admin not in str(list(jar))


async def test_an_open_dashboard_is_no_name_that_leads_here(tmp_path: Path) -> None:
    async with house(tmp_path) as here, aiohttp.ClientSession() as session:
        async with session.get(f"{here.url}/dashboard", headers={"host": "evil.example"}) as reply:
            assert reply.status == 403
        for path in ("/requests/req_none", "/makings/9", "/tools/a%2Fb%2Fc"):
            async with session.get(f"{here.url}/dashboard{path}") as reply:
                assert reply.status == 404


async def test_a_run_of_an_agent_is_a_tree(tmp_path: Path) -> None:
    task = next(iter(make_tasks("train", 1)))
    run, _ = await play_task(task, Reference(task))
    assert run.steps[0].thought
    async with house(tmp_path) as here, aiohttp.ClientSession() as session:
        number = await here.app.parts.traces.log(run)
        listed = await page(session, here, "/trajectories")
        assert f"/dashboard/trajectories/{number}" in listed
        shown = html.unescape(await page(session, here, f"/trajectories/{number}"))
        assert task.input in shown and all(step.thought in shown for step in run.steps)
        assert shown.count("<details open>") == len(run.path())
        async with session.get(f"{here.url}/dashboard/nothing") as reply:
            said = html.unescape(await reply.text())
            assert reply.status == 404 and "no page '/dashboard/nothing'" in said
        async with session.get(f"{here.url}/dashboard/trajectories/99") as reply:
            assert reply.status == 400 and "no trajectory 99" in await reply.text()


def test_a_ticket_ends_and_cannot_be_forged() -> None:
    now = [1000.0]
    session = DashboardSession(clock=lambda: now[0])
    ticket = session.ticket("key_1")
    assert session.holder(ticket) == "key_1"
    assert session.holder(ticket.replace("key_1", "key_2")) is None
    assert session.holder(None) is session.holder("") is session.holder("a.b.c") is None
    assert DashboardSession().holder(ticket) is None
    now[0] += 9 * 3600
    assert session.holder(ticket) is None


def test_a_bill_adds_up() -> None:
    lines = [
        DailyTotal("2026-01-01", "a/0123456789ab/x", "strong", 10, 1.0, 0.0, 0),
        DailyTotal("2026-01-02", "a/0123456789ab/x", "code", 40, 0.0, 4.0, 0),
        DailyTotal("2026-01-02", None, "strong", 2, 0.5, 0.0, 1),
    ]
    makings = {
        "a/0123456789ab/x": MakingCost(0.25, 10, 1),
        "a/0123456789ab/y": MakingCost(0.1, 5, 1),
    }
    bill = bill_of(lines, makings, {})
    first = bill.classes[0]
    assert (first.title, first.requests, first.by_tools, first.break_even) == ("x", 50, 40, 3)
    assert first.net == 3.75 and bill.making.total == 0.35
    assert (bill.spent.known, bill.spent.unknown, bill.spent.total) == (1.5, 1, None)
    assert [(day.spent, day.saved) for day in bill.days] == [(1.0, 0.0), (0.5, 4.0)]


def test_the_tallest_bar_fills_the_plot() -> None:
    plot = bars([Bar("01-01", 1.0, 2.0), Bar("01-02", 0.0, 4.0)], "t", ("spent", "saved"))
    assert max(block.height for block in plot.blocks) == 132 and len(plot.labels) == 2
    assert bars([], "t", ("a", "b")).blocks == []


def test_a_bar_of_a_partly_unknown_amount_says_so() -> None:
    plot = bars([Bar("01-01", 0.0, 2.0, (3, 0))], "t", ("spent", "saved"))
    assert [block.title for block in plot.blocks] == [
        "01-01: spent ? ($0.0000 known, 3 unknown)",
        "01-01: saved $2.0000",
    ]


def test_an_unknown_or_small_amount_is_not_shown_as_zero() -> None:
    amounts = (None, 0.0, 0.00001, 0.5, -0.002, -0.00001)
    assert [dollar_text(one) for one in amounts] == [
        "?",
        "$0.0000",
        "<$0.0001",
        "$0.5000",
        "-$0.0020",
        ">-$0.0001",
    ]


def test_a_class_is_named_by_its_title_and_never_by_a_digest() -> None:
    key = "local/0123456789ab/sort-the-words-004ca9"
    known = {key: ClassInfo(title="Sort the words:")}
    assert class_title(known, key) == "Sort the words"
    assert class_title({}, key) == "sort the words"
    why = with_titles(f"{key} v1 failed; sort-the-words-004ca9 v2 was asked", known, key)
    assert why == "“Sort the words” v1 failed; “Sort the words” v2 was asked"
