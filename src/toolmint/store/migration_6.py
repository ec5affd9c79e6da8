"""Migration 6: a class's tenant and scope become columns, and stored words become the current ones.

Every old table is renamed, its rows are copied into the new one, and it is dropped, all in the one
transaction of the migration. Rows are copied by the database itself; texts of JSON pass through here, some
hundreds at a time.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    inspect,
    literal,
    select,
    tuple_,
    union,
    update,
)

from toolmint.core.namespace import LOCAL_TENANT, ClassKey
from toolmint.core.task import current_word
from toolmint.store import schema as new
from toolmint.store import schema_5 as old
from toolmint.store.clock import now
from toolmint.store.columns import class_info_row
from toolmint.store.migration_6_totals import total_counts
from toolmint.store.migration_6_words import (
    mended,
    record_words,
    request_words,
    tally_words,
    trajectory_words,
)

_BATCH = 500
_NO_CLASS = re.compile(r"(?P<tenant>[^/]+)/(?:(?P<scope>[0-9a-f]{12})/)?")
"""The tenant, or tenant and scope, of calls that were for no class."""
_NAMES = Table(
    "old_class_names",
    MetaData(),
    Column("full_name", Text, primary_key=True),
    Column("tenant", String(80), nullable=False),
    Column("scope", String(40), nullable=False),
    Column("name", Text),
    prefixes=["TEMPORARY"],
)
"""What each old full name stands for, to be joined with."""
_MOVED: tuple[tuple[Table, Table], ...] = (
    (old.TRANSITIONS_5, new.TRANSITIONS_TABLE),
    (old.QUEUE_5, new.QUEUE_TABLE),
    (old.LEDGER_5, new.LEDGER_TABLE),
    (old.REPORTS_5, new.REPORTS_TABLE),
    (old.COMPARISONS_5, new.COMPARISONS_TABLE),
)
"""Tables whose rows change in nothing but their class."""
_CHANGED = (
    *(was for was, _ in _MOVED),
    old.TOOLS_5,
    old.STANDINGS_5,
    old.GRANTS_5,
    old.REQUESTS_5,
    old.COUNTS_5,
)


def _old(table: Table) -> Table:
    """Return an old table under the name that it has while it is copied."""
    return table.to_metadata(MetaData(), name=f"old_{table.name}")


def _names_of(full: str) -> tuple[str, str, str | None]:
    """Return tenant, scope and plain name that an old full name stands for."""
    found = _NO_CLASS.fullmatch(full)
    if found is not None:
        return found["tenant"], found["scope"] or "", None
    return ClassKey.parse(full)


def _batches(
    connection: Connection, table: Table, *columns: Column[Any]
) -> Iterator[Sequence[RowMapping]]:
    """Yield a table's rows some hundreds at a time, in the order of its key."""
    key = list(table.primary_key.columns)
    after: tuple[object, ...] | None = None
    while True:
        query = select(*(columns or table.c)).order_by(*key).limit(_BATCH)
        if after is not None:
            query = query.where(tuple_(*key) > tuple_(*(literal(value) for value in after)))
        rows = connection.execute(query).mappings().all()
        if not rows:
            return
        yield rows
        after = tuple(rows[-1][column.name] for column in key)


def _set_aside(connection: Connection) -> None:
    """Rename the tables that change, and drop their indexes, whose names new ones may take."""
    for table in _CHANGED:
        for index in inspect(connection).get_indexes(table.name):
            if not index.get("duplicates_constraint"):
                connection.exec_driver_sql(f'DROP INDEX "{index["name"]}"')
        connection.exec_driver_sql(f"ALTER TABLE {table.name} RENAME TO old_{table.name}")


def _note_names(connection: Connection) -> None:
    """Fill the table of what each old full name stands for."""
    _NAMES.create(connection)
    some = [_old(table).c.request_class for table in _CHANGED if "request_class" in table.c]
    named = union(*(select(column).where(column.is_not(None)) for column in some))
    rows = [
        {"full_name": full, "tenant": tenant, "scope": scope, "name": name}
        for (full,) in connection.execute(named).all()
        for tenant, scope, name in [_names_of(full)]
    ]
    if rows:
        connection.execute(insert(_NAMES), rows)


