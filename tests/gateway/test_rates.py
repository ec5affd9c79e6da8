"""Rates a minute hold over all gateways of a store, and each gateway by itself while the store is away."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.gateway.test_budgets import gateways, secret_of

from toolmint.core.errors import HttpError, StoreError
from toolmint.core.rates import (
    Bucket,
    RateChange,
    RateGrant,
    RateRequest,
    refilled,
    taken,
)
from toolmint.core.traffic import Key, RequestRecord
from toolmint.gateway.auth.keys import KeyRing
from toolmint.gateway.auth.rates import Rates
from toolmint.gateway.auth.upper_usage import UpperUsage
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
SMALL = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}


class Buckets:
    """A store of buckets whose clock stands still; ``away``: it cannot be reached."""

    def __init__(self) -> None:
        self.now, self.away, self.transactions = 0.0, False, 0
        self.kept: dict[tuple[str, str], Bucket] = {}

    async def take_rates(
        self, asked: Sequence[RateRequest], changes: Sequence[RateChange]
    ) -> Sequence[RateGrant]:
        if self.away:
            raise StoreError("the store is away")
        self.transactions += 1
        for change in changes:
            old = self.kept.get((change.key, change.kind))
            if old is not None:
                self.kept[change.key, change.kind] = old._replace(left=old.left + change.amount)
        grants: list[RateGrant] = []
        for one in asked:
            place = one.key, one.kind
            bucket = refilled(self.kept.get(place), one.rate, self.now)
            self.kept[place], grant = taken(bucket, one)
            grants.append(grant)
        return grants


async def passed(rates: Rates, rate: int, count: int) -> int:
    """Return how many of some requests at once may pass."""
    waits = await asyncio.gather(*(rates.request("k", rate) for _ in range(count)))
    return waits.count(0.0)


async def test_two_gateways_together_pass_a_minutes_worth_and_then_what_refills() -> None:
    store = Buckets()
    one, two = Rates(store), Rates(store)
    assert await passed(one, 100, 60) + await passed(two, 100, 60) == 100
    store.now = 6.0
    later = Rates(store)
    assert await passed(later, 100, 60) == 10
    assert 0 < await later.request("k", 100) <= 0.6


async def test_requests_are_taken_ahead_so_that_the_store_is_asked_once_a_second() -> None:
    store = Buckets()
    rates = Rates(store)
    assert await passed(rates, 600, 600) == 600
    assert store.transactions == 60
    assert await passed(rates, 600, 50) == 0 and store.transactions == 61


async def test_a_gateway_that_ends_gives_back_what_it_has_taken_ahead() -> None:
    store = Buckets()
    rates = Rates(store)
    assert await rates.request("k", 600) == 0.0
    assert store.kept["k", "requests"].left == 590
    await rates.close()
    assert store.kept["k", "requests"].left == 599


async def test_a_rate_that_was_changed_holds_at_once_and_of_gone_keys_nothing_is_kept() -> None:
    store = Buckets()
    rates = Rates(store)
    assert await passed(rates, 2, 3) == 2
    assert await passed(rates, 3, 4) == 3
    store.kept.clear()
    rates.forget(set())
    assert await rates.request("k", 3) == 0.0


async def test_while_the_store_is_away_a_gateway_keeps_rates_by_itself() -> None:
    store, now = Buckets(), [0.0]
    rates = Rates(store, lambda: now[0])
    store.away = True
    assert await passed(rates, 60, 70) == 60
    now[0] = 2.0
    later = Rates(store, lambda: now[0])
    assert await later.reserve_tokens("k", 100, 1000, 0.0) == 0.0
    assert await later.reserve_tokens("k", 100, 1, 0.0) > 0
    later.release_tokens("k", 100, 1000, 10)
    assert await later.reserve_tokens("k", 100, 1, 0.0) == 0.0
    store.away = False
    assert await later.reserve_tokens("k", 100, 1, 0.0) == 0.0


async def test_tokens_are_reserved_and_what_was_not_used_is_given_back(store: SqlStore) -> None:
    ring = KeyRing(store.traffic, open_access=False, wait=0.0)
    other = KeyRing(store.traffic, open_access=False, wait=0.0)
    key = Key(id="k", tenant="t", tpm=6000)
    await ring.reserve("one", key, lambda: UpperUsage("m", 400_000, None))
    for gateway in (ring, other):
        with pytest.raises(HttpError, match="6000 tokens") as caught:
            await gateway.reserve("two", key, lambda: UpperUsage("m", 10, None))
        assert caught.value.status == 429 and int(caught.value.headers["retry-after"]) >= 1
    used = RequestRecord(
        id="one", tenant="t", key="k", model="m", tier="strong", input_tokens=50, output_tokens=50
    )
    assert ring.charge(used).estimated is None
    await ring.refresh()
    await other.reserve("two", key, lambda: UpperUsage("m", 6000, None))
    unknown = RequestRecord(id="two", tenant="t", key="k", model="m", tier="strong", cost=None)
    other.charge(unknown)
    with pytest.raises(HttpError, match="6000 tokens"):
        await ring.reserve("three", key, lambda: UpperUsage("m", 10, None))
    await ring.allow(key, "m")  # a tool's answer uses no tokens


async def test_requests_that_wait_for_reserved_tokens_are_answered_in_turn(tmp_path: Path) -> None:
    secret = await secret_of(tmp_path, Key(id="k", tenant="t", tpm=3000))
    async with gateways(tmp_path, SMALL) as here:
        statuses = [s for s, _ in await asyncio.gather(*(here.ask(secret) for _ in range(20)))]
        assert statuses == [200] * 20


async def test_a_rate_holds_over_gateways_of_one_store(tmp_path: Path) -> None:
    secret = await secret_of(tmp_path, Key(id="k", tenant="t", rpm=5))
    async with gateways(tmp_path, SMALL, number=3) as here:
        asked = [here.ask(secret, at) for at in range(12)]
        statuses = sorted(s for s, _ in await asyncio.gather(*asked))
        assert statuses == [200] * 5 + [429] * 7


async def test_the_store_keeps_buckets_of_any_size_for_each_key_and_kind(store: SqlStore) -> None:
    large = RateRequest("k", "tokens", 10**12, 10**11)
    small = RateRequest("k", "requests", 1, 1)
    grants = await store.traffic.take_rates([large, small, small], [])
    assert [one.amount for one in grants] == [10**11, 1, 0] and 59 < grants[2].wait <= 60
    changes = [RateChange("k", "requests", 1), RateChange("gone", "tokens", 5)]
    (again,) = await store.traffic.take_rates([small], changes)
    assert again.amount == 1


@given(
    steps=some.lists(
        some.tuples(some.floats(-5, 60), some.integers(1, 500), some.booleans()), max_size=40
    ),
    rate=some.integers(1, 300),
)
def test_no_window_of_time_passes_more_than_a_burst_and_what_refills(
    steps: list[tuple[float, int, bool]], rate: int
) -> None:
    now, used, bucket, last = 0.0, 0, None, 0
    for seconds, amount, partly in steps:
        now += seconds
        bucket = refilled(bucket, rate, now)
        bucket, grant = taken(bucket, RateRequest("k", "tokens", rate, amount, partly))
        assert (grant.amount == 0) == (grant.wait > 0) and grant.amount <= amount
        used, last = used + grant.amount, grant.amount or last
        assert bucket.left <= rate and (not partly or bucket.left >= -500)
    assert used <= rate + max(0.0, sum(max(0.0, one[0]) for one in steps)) * rate / 60 + last + 1
