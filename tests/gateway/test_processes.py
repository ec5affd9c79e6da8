"""Gateways that end: asked to, or killed; nothing acknowledged is lost, and one of many makes each tool."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import aiohttp
import pytest
from tests.gateway.house import QUESTIONS
from tests.gateway.processes import running
from tests.gateway.upstream import Endpoint, solved, upstream
from tests.store.test_postgres import URL, where

from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
__all__ = ["where"]


@pytest.fixture
async def behind() -> AsyncIterator[tuple[str, Endpoint]]:
    async with upstream() as found:
        yield found


async def test_a_gateway_that_is_told_to_end_finishes_what_it_accepted(
    tmp_path: Path, behind: tuple[str, Endpoint]
) -> None:
    url, endpoint = behind
    store = str(tmp_path / "tools.db")
    async with running(store, url) as gateway, aiohttp.ClientSession() as session:
        endpoint.hold.clear()
        parsed = asyncio.create_task(gateway.ask(session, "Hello there"))
        while not endpoint.seen:
            await asyncio.wait([parsed], timeout=0.05)
        gateway.process.terminate()
        await asyncio.wait([parsed], timeout=0.2)
        endpoint.hold.set()
        body, headers = await parsed
        assert body["choices"][0]["message"]["content"] == "11 characters"
        assert await gateway.process.wait() == 0
    kept = SqlStore.open(store)
    assert [one.id for one in await kept.traffic.requests()] == [headers["x-request-id"]]
    kept.close()


QUICK = {
    "TOOLMINT_EPSILON": "0.3",
    "TOOLMINT_CONFIDENCE": "0.8",
    "TOOLMINT_LEASE_SECONDS": "1",
}


async def _killed(store: str, url: str, after: int) -> None:
    """Kill a gateway under load once it has given some answers; the next one has all of them written."""
    acknowledged: set[str] = set()
    async with running(store, url, **QUICK) as gateway, aiohttp.ClientSession() as session:

        async def ask(number: int) -> None:
            _, headers = await gateway.ask(session, QUESTIONS[number % 100])
            acknowledged.add(headers["x-request-id"])
            if len(acknowledged) == after:
                await gateway.kill()

        await asyncio.gather(*map(ask, range(60)), return_exceptions=True)
    async with running(store, url, **QUICK) as gateway, aiohttp.ClientSession() as session:
        for text in QUESTIONS[100:103]:
            body, headers = await gateway.ask(session, text)
            assert body["choices"][0]["message"]["content"] == solved(text)
            acknowledged.add(headers["x-request-id"])
    kept = SqlStore.open(store)
    written = await kept.traffic.requests(most=100_000)
    assert acknowledged <= {one.id for one in written} and after + 3 <= len(acknowledged)
    entries = [one for one in await kept.ledger() if one.purpose == "strong"]
    assert sum(one.usage.requests for one in entries) == sum(one.calls for one in written)
    for record, state in await kept.versions():
        moves = [one.state for one in await kept.history(record.request_class, record.version)]
        assert moves[-1] == state and moves[0] == "shadowing", "no tool serves before it is proved"
    kept.close()


async def test_a_killed_gateway_has_written_whatever_it_answered(
    tmp_path: Path, behind: tuple[str, Endpoint], full: bool
) -> None:
    url, _ = behind
    random = Random(8)
    for after in [random.randrange(1, 58) for _ in range(50)] if full else [3, 17, 40]:
        await _killed(str(tmp_path / "tools.db"), url, after)


async def _heir(store: str, url: str, endpoint: Endpoint) -> None:
    """Let one gateway be killed while it makes a tool; the other one makes it, and it serves."""
    endpoint.hold_making.clear()
    async with (
        aiohttp.ClientSession() as session,
        running(store, url, **QUICK) as first,
        running(store, url, **QUICK) as second,
    ):
        for text in QUESTIONS[:12]:
            await first.ask(session, text)
        await endpoint.making.wait()
        await first.kill()
        endpoint.hold_making.set()
        kinds: list[str] = []
        async with asyncio.timeout(60):
            while "hit" not in kinds:
                text = QUESTIONS[20 + len(kinds) % 300]
                body, headers = await second.ask(session, text)
                assert body["choices"][0]["message"]["content"] == solved(text)
                kinds.append(headers["x-toolmint-cache"])
    kept = SqlStore.open(store)
    ((record, state),) = await kept.versions()
    assert (record.version, state) == (1, "serving") and endpoint.makings == 2
    kept.close()


async def test_a_making_that_is_killed_is_made_by_another_gateway(
    tmp_path: Path, behind: tuple[str, Endpoint]
) -> None:
    await _heir(str(tmp_path / "tools.db"), *behind)


@pytest.mark.postgres
@pytest.mark.skipif(not URL, reason="POSTGRES_URL names no server")
async def test_so_it_is_over_postgresql(where: str, behind: tuple[str, Endpoint]) -> None:
    await _heir(where, *behind)


async def test_two_gateways_that_learn_at_once_make_one_tool(
    tmp_path: Path, behind: tuple[str, Endpoint]
) -> None:
    url, endpoint = behind
    store = str(tmp_path / "tools.db")
    async with (
        aiohttp.ClientSession() as session,
        running(store, url) as one,
        running(store, url) as other,
    ):
        texts = enumerate(QUESTIONS[:80])
        await asyncio.gather(*((one, other)[n % 2].ask(session, text) for n, text in texts))
        kept = SqlStore.open(store)
        async with asyncio.timeout(60):
            while not (found := await kept.versions()):
                await asyncio.wait([asyncio.create_task(one.ask(session, QUESTIONS[90]))])
        await other.ask(session, QUESTIONS[91])
        assert len(found) == 1 and endpoint.makings == 1
        kept.close()
