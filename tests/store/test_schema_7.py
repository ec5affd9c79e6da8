"""A store of schema 7, from before learned tools, opens with its queue; weights are kept from then on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.test_migration import rows

from toolmint.core.errors import StoreError
from toolmint.core.learned import DrawnDemonstration, weights_digest
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.rates import RateRequest
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.core.traffic import RequestRecord
from toolmint.core.values import digest
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
OLD = Path(__file__).parent / "old_stores" / "toolmint-schema-7.db"
ACME = Namespace("acme", "0123456789ab")
SUMS = ACME.key("sums")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(OLD, tmp_path / "tools.db"))


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(path)
    yield opened
    opened.close()


def learned(weights: bytes) -> ToolRecord:
    return ToolRecord(
        request_class="moods",
        profile="learned",
        weights=weights_digest(weights),
        provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
    )


async def test_queue_tools_and_comparisons_stay(store: SqlStore, path: Path) -> None:
    mine = store.namespace(ACME)
    assert dict(await mine.waiting()) == {"moods": 2, "sums": 5}
    ((record, state),) = await mine.versions()
    assert (record.label, state, record.kind) == ("sums v1", "shadowing", "code")
    assert (await store.live.tally(SUMS, 1)).trials == 5
    (wrong,) = await store.live.disagreements(SUMS)
    assert (wrong.ours, wrong.theirs) == ("5", "4")
    kept = await mine.learnable("sums", 3)
    assert [one.input for one in kept] == ["2+2", "3+3", "4+4"]
    assert all(one.drawn == "all" and one.at.startswith("2026-11-02T") for one in kept)
    assert [one.target for one in await mine.learnable("moods", 9)] == ["positive"]
    assert rows(path, "SELECT max(number) FROM migrations") == [(9,)]


async def test_it_becomes_the_schema_of_a_new_store(path: Path, tmp_path: Path) -> None:
    SqlStore.open(path).close()
    SqlStore.open(tmp_path / "new.db").close()
    query = "SELECT type, name, tbl_name, replace(sql, '\"', '') FROM sqlite_master"
    assert set(rows(path, query)) == set(rows(tmp_path / "new.db", query))


async def test_weights_are_kept_by_digest_in_their_own_namespace(store: SqlStore) -> None:
    mine, weights = store.namespace(ACME), b"\0weights\xff"
    await mine.add(learned(weights), "verified", "for a test", weights=weights)
    kept = await mine.add(learned(weights), "verified", "for a test", weights=weights)
    assert kept.version == 2 and await mine.weights("moods", kept.weights) == weights
    assert await store.weights(str(ACME.key("moods")), kept.weights) == weights
    with pytest.raises(StoreError, match=r"no weights .* of 'moods'"):
        await store.namespace(Namespace("birch", ACME.scope)).weights("moods", kept.weights)


async def test_a_demonstration_says_why_the_model_answered_it_and_the_oldest_go(
    store: SqlStore,
) -> None:
    mine = store.namespace(ACME)
    await store.traffic.write([answered("7+7", "audit"), answered("8+8", "abstained")])
    newest = await mine.learnable("sums", 2)
    assert [(one.input, one.drawn) for one in newest] == [("7+7", "audit"), ("8+8", "abstained")]
    await store.traffic.write([answered("7+7", "all")])
    assert [one.drawn for one in await mine.learnable("sums", 9) if one.input == "7+7"] == ["all"]
    assert await mine.trim("sums", 3) == 4
    assert {one.input for one in await mine.learnable("sums", 9)} == {"4+4", "7+7", "8+8"}
    assert (await mine.waiting())["moods"] == 2
    await mine.enqueue("moods", DrawnDemonstration(input="meh", target="no", drawn="abstained"))
    await mine.enqueue("moods", Demonstration(input="yes!", target="positive"))
    said = {one.input: one.drawn for one in await mine.learnable("moods", 9)}
    assert (said["meh"], said["yes!"]) == ("abstained", "all")


def answered(text: str, drawn: str) -> RequestRecord:
    return RequestRecord.read(
        RequestRecord(
            id=f"req_{text}_{drawn}",
            tenant="acme",
            key="k",
            model="gpt-5",
            tier="strong",
            request_class=str(SUMS),
            input=text,
            answer="14",
            queued=str(ClassKey(*SUMS)),
            input_digest=digest(text),
            drawn=drawn,  # pyright: ignore[reportArgumentType]
        ).line
    )


async def test_rates_of_keys_are_kept_from_then_on(store: SqlStore) -> None:
    asked = RateRequest("k", "requests", 2, 1)
    grants = await store.traffic.take_rates([asked, asked, asked], [])
    assert [one.amount for one in grants] == [1, 1, 0]
