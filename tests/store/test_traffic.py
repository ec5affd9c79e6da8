"""Requests and what they cost are summed by day, class and tier, also after they are forgotten."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from toolmint.core.model import Usage
from toolmint.core.namespace import Namespace
from toolmint.core.store import ClassInfo, LedgerEntry
from toolmint.core.totals import DailyTotal, MakingCost
from toolmint.core.traffic import RequestRecord
from toolmint.core.values import digest
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
ACME = Namespace("acme", "0123456789ab")
FULL = str(ACME.key("sums"))


def request(number: int, day: int, cost: str | None = "0.25", **more: object) -> RequestRecord:
    """Return a request that the strong model answered."""
    fields: dict[str, object] = {
        "id": f"r{number}",
        "tenant": "acme",
        "key": "k",
        "model": "m",
        "tier": "strong",
        "at": datetime(2026, 1, day, 12, number, tzinfo=UTC),
        "calls": 1,
        "input_tokens": 3,
        "output_tokens": 4,
        "cost": None if cost is None else Decimal(cost),
        "request_class": FULL,
        "version": 2,
    }
    return RequestRecord(**(fields | more))  # type: ignore[arg-type]


async def test_days_sum_requests_and_stay_when_these_are_forgotten(store: SqlStore) -> None:
    log = store.traffic
    await log.write([request(1, 1), request(2, 1, None), request(3, 2), request(4, 2)])
    await log.write([request(5, 1, "0", request_class=None, saved=Decimal("0.5"))])
    expected = [
        DailyTotal("2026-01-01", None, "strong", 1, 0.0, 0.5, 0, 7),
        DailyTotal("2026-01-01", FULL, "strong", 2, 0.25, 0.0, 1, 14),
        DailyTotal("2026-01-02", FULL, "strong", 2, 0.5, 0.0, 0, 14),
    ]
    assert await log.days("2026-01-01") == expected
    assert await log.forget("2026-01-02T12:04") == 4
    assert await log.days("2026-01-01") == expected
    assert await log.days("2026-01-02") == expected[2:]
    assert await log.forget("2027") == 1 and await log.days("") == expected
    await log.write([request(6, 1)])
    assert (await log.days(""))[1].requests == 3


async def test_requests_are_found_by_class(store: SqlStore) -> None:
    one, other = request(1, 1), request(2, 1, request_class="sums")
    await store.traffic.write([one, other])
    assert await store.traffic.requests(request_class=FULL) == [one]
    assert await store.traffic.requests(request_class="sums") == [other]
    assert await store.traffic.requests(tenant="acme") == [other, one]


async def test_a_demonstration_that_is_written_introduces_its_class(store: SqlStore) -> None:
    one = request(1, 1, input="Add 1 and 2", answer="3", queued=FULL, input_digest=digest("x"))
    await store.traffic.write([one])
    assert await store.namespace(ACME).classes() == {
        "sums": ClassInfo(title="Add 1 and 2", example="Add 1 and 2")
    }
    assert await store.waiting() == {FULL: 1}


async def test_what_makings_used_is_unknown_once_a_price_is(store: SqlStore) -> None:
    usage = Usage(requests=2, input_tokens=5, output_tokens=6, cost=Decimal("0.5"))
    entry = LedgerEntry(purpose="making", request_class="a", model="m", usage=usage, seconds=1)
    unpriced = usage.model_copy(update={"cost": None})
    more = {"request_class": "b", "usage": unpriced}
    await store.record([entry, entry, entry.model_copy(update=more)])
    assert await store.traffic.makings() == {
        "a": MakingCost(1.0, 22, 4),
        "b": MakingCost(None, 11, 2),
    }


async def test_the_mean_cost_is_of_known_prices(store: SqlStore) -> None:
    await store.traffic.write([request(1, 1, "0.1"), request(2, 1, "0.3"), request(3, 1, None)])
    assert await store.traffic.mean_costs(ACME) == {"sums": pytest.approx(0.2)}
    assert await store.traffic.mean_costs(Namespace()) == {}


async def test_a_line_with_a_former_tier_is_read() -> None:
    line = request(1, 1).line.replace(b'"strong"', b'"compiled"')
    assert RequestRecord.read(line).tier == "code"


async def test_no_request_has_an_id_with_nul(store: SqlStore) -> None:
    # PostgreSQL fails on such a text; SQLite would find it.
    await store.traffic.write([request(1, 1, id="r\0"), request(2, 1)])
    assert await store.traffic.request("r\0") is None
    assert await store.traffic.request("r2", "acme") is not None
