"""What live traffic shows of tools, over SQL: tallies, disagreements, leases."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, text, update

from toolmint.core.errors import StoreError, ToolNotFound
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.store import Lease, Tally
from toolmint.core.tool import State
from toolmint.core.traffic import Comparison, ComparisonOutcome, TallyUpdate
from toolmint.core.user_report import ReportCounts, UserReport
from toolmint.store.clock import now as now_text
from toolmint.store.columns import CLASS_COLUMNS, class_row, in_namespace, is_class, key_of
from toolmint.store.engine import Database
from toolmint.store.schema import (
    COMPARISONS_TABLE,
    FEEDBACK_TABLE,
    LEASES_TABLE,
    TALLIES_TABLE,
    TOOLS_TABLE,
)
from toolmint.store.states import change_state


def clock(database: Database, connection: Connection) -> float:
    """Return the seconds since 1970 by the database's clock, which all owners of leases share."""
    if database.lite:
        return time.time()
    now = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
    return float(now)


class SqlLive:
    """Keeps tallies, disagreements and leases; see ``toolmint.core.traffic.LiveStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tally(self, key: ClassKey, version: int) -> Tally:
        """Return what is known of a version."""

        def work() -> Tally:
            with self._database.transaction(write=False) as connection:
                return _tally(connection, key, version)

        return await asyncio.to_thread(work)

    async def tallies(
        self, namespace: Namespace | None = None
    ) -> Mapping[ClassKey, dict[int, Tally]]:
        """Return what is known of all versions of a namespace, by class and version."""
        query = select(TALLIES_TABLE).where(in_namespace(TALLIES_TABLE, namespace))
        found: dict[ClassKey, dict[int, Tally]] = {}
        for row in await self._database.rows(query):
            found.setdefault(key_of(row), {})[row.version] = Tally.model_validate_json(row.body)
        return found

    async def record_comparison(
        self,
        key: ClassKey,
        version: int,
        update: TallyUpdate,
        kept: Comparison | None = None,
        *,
        report: UserReport | None = None,
    ) -> ComparisonOutcome:
        """Apply a comparison to a version, a user's report once."""
        return await asyncio.to_thread(self._record_comparison, key, version, update, kept, report)

    def _record_comparison(
        self,
        key: ClassKey,
        version: int,
        update: TallyUpdate,
        kept: Comparison | None,
        report: UserReport | None,
    ) -> ComparisonOutcome:
        mine = is_class(TOOLS_TABLE, key) & (TOOLS_TABLE.c.version == version)
        with self._database.transaction(write=True) as connection:
            self._database.hold(connection, str(key))
            row = connection.execute(select(TOOLS_TABLE.c.state).where(mine)).first()
            if row is None:
                raise ToolNotFound(f"the store has no tool '{key} v{version}'")
            state: State = row.state
            if report is not None and not self._first(connection, key, version, report, counted=1):
                return ComparisonOutcome(
                    _tally(connection, key, version), state, "", False, counted=False
                )
            tally, then, reason = update(_tally(connection, key, version), state)
            body = {"body": tally.model_dump_json()}
            new = self._database.upsert(TALLIES_TABLE).values(
                class_row(key) | {"version": version} | body
            )
            new = new.on_conflict_do_update(index_elements=[*CLASS_COLUMNS, "version"], set_=body)
            connection.execute(new)
            if kept is not None:
                connection.execute(insert(COMPARISONS_TABLE).values(_row(key, kept)))
            if then is not None and then != state:
                change_state(connection, key, version, then, reason)
                state = then
        return ComparisonOutcome(tally, state, reason, kept is not None)

    def _first(
        self,
        connection: Connection,
        key: ClassKey,
        version: int,
        report: UserReport,
        *,
        counted: int,
    ) -> bool:
        """Note a report; return whether it is its key's first on the request."""
        row = class_row(key) | {
            "request": report.request,
            "key": report.key,
            "version": version,
            "agreed": int(report.agreed),
            "counted": counted,
            "at": now_text(),
        }
        new = self._database.upsert(FEEDBACK_TABLE).values(row).on_conflict_do_nothing()
        return connection.execute(new.returning(FEEDBACK_TABLE.c.request)).first() is not None

    async def keep_report(self, key: ClassKey, version: int, report: UserReport) -> bool:
        """Keep a report of another tenant."""

        def work() -> bool:
            with self._database.transaction(write=True) as connection:
                return self._first(connection, key, version, report, counted=0)

        return await asyncio.to_thread(work)

    async def report_counts(self, key: ClassKey) -> Mapping[int, ReportCounts]:
        """Return what other tenants have reported of a class, by version."""
        table = FEEDBACK_TABLE.c
        query = (
            select(table.version, func.count().label("all"), func.sum(table.agreed).label("right"))
            .where(is_class(FEEDBACK_TABLE, key), table.counted == 0)
            .group_by(table.version)
        )
        return {
            row.version: ReportCounts(int(row.right), int(row.all) - int(row.right))
            for row in await self._database.rows(query)
        }

    async def disagreements(self, key: ClassKey) -> Sequence[Comparison]:
        """Return the kept disagreements of a class, newest first."""
        table = COMPARISONS_TABLE
        query = select(table).where(is_class(table, key)).order_by(table.c.id.desc())
        return [
            Comparison(
                kind=row.kind,
                version=row.version,
                input=row.input,
                ours=row.ours,
                theirs=row.theirs,
                at=datetime.fromisoformat(row.at),
            )
            for row in await self._database.rows(query)
        ]

    async def lease(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Take a lease; its name is one for all namespaces."""

        def work() -> Lease | None:
            with self._database.transaction(write=True) as connection:
                self._database.hold(connection, f"lease {name}")
                now = clock(self._database, connection)
                row = connection.execute(
                    select(LEASES_TABLE).where(LEASES_TABLE.c.name == name)
                ).first()
                if row is not None and row.until > now:
                    return None
                values = {
                    "owner": owner,
                    "token": row.token + 1 if row else 1,
                    "until": now + seconds,
                }
                new = self._database.upsert(LEASES_TABLE).values(name=name, **values)
                connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=values))
                return Lease(name, owner, int(values["token"]))

        return await asyncio.to_thread(work)

    async def renew(self, lease: Lease, seconds: float) -> bool:
        """Prolong a lease."""

        def work() -> bool:
            with self._database.transaction(write=True) as connection:
                until = clock(self._database, connection) + seconds
                mine = _is_owned(lease)
                return (
                    connection.execute(
                        update(LEASES_TABLE).where(mine).values(until=until)
                    ).rowcount
                    == 1
                )

        return await asyncio.to_thread(work)

    async def release(self, lease: Lease) -> None:
        """Release a lease; its token is never used again."""

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(update(LEASES_TABLE).where(_is_owned(lease)).values(until=0.0))

        await asyncio.to_thread(work)


def _is_owned(lease: Lease) -> ColumnElement[bool]:
    """Return the condition that a lease is still its holder's."""
    return (LEASES_TABLE.c.name == lease.name) & (LEASES_TABLE.c.token == lease.token)


def check_lease(database: Database, connection: Connection, lease: Lease) -> None:
    """Check, inside a transaction, that a lease has not lapsed.

    Raises:
        StoreError: another owner may have it by now.
    """
    database.hold(connection, f"lease {lease.name}")
    row = connection.execute(select(LEASES_TABLE.c.until).where(_is_owned(lease))).first()
    if row is None or row.until <= clock(database, connection):
        raise StoreError(f"the lease {lease.name!r} lapsed", code="lease-lost")


def _row(key: ClassKey, kept: Comparison) -> dict[str, Any]:
    return kept.model_dump() | class_row(key) | {"at": kept.at.isoformat()}


def _tally(connection: Connection, key: ClassKey, version: int) -> Tally:
    mine = is_class(TALLIES_TABLE, key) & (TALLIES_TABLE.c.version == version)
    body = connection.execute(select(TALLIES_TABLE.c.body).where(mine)).scalar_one_or_none()
    return Tally(attempt=version) if body is None else Tally.model_validate_json(body)
