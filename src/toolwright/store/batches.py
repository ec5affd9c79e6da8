"""Requests written by the batch: many rows in one statement.

SQLite lets go of the interpreter while a statement runs and takes it back after each: one for each row would
hold up the loop that serves requests at every row.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice

from sqlalchemy import Connection

from toolwright.core.traffic import Handled

NANO = 1_000_000_000
CHUNKS = (64, 8, 1)
"""Rows a statement; a fixed few, so that prepared statements are found again."""
Row = tuple[object, ...]
ZERO = Decimal(0)


def _requests(handled: Sequence[Handled]) -> Iterator[Row]:
    """Yield the rows as they are written, so that never many are made at a stretch."""
    for one in handled:
        yield (
            one.id, one.tenant, one.key, one.at.isoformat(), one.tier, one.request_class,
            _money(one.cost), _money(one.saved), one.input_tokens + one.output_tokens, one.line.decode(),
        )  # fmt: skip


def _entries(handled: Sequence[Handled]) -> list[Row]:
    """Give one entry for all calls of a model for a class; those of an unknown cost have one of their own."""
    groups = defaultdict[tuple[str, str, bool], list[Handled]](list)
    for one in handled:
        if one.calls:
            full = one.request_class or f"{one.tenant}/"
            groups[one.model, full, one.cost is None].append(one)
    return [
        ("strong", model, full, sum(one.calls for one in some), sum(one.input_tokens for one in some),
         sum(one.cached_tokens for one in some), sum(one.output_tokens for one in some),
         None if unknown else str(sum((one.cost or ZERO for one in some), start=ZERO)),
         sum(one.seconds for one in some), some[-1].at.isoformat())
        for (model, full, unknown), some in groups.items()
    ]  # fmt: skip


def _demonstrations(handled: Sequence[Handled]) -> list[Row]:
    """Give the newest of each: a statement may touch a row once."""
    return list(
        {
            (one.queued, one.input_digest): (
                one.queued, one.input, one.input_digest, one.answer, one.at.isoformat(),
            )
            for one in handled
            if one.queued is not None and one.input is not None and one.input_digest is not None
        }.values()
    )  # fmt: skip


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


_LEDGER = (
    "ledger (purpose, model, request_class, requests, input_tokens, cached_tokens, output_tokens, cost,"
    " seconds, at)"
)
_QUEUE = "queue (request_class, input, input_digest, target, at)"
_NEWER = "(request_class, input_digest) DO UPDATE SET target = excluded.target, at = excluded.at"
_KINDS: tuple[tuple[str, int, str, Callable[[Sequence[Handled]], Iterable[Row]]], ...] = (
    ("requests (id, tenant, key, at, tier, request_class, cost, saved, tokens, body)", 10, "DO NOTHING",
     _requests),
    (_LEDGER, 10, "DO NOTHING", _entries),
    (_QUEUE, 5, _NEWER, _demonstrations),
)  # fmt: skip
_SPENDING = (
    "INSERT INTO spending (key, day, nano_usd) VALUES ({mark}, {mark}, {mark}) ON CONFLICT (key, day)"
    " DO UPDATE SET nano_usd = spending.nano_usd + excluded.nano_usd"
)


def write(connection: Connection, handled: Sequence[Handled]) -> None:
    """Write requests, the ledger's entries, demonstrations, and what keys have spent."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    for columns, width, conflict, rows_of in _KINDS:
        values = f"({', '.join([mark] * width)})"
        rows = iter(rows_of(handled))
        while some := list(islice(rows, CHUNKS[0])):
            for size in CHUNKS:
                while len(some) >= size:
                    many, some = some[:size], some[size:]
                    statement = (
                        f"INSERT INTO {columns} VALUES {', '.join([values] * size)}"  # noqa: S608 - ours
                        f" ON CONFLICT {conflict}"
                    )
                    connection.exec_driver_sql(statement, tuple(chain.from_iterable(many)))
    spent: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in handled:
        if one.cost:
            spent[one.key, one.at.date().isoformat()] += one.cost
    rows = [(key, day, round(cost * NANO)) for (key, day), cost in spent.items()]
    if rows:
        connection.exec_driver_sql(_SPENDING.format(mark=mark), rows)
