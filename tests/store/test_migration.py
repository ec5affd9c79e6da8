"""A store of version 0.1 opens, and every fact in it is still there; ``old_stores/README.md`` lists them."""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from toolmint.core.errors import StoreError
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.store.clock import now
from toolmint.store.engine import Database
from toolmint.store.migrations import MIGRATIONS
from toolmint.store.schema import METADATA
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
OLD = Path(__file__).parent / "old_stores" / "toolwright-0.1.db"
SCOPE = "d00baff694d6"
BACKWARDS = ClassKey("acme", SCOPE, "write-the-word-anchor-edd023")
VOWELS = ClassKey("local", SCOPE, "how-many-vowels-are-5faa4f")
ORDER = ClassKey("local", SCOPE, "put-these-words-into-05913c")


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query over a file, without the store."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(OLD, tmp_path / "tools.db"))


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(path)
    yield opened
    opened.close()


async def test_versions_states_and_histories_stay(store: SqlStore) -> None:
    kept = {(one.request_class, one.version): state for one, state in await store.versions()}
    assert kept == {
        (str(BACKWARDS), 1): "demoted",
        (str(BACKWARDS), 2): "serving",
        ("converts-a-whole-number-2f87dd", 1): "serving",
        (str(VOWELS), 1): "serving",
        (str(ORDER), 1): "shadowing",
        ("sorting", 1): "demoted",
        ("sorting", 2): "serving",
        ("sorting", 3): "retired",
        ("vowels", 1): "serving",
    }
    for record, _ in await store.versions():
        assert record.has_parser == (record.profile == "proved")
    history = await store.history(str(BACKWARDS), 1)
    assert [one.state for one in history] == ["shadowing", "serving", "shadowing", "demoted"]
    mine = store.namespace(Namespace("acme", SCOPE))
    assert [one.label for one in await mine.serving()] == [f"{BACKWARDS.name} v2"]
    assert (await store.get("sorting", 2)).digest.startswith("36cfc4ac410f")


async def test_the_queue_stays_and_introduces_its_classes(store: SqlStore) -> None:
    waiting = await store.waiting()
    assert sum(waiting.values()) == 62 and len(waiting) == 16
    assert waiting[str(BACKWARDS)] == 16 and waiting["name-a-color-that-14ec04"] == 4
    classes = await store.classes()
    tools = {one.request_class for one, _ in await store.versions()}
    assert set(classes) == set(waiting) | tools
    assert all(one.title and one.example for one in classes.values())


async def test_the_ledger_stays_to_the_last_digit(store: SqlStore) -> None:
    ledger = await store.ledger()
    costs = [one.usage.cost for one in ledger]
    assert sum((one for one in costs if one is not None), start=Decimal(0)) == Decimal("0.02895999")
    assert (len(ledger), costs.count(None)) == (72, 7)
    assert sum(one.usage.requests for one in ledger) == 115
    assert Counter(one.purpose for one in ledger) == {
        "agent": 8,
        "dispatch": 2,
        "making": 16,
        "second": 1,
        "strong": 29,
        "use": 16,
    }
    birch = await store.namespace(Namespace("birch", "")).ledger()
    assert [(one.request_class, one.usage.requests) for one in birch] == [(None, 1), (None, 1)]
    makings = await store.traffic.makings()
    assert makings["riddles"].cost is None
    assert makings[str(VOWELS)].cost == pytest.approx(0.00563125)


async def test_tallies_disagreements_and_grants_stay(store: SqlStore) -> None:
    tallies = await store.live.tallies()
    assert set(tallies) == {BACKWARDS, VOWELS, ORDER}
    one = tallies[BACKWARDS][1]
    assert (one.trials, one.wrong) == (8, 3)
    assert (one.recheck, one.rechecked, one.rechecked_wrong) == (18, 3, 3)
    assert tallies[BACKWARDS][2].trials == 5 and tallies[ORDER][1].recheck == 17
    assert [one.kind for one in await store.live.disagreements(BACKWARDS)] == [
        "shadow",
        "shadow",
        "audit",
    ]
    (disagreement,) = await store.live.disagreements(ORDER)
    assert disagreement.theirs == "all the words, in order"
    assert await store.traffic.granted("birch") == [BACKWARDS]
    assert await store.traffic.granted("acme") == [VOWELS]


