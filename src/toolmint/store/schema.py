"""The tables of the current schema. A request class is three columns: tenant, scope and plain name."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()
_CLASS = ("tenant", "scope", "request_class")


def _class(*, primary: bool = False) -> tuple[Column[str], ...]:
    """Return the columns that hold a ``ClassKey``."""
    return (
        Column("tenant", String(80), primary_key=primary, nullable=False),
        Column("scope", String(40), primary_key=primary, nullable=False),
        Column("request_class", String(240), primary_key=primary, nullable=False),
    )


MIGRATIONS_TABLE = Table(
    "migrations", METADATA, Column("number", Integer, primary_key=True), Column("at", String(40))
)
CLASSES_TABLE = Table(
    "classes",
    METADATA,
    *_class(primary=True),
    Column("title", Text, nullable=False),
    Column("example", Text),
    Column("at", String(40), nullable=False),
)
TOOLS_TABLE = Table(
    "tools",
    METADATA,
    *_class(primary=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("record", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Index("tools_by_state", "state", "tenant", "scope"),
)
WEIGHTS_TABLE = Table(
    "weights",
    METADATA,
    *_class(primary=True),
    Column("digest", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""The weights of learned tools, which their records name by digest."""
TRANSITIONS_TABLE = Table(
    "transitions",
    METADATA,
    Column("id", Integer, primary_key=True),
    *_class(),
    Column("version", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Index("transitions_by_class", *_CLASS, "version"),
)
QUEUE_TABLE = Table(
    "queue",
    METADATA,
    Column("id", Integer, primary_key=True),
    *_class(),
    Column("input", Text, nullable=False),
    Column("input_digest", String(64), nullable=False),
    Column("target", Text),
    Column("at", String(40)),
    Column("drawn", String(12)),
    UniqueConstraint(*_CLASS, "input_digest", name="queue_once"),
    Index("queue_by_class", *_CLASS, "id"),
)
LEDGER_TABLE = Table(
    "ledger",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("purpose", String(20), nullable=False),
    Column("tenant", String(80), nullable=False),
    Column("scope", String(40), nullable=False),
    Column("request_class", String(240)),
    Column("model", String(200), nullable=False),
    Column("requests", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost", String(40)),
    Column("seconds", Float, nullable=False),
    Column("at", String(40), nullable=False),
    Index("ledger_by_purpose", "purpose", *_CLASS),
    Index("ledger_by_class", *_CLASS),
)
REPORTS_TABLE = Table(
    "reports",
    METADATA,
    Column("id", Integer, primary_key=True),
    *_class(),
    Column("made", Integer, nullable=False),
    Column("version", Integer),
    Column("at", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Index("reports_by_class", *_CLASS),
)
TRACES_TABLE = Table(
    "traces",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("input", Text, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("steps", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
MISSING_TOOLS_TABLE = Table(
    "missing_tools",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("wants", Text, nullable=False),
    Column("trace", Integer, nullable=False),
    Column("request_class", String(240)),
)
TALLIES_TABLE = Table(
    "tallies",
    METADATA,
    *_class(primary=True),
    Column("version", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)
COMPARISONS_TABLE = Table(
    "comparisons",
    METADATA,
    Column("id", Integer, primary_key=True),
    *_class(),
    Column("version", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", String(40), nullable=False),
    Column("input", Text),
    Column("ours", Text),
    Column("theirs", Text),
    Index("comparisons_by_class", *_CLASS),
)
LEASES_TABLE = Table(
    "leases",
    METADATA,
    Column("name", String(240), primary_key=True),
    Column("owner", String(80), nullable=False),
    Column("token", Integer, nullable=False),
    Column("until", Float, nullable=False),
)
KEYS_TABLE = Table(
    "keys",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("body", Text, nullable=False),
)
GRANTS_TABLE = Table(
    "grants",
    METADATA,
    *_class(primary=True),
    Column("grantee", String(80), primary_key=True),
    Column("at", String(40), nullable=False),
    Index("grants_by_grantee", "grantee"),
)
REQUESTS_TABLE = Table(
    "requests",
    METADATA,
    Column("id", String(80), primary_key=True),
    Column("tenant", String(80), nullable=False),
    Column("key", String(40), nullable=False),
    Column("at", String(40), nullable=False),
    Column("tier", String(20), nullable=False),
    Column("class_tenant", String(80)),
    Column("scope", String(40)),
    Column("request_class", String(240)),
    Column("version", Integer),
    Column("cost", String(40)),
    Column("saved", String(40)),
    Column("tokens", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("requests_by_time", "at"),
    Index("requests_by_tenant", "tenant", "at"),
    Index("requests_by_class", "class_tenant", "scope", "request_class", "at"),
)
"""``tenant`` asked; ``class_tenant``, ``scope`` and ``request_class`` are the class's, NULL without one."""
DAILY_TOTALS_TABLE = Table(
    "daily_totals",
    METADATA,
    Column("day", String(10), primary_key=True),
    Column("class_tenant", String(80), primary_key=True),
    Column("scope", String(40), primary_key=True),
    Column("request_class", String(240), primary_key=True),
    Column("tier", String(20), primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("cost_nano_usd", BigInteger, nullable=False),
    Column("saved_nano_usd", BigInteger, nullable=False),
    Column("unknown", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("unsaved", BigInteger, nullable=False),
)
"""Sums of requests that are no longer kept one by one; three empty texts stand for no class."""
SPENDING_TABLE = Table(
    "spending",
    METADATA,
    Column("key", String(40), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("nano_usd", BigInteger, nullable=False),
)
RESERVATIONS_TABLE = Table(
    "reservations",
    METADATA,
    Column("request", String(80), primary_key=True),
    Column("key", String(40), nullable=False),
    Column("nano_usd", BigInteger, nullable=False),
    Column("charged", Integer, nullable=False),
    Column("until", Float, nullable=False),
    Index("reservations_by_key", "key"),
)
"""Money of a budget for requests at work; ``charged`` is 1 once ``nano_usd`` is what one has cost."""
RATES_TABLE = Table(
    "rates",
    METADATA,
    Column("key", String(40), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("rate", BigInteger, nullable=False),
    Column("remaining", Float, nullable=False),
    Column("at", Float, nullable=False),
)
"""Buckets of keys' rates a minute; ``at`` is in seconds since 1970, by the database's clock."""
FEEDBACK_TABLE = Table(
    "feedback",
    METADATA,
    Column("request", String(80), primary_key=True),
    Column("key", String(40), primary_key=True),
    *_class(),
    Column("version", Integer, nullable=False),
    Column("agreed", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("at", String(40), nullable=False),
    Index("feedback_by_class", *_CLASS, "version"),
)
"""The first word of each key on a request; ``counted`` is 0 for a report on another tenant's tool."""
