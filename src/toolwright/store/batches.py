"""Requests written by the batch: many rows in one statement.

SQLite lets go of the interpreter while a statement runs and takes it back after each: one for each row would
hold up the loop that serves requests at every row.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal

from sqlalchemy import Connection

from toolwright.core.traffic import Handled

NANO = 1_000_000_000
CHUNKS = (64, 8, 1)
"""Rows a statement; a fixed few, so that prepared statements are found again."""
Row = tuple[object, ...]


def _request(one: Handled) -> Row:
    return (
        one.id, one.tenant, one.key, one.at.isoformat(), one.tier, one.request_class, _money(one.cost),
        _money(one.saved), one.input_tokens + one.output_tokens, one.line.decode(),
    )  # fmt: skip


def _entry(one: Handled) -> Row | None:
    if not one.calls:
        return None
    return (
        "strong", one.model, one.request_class or f"{one.tenant}/", one.calls, one.input_tokens,
        one.cached_tokens, one.output_tokens, _money(one.cost), one.seconds, one.at.isoformat(),
    )  # fmt: skip


def _demonstration(one: Handled) -> Row | None:
    if one.queued is None or one.input is None or one.input_digest is None:
        return None
    return (one.queued, one.input, one.input_digest, one.answer, one.at.isoformat())


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


_LEDGER = (
    "ledger (purpose, model, request_class, requests, input_tokens, cached_tokens, output_tokens, cost,"
    " seconds, at)"
)
_QUEUE = "queue (request_class, input, input_digest, target, at)"
_NEWER = "(request_class, input_digest) DO UPDATE SET target = excluded.target, at = excluded.at"
_KINDS: tuple[tuple[str, int, str, Callable[[Handled], Row | None]], ...] = (
    ("requests (id, tenant, key, at, tier, request_class, cost, saved, tokens, body)", 10, "DO NOTHING",
     _request),
    (_LEDGER, 10, "DO NOTHING", _entry),
    (_QUEUE, 5, _NEWER, _demonstration),
)  # fmt: skip
_SPENDING = (
    "INSERT INTO spending (key, day, nano_usd) VALUES ({mark}, {mark}, {mark}) ON CONFLICT (key, day)"
    " DO UPDATE SET nano_usd = spending.nano_usd + excluded.nano_usd"
)


def write(connection: Connection, handled: Sequence[Handled]) -> None:
    """Write requests, the ledger's entries, demonstrations, and what keys have spent."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    for columns, width, conflict, row_of in _KINDS:
        rows = [row for one in handled if (row := row_of(one)) is not None]
        if row_of is _demonstration:  # a statement may touch a row once
            rows = list({(row[0], row[2]): row for row in rows}.values())
        values = f"({', '.join([mark] * width)})"
        at = 0
        for size in CHUNKS:
            many = ", ".join([values] * size)
            statement = f"INSERT INTO {columns} VALUES {many} ON CONFLICT {conflict}"  # noqa: S608 - ours
            while len(rows) - at >= size:
                flat = tuple(value for row in rows[at : at + size] for value in row)
                connection.exec_driver_sql(statement, flat)
                at += size
    spent: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in handled:
        if one.cost:
            spent[one.key, one.at.date().isoformat()] += one.cost
    rows = [(key, day, round(cost * NANO)) for (key, day), cost in spent.items()]
    if rows:
        connection.exec_driver_sql(_SPENDING.format(mark=mark), rows)
