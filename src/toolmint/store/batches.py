"""Requests written by the batch: many rows in one statement.

SQLite releases the interpreter lock while a statement runs and takes it back after each: one statement
a row would delay the loop that serves requests at every row.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice

from sqlalchemy import Connection

from toolmint.core.namespace import ClassKey
from toolmint.core.traffic import RequestRecord
from toolmint.store.columns import class_info_row

NANO = 1_000_000_000
"""Billionths of a US dollar in one."""
MOST_NANO = 10**17
"""The most that one request is entered with: sums of a few dozen of it still fit 64 bits."""
_CHUNKS = (64, 8, 1)
"""Rows a statement; a fixed few, so that prepared statements are found again."""
_Row = tuple[object, ...]
_ZERO = Decimal(0)


def _requests(records: Sequence[RequestRecord]) -> Iterator[_Row]:
    """Yield the rows as they are written, so that few of them are in memory at once."""
    for one in records:
        yield (
            one.id,
            one.tenant,
            one.key,
            one.at.isoformat(),
            one.tier,
            *(
                (None, None, None)
                if one.request_class is None
                else ClassKey.parse(one.request_class)
            ),
            one.version,
            _money(one.cost if one.light is None else one.used.cost),
            _money(one.saved),
            one.input_tokens + one.output_tokens + (one.light.tokens if one.light else 0),
            one.line.decode(),
        )


def _entries(records: Sequence[RequestRecord]) -> list[_Row]:
    """Return one ledger row for all calls of a model for a class; unknown costs have a row of their own.

    The calls of a request without a class are its tenant's.
    """
    groups = defaultdict[tuple[str, tuple[str, str, str | None], bool], list[RequestRecord]](list)
    for one in records:
        if one.calls:
            name = one.request_class
            key = (one.tenant, "", None) if name is None else ClassKey.parse(name)
            groups[one.model, key, one.cost is None].append(one)
    return [
        (
            "strong",
            model,
            *key,
            sum(one.calls for one in some),
            sum(one.input_tokens for one in some),
            sum(one.cached_tokens for one in some),
            sum(one.output_tokens for one in some),
            None if unknown else str(sum((one.cost or _ZERO for one in some), start=_ZERO)),
            sum(one.seconds for one in some),
            some[-1].at.isoformat(),
        )
        for (model, key, unknown), some in groups.items()
    ]


def _demonstrations(records: Sequence[RequestRecord]) -> list[_Row]:
    """Return the newest of each: a statement may touch a row once."""
    return list(
        {
            (one.queued, one.input_digest): (
                *ClassKey.parse(one.queued),
                one.input,
                one.input_digest,
                one.answer,
                one.at.isoformat(),
                one.drawn,
            )
            for one in records
            if one.queued is not None and one.input is not None and one.input_digest is not None
        }.values()
    )


def _classes(records: Sequence[RequestRecord]) -> list[_Row]:
    """Return title and example of each class that a demonstration is queued for."""
    first: dict[str, RequestRecord] = {}
    for one in records:
        if one.queued is not None and one.input is not None:
            first.setdefault(one.queued, one)
    return [
        tuple(class_info_row(ClassKey.parse(name), one.input or "", one.at.isoformat()).values())
        for name, one in first.items()
    ]


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


_NEWER = (
    "(tenant, scope, request_class, input_digest)"
    " DO UPDATE SET target = excluded.target, at = excluded.at,"
    " drawn = excluded.drawn"
)
_KINDS: tuple[
    tuple[str, tuple[str, ...], str, Callable[[Sequence[RequestRecord]], Iterable[_Row]]], ...
] = (
    (
        "requests",
        (
            *("id", "tenant", "key", "at", "tier", "class_tenant", "scope", "request_class"),
            *("version", "cost", "saved", "tokens", "body"),
        ),
        "DO NOTHING",
        _requests,
    ),
    (
        "ledger",
        (
            *("purpose", "model", "tenant", "scope", "request_class", "requests", "input_tokens"),
            *("cached_tokens", "output_tokens", "cost", "seconds", "at"),
        ),
        "DO NOTHING",
        _entries,
    ),
    (
        "queue",
        ("tenant", "scope", "request_class", "input", "input_digest", "target", "at", "drawn"),
        _NEWER,
        _demonstrations,
    ),
    (
        "classes",
        ("tenant", "scope", "request_class", "title", "example", "at"),
        "DO NOTHING",
        _classes,
    ),
)
"""Table, columns, what to do with a row that is there, and what makes the rows."""
_SPENDING = (
    "INSERT INTO spending (key, day, nano_usd) VALUES ({mark}, {mark}, {mark}) ON CONFLICT (key, day)"
    " DO UPDATE SET nano_usd = spending.nano_usd + excluded.nano_usd"
)

_RESERVED = "DELETE FROM reservations WHERE request = {mark}"


def write_requests(connection: Connection, records: Sequence[RequestRecord]) -> None:
    """Write requests, the ledger's entries, demonstrations, and what keys have spent."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    for table, columns, conflict, rows_of in _KINDS:
        values = f"({', '.join([mark] * len(columns))})"
        rows = iter(rows_of(records))
        while some := list(islice(rows, _CHUNKS[0])):
            for size in _CHUNKS:
                while len(some) >= size:
                    many, some = some[:size], some[size:]
                    statement = (
                        f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - ours
                        f" VALUES {', '.join([values] * size)}"
                        f" ON CONFLICT {conflict}"
                    )
                    connection.exec_driver_sql(statement, tuple(chain.from_iterable(many)))
    spent: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in records:
        if charged := one.charged:
            spent[one.key, one.at.date().isoformat()] += charged
    rows = [
        (key, day, min(round(cost * NANO), MOST_NANO)) for (key, day), cost in sorted(spent.items())
    ]
    if rows:
        connection.exec_driver_sql(_SPENDING.format(mark=mark), rows)
    reserved = [(one.id,) for one in records if one.estimated is not None]
    if reserved:  # what was reserved is spent from here on
        connection.exec_driver_sql(_RESERVED.format(mark=mark), reserved)
