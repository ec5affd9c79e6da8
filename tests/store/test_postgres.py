"""PostgreSQL keeps what SQLite keeps, for many gateways at once; needs a server, named by POSTGRES_URL."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from tests.store.test_store import record

from toolwright.core.errors import ConfigError, StoreError
from toolwright.core.store import Count
from toolwright.core.tool import Demonstration
from toolwright.core.traffic import Handled, Key
from toolwright.core.values import digest
from toolwright.store.sql import SqlStore

URL = os.environ.get("POSTGRES_URL", "")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.postgres,
    pytest.mark.skipif(not URL, reason="POSTGRES_URL names no server"),
]


@pytest.fixture
async def where() -> AsyncIterator[str]:
    """Give the URL of a database of this test's own."""
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


async def test_versions_queue_and_counts_are_kept(postgres: SqlStore) -> None:
    room = postgres.room("acme/s/")
    for number in range(2):
        assert (await room.add(record(), "serving", "x")).version == number + 1
    assert [(r.request_class, r.version) for r in await postgres.serving()] == [("acme/s/sums", 2)]
    one = Demonstration(input="q", target="a")
    assert [await room.enqueue("sums", one) for _ in range(2)] == [1, 1]
    count = Count(request_class="sums", version=1, tier="compiled", answered=2)
    await room.record([], [count])
    await room.record([], [count])
    assert (await room.counts())[0].answered == 4 and await postgres.room("other/").counts() == []


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
    handled = Handled(
        id="r", tenant="acme", key="k", model="m", tier="strong", calls=1, input="q", answer="a",
        queued="acme/s/x", input_digest=digest("q"),
    )  # fmt: skip
    for _ in range(2):
        await postgres.traffic.write([handled], again=True)
    assert len(await postgres.ledger()) == 1
    assert await postgres.queued() == {"acme/s/x": [Demonstration(input="q", target="a")]}
    assert await postgres.traffic.requests(tenant="acme") == [handled]
    assert await postgres.traffic.spent(key) == 0


async def test_a_server_that_is_away_is_said_so_without_the_password() -> None:
    with pytest.raises(StoreError) as caught:
        SqlStore.open("postgresql://me:secret@127.0.0.1:9/none")
    assert caught.value.code == "store-away" and "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="a file or postgresql"):
        SqlStore.open("mysql://host/x")


MAKER = """
import asyncio, sys
sys.path.insert(0, {root!r})
from toolwright.store.sql import SqlStore
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
