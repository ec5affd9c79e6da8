"""The tool store over SQL: immutable versions, states, queue, ledger, counts and reports."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from toolwright.core.errors import StoreError, ToolNotFound
from toolwright.core.model import Usage
from toolwright.core.store import (
    Count,
    LedgerEntry,
    MakingReport,
    TrajectoryLog,
    Transition,
)
from toolwright.core.tool import TRANSITIONS as ALLOWED
from toolwright.core.tool import Demonstration, State, ToolRecord
from toolwright.core.values import digest
from toolwright.store.engine import Database, now
from toolwright.store.schema import COUNTS, LEDGER, QUEUE, REPORTS, TOOLS, TRANSITIONS
from toolwright.store.traces import SqlTraces


class SqlStore:
    """Keeps everything in one SQL database; see ``toolwright.core.store.ToolStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: Path) -> "SqlStore":
        """Open, or begin, a store in one SQLite file."""
        return cls(Database.sqlite(path))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @property
    def traces(self) -> TrajectoryLog:
        """The trajectories and the wishes for tools, in the same database."""
        return SqlTraces(self._database)

    async def add(self, record: ToolRecord, state: State, reason: str) -> ToolRecord:
        """Keep a new version under the next number of its class."""
        return await asyncio.to_thread(self._add, record, state, reason)

    def _add(self, record: ToolRecord, state: State, reason: str) -> ToolRecord:
        with self._database.transaction(write=True) as connection:
            mine = TOOLS.c.request_class == record.request_class
            last = connection.execute(select(func.max(TOOLS.c.version)).where(mine)).scalar()
            kept = record.model_copy(update={"version": (last or 0) + 1})
            if state == "serving":
                self._step_down(connection, record.request_class, "a newer version serves")
            row = {
                "request_class": kept.request_class, "version": kept.version,
                "digest": kept.digest, "record": kept.model_dump_json(), "state": state,
            }  # fmt: skip
            connection.execute(insert(TOOLS).values(row))
            _log(connection, kept.request_class, kept.version, state, reason)
        return kept

    def _step_down(self, connection: Connection, request_class: str, reason: str) -> None:
        mine = (TOOLS.c.request_class == request_class) & (TOOLS.c.state == "serving")
        for (version,) in connection.execute(select(TOOLS.c.version).where(mine)).all():
            _log(connection, request_class, version, "demoted", reason)
        connection.execute(update(TOOLS).where(mine).values(state="demoted"))

    async def get(self, request_class: str, version: int | None = None) -> ToolRecord:
        """Give a version, by default the newest."""
        query = select(TOOLS.c.record).where(TOOLS.c.request_class == request_class)
        if version is not None:
            query = query.where(TOOLS.c.version == version)
        rows = await self._database.rows(query.order_by(TOOLS.c.version.desc()).limit(1))
        if not rows:
            name = request_class if version is None else f"{request_class} v{version}"
            raise ToolNotFound(f"the store has no tool {name!r}; `toolwright tools list` names all")
        return ToolRecord.model_validate_json(rows[0].record)

    async def serving(self) -> Sequence[ToolRecord]:
        """Give the serving version of each class."""
        rows = await self._database.rows(select(TOOLS.c.record).where(TOOLS.c.state == "serving"))
        return [ToolRecord.model_validate_json(row.record) for row in rows]

    async def versions(
        self, request_class: str | None = None
    ) -> Sequence[tuple[ToolRecord, State]]:
        """Give all versions with their states."""
        query = select(TOOLS.c.record, TOOLS.c.state)
        if request_class is not None:
            query = query.where(TOOLS.c.request_class == request_class)
        rows = await self._database.rows(query.order_by(TOOLS.c.request_class, TOOLS.c.version))
        return [(ToolRecord.model_validate_json(row.record), row.state) for row in rows]

    async def move(self, request_class: str, version: int, state: State, reason: str) -> None:
        """Change a version's state; a version that begins to serve replaces the one that did."""
        await asyncio.to_thread(self._move, request_class, version, state, reason)

    def _move(self, request_class: str, version: int, state: State, reason: str) -> None:
        mine = (TOOLS.c.request_class == request_class) & (TOOLS.c.version == version)
        with self._database.transaction(write=True) as connection:
            current: State | None = connection.execute(
                select(TOOLS.c.state).where(mine)
            ).scalar_one_or_none()
            if current is None:
                raise ToolNotFound(f"the store has no tool '{request_class} v{version}'")
            if state not in ALLOWED[current]:
                raise StoreError(
                    f"'{request_class} v{version}' is {current}, it cannot become {state}",
                    code="store-state",
                )
            if state == "serving":
                self._step_down(connection, request_class, f"v{version} serves")
            connection.execute(update(TOOLS).where(mine).values(state=state))
            _log(connection, request_class, version, state, reason)

    async def history(self, request_class: str, version: int) -> Sequence[Transition]:
        """Give every change of state of a version."""
        table = TRANSITIONS
        query = select(table.c.state, table.c.reason, table.c.at).where(
            table.c.request_class == request_class, table.c.version == version
        )
        rows = await self._database.rows(query.order_by(table.c.id))
        return [
            Transition(state=row.state, reason=row.reason, at=datetime.fromisoformat(row.at))
            for row in rows
        ]

    async def enqueue(self, request_class: str, demonstration: Demonstration) -> int:
        """Queue a request with its answer; a request that is queued already stays as it is."""

        def work() -> int:
            row = {
                "request_class": request_class, "input": demonstration.input,
                "input_digest": digest(demonstration.input), "target": demonstration.target,
            }  # fmt: skip
            mine = QUEUE.c.request_class == request_class
            with self._database.transaction(write=True) as connection:
                connection.execute(upsert(QUEUE).values(row).on_conflict_do_nothing())
                return connection.execute(select(func.count()).where(mine)).scalar_one()

        return await asyncio.to_thread(work)

    async def queued(self, request_class: str | None = None) -> dict[str, list[Demonstration]]:
        """Give the queued demonstrations by class."""
        query = select(QUEUE.c.request_class, QUEUE.c.input, QUEUE.c.target).order_by(QUEUE.c.id)
        if request_class is not None:
            query = query.where(QUEUE.c.request_class == request_class)
        found: dict[str, list[Demonstration]] = {}
        for row in await self._database.rows(query):
            demonstration = Demonstration(input=row.input, target=row.target)
            found.setdefault(row.request_class, []).append(demonstration)
        return found

    async def record(self, entries: Sequence[LedgerEntry], counts: Sequence[Count]) -> None:
        """Write ledger entries and add counts, in one transaction."""

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                if entries:
                    connection.execute(insert(LEDGER), [_ledger_row(entry) for entry in entries])
                for count in counts:
                    new = upsert(COUNTS).values(count.model_dump())
                    added = {
                        name: COUNTS.c[name] + new.excluded[name]
                        for name in ("answered", "refused", "failed")
                    }
                    key = ["request_class", "version", "tier"]
                    connection.execute(new.on_conflict_do_update(index_elements=key, set_=added))

        await asyncio.to_thread(work)

    async def ledger(self) -> Sequence[LedgerEntry]:
        """Give every ledger entry."""
        return [
            _entry(row) for row in await self._database.rows(select(LEDGER).order_by(LEDGER.c.id))
        ]

    async def counts(self) -> Sequence[Count]:
        """Give the counts by class, version and tier."""
        rows = await self._database.mappings(
            select(COUNTS).order_by(COUNTS.c.request_class, COUNTS.c.version)
        )
        return [Count.model_validate(dict(row)) for row in rows]

    async def report(self, report: MakingReport) -> int:
        """Keep a making report."""

        def work() -> int:
            row = {
                "request_class": report.request_class, "made": int(report.made),
                "version": report.version, "at": report.at.isoformat(),
                "body": json.dumps(report.body),
            }  # fmt: skip
            with self._database.transaction(write=True) as connection:
                result = connection.execute(insert(REPORTS).values(row))
                return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0

        return await asyncio.to_thread(work)

    async def reports(self, request_class: str | None = None) -> Sequence[MakingReport]:
        """Give making reports."""
        query = select(REPORTS).order_by(REPORTS.c.id)
        if request_class is not None:
            query = query.where(REPORTS.c.request_class == request_class)
        return [
            MakingReport(
                id=row.id, request_class=row.request_class, made=bool(row.made),
                version=row.version, at=datetime.fromisoformat(row.at), body=json.loads(row.body),
            )
            for row in await self._database.rows(query)
        ]  # fmt: skip


def _log(connection: Connection, name: str, version: int, state: str, reason: str) -> None:
    row = {"request_class": name, "version": version, "state": state, "reason": reason, "at": now()}
    connection.execute(insert(TRANSITIONS).values(row))


def _ledger_row(entry: LedgerEntry) -> dict[str, object]:
    usage = entry.usage
    return {
        "purpose": entry.purpose, "request_class": entry.request_class, "model": entry.model,
        "requests": usage.requests, "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens, "output_tokens": usage.output_tokens,
        "cost": None if usage.cost is None else str(usage.cost),
        "seconds": entry.seconds, "at": entry.at.isoformat(),
    }  # fmt: skip


def _entry(row: Row[Any]) -> LedgerEntry:
    usage = Usage(
        requests=row.requests, input_tokens=row.input_tokens, cached_tokens=row.cached_tokens,
        output_tokens=row.output_tokens, cost=None if row.cost is None else Decimal(row.cost),
    )  # fmt: skip
    return LedgerEntry(
        purpose=row.purpose, request_class=row.request_class, model=row.model, usage=usage,
        seconds=row.seconds, at=datetime.fromisoformat(row.at),
    )  # fmt: skip
