"""The ledger of model calls and the reports of tool making, over SQL."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, insert, select

from toolmint.core.model import Usage
from toolmint.core.namespace import Namespace
from toolmint.core.store import LedgerEntry, MakingReport
from toolmint.store.columns import class_row, is_class
from toolmint.store.schema import LEDGER_TABLE, REPORTS_TABLE
from toolmint.store.view import NamespaceView


class SqlLedger(NamespaceView):
    """Keeps ledger and reports; see ``toolmint.core.store.ToolStore``."""

    async def record(self, entries: Sequence[LedgerEntry]) -> None:
        """Write ledger entries, in one transaction."""
        rows = [self._row(one) for one in entries]

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(insert(LEDGER_TABLE), rows)

        if rows:
            await asyncio.to_thread(work)

    async def ledger(self) -> Sequence[LedgerEntry]:
        """Return every ledger entry."""
        query = select(LEDGER_TABLE).where(self._mine(LEDGER_TABLE)).order_by(LEDGER_TABLE.c.id)
        return [self._entry(row) for row in await self._database.rows(query)]

    def _row(self, entry: LedgerEntry) -> dict[str, object]:
        """Return the row of an entry; one without a class is the namespace's."""
        name, usage = entry.request_class, entry.usage
        if name is None:
            tenant, scope = self._namespace or Namespace()
        else:
            tenant, scope, name = self._key(name)
        return {
            "purpose": entry.purpose,
            "tenant": tenant,
            "scope": scope,
            "request_class": name,
            "model": entry.model,
            "requests": usage.requests,
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.cached_tokens,
            "output_tokens": usage.output_tokens,
            "cost": None if usage.cost is None else str(usage.cost),
            "seconds": entry.seconds,
            "at": entry.at.isoformat(),
        }

    def _entry(self, row: Row[Any]) -> LedgerEntry:
        usage = Usage(
            requests=row.requests,
            input_tokens=row.input_tokens,
            cached_tokens=row.cached_tokens,
            output_tokens=row.output_tokens,
            cost=None if row.cost is None else Decimal(row.cost),
        )
        return LedgerEntry(
            purpose=row.purpose,
            request_class=None if row.request_class is None else self._name(row),
            model=row.model,
            usage=usage,
            seconds=row.seconds,
            at=datetime.fromisoformat(row.at),
        )

    async def report(self, report: MakingReport) -> int:
        """Keep a making report."""
        row = class_row(self._key(report.request_class)) | {
            "made": int(report.made),
            "version": report.version,
            "at": report.at.isoformat(),
            "body": json.dumps(report.body),
        }

        def work() -> int:
            with self._database.transaction(write=True) as connection:
                result = connection.execute(insert(REPORTS_TABLE).values(row))
                return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0

        return await asyncio.to_thread(work)

    async def reports(self, request_class: str | None = None) -> Sequence[MakingReport]:
        """Return making reports."""
        query = select(REPORTS_TABLE).where(self._mine(REPORTS_TABLE))
        if request_class is not None:
            query = query.where(is_class(REPORTS_TABLE, self._key(request_class)))
        return [
            MakingReport(
                id=row.id,
                request_class=self._name(row),
                made=bool(row.made),
                version=row.version,
                at=datetime.fromisoformat(row.at),
                body=json.loads(row.body),
            )
            for row in await self._database.rows(query.order_by(REPORTS_TABLE.c.id))
        ]
