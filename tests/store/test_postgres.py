"""PostgreSQL keeps what SQLite keeps, for many gateways at once; needs a server, named by POSTGRES_URL."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from tests.store.test_schema_7 import answered, learned
from tests.store.test_store import record

from toolmint.core.budgets import BudgetRequest
from toolmint.core.errors import ConfigError, StoreError
from toolmint.core.namespace import Namespace
from toolmint.core.rates import RateChange, RateRequest
from toolmint.core.tool import Demonstration
from toolmint.core.traffic import Key, RequestRecord
from toolmint.core.user_report import UserReport
from toolmint.core.values import digest
from toolmint.store.migrations import MIGRATIONS
from toolmint.store.schema import METADATA, MIGRATIONS_TABLE
from toolmint.store.sql import SqlStore

ACME = Namespace("acme", "0123456789ab")
CLASS = ACME.key("sums")
SUMS = str(CLASS)
URL = os.environ.get("POSTGRES_URL", "")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.postgres,
    pytest.mark.skipif(not URL, reason="POSTGRES_URL names no server"),
]


@pytest.fixture
async def where() -> AsyncIterator[str]:
    """Return the URL of a database of this test's own."""
    name = f"t{uuid4().hex}"
    engine = create_engine(
        URL.replace("postgresql", "postgresql+psycopg", 1), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield URL.rpartition("/")[0] + "/" + name
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
async def postgres(where: str) -> AsyncIterator[SqlStore]:
    store = SqlStore.open(where)
    yield store
    store.close()


async def test_versions_and_queue_are_kept_by_namespace(postgres: SqlStore) -> None:
    mine = postgres.namespace(ACME)
    for number in range(2):
        assert (await mine.add(record(), "serving", "x")).version == number + 1
    assert [(r.request_class, r.version) for r in await postgres.serving()] == [(SUMS, 2)]
    one = Demonstration(input="q", target="a")
    assert [await mine.enqueue("sums", one) for _ in range(2)] == [1, 1]
    assert await mine.waiting() == {"sums": 1} and await postgres.waiting() == {SUMS: 1}
    assert await mine.queued(most=1) == {"sums": [one]}
    assert await postgres.namespace(Namespace("other", ACME.scope)).versions() == []


async def test_an_older_store_is_migrated_and_goes_on_counting(where: str) -> None:
    engine = create_engine(where.replace("postgresql", "postgresql+psycopg", 1))
    with engine.begin() as connection:
        METADATA.create_all(connection, tables=[MIGRATIONS_TABLE])
        for number, step in enumerate(MIGRATIONS[:5], 1):
            step(connection)
            connection.execute(text(f"INSERT INTO migrations VALUES ({number}, 'then')"))
        for number, name in enumerate((SUMS, "sums"), 1):
            row = {"n": number, "name": name}
            queue = "INSERT INTO queue VALUES (:n, :name, 'q', 'd', 'a', NULL)"
            connection.execute(text(queue), row)
            counts = "INSERT INTO counts VALUES (:name, 1, 'compiled', :n, 0, 0)"
            connection.execute(text(counts), row)
    engine.dispose()
    store = SqlStore.open(where)
    assert await store.waiting() == {SUMS: 1, "sums": 1}
    assert await store.enqueue("sums", Demonstration(input="r", target="b")) == 2
    days = await store.traffic.days("")
    assert [(one.request_class, one.tier, one.requests) for one in days] == [
        (SUMS, "code", 1),
        ("sums", "code", 2),
    ]
    store.close()


async def test_rates_are_taken_by_many_at_once_and_never_twice(where: str) -> None:
    stores = [SqlStore.open(where) for _ in range(3)]
    asked = RateRequest("k", "requests", 7, 1)
    taken = await asyncio.gather(
        *(stores[n % 3].traffic.take_rates([asked], []) for n in range(24))
    )
    assert sum(one.amount for (one,) in taken) == 7
    large = RateRequest("k", "tokens", 10**12, 10**11)
    (grant,) = await stores[0].traffic.take_rates([large], [RateChange("k", "requests", 1)])
    assert grant.amount == 10**11
    assert [one.amount for one in await stores[1].traffic.take_rates([asked, asked], [])] == [1, 0]
    for store in stores:
        store.close()


async def test_a_store_of_schema_6_is_migrated(where: str) -> None:
    SqlStore.open(where).close()
    engine = create_engine(where.replace("postgresql", "postgresql+psycopg", 1))
    with engine.begin() as connection:
        for statement in (
            "DROP TABLE reservations",
            "DROP TABLE feedback",
            "DROP TABLE rates",
            "ALTER TABLE daily_totals DROP COLUMN unsaved",
            "DELETE FROM migrations WHERE number >= 7",
            "INSERT INTO daily_totals VALUES ('2026-11-01', '', '', '', 'code', 3, 0, 0, 0, 0)",
        ):
            connection.execute(text(statement))
    engine.dispose()
    store = SqlStore.open(where)
    (day,) = await store.traffic.days("")
    assert (day.requests, day.unsaved) == (3, 3)
    report = UserReport("r", "k", agreed=True)
    assert [await store.live.keep_report(CLASS, 1, report) for _ in range(2)] == [True, False]
    assert await store.live.report_counts(CLASS) == {1: (1, 0)}
    store.close()


async def test_a_budget_is_reserved_once_over_many_gateways(where: str) -> None:
    opened = [SqlStore.open(where) for _ in range(4)]
    stores = [one.traffic for one in opened]

    def asked(number: int) -> BudgetRequest:
        return BudgetRequest(f"r{number}", "k", Decimal(1), None, Decimal("0.1"))

    found = await asyncio.gather(*[stores[n % 4].reserve([asked(n)], [], 60.0) for n in range(40)])
    states = [one.state for (one,) in found]
    assert states.count("granted") == 10 and states.count("reserved") == 30
    mine = [n for n, state in enumerate(states) if state == "granted"]
    written = [
        RequestRecord(
            id=f"r{n}",
            tenant="acme",
            key="k",
            model="m",
            tier="strong",
            cost=Decimal("0.05"),
            estimated=Decimal("0.1"),
        )
        for n in mine
    ]
    # While records move from the reservations to what is spent, no request is missed in both.
    asks = [
        stores[1].reserve([asked(n + 100)._replace(budget=Decimal("0.5"))], [], 60.0) for n in mine
    ]
    writes = [stores[0].write([one]) for one in written]
    during = await asyncio.gather(
        *[work for pair in zip(asks, writes, strict=True) for work in pair]
    )
    assert not [out for some in during if some for out in some if out.state == "granted"]
    assert (await stores[2].spending({"k": None}))["k"] == (Decimal("0.5"), 0)
    assert [one.state for one in await stores[3].reserve([asked(99)], [], 60.0)] == ["granted"]
    await stores[3].renew_reservations(["r99"], 0.0)
    assert (await stores[2].spending({"k": None}))["k"] == (Decimal("0.5"), 0)
    for one in opened:
        one.close()


async def test_many_writers_share_the_numbers(where: str) -> None:
    stores = [SqlStore.open(where) for _ in range(3)]
    kept = await asyncio.gather(*[s.add(record(), "serving", "x") for s in stores * 5])
    assert sorted(r.version for r in kept) == list(range(1, 16))
    assert len(await stores[0].serving()) == 1
    for store in stores:
        store.close()


async def test_one_of_many_takes_a_lease_and_a_lapsed_one_cannot_add(where: str) -> None:
    stores = [SqlStore.open(where) for _ in range(4)]
    taken = await asyncio.gather(
        *[s.live.lease("making x", f"o{n}", 60) for n, s in enumerate(stores * 5)]
    )
    (lease,) = [one for one in taken if one is not None]
    await stores[0].live.release(lease)
    newer = await stores[1].live.lease("making x", "other", 60)
    assert newer is not None and newer.token > lease.token
    with pytest.raises(StoreError) as caught:
        await stores[0].add(record(), "shadowing", "too late", lease)
    assert caught.value.code == "lease-lost" and await stores[0].versions() == []
    assert (await stores[1].add(record(), "shadowing", "in time", newer)).version == 1
    for store in stores:
        store.close()


async def test_requests_and_keys_are_kept(postgres: SqlStore) -> None:
    key = Key(id="k", tenant="acme")
    await postgres.traffic.keep_key(key, "digest")
    assert await postgres.traffic.keys() == {"digest": key}
    request_record = RequestRecord(
        id="r",
        tenant="acme",
        key="k",
        model="m",
        tier="strong",
        calls=1,
        input="q",
        answer="a",
        queued=SUMS,
        input_digest=digest("q"),
    )
    for _ in range(2):
        await postgres.traffic.write([request_record], again=True)
    assert len(await postgres.ledger()) == 1
    assert await postgres.queued() == {SUMS: [Demonstration(input="q", target="a")]}
    assert await postgres.traffic.requests(tenant="acme") == [request_record]
    assert await postgres.traffic.spent(key) == 0
    days = await postgres.traffic.days("")
    assert await postgres.traffic.forget("9999") == 1
    assert await postgres.traffic.days("") == days and len(days) == 1


async def test_a_server_that_is_away_is_said_so_without_the_password() -> None:
    with pytest.raises(StoreError) as caught:
        SqlStore.open("postgresql://me:secret@127.0.0.1:9/none")
    assert caught.value.code == "store-away" and "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="a file or postgresql"):
        SqlStore.open("mysql://host/x")


MAKER = """
import asyncio, sys
sys.path.insert(0, {root!r})
from toolmint.store.sql import SqlStore
async def main():
    store = SqlStore.open(sys.argv[1])
    lease = await store.live.lease("making x", "killed", 0.2)
    print(lease.token, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_the_lease_of_a_killed_maker_lapses_for_another(where: str) -> None:
    code = MAKER.format(root=str(Path(__file__).parents[2]))
    process = subprocess.Popen(
        [sys.executable, "-c", code, where], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    token = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    store = SqlStore.open(where)
    lease = None
    async with asyncio.timeout(20):
        while lease is None:
            lease = await store.live.lease("making x", "heir", 60)
    assert lease.token == token + 1
    assert (await store.add(record(), "shadowing", "by the heir", lease)).version == 1
    store.close()


async def test_weights_and_why_a_demonstration_was_answered_are_kept(
    postgres: SqlStore,
) -> None:
    mine, weights = postgres.namespace(ACME), b"\0weights\xff"
    kept = await mine.add(learned(weights), "verified", "for a test", weights=weights)
    assert await mine.weights("moods", kept.weights) == weights
    await postgres.traffic.write([answered("7+7", "audit"), answered("8+8", "abstained")])
    drawn = [(one.input, one.drawn) for one in await mine.learnable("sums", 9)]
    assert drawn == [("7+7", "audit"), ("8+8", "abstained")]
    assert await mine.trim("sums", 1) == 1


async def test_a_database_of_schema_7_gets_what_learned_tools_need(where: str) -> None:
    SqlStore.open(where).close()
    engine = create_engine(where.replace("postgresql", "postgresql+psycopg", 1))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE queue DROP COLUMN drawn"))
        connection.execute(text("DROP TABLE weights"))
        connection.execute(text("DELETE FROM migrations WHERE number >= 8"))
    engine.dispose()
    store = SqlStore.open(where)
    await store.namespace(ACME).enqueue("moods", Demonstration(input="glad", target="positive"))
    (one,) = await store.namespace(ACME).learnable("moods", 9)
    assert one.drawn == "all"
    store.close()
