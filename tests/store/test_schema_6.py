"""A store of schema 6, from before budgets were reserved, opens with every sum that it had."""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.store.test_migration import rows

from toolmint.core.budgets import BudgetRequest
from toolmint.core.namespace import ClassKey
from toolmint.core.user_report import UserReport
from toolmint.serving.billing import read_bill
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
OLD = Path(__file__).parent / "old_stores" / "toolmint-schema-6.db"
SUMS = ClassKey("acme", "0123456789ab", "sums")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(OLD, tmp_path / "tools.db"))


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(path)
    yield opened
    opened.close()


async def test_what_keys_have_spent_stays_and_their_budgets_are_reserved_from_now_on(
    store: SqlStore,
) -> None:
    (key,) = (await store.traffic.keys()).values()
    assert await store.traffic.spent(key) == Decimal("0.45") and key.budget == Decimal("0.5")
    asked = BudgetRequest("r", key.id, Decimal("0.5"), None, Decimal(1))
    states = [one.state for one in await store.traffic.reserve([asked], [], 60.0)]
    again = asked._replace(request="s")
    states += [one.state for one in await store.traffic.reserve([again], [], 60.0)]
    assert states == ["granted", "reserved"]


async def test_daily_totals_stay_and_say_of_which_savings_nothing_is_known(
    path: Path, store: SqlStore
) -> None:
    days = {(one.day, one.request_class, one.tier): one for one in await store.traffic.days("")}
    assert len(days) == 6
    strong = days["2026-11-01", str(SUMS), "strong"]
    assert (strong.requests, strong.cost, strong.unknown, strong.unsaved) == (2, 0.1, 1, 0)
    assert days["2026-11-01", str(SUMS), "code"].unsaved == 2, "nothing was saved: it was not known"
    assert days["2026-11-02", str(SUMS), "code"][5:] == (0.1, 0, 0, 0)
    assert days["2026-11-04", str(SUMS), "code"].unsaved == 1
    assert rows(path, "SELECT count(*) FROM daily_totals") == [(4,)]
    bill = await read_bill(store, store.traffic)
    found = {one.key: one for one in bill.classes}[str(SUMS)]
    assert found.saved == pytest.approx(0.1 + 3 * 0.35 / 2)


async def test_requests_are_kept_and_feedback_on_them_counts_once(store: SqlStore) -> None:
    kept = await store.traffic.request("req_9")
    assert kept is not None and kept.tier == "code" and kept.estimated is None
    report = UserReport("req_9", "key_acme", agreed=False)
    assert await store.live.keep_report(SUMS, 1, report)
    assert not await store.live.keep_report(SUMS, 1, report)
    assert await store.traffic.granted("birch") == [SUMS]
