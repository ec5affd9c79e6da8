"""The store: versions never change, life has rules, nothing acknowledged is lost."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from toolmint.assembly.toolfile import dump_tool, load_tool
from toolmint.core.errors import InputError, StoreError, ToolNotFound
from toolmint.core.model import Usage
from toolmint.core.store import LedgerEntry, MakingReport
from toolmint.core.tool import Demonstration, Evidence, Provenance, ToolRecord
from toolmint.store.clock import now
from toolmint.store.engine import Database, fault_of
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio


def record(name: str = "sums", source: str = "def solve(): return 1\n") -> ToolRecord:
    return ToolRecord(
        request_class=name,
        source=source,
        has_parser=True,
        demonstrations=(Demonstration(input="q", target="a"),),
        evidence=(Evidence(stage="1 form", verdict="passed", summary="fine"),),
        provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
        usage=Usage(requests=1, input_tokens=10, output_tokens=5, cost=Decimal("0.01")),
    )


async def test_versions_are_numbered_and_come_back_whole(store: SqlStore) -> None:
    first = await store.add(record(), "serving", "passed")
    second = await store.add(record(source="def solve(): return 2\n"), "serving", "passed")
    assert (first.version, second.version) == (1, 2)
    assert await store.get("sums", 1) == first and await store.get("sums") == second
    assert [(r.version, state) for r, state in await store.versions("sums")] == [
        (1, "demoted"),
        (2, "serving"),
    ]
    assert [r.version for r in await store.serving()] == [2]


async def test_rolling_back_is_one_move(store: SqlStore) -> None:
    await store.add(record(), "serving", "passed")
    await store.add(record(), "serving", "passed")
    await store.move("sums", 1, "serving", "rolled back")
    assert [r.version for r in await store.serving()] == [1]
    states = [change.state for change in await store.history("sums", 1)]
    assert states == ["serving", "demoted", "serving"]
    assert (await store.history("sums", 2))[-1].reason == "v1 serves"


async def test_life_has_rules(store: SqlStore) -> None:
    await store.add(record(), "serving", "passed")
    await store.move("sums", 1, "retired", "old")
    with pytest.raises(StoreError, match="is retired, it cannot become serving"):
        await store.move("sums", 1, "serving", "again")
    with pytest.raises(ToolNotFound, match="sums v9"):
        await store.move("sums", 9, "serving", "x")
    with pytest.raises(ToolNotFound, match="tools list"):
        await store.get("nothing")


async def test_the_queue_keeps_each_request_once_with_its_newest_answer(store: SqlStore) -> None:
    one = Demonstration(input="q", target="a")
    assert await store.enqueue("sums", one) == 1
    assert await store.enqueue("sums", Demonstration(input="r", target="b")) == 2
    newer = one.model_copy(update={"target": "other"})
    before = now()
    assert await store.enqueue("sums", newer) == 2
    assert await store.queued("sums") == {"sums": [newer, Demonstration(input="r", target="b")]}
    assert await store.queued("sums", since=before) == {"sums": [newer]}
    assert await store.queued("sums", since=now()) == {}


async def test_the_ledger_is_exact(store: SqlStore) -> None:
    entry = LedgerEntry(
        purpose="use",
        request_class="sums",
        model="m",
        seconds=0.5,
        usage=Usage(
            requests=1, input_tokens=3, cached_tokens=1, output_tokens=2, cost=Decimal("0.10")
        ),
    )
    unknown = entry.model_copy(update={"usage": Usage(requests=1, cost=None)})
    without = entry.model_copy(update={"request_class": None})
    await store.record([entry, unknown, without])
    assert await store.ledger() == [entry, unknown, without]


async def test_reports_are_kept(store: SqlStore) -> None:
    number = await store.report(
        MakingReport(request_class="sums", made=False, body={"ending": "no"})
    )
    (kept,) = await store.reports("sums")
    assert (kept.id, kept.made, kept.body) == (number, False, {"ending": "no"})


async def test_two_stores_on_one_file_share_the_numbers(tmp_path: Path) -> None:
    one, other = (SqlStore.open(tmp_path / "s.db") for _ in range(2))
    kept = await asyncio.gather(*[s.add(record(), "verified", "x") for s in (one, other) * 5])
    assert sorted(r.version for r in kept) == list(range(1, 11))
    one.close()
    other.close()


WRITER = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_store import record
from toolmint.store.sql import SqlStore
async def main():
    store = SqlStore.open(Path(sys.argv[1]))
    while True:
        kept = await store.add(record(), "serving", "passed")
        print(kept.version, flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 4, 9])
async def test_a_killed_writer_loses_nothing_that_it_told(tmp_path: Path, after: int) -> None:
    code = WRITER.format(tests=str(Path(__file__).parent))
    path = tmp_path / "s.db"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    reported = [int(process.stdout.readline()) for _ in range(after)]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    store = SqlStore.open(path)
    versions = [r.version for r, _ in await store.versions("sums")]
    assert set(reported) <= set(versions) and versions == list(range(1, len(versions) + 1))
    assert len(await store.serving()) == 1
    assert (await store.serving())[0].version == versions[-1]
    store.close()


async def test_a_file_that_is_no_database_is_said_so_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError) as caught:
        SqlStore.open(path)
    assert caught.value.code == "store-corrupt"
    assert path.read_bytes() == b"no database at all" * 100


async def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    SqlStore.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO migrations VALUES (99, 'later')")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="upgrade toolmint") as caught:
        SqlStore.open(path)
    assert caught.value.code == "store-newer" and "\n" not in str(caught.value)
    assert path.read_bytes() == before


async def test_an_empty_database_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    sqlite3.connect(path).close()
    store = SqlStore.open(path)
    assert (await store.add(record(), "verified", "x")).version == 1
    store.close()


@pytest.fixture
def full(tmp_path: Path) -> Iterator[SqlStore]:
    database = Database.sqlite(tmp_path / "s.db")
    yield SqlStore(database)
    database.close()


async def test_a_full_disk_is_said_so_and_nothing_is_half_written(full: SqlStore) -> None:
    kept = await full.add(record(), "serving", "x")
    with full._database.transaction(write=False) as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(StoreError, match="free some space") as caught:
        await full.add(record(source="x = 1\n" * 50_000), "serving", "x")
    assert caught.value.code == "store-full"
    assert list(await full.serving()) == [kept]


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be made"):
        SqlStore.open(tmp_path / "file" / "s.db")


async def test_database_faults_have_codes() -> None:
    assert fault_of("s", RuntimeError("database is locked")).retryable
    assert fault_of("s", RuntimeError("unable to open database file")).code == "store-open"
    assert fault_of("s", RuntimeError("strange")).code == "store"


async def test_a_tool_travels_as_one_readable_file() -> None:
    tool = record(source="def solve():\n    return 'ü'\n")
    written = dump_tool(tool)
    assert written.startswith("# toolmint tool") and written.endswith(tool.source)
    compile(written, "exported", "exec")
    assert load_tool(written, "f") == tool


async def test_a_tool_that_the_former_version_exported_is_read() -> None:
    written = dump_tool(record())
    former = written.replace("# toolmint tool", "# toolwright tool").replace(
        '"has_parser"', '"compiled"'
    )
    assert former != written and load_tool(former, "f") == load_tool(written, "f")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("return 'ü'", "return 1", "changed after export"),
        ("# toolmint tool", "# some tool", "no exported tool"),
        ('"schema_version": 1', '"schema_version": 9', "cannot be read"),
        ("# ---- source ----", "", "no exported tool"),
    ],
    ids=["source", "head", "schema", "fence"],
)
async def test_a_changed_file_is_refused(old: str, new: str, says: str) -> None:
    written = dump_tool(record(source="def solve():\n    return 'ü'\n"))
    assert old in written
    with pytest.raises(InputError, match=says):
        load_tool(written.replace(old, new), "f")
