"""A ledger entry as a row, and back."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from toolwright.core.model import Usage
from toolwright.core.store import LedgerEntry


def ledger_row(entry: LedgerEntry, room: str) -> dict[str, object]:
    """Give the row of an entry; its class stands in a room."""
    usage = entry.usage
    return {
        "purpose": entry.purpose, "model": entry.model,
        "request_class": room + (entry.request_class or "") or None,
        "requests": usage.requests, "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens, "output_tokens": usage.output_tokens,
        "cost": None if usage.cost is None else str(usage.cost),
        "seconds": entry.seconds, "at": entry.at.isoformat(),
    }  # fmt: skip


def ledger_entry(row: Row[Any], room: str) -> LedgerEntry:
    """Give the entry of a row, its class without the room."""
    usage = Usage(
        requests=row.requests, input_tokens=row.input_tokens, cached_tokens=row.cached_tokens,
        output_tokens=row.output_tokens, cost=None if row.cost is None else Decimal(row.cost),
    )  # fmt: skip
    return LedgerEntry(
        purpose=row.purpose, request_class=str(row.request_class or "")[len(room) :] or None,
        model=row.model, usage=usage, seconds=row.seconds, at=datetime.fromisoformat(row.at),
    )  # fmt: skip
