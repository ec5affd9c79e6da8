"""Rates of keys over SQL: one row for each bucket, which all gateways take from."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Connection, text

from toolmint.core.rates import Bucket, RateChange, RateGrant, RateRequest, refilled, taken
from toolmint.store.engine import Database
from toolmint.store.live import clock

_READ = text("SELECT rate, remaining, at FROM rates WHERE key = :key AND kind = :kind")
_WRITE = text(
    "INSERT INTO rates (key, kind, rate, remaining, at) VALUES (:key, :kind, :rate, :left, :at)"
    " ON CONFLICT (key, kind) DO UPDATE SET rate = :rate, remaining = :left, at = :at"
)
_CHANGE = text("UPDATE rates SET remaining = remaining + :amount WHERE key = :key AND kind = :kind")


class SqlRates:
    """Keeps buckets; see ``toolmint.core.rates.RateStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_rates(
        self, asked: Sequence[RateRequest], changes: Sequence[RateChange]
    ) -> Sequence[RateGrant]:
        """Apply changes, then take in order what is asked for, in one transaction."""
        return await asyncio.to_thread(self._take, asked, changes)

    def _take(self, asked: Sequence[RateRequest], changes: Sequence[RateChange]) -> list[RateGrant]:
        with self._database.transaction(write=True) as connection:
            names = {(one.key, one.kind) for one in (*asked, *changes)}
            for key, kind in sorted(names):  # one order, so that nobody waits crosswise
                self._database.hold(connection, f"rate {kind} {key}")
            if changes:
                connection.execute(_CHANGE, [one._asdict() for one in changes])
            now = clock(self._database, connection)
            buckets: dict[tuple[str, str], Bucket] = {}
            grants: list[RateGrant] = []
            for one in asked:
                place = one.key, one.kind
                known = buckets.get(place) or _read(connection, *place)
                buckets[place], grant = taken(refilled(known, one.rate, now), one)
                grants.append(grant)
            rows = [
                {"key": key, "kind": kind, "rate": one.rate, "left": one.left, "at": one.at}
                for (key, kind), one in buckets.items()
            ]
            if rows:
                connection.execute(_WRITE, rows)
        return grants


def _read(connection: Connection, key: str, kind: str) -> Bucket | None:
    row = connection.execute(_READ, {"key": key, "kind": kind}).one_or_none()
    return None if row is None else Bucket(row.rate, row.remaining, row.at)
