"""The log of requests over SQL, and the sums that stay when requests are forgotten."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Float,
    Select,
    case,
    cast,
    delete,
    func,
    literal_column,
    select,
    union_all,
)

from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.totals import DailyTotal, MakingCost
from toolmint.core.traffic import RequestRecord
from toolmint.store.batches import NANO, write_requests
from toolmint.store.columns import in_namespace, key_of
from toolmint.store.keys import SqlKeys
from toolmint.store.schema import (
    COMPARISONS_TABLE,
    DAILY_TOTALS_TABLE,
    FEEDBACK_TABLE,
    LEDGER_TABLE,
    REQUESTS_TABLE,
)

_TOTAL_KEY = ("day", "class_tenant", "scope", "request_class", "tier")
_SUMS = ("requests", "cost_nano_usd", "saved_nano_usd", "unknown", "tokens", "unsaved")


def _summed() -> Select[*tuple[Any, ...]]:
    """Return the query of requests as rows of ``daily_totals``; its caller says which requests."""
    table = REQUESTS_TABLE.c
    day = func.substr(table.at, 1, 10)
    key = [func.coalesce(table[name], "") for name in _TOTAL_KEY[1:4]]

    def nano(amount: Any) -> Any:  # noqa: ANN401 - a column
        dollars = func.coalesce(func.sum(cast(amount, Float)), 0.0)
        return cast(func.round(dollars * NANO), BigInteger)

    return select(
        day.label("day"),
        *(column.label(name) for column, name in zip(key, _TOTAL_KEY[1:4], strict=True)),
        table.tier,
        func.count().label("requests"),
        nano(table.cost).label("cost_nano_usd"),
        nano(table.saved).label("saved_nano_usd"),
        func.sum(case((table.cost.is_(None), 1), else_=0)).label("unknown"),
        func.sum(table.tokens).label("tokens"),
        func.sum(case((table.saved.is_(None), 1), else_=0)).label("unsaved"),
    ).group_by(day, *key, table.tier)


class SqlTraffic(SqlKeys):
    """Keeps requests, and the keys that they come with; see ``toolmint.core.traffic.TrafficLog``."""

    async def write(self, request_record: Sequence[RequestRecord], *, again: bool = False) -> None:
        """Write requests, ledger entries and demonstrations in one transaction."""

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                fresh = request_record
                if again:
                    ids = REQUESTS_TABLE.c.id.in_([one.id for one in request_record])
                    known = set(
                        connection.execute(select(REQUESTS_TABLE.c.id).where(ids)).scalars()
                    )
                    fresh = [one for one in request_record if one.id not in known]
                write_requests(connection, fresh)

        await asyncio.to_thread(work)

    async def request(self, number: str, tenant: str | None = None) -> RequestRecord | None:
        """Return one request by its id; None where there is none."""
        if "\0" in number:  # PostgreSQL refuses such a text, and no id has it
            return None
        query = select(REQUESTS_TABLE.c.body).where(REQUESTS_TABLE.c.id == number)
        if tenant is not None:
            query = query.where(REQUESTS_TABLE.c.tenant == tenant)
        rows = await self._database.rows(query)
        return RequestRecord.read(rows[0].body) if rows else None

    async def requests(
        self, *, tenant: str | None = None, request_class: str | None = None, most: int = 100
    ) -> Sequence[RequestRecord]:
        """Return the newest requests first."""
        table = REQUESTS_TABLE.c
        query = select(table.body).order_by(table.at.desc(), table.id).limit(most)
        if tenant is not None:
            query = query.where(table.tenant == tenant)
        if request_class is not None:
            key = ClassKey.parse(request_class)
            query = query.where(
                table.class_tenant == key.tenant,
                table.scope == key.scope,
                table.request_class == key.name,
            )
        return [RequestRecord.read(row.body) for row in await self._database.rows(query)]

    async def days(self, since: str) -> Sequence[DailyTotal]:
        """Return the requests since a day by day, class and tier, oldest first, forgotten ones too."""
        totals = DAILY_TOTALS_TABLE
        kept = _summed().where(REQUESTS_TABLE.c.at >= since)
        forgotten = select(*totals.c).where(totals.c.day >= since[:10])
        both = union_all(kept, forgotten).subquery()
        key = [both.c[name] for name in _TOTAL_KEY]
        sums = [func.sum(both.c[name]).label(name) for name in _SUMS]
        rows = await self._database.rows(select(*key, *sums).group_by(*key).order_by(*key))
        return [
            DailyTotal(
                day=row.day,
                request_class=(
                    str(ClassKey(row.class_tenant, row.scope, row.request_class))
                    if row.request_class
                    else None
                ),
                tier=row.tier,
                requests=int(row.requests),
                cost=int(row.cost_nano_usd) / NANO,
                saved=int(row.saved_nano_usd) / NANO,
                unknown=int(row.unknown),
                tokens=int(row.tokens),
                unsaved=int(row.unsaved),
            )
            for row in rows
        ]

    async def forget(self, before: str) -> int:
        """Delete requests, comparisons and feedback from before a time; the sums of the requests stay."""
        totals = DAILY_TOTALS_TABLE
        old = REQUESTS_TABLE.c.at < before
        new = self._database.upsert(totals).from_select([*_TOTAL_KEY, *_SUMS], _summed().where(old))
        added = {name: totals.c[name] + new.excluded[name] for name in _SUMS}
        add = new.on_conflict_do_update(index_elements=_TOTAL_KEY, set_=added)

        def work() -> int:
            with self._database.transaction(write=True) as connection:
                self._database.snapshot(connection)
                for table in (COMPARISONS_TABLE, FEEDBACK_TABLE):
                    connection.execute(delete(table).where(table.c.at < before))
                connection.execute(add)
                return connection.execute(delete(REQUESTS_TABLE).where(old)).rowcount

        return await asyncio.to_thread(work)

    async def makings(self) -> Mapping[str, MakingCost]:
        """Return what makings used, by ``str`` of the classes' keys."""
        table = LEDGER_TABLE.c
        key = (table.tenant, table.scope, table.request_class)
        query = (
            select(
                *key,
                func.sum(cast(table.cost, Float)).label("cost"),
                (func.count() - func.count(table.cost)).label("unknown"),
                func.sum(table.input_tokens + table.output_tokens).label("tokens"),
                func.sum(table.requests).label("calls"),
            )
            .where(table.purpose.in_(["making", "second"]), table.request_class.is_not(None))
            .group_by(*key)
        )
        return {
            str(key_of(row)): MakingCost(
                cost=None if row.unknown else float(row.cost),
                tokens=int(row.tokens),
                calls=int(row.calls),
            )
            for row in await self._database.rows(query)
        }

    async def mean_costs(self, namespace: Namespace) -> Mapping[str, float]:
        """Return what the strong model's answers cost on average, by the classes of a namespace."""
        table = LEDGER_TABLE.c
        calls = func.sum(table.requests)
        mean = func.sum(cast(table.cost, Float)) / func.nullif(calls, literal_column("0"))
        query = (
            select(table.request_class, mean.label("mean"))
            .where(in_namespace(LEDGER_TABLE, namespace), table.purpose == "strong")
            .where(table.cost.is_not(None), table.request_class.is_not(None))
            .group_by(table.request_class)
        )
        rows = await self._database.rows(query)
        return {row.request_class: float(row.mean) for row in rows if row.mean is not None}
