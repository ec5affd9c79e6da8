"""What keys have spent, and what is reserved of their budgets, over SQL."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from sqlalchemy import Connection, func, select, text

from toolmint.core.budgets import BudgetRequest, KeySpending, ReservationChange, ReserveOutcome
from toolmint.store.batches import MOST_NANO, NANO
from toolmint.store.engine import Database
from toolmint.store.live import clock
from toolmint.store.schema import RESERVATIONS_TABLE, SPENDING_TABLE

_MOST_IDS = 500
# Written out, as each request of a key with a budget runs them: to build them costs more than to run them.
_LAPSED = text("DELETE FROM reservations WHERE until <= :now")
_DROP = text("DELETE FROM reservations WHERE request = :request")
_CHARGE = text(
    "UPDATE reservations SET nano_usd = :nano_usd, charged = 1, until = :until"
    " WHERE request = :request"
)
_RESERVE = text(
    "INSERT INTO reservations (request, key, nano_usd, charged, until)"
    " VALUES (:request, :key, :nano_usd, 0, :until)"
)
_RENEW = text("UPDATE reservations SET until = :until WHERE request = :request")
_SUMS = text(
    "SELECT (SELECT coalesce(sum(nano_usd), 0) FROM spending WHERE key = :key AND day > :since)"
    " + (SELECT coalesce(sum(nano_usd), 0) FROM reservations WHERE key = :key AND charged = 1"
    " AND until > :now) AS spent, (SELECT coalesce(sum(nano_usd), 0) FROM reservations"
    " WHERE key = :key AND charged = 0 AND until > :now) AS reserved"
)
"""One statement, so that it sees one state: a request that is written in this moment moves from the one
table to the other and must not be missed in both.
"""


class SqlReservations:
    """Keeps reservations; see ``toolmint.core.budgets.BudgetStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(
        self,
        asked: Sequence[BudgetRequest],
        changes: Sequence[ReservationChange],
        seconds: float,
    ) -> Sequence[ReserveOutcome]:
        """Apply changes, then reserve in order what a budget still has, in one transaction."""
        return await asyncio.to_thread(self._reserve, asked, changes, seconds)

    def _reserve(
        self,
        asked: Sequence[BudgetRequest],
        changes: Sequence[ReservationChange],
        seconds: float,
    ) -> list[ReserveOutcome]:
        with self._database.transaction(write=True) as connection:
            for key in sorted(
                {one.key for one in asked}
            ):  # one order, so that nobody waits crosswise
                self._database.hold(connection, f"budget {key}")
            now = clock(self._database, connection)
            _apply(connection, changes, now + seconds)
            connection.execute(_LAPSED, {"now": now})
            known: dict[str, tuple[int, int]] = {}
            outcomes: list[ReserveOutcome] = []
            rows: list[dict[str, object]] = []
            for one in asked:
                if one.key not in known:
                    known[one.key] = _sums(connection, one.key, one.window, now)
                spent, reserved = known[one.key]
                before = KeySpending(Decimal(spent) / NANO, Decimal(reserved) / NANO)
                if before.spent >= one.budget:
                    outcomes.append(ReserveOutcome("spent", before))
                elif before.spent + before.reserved >= one.budget:
                    outcomes.append(ReserveOutcome("reserved", before))
                else:
                    amount = _nano(one.cost)
                    known[one.key] = spent, reserved + amount
                    rows.append(
                        {
                            "request": one.request,
                            "key": one.key,
                            "nano_usd": amount,
                            "until": now + seconds,
                        }
                    )
                    outcomes.append(ReserveOutcome("granted", before))
            if rows:
                connection.execute(_RESERVE, rows)
        return outcomes

    async def renew_reservations(self, requests: Sequence[str], seconds: float) -> None:
        """Prolong the reservations of some requests."""

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                until = clock(self._database, connection) + seconds
                rows = [{"request": request, "until": until} for request in requests]
                if rows:
                    connection.execute(_RENEW, rows)

        await asyncio.to_thread(work)

    async def spending(self, windows: Mapping[str, int | None]) -> Mapping[str, KeySpending]:
        """Return what keys have spent and reserved, by the keys' ids; one query for each length of window."""

        def work() -> dict[str, KeySpending]:
            by_window: defaultdict[int | None, list[str]] = defaultdict(list)
            for key, window in windows.items():
                by_window[window].append(key)
            with self._database.transaction(write=False) as connection:
                self._database.snapshot(connection)
                now = clock(self._database, connection)
                found = {
                    key: nano
                    for window, keys in by_window.items()
                    for key, nano in _spent_by_key(connection, keys, window).items()
                }
                charged, reserved = _reserved_by_key(connection, now)
            return {
                key: KeySpending(
                    Decimal(found.get(key, 0) + charged.get(key, 0)) / NANO,
                    Decimal(reserved.get(key, 0)) / NANO,
                )
                for key in windows
            }

        return await asyncio.to_thread(work)


def _nano(cost: Decimal) -> int:
    """Return US dollars in billionths, rounded up, and no more than a column holds."""
    if cost >= MOST_NANO // NANO:
        return MOST_NANO
    return int((cost * NANO).to_integral_value(ROUND_CEILING))


def _apply(connection: Connection, changes: Sequence[ReservationChange], until: float) -> None:
    """Drop the reservations of requests that used nothing, and set the others to what was used."""
    dropped = [{"request": one.request} for one in changes if one.cost is None]
    charged = [
        {"request": one.request, "nano_usd": _nano(one.cost), "until": until}
        for one in changes
        if one.cost is not None
    ]
    if dropped:
        connection.execute(_DROP, dropped)
    if charged:
        connection.execute(_CHARGE, charged)


def _since(window: int | None) -> str:
    """Return the last day that lies before a window; an empty text: none does."""
    if window is None:
        return ""
    return (datetime.now(UTC) - timedelta(days=window)).date().isoformat()


def _sums(connection: Connection, key: str, window: int | None, now: float) -> tuple[int, int]:
    """Return what a key has spent and reserved, in billionths of a US dollar."""
    row = connection.execute(_SUMS, {"key": key, "since": _since(window), "now": now}).one()
    return int(row.spent), int(row.reserved)


def _spent_by_key(connection: Connection, keys: list[str], window: int | None) -> dict[str, int]:
    table = SPENDING_TABLE.c
    found: dict[str, int] = {}
    for start in range(0, len(keys), _MOST_IDS):
        query = (
            select(table.key, func.sum(table.nano_usd))
            .where(table.key.in_(keys[start : start + _MOST_IDS]), table.day > _since(window))
            .group_by(table.key)
        )
        found |= {key: int(nano) for key, nano in connection.execute(query)}
    return found


def _reserved_by_key(connection: Connection, now: float) -> tuple[dict[str, int], dict[str, int]]:
    """Return what requests that are not written yet have cost, and what is reserved for others, by key."""
    table = RESERVATIONS_TABLE.c
    query = (
        select(table.key, table.charged, func.sum(table.nano_usd))
        .where(table.until > now)
        .group_by(table.key, table.charged)
    )
    charged: dict[str, int] = {}
    reserved: dict[str, int] = {}
    for key, ended, nano in connection.execute(query):
        (charged if ended else reserved)[key] = int(nano)
    return charged, reserved
