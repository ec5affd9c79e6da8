"""The numbered migrations that lead to the current schema from any older store."""

from collections.abc import Callable

from sqlalchemy import BigInteger, Connection, Numeric, cast, func, insert, inspect, select

from toolmint.core.errors import StoreError
from toolmint.store import schema_5 as old
from toolmint.store.migration_6 import namespaces_as_columns
from toolmint.store.migration_7 import reservations_and_feedback
from toolmint.store.migration_8 import learned_tools
from toolmint.store.migration_9 import rates_of_keys
from toolmint.store.schema import METADATA, MIGRATIONS_TABLE


def _first(connection: Connection) -> None:
    tables = (
        old.TOOLS_5,
        old.TRANSITIONS_5,
        old.QUEUE_5,
        old.LEDGER_5,
        old.COUNTS_5,
        old.REPORTS_5,
    )
    old.SCHEMA_5.create_all(connection, tables=tables)


def _second(connection: Connection) -> None:
    old.SCHEMA_5.create_all(connection, tables=[old.TRACES_5, old.MISSING_TOOLS_5])


def _third(connection: Connection) -> None:
    tables = (
        old.STANDINGS_5,
        old.COMPARISONS_5,
        old.LEASES_5,
        old.KEYS_5,
        old.GRANTS_5,
        old.REQUESTS_5,
    )
    old.SCHEMA_5.create_all(connection, tables=tables)


def _fourth(connection: Connection) -> None:
    """Keep a running sum of what each key spends a day, in place of adding up all its requests."""
    old.SCHEMA_5.create_all(connection, tables=[old.SPENDING_5])
    cost = cast(old.REQUESTS_5.c.cost, Numeric(20, 12))
    day = func.substr(old.REQUESTS_5.c.at, 1, 10)
    sums = (
        select(old.REQUESTS_5.c.key, day, cast(func.round(func.sum(cost) * 10**9), BigInteger))
        .where(cost > 0)
        .group_by(old.REQUESTS_5.c.key, day)
    )
    connection.execute(insert(old.SPENDING_5).from_select(["key", "day", "nano_usd"], sums))


def _fifth(connection: Connection) -> None:
    """Note when each demonstration came, so that a making after a drift leaves out older ones."""
    if "at" not in {one["name"] for one in inspect(connection).get_columns(old.QUEUE_5.name)}:
        connection.exec_driver_sql("ALTER TABLE queue ADD COLUMN at VARCHAR(40)")


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    _first,
    _second,
    _third,
    _fourth,
    _fifth,
    namespaces_as_columns,
    reservations_and_feedback,
    learned_tools,
    rates_of_keys,
)


def migrate(connection: Connection, now: str) -> None:
    """Bring the schema up to date, inside the caller's transaction; a new store gets it at once.

    Raises:
        StoreError: the store was written by a newer toolmint; nothing is touched.
    """
    done = 0
    if inspect(connection).has_table(MIGRATIONS_TABLE.name):
        done = connection.execute(select(func.max(MIGRATIONS_TABLE.c.number))).scalar() or 0
    if done > len(MIGRATIONS):
        raise StoreError(
            f"the store has schema {done}, this toolmint knows {len(MIGRATIONS)}; "
            "upgrade toolmint or name another store",
            code="store-newer",
        )
    if done == len(MIGRATIONS):
        return
    METADATA.create_all(connection, tables=[MIGRATIONS_TABLE])
    if done == 0:
        METADATA.create_all(connection)
    for number, step in enumerate(MIGRATIONS[done:], done + 1):
        if done:
            step(connection)
        connection.execute(insert(MIGRATIONS_TABLE).values(number=number, at=now))
