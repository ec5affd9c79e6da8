"""The tables up to schema 5, as the migrations that lead there made them; they are never changed."""

from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, String, Table, Text
from sqlalchemy import UniqueConstraint as Unique

SCHEMA_5 = MetaData()
"""Classes are full names in it: ``tenant/scope/name``, or the plain name of the command line."""


def _text(
    name: str,
    length: int | None = None,
    *,
    nullable: bool = False,
    primary_key: bool = False,
    index: bool | None = None,
    unique: bool | None = None,
) -> Column[str]:
    return Column(
        name,
        Text() if length is None else String(length),
        nullable=nullable,
        primary_key=primary_key,
        index=index,
        unique=unique,
    )


def _number(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=nullable, primary_key=primary_key)


def _name(
    *, nullable: bool = False, primary_key: bool = False, index: bool | None = None
) -> Column[str]:
    return _text("request_class", 240, nullable=nullable, primary_key=primary_key, index=index)


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


TOOLS_5 = Table(
    "tools",
    SCHEMA_5,
    _name(primary_key=True),
    _number("version", primary_key=True),
    _text("digest", 64),
    _text("record"),
    _text("state", 20, index=True),
)
TRANSITIONS_5 = Table(
    "transitions",
    SCHEMA_5,
    _id(),
    _name(index=True),
    _number("version"),
    _text("state", 20),
    _text("reason"),
    _text("at", 40),
)
QUEUE_5 = Table(
    "queue",
    SCHEMA_5,
    _id(),
    _name(),
    _text("input"),
    _text("input_digest", 64),
    _text("target", nullable=True),
    _text("at", 40, nullable=True),
    Unique("request_class", "input_digest"),
)
LEDGER_5 = Table(
    "ledger",
    SCHEMA_5,
    _id(),
    _text("purpose", 20),
    _name(nullable=True),
    _text("model", 200),
    _number("requests"),
    _number("input_tokens"),
    _number("cached_tokens"),
    _number("output_tokens"),
    _text("cost", 40, nullable=True),
    Column("seconds", Float, nullable=False),
    _text("at", 40),
)
COUNTS_5 = Table(
    "counts",
    SCHEMA_5,
    _name(primary_key=True),
    _number("version", primary_key=True),
    _text("tier", 20, primary_key=True),
    _number("answered"),
    _number("refused"),
    _number("failed"),
)
REPORTS_5 = Table(
    "reports",
    SCHEMA_5,
    _id(),
    _name(index=True),
    _number("made"),
    _number("version", nullable=True),
    _text("at", 40),
    _text("body"),
)
TRACES_5 = Table(
    "traces",
    SCHEMA_5,
    _id(),
    _text("at", 40),
    _text("input"),
    _text("outcome", 20),
    _number("steps"),
    _text("body"),
)
MISSING_TOOLS_5 = Table(
    "wishes",
    SCHEMA_5,
    _id(),
    _text("at", 40),
    _text("wants"),
    _number("trace"),
    _name(nullable=True),
)
STANDINGS_5 = Table(
    "standings",
    SCHEMA_5,
    _name(primary_key=True),
    _number("version", primary_key=True),
    _text("body"),
)
COMPARISONS_5 = Table(
    "comparisons",
    SCHEMA_5,
    _id(),
    _name(index=True),
    _number("version"),
    _text("kind", 20),
    _text("at", 40),
    _text("input", nullable=True),
    _text("ours", nullable=True),
    _text("theirs", nullable=True),
)
LEASES_5 = Table(
    "leases",
    SCHEMA_5,
    _text("name", 240, primary_key=True),
    _text("owner", 80),
    _number("token"),
    Column("until", Float, nullable=False),
)
KEYS_5 = Table(
    "keys",
    SCHEMA_5,
    _text("id", 40, primary_key=True),
    _text("digest", 64, unique=True),
    _text("body"),
)
GRANTS_5 = Table(
    "grants",
    SCHEMA_5,
    _name(primary_key=True),
    _text("tenant", 80, primary_key=True),
    _text("at", 40),
)
REQUESTS_5 = Table(
    "requests",
    SCHEMA_5,
    _text("id", 80, primary_key=True),
    _text("tenant", 80, index=True),
    _text("key", 40),
    _text("at", 40, index=True),
    _text("tier", 20),
    _name(nullable=True),
    _text("cost", 40, nullable=True),
    _text("saved", 40, nullable=True),
    _number("tokens"),
    _text("body"),
)
SPENDING_5 = Table(
    "spending",
    SCHEMA_5,
    _text("key", 40, primary_key=True),
    _text("day", 10, primary_key=True),
    Column("nano_usd", BigInteger, nullable=False),
)
