"""Requests, keys and grants over SQL."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Executable, Float, case, cast, delete, func, select

from toolwright.core.traffic import Handled, Key, Line
from toolwright.store.batches import NANO, write
from toolwright.store.engine import Database, now
from toolwright.store.schema import COMPARISONS, GRANTS, KEYS, LEDGER, REQUESTS, SPENDING


class SqlTraffic:
    """Keeps requests and keys; see ``TrafficLog`` and ``KeyStore`` in ``toolwright.core.traffic``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, handled: Sequence[Handled], *, again: bool = False) -> None:
        """Write requests, ledger entries and demonstrations in one transaction."""

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                fresh = handled
                if again:
                    ids = REQUESTS.c.id.in_([one.id for one in handled])
                    known = set(connection.execute(select(REQUESTS.c.id).where(ids)).scalars())
                    fresh = [one for one in handled if one.id not in known]
                write(connection, fresh)

        await asyncio.to_thread(work)

    async def request(self, number: str, tenant: str | None = None) -> Handled | None:
        """Give one request by its id."""
        query = select(REQUESTS.c.body).where(REQUESTS.c.id == number)
        if tenant is not None:
            query = query.where(REQUESTS.c.tenant == tenant)
        rows = await self._database.rows(query)
        return Handled.read(rows[0].body) if rows else None

    async def requests(
        self, *, tenant: str | None = None, request_class: str | None = None, most: int = 100
    ) -> Sequence[Handled]:
        """Give the newest requests first."""
        query = select(REQUESTS.c.body).order_by(REQUESTS.c.at.desc(), REQUESTS.c.id).limit(most)
        if tenant is not None:
            query = query.where(REQUESTS.c.tenant == tenant)
        if request_class is not None:
            query = query.where(REQUESTS.c.request_class == request_class)
        return [Handled.read(row.body) for row in await self._database.rows(query)]

    async def days(self, since: str) -> Sequence[Line]:
        """Give the requests since a day by day, class and tier, oldest first."""
        day, table = func.substr(REQUESTS.c.at, 1, 10), REQUESTS.c
        query = (
            select(
                day.label("day"), table.request_class, table.tier,
                func.count().label("requests"),
                func.coalesce(func.sum(cast(table.cost, Float)), 0.0).label("cost"),
                func.coalesce(func.sum(cast(table.saved, Float)), 0.0).label("saved"),
                func.sum(case((table.cost.is_(None), 1), else_=0)).label("unknown"),
            )
            .where(table.at >= since)
            .group_by(day, table.request_class, table.tier)
            .order_by(day)
        )  # fmt: skip
        return [
            Line(row.day, row.request_class, row.tier, row.requests, float(row.cost),
                 float(row.saved), int(row.unknown))
            for row in await self._database.rows(query)
        ]  # fmt: skip

    async def makings(self) -> Mapping[str, float]:
        """Give what makings cost by the classes' full names."""
        total = func.sum(cast(LEDGER.c.cost, Float)).label("total")
        query = (
            select(LEDGER.c.request_class, total)
            .where(LEDGER.c.purpose.in_(["making", "second"]), LEDGER.c.request_class.is_not(None))
            .group_by(LEDGER.c.request_class)
        )
        rows = await self._database.rows(query)
        return {row.request_class: float(row.total or 0) for row in rows}

    async def mean_costs(self, room: str) -> Mapping[str, float]:
        """Give what the strong model's answers cost on average, by the classes of a room."""
        mine = func.substr(LEDGER.c.request_class, 1, len(room)) == room
        mean = (func.sum(cast(LEDGER.c.cost, Float)) / func.sum(LEDGER.c.requests)).label("mean")
        query = (
            select(LEDGER.c.request_class, mean)
            .where(mine, LEDGER.c.purpose == "strong", LEDGER.c.cost.is_not(None))
            .group_by(LEDGER.c.request_class)
        )
        rows = await self._database.rows(query)
        return {str(row.request_class)[len(room) :]: float(row.mean) for row in rows}

    async def keep_key(self, key: Key, digest: str) -> None:
        """Keep a new key, or a changed one."""
        body = {"body": key.model_dump_json()}
        new = self._database.upsert(KEYS).values(id=key.id, digest=digest, **body)
        await self._do(new.on_conflict_do_update(index_elements=["id"], set_=body))

    async def keys(self) -> Mapping[str, Key]:
        """Give all keys by digest."""
        rows = await self._database.rows(select(KEYS.c.digest, KEYS.c.body))
        return {row.digest: Key.model_validate_json(row.body) for row in rows}

    async def spent(self, key: Key) -> Decimal:
        """Give what a key has spent in its window, the last days in UTC; unknown costs are not in it."""
        query = select(func.sum(SPENDING.c.nano_usd)).where(SPENDING.c.key == key.id)
        if key.window is not None:
            since = datetime.now(UTC) - timedelta(days=key.window)
            query = query.where(SPENDING.c.day > since.date().isoformat())
        rows = await self._database.rows(query)
        return Decimal(int(rows[0][0] or 0)) / NANO

    async def forget(self, before: str) -> int:
        """Delete requests and comparisons from before a time; gives how many requests."""

        def work() -> int:
            with self._database.transaction(write=True) as connection:
                connection.execute(delete(COMPARISONS).where(COMPARISONS.c.at < before))
                return connection.execute(delete(REQUESTS).where(REQUESTS.c.at < before)).rowcount

        return await asyncio.to_thread(work)

    async def grant(self, request_class: str, tenant: str) -> None:
        """Let a tenant use a class of another one."""
        row = {"request_class": request_class, "tenant": tenant, "at": now()}
        await self._do(self._database.upsert(GRANTS).values(row).on_conflict_do_nothing())

    async def withdraw(self, request_class: str, tenant: str) -> None:
        """Take a grant back."""
        mine = (GRANTS.c.request_class == request_class) & (GRANTS.c.tenant == tenant)
        await self._do(delete(GRANTS).where(mine))

    async def granted(self, tenant: str) -> Sequence[str]:
        """Give the full names of the classes that others let a tenant use."""
        query = select(GRANTS.c.request_class).where(GRANTS.c.tenant == tenant)
        return [row.request_class for row in await self._database.rows(query)]

    async def _do(self, statement: Executable) -> None:
        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(statement)

        await asyncio.to_thread(work)
