"""The tool store over SQL: immutable versions, states, queue, ledger, counts and reports.

A store has rooms: one that is opened as a room, such as ``acme/``, reads and writes only classes whose names
begin so, and shows them without it. The whole store, without a room, sees all of them under their full names.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from os import PathLike, fspath
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, delete, func, insert, select, true, update

from toolwright.core.errors import ToolNotFound
from toolwright.core.store import (
    Count,
    LedgerEntry,
    MakingReport,
    TrajectoryLog,
    Transition,
)
from toolwright.core.tool import Demonstration, State, ToolRecord
from toolwright.core.traffic import Lease, LiveStore
from toolwright.core.values import digest
from toolwright.store.engine import Database, now
from toolwright.store.live import SqlLive, check_lease
from toolwright.store.rows import ledger_entry, ledger_row
from toolwright.store.schema import COUNTS, GRANTS, LEDGER, QUEUE, REPORTS, TOOLS, TRANSITIONS
from toolwright.store.states import move, note, step_down
from toolwright.store.traces import SqlTraces
from toolwright.store.traffic import SqlTraffic


class SqlStore:
    """Keeps everything in one SQL database; see ``toolwright.core.store.ToolStore``."""

    def __init__(self, database: Database, room: str = "") -> None:
        self._database, self._room = database, room

    @classmethod
    def open(cls, where: str | PathLike[str]) -> "SqlStore":
        """Open, or begin, a store in one SQLite file, or in the PostgreSQL database of a URL."""
        return cls(Database.open(fspath(where)))

    def room(self, name: str) -> "SqlStore":
        """Give a room of this store."""
        return SqlStore(self._database, self._room + name)

    def _full(self, request_class: str) -> str:
        return self._room + request_class

    def _mine(self, column: Column[Any]) -> ColumnElement[bool]:
        """Give the condition that a class is of this room; letters of two cases differ."""
        return func.substr(column, 1, len(self._room)) == self._room if self._room else true()

    def _short(self, row: Row[Any]) -> str:
        return str(row.request_class)[len(self._room) :]

    def _tool(self, row: Row[Any]) -> ToolRecord:
        record = ToolRecord.model_validate_json(row.record)
        return record.model_copy(update={"request_class": self._short(row)})

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @property
    def traces(self) -> TrajectoryLog:
        """The trajectories and the wishes for tools, in the same database."""
        return SqlTraces(self._database)

    @property
    def live(self) -> LiveStore:
        """What live traffic shows of this room's tools, in the same database."""
        return SqlLive(self._database, self._room)

    @property
    def traffic(self) -> "SqlTraffic":
        """The log of requests and the keys, in the same database; a room's store has that of the whole."""
        return SqlTraffic(self._database)

    async def add(
        self, record: ToolRecord, state: State, reason: str, lease: Lease | None = None
    ) -> ToolRecord:
        """Keep a new version under the next number of its class."""
        return await asyncio.to_thread(self._add, record, state, reason, lease)

    def _add(
        self, record: ToolRecord, state: State, reason: str, lease: Lease | None
    ) -> ToolRecord:
        name = self._full(record.request_class)
        with self._database.transaction(write=True) as connection:
            if lease is not None:
                check_lease(self._database, connection, lease)
            self._database.hold(connection, name)
            mine = TOOLS.c.request_class == name
            last = connection.execute(select(func.max(TOOLS.c.version)).where(mine)).scalar()
            kept = record.model_copy(update={"version": (last or 0) + 1})
            if state == "serving":
                step_down(connection, name, "a newer version serves")
            row = {
                "request_class": name, "version": kept.version,
                "digest": kept.digest, "record": kept.model_dump_json(), "state": state,
            }  # fmt: skip
            connection.execute(insert(TOOLS).values(row))
            note(connection, name, kept.version, state, reason)
        return kept

    async def get(self, request_class: str, version: int | None = None) -> ToolRecord:
        """Give a version, by default the newest."""
        query = select(TOOLS.c.request_class, TOOLS.c.record).where(
            TOOLS.c.request_class == self._full(request_class)
        )
        if version is not None:
            query = query.where(TOOLS.c.version == version)
        rows = await self._database.rows(query.order_by(TOOLS.c.version.desc()).limit(1))
        if not rows:
            name = request_class if version is None else f"{request_class} v{version}"
            raise ToolNotFound(f"the store has no tool {name!r}; `toolwright tools list` names all")
        return self._tool(rows[0])

    async def serving(self) -> Sequence[ToolRecord]:
        """Give the serving version of each class."""
        query = select(TOOLS.c.request_class, TOOLS.c.record).where(TOOLS.c.state == "serving")
        rows = await self._database.rows(query.where(self._mine(TOOLS.c.request_class)))
        return [self._tool(row) for row in rows]

    async def versions(
        self, request_class: str | None = None
    ) -> Sequence[tuple[ToolRecord, State]]:
        """Give all versions with their states."""
        query = select(TOOLS.c.request_class, TOOLS.c.record, TOOLS.c.state)
        query = query.where(self._mine(TOOLS.c.request_class))
        if request_class is not None:
            query = query.where(TOOLS.c.request_class == self._full(request_class))
        rows = await self._database.rows(query.order_by(TOOLS.c.request_class, TOOLS.c.version))
        return [(self._tool(row), row.state) for row in rows]

    async def move(self, request_class: str, version: int, state: State, reason: str) -> None:
        """Change a version's state; a version that begins to serve replaces the one that did."""
        await asyncio.to_thread(self._move, self._full(request_class), version, state, reason)

    def _move(self, name: str, version: int, state: State, reason: str) -> None:
        with self._database.transaction(write=True) as connection:
            self._database.hold(connection, name)
            move(connection, name, version, state, reason)

    async def changes(self) -> str:
        """Give a text that differs once any version of any room has changed its state, or a grant was
        made.
        """
        last = select(func.max(TRANSITIONS.c.id)).scalar_subquery()
        query = select(
            last.label("last"), func.count().label("grants"), func.max(GRANTS.c.at).label("at")
        )
        (row,) = await self._database.rows(query.select_from(GRANTS))
        return f"{row.last} {row.grants} {row.at}"

    async def history(self, request_class: str, version: int) -> Sequence[Transition]:
        """Give every change of state of a version."""
        table = TRANSITIONS
        query = select(table.c.state, table.c.reason, table.c.at).where(
            table.c.request_class == self._full(request_class), table.c.version == version
        )
        rows = await self._database.rows(query.order_by(table.c.id))
        return [
            Transition(state=row.state, reason=row.reason, at=datetime.fromisoformat(row.at))
            for row in rows
        ]

    async def enqueue(self, request_class: str, demonstration: Demonstration) -> int:
        """Queue a request with its answer; one that is queued already takes the newer answer."""

        def work() -> int:
            name = self._full(request_class)
            row = {
                "request_class": name, "input": demonstration.input,
                "input_digest": digest(demonstration.input), "target": demonstration.target,
                "at": now(),
            }  # fmt: skip
            mine = QUEUE.c.request_class == name
            new = self._database.upsert(QUEUE).values(row).on_conflict_do_update(
                index_elements=["request_class", "input_digest"],
                set_={"target": row["target"], "at": row["at"]},
            )  # fmt: skip
            with self._database.transaction(write=True) as connection:
                connection.execute(new)
                return connection.execute(select(func.count()).where(mine)).scalar_one()

        return await asyncio.to_thread(work)

    async def join(self, request_class: str, other: str) -> None:
        """Move all that is queued under one class to another one; what both have stays once."""
        old, new = self._full(request_class), self._full(other)
        there = select(QUEUE.c.input_digest).where(QUEUE.c.request_class == new)
        mine = QUEUE.c.request_class == old

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(delete(QUEUE).where(mine, QUEUE.c.input_digest.in_(there)))
                connection.execute(update(QUEUE).where(mine).values(request_class=new))

        await asyncio.to_thread(work)

    async def queued(
        self, request_class: str | None = None, since: str | None = None
    ) -> dict[str, list[Demonstration]]:
        """Give the queued demonstrations by class, those alone that came since a time where one is given."""
        query = select(QUEUE.c.request_class, QUEUE.c.input, QUEUE.c.target).order_by(QUEUE.c.id)
        if since is not None:
            query = query.where(QUEUE.c.at >= since)
        query = query.where(self._mine(QUEUE.c.request_class))
        if request_class is not None:
            query = query.where(QUEUE.c.request_class == self._full(request_class))
        found: dict[str, list[Demonstration]] = {}
        for row in await self._database.rows(query):
            demonstration = Demonstration(input=row.input, target=row.target)
            found.setdefault(self._short(row), []).append(demonstration)
        return found

    async def record(self, entries: Sequence[LedgerEntry], counts: Sequence[Count]) -> None:
        """Write ledger entries and add counts, in one transaction."""

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                if entries:
                    connection.execute(
                        insert(LEDGER), [ledger_row(one, self._room) for one in entries]
                    )
                for count in counts:
                    row = count.model_dump() | {"request_class": self._full(count.request_class)}
                    new = self._database.upsert(COUNTS).values(row)
                    added = {
                        name: COUNTS.c[name] + new.excluded[name]
                        for name in ("answered", "refused", "failed")
                    }
                    key = ["request_class", "version", "tier"]
                    connection.execute(new.on_conflict_do_update(index_elements=key, set_=added))

        await asyncio.to_thread(work)

    async def ledger(self) -> Sequence[LedgerEntry]:
        """Give every ledger entry."""
        query = select(LEDGER).order_by(LEDGER.c.id).where(self._mine(LEDGER.c.request_class))
        return [ledger_entry(row, self._room) for row in await self._database.rows(query)]

    async def counts(self) -> Sequence[Count]:
        """Give the counts by class, version and tier."""
        query = select(COUNTS).order_by(COUNTS.c.request_class, COUNTS.c.version)
        return [
            Count(
                request_class=self._short(row), version=row.version, tier=row.tier,
                answered=row.answered, refused=row.refused, failed=row.failed,
            )
            for row in await self._database.rows(query.where(self._mine(COUNTS.c.request_class)))
        ]  # fmt: skip

    async def report(self, report: MakingReport) -> int:
        """Keep a making report."""

        def work() -> int:
            row = {
                "request_class": self._full(report.request_class), "made": int(report.made),
                "version": report.version, "at": report.at.isoformat(),
                "body": json.dumps(report.body),
            }  # fmt: skip
            with self._database.transaction(write=True) as connection:
                result = connection.execute(insert(REPORTS).values(row))
                return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0

        return await asyncio.to_thread(work)

    async def reports(self, request_class: str | None = None) -> Sequence[MakingReport]:
        """Give making reports."""
        query = select(REPORTS).order_by(REPORTS.c.id).where(self._mine(REPORTS.c.request_class))
        if request_class is not None:
            query = query.where(REPORTS.c.request_class == self._full(request_class))
        return [
            MakingReport(
                id=row.id, request_class=self._short(row), made=bool(row.made),
                version=row.version, at=datetime.fromisoformat(row.at), body=json.loads(row.body),
            )
            for row in await self._database.rows(query)
        ]  # fmt: skip