def _move_rows(connection: Connection, was: Table, now: Table) -> None:
    """Copy the rows of a table that change in nothing but their class."""
    table = _old(was)
    rest = [column for column in table.c if column.name != "request_class"]
    query = select(
        func.coalesce(_NAMES.c.tenant, LOCAL_TENANT),
        func.coalesce(_NAMES.c.scope, ""),
        _NAMES.c.name,
        *rest,
    ).select_from(table.outerjoin(_NAMES, _NAMES.c.full_name == table.c.request_class))
    if not now.c.request_class.nullable:
        query = query.where(_NAMES.c.name.is_not(None))
    names = ["tenant", "scope", "request_class", *(column.name for column in rest)]
    connection.execute(insert(now).from_select(names, query.order_by(table.c.id)))
    if connection.dialect.name == "postgresql":
        sequence = f"pg_get_serial_sequence('{now.name}', 'id')"
        connection.exec_driver_sql(
            f"SELECT setval({sequence}, (SELECT coalesce(max(id), 0) + 1 FROM {now.name}), false)"  # noqa: S608
        )


def _key(full: str) -> dict[str, object]:
    tenant, scope, name = ClassKey.parse(full)
    return {"tenant": tenant, "scope": scope, "request_class": name}


def _move_tools(connection: Connection) -> None:
    for was, table, column, mend in (
        (old.TOOLS_5, new.TOOLS_TABLE, "record", record_words),
        (old.STANDINGS_5, new.TALLIES_TABLE, "body", tally_words),
    ):
        for rows in _batches(connection, _old(was)):
            values = [
                dict(row) | _key(row["request_class"]) | {column: mended(row[column], mend)}
                for row in rows
            ]
            connection.execute(insert(table), values)
    grants = _old(old.GRANTS_5)
    for row in connection.execute(select(grants)).mappings().all():
        value = _key(row["request_class"]) | {"grantee": row["tenant"], "at": row["at"]}
        connection.execute(insert(new.GRANTS_TABLE).values(value))


def _move_requests(connection: Connection) -> None:
    for rows in _batches(connection, _old(old.REQUESTS_5)):
        values: list[dict[str, object]] = []
        for row in rows:
            full = row["request_class"]
            key = _key(full) if full else dict.fromkeys(("tenant", "scope", "request_class"))
            body = mended(row["body"], request_words)
            values.append(
                dict(row)
                | {
                    "class_tenant": key["tenant"],
                    "scope": key["scope"],
                    "request_class": key["request_class"],
                    "version": _version(body),
                    "tier": current_word(row["tier"]),
                    "body": body,
                }
            )
        connection.execute(insert(new.REQUESTS_TABLE), values)


def _version(body: str) -> int | None:
    try:
        return json.loads(body).get("version")
    except (ValueError, AttributeError):
        return None


def _mend_traces(connection: Connection) -> None:
    table = new.TRACES_TABLE
    mend = (
        update(table).where(table.c.id == bindparam("number")).values(body=bindparam("body_text"))
    )
    for rows in _batches(connection, table, table.c.id, table.c.body):
        changed = [
            {"number": row["id"], "body_text": body}
            for row in rows
            if (body := mended(row["body"], trajectory_words)) != row["body"]
        ]
        if changed:
            connection.execute(mend, changed)


def _introduce_classes(connection: Connection) -> None:
    """Set each class's title and example: its first queued request, else its tool's first."""
    known: dict[ClassKey, dict[str, str]] = {}
    queue, tools = new.QUEUE_TABLE.c, new.TOOLS_TABLE.c
    first = select(func.min(queue.id)).group_by(queue.tenant, queue.scope, queue.request_class)
    for row in connection.execute(select(new.QUEUE_TABLE).where(queue.id.in_(first))):
        key = ClassKey(row.tenant, row.scope, row.request_class)
        known[key] = class_info_row(key, row.input, row.at or now())
    for row in connection.execute(select(new.TOOLS_TABLE).order_by(tools.version)):
        key = ClassKey(row.tenant, row.scope, row.request_class)
        if key not in known and (example := _first_request(row.record)) is not None:
            known[key] = class_info_row(key, example, now())
    if known:
        connection.execute(insert(new.CLASSES_TABLE), list(known.values()))


def _first_request(record: str) -> str | None:
    try:
        return str(json.loads(record)["demonstrations"][0]["input"])
    except (ValueError, LookupError, TypeError):
        return None


def namespaces_as_columns(connection: Connection) -> None:
    """Make schema 6 of schema 5."""
    _set_aside(connection)
    connection.exec_driver_sql("ALTER TABLE wishes RENAME TO missing_tools")
    new.METADATA.create_all(connection)
    _note_names(connection)
    for was, now_ in _MOVED:
        _move_rows(connection, was, now_)
    _move_tools(connection)
    _move_requests(connection)
    _mend_traces(connection)
    _introduce_classes(connection)
    total_counts(connection, _old(old.COUNTS_5), _old(old.LEDGER_5))
    _NAMES.drop(connection)
    for table in _CHANGED:
        _old(table).drop(connection)
