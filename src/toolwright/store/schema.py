"""The tables, and the numbered migrations that lead to them from any older store."""

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    cast,
    func,
    insert,
    inspect,
    select,
)

from toolwright.core.errors import StoreError

METADATA = MetaData()

APPLIED = Table(
    "migrations", METADATA, Column("number", Integer, primary_key=True), Column("at", String(40))
)
TOOLS = Table(
    "tools", METADATA,
    Column("request_class", String(240), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("record", Text, nullable=False),
    Column("state", String(20), nullable=False, index=True),
)  # fmt: skip
TRANSITIONS = Table(
    "transitions", METADATA,
    Column("id", Integer, primary_key=True),
    Column("request_class", String(240), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", String(40), nullable=False),
)  # fmt: skip
QUEUE = Table(
    "queue", METADATA,
    Column("id", Integer, primary_key=True),
    Column("request_class", String(240), nullable=False),
    Column("input", Text, nullable=False),
    Column("input_digest", String(64), nullable=False),
    Column("target", Text),
    Column("at", String(40)),
    UniqueConstraint("request_class", "input_digest"),
)  # fmt: skip
LEDGER = Table(
    "ledger", METADATA,
    Column("id", Integer, primary_key=True),
    Column("purpose", String(20), nullable=False),
    Column("request_class", String(240)),
    Column("model", String(200), nullable=False),
    Column("requests", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost", String(40)),
    Column("seconds", Float, nullable=False),
    Column("at", String(40), nullable=False),
)  # fmt: skip
COUNTS = Table(
    "counts", METADATA,
    Column("request_class", String(240), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("tier", String(20), primary_key=True),
    Column("answered", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
)  # fmt: skip
REPORTS = Table(
    "reports", METADATA,
    Column("id", Integer, primary_key=True),
    Column("request_class", String(240), nullable=False, index=True),
    Column("made", Integer, nullable=False),
    Column("version", Integer),
    Column("at", String(40), nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

TRACES = Table(
    "traces", METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("input", Text, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("steps", Integer, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip
WISHES = Table(
    "wishes", METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("wants", Text, nullable=False),
    Column("trace", Integer, nullable=False),
    Column("request_class", String(240)),
)  # fmt: skip
STANDINGS = Table(
    "standings", METADATA,
    Column("request_class", String(240), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)  # fmt: skip
COMPARISONS = Table(
    "comparisons", METADATA,
    Column("id", Integer, primary_key=True),
    Column("request_class", String(240), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", String(40), nullable=False),
    Column("input", Text),
    Column("ours", Text),
    Column("theirs", Text),
)  # fmt: skip
LEASES = Table(
    "leases", METADATA,
    Column("name", String(240), primary_key=True),
    Column("owner", String(80), nullable=False),
    Column("token", Integer, nullable=False),
    Column("until", Float, nullable=False),
)  # fmt: skip
KEYS = Table(
    "keys", METADATA,
    Column("id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("body", Text, nullable=False),
)  # fmt: skip
GRANTS = Table(
    "grants", METADATA,
    Column("request_class", String(240), primary_key=True),
    Column("tenant", String(80), primary_key=True),
    Column("at", String(40), nullable=False),
)  # fmt: skip
REQUESTS = Table(
    "requests", METADATA,
    Column("id", String(80), primary_key=True),
    Column("tenant", String(80), nullable=False, index=True),
    Column("key", String(40), nullable=False),
    Column("at", String(40), nullable=False, index=True),
    Column("tier", String(20), nullable=False),
    Column("request_class", String(240)),
    Column("cost", String(40)),
    Column("saved", String(40)),
    Column("tokens", Integer, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip
SPENDING = Table(
    "spending", METADATA,
    Column("key", String(40), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("nano_usd", BigInteger, nullable=False),
)  # fmt: skip


def _first(connection: Connection) -> None:
    tables = (TOOLS, TRANSITIONS, QUEUE, LEDGER, COUNTS, REPORTS)
    METADATA.create_all(connection, tables=list(tables))


def _second(connection: Connection) -> None:
    METADATA.create_all(connection, tables=[TRACES, WISHES])


def _third(connection: Connection) -> None:
    METADATA.create_all(connection, tables=[STANDINGS, COMPARISONS, LEASES, KEYS, GRANTS, REQUESTS])


def _fourth(connection: Connection) -> None:
    """Keep a running sum of what each key spends a day, in place of adding up all its requests."""
    METADATA.create_all(connection, tables=[SPENDING])
    cost = cast(REQUESTS.c.cost, Numeric(20, 12))
    day = func.substr(REQUESTS.c.at, 1, 10)
    sums = (
        select(REQUESTS.c.key, day, cast(func.round(func.sum(cost) * 10**9), BigInteger))
        .where(cost > 0)
        .group_by(REQUESTS.c.key, day)
    )
    connection.execute(insert(SPENDING).from_select(["key", "day", "nano_usd"], sums))


def _fifth(connection: Connection) -> None:
    """Note when each demonstration came, so that a making after a drift can leave out those from before."""
    if "at" not in {one["name"] for one in inspect(connection).get_columns(QUEUE.name)}:
        connection.exec_driver_sql("ALTER TABLE queue ADD COLUMN at VARCHAR(40)")


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_first, _second, _third, _fourth, _fifth)


def migrate(connection: Connection, now: str) -> None:
    """Bring the schema up to date, inside the caller's transaction.

    Raises:
        StoreError: the store was written by a newer toolwright; nothing is touched.
    """
    done = 0
    if inspect(connection).has_table(APPLIED.name):
        done = connection.execute(select(func.max(APPLIED.c.number))).scalar() or 0
    if done > len(MIGRATIONS):
        raise StoreError(
            f"the store has schema {done}, this toolwright knows {len(MIGRATIONS)}; "
            "upgrade toolwright or name another store",
            code="store-newer",
        )
    if done == len(MIGRATIONS):
        return
    METADATA.create_all(connection, tables=[APPLIED])
    for number, step in enumerate(MIGRATIONS[done:], done + 1):
        step(connection)
        connection.execute(insert(APPLIED).values(number=number, at=now))