async def test_keys_spending_and_leases_stay(store: SqlStore) -> None:
    keys = {one.id: one for one in (await store.traffic.keys()).values()}
    assert set(keys) == {"key_acme", "key_admin", "key_birch", "key_old"}
    spent = await store.traffic.spent(keys["key_acme"].model_copy(update={"window": None}))
    assert spent == Decimal("0.0013365") and keys["key_old"].revoked
    taken = await store.live.lease(f"making acme/{SCOPE}/", "new", 9)
    assert taken is not None and taken.token == 4


async def test_requests_stay_under_the_current_words(store: SqlStore, path: Path) -> None:
    requests = await store.traffic.requests(most=1000)
    tiers = {"agent": 2, "code": 8, "strong": 63, "light": 4}
    assert Counter(one.tier for one in requests) == tiers
    mine = await store.traffic.requests(request_class=str(BACKWARDS), most=1000)
    assert Counter(one.tier for one in mine) == {"code": 6, "strong": 24}
    assert all(one.request_class == str(BACKWARDS) for one in mine)
    kept = rows(path, "SELECT tier, version, body FROM requests")
    for tier, version, body in kept:
        found = json.loads(str(body))
        assert (found["tier"], found["version"]) == (tier, version)


async def test_days_hold_the_gateways_requests_and_what_the_command_line_counted(
    store: SqlStore,
) -> None:
    days = await store.traffic.days("")
    tiers: Counter[tuple[str | None, str]] = Counter()
    for one in days:
        tiers[one.request_class, one.tier] += one.requests
    assert (tiers[None, "agent"], tiers[str(VOWELS), "light"]) == (2, 4)
    assert {tier: tiers["sorting", tier] for tier in ("code", "light", "strong")} == {
        "code": 8,
        "light": 2,
        "strong": 1,
    }
    assert sum(tiers.values()) == 77 + 22
    assert sum(one.saved for one in days) == pytest.approx(0.00038184 + 0.000047)


async def test_trajectories_missing_tools_and_reports_stay(store: SqlStore) -> None:
    listed = await store.traces.traces()
    assert [one.id for one in listed] == [5, 4, 3, 2, 1]
    traces = [await store.traces.trace(one.id) for one in listed]
    served = [one.served.tier for one in traces if one.served is not None]
    assert served == ["strong", "strong"]
    missing = await store.traces.missing_tools()
    assert [one.request_class for one in missing] == ["converts-a-whole-number-2f87dd", None]
    reports = await store.reports()
    assert [one.made for one in reports] == [True, True, True, False, True, True, True, True]
    assert [one.version for one in await store.reports(str(BACKWARDS))] == [1, 2]


def _content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


async def test_opening_it_again_changes_nothing(path: Path) -> None:
    SqlStore.open(path).close()
    once = _content(path)
    SqlStore.open(path).close()
    assert _content(path) == once


def _schema(path: Path) -> set[tuple[object, ...]]:
    """Return what SQLite keeps of the schema; it quotes the names of renamed tables."""
    kept = rows(path, "SELECT type, name, tbl_name, replace(sql, '\"', '') FROM sqlite_master")
    return set(kept)


@pytest.mark.parametrize("steps", [1, 3, 5])
async def test_every_older_schema_becomes_that_of_a_new_store(tmp_path: Path, steps: int) -> None:
    SqlStore.open(tmp_path / "new.db").close()
    new = Database.sqlite(tmp_path / "old.db")
    with new.transaction(write=True) as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection, tables=[METADATA.tables["migrations"]])
        for number, step in enumerate(MIGRATIONS[:steps], 1):
            step(connection)
            connection.execute(text(f"INSERT INTO migrations VALUES ({number}, '{now()}')"))
    new.close()
    SqlStore.open(tmp_path / "old.db").close()
    assert _schema(tmp_path / "old.db") == _schema(tmp_path / "new.db")


async def test_a_migration_that_fails_leaves_the_store_as_it_was(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW old_counts AS SELECT 1")
        connection.commit()
    before = _content(path)
    with pytest.raises(StoreError, match="old_counts"):
        SqlStore.open(path)
    assert _content(path) == before


async def test_a_newer_old_store_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO migrations VALUES (99, 'later')")
        connection.commit()
    before = _content(path)
    with pytest.raises(StoreError, match="schema 99"):
        SqlStore.open(path)
    assert _content(path) == before
