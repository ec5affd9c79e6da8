"""The database engine: SQLite or PostgreSQL, settings that survive a kill, and faults as store errors."""

import asyncio
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    RowMapping,
    Select,
    Table,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from toolmint.core.errors import ConfigError, StoreError
from toolmint.store.clock import now
from toolmint.store.migrations import migrate

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

WRITE = "toolmint_write"
_PATIENCE = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""How long a PostgreSQL server may be silent: seconds to connect, milliseconds without an acknowledgement."""


def _sqlite(engine: Engine) -> None:
    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}").close()

    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", begin)


def fault_of(where: str, fault: Exception) -> StoreError:
    """Return the store error that a database fault means, with the next step."""
    text = str(getattr(fault, "orig", None) or fault).splitlines()[0]
    if "not a database" in text or "malformed" in text:
        return StoreError(
            f"{where} is no sound database ({text}); restore a copy or name another store",
            code="store-corrupt",
        )
    if "full" in text:
        return StoreError(f"{where} cannot grow ({text}); free some space", code="store-full")
    if "locked" in text or "busy" in text:
        return StoreError(f"{where} is busy ({text})", code="store-busy", retryable=True)
    if "connection" in text and ("refused" in text or "closed" in text or "terminat" in text):
        return StoreError(f"{where} cannot be reached ({text})", code="store-away", retryable=True)
    if "unable to open" in text or "readonly" in text:
        return StoreError(
            f"{where} cannot be opened for writing ({text}); check its folder", code="store-open"
        )
    return StoreError(f"{where}: {text}")


class Database:
    """An open database whose schema is up to date."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine, self.where = engine, where
        try:
            with self.transaction(write=True) as connection:
                self.hold(connection, "migrations")
                migrate(connection, now())
        except StoreError:
            self.close()
            raise

    @classmethod
    def sqlite(cls, path: Path) -> "Database":
        """Open, or begin, a store in one file.

        Raises:
            StoreError: the file is corrupt, newer, or cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise StoreError(
                f"the folder of the store {str(path)!r} cannot be made: {fault.strerror}",
                code="store-open",
            ) from fault
        engine = create_engine(f"sqlite:///{path}")
        _sqlite(engine)
        return cls(engine, str(path))

    @classmethod
    def open(cls, where: str) -> "Database":
        """Open the store that a path or a URL such as ``postgresql://user@host/name`` names.

        Raises:
            ConfigError: the URL is wrong, or its driver is not installed.
            StoreError: it cannot be opened.
        """
        if "://" not in where:
            return cls.sqlite(Path(where))
        try:
            url = make_url(where)
            if url.get_backend_name() != "postgresql":
                raise ConfigError(f"a store is a file or postgresql://..., not {url.drivername!r}")
            engine = create_engine(
                url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=_PATIENCE
            )
        except ArgumentError as fault:
            raise ConfigError(f"{where!r} is no URL of a database") from fault
        except ModuleNotFoundError as fault:
            raise ConfigError(
                "PostgreSQL needs the extra: pip install 'toolmint[postgres]'", code="extra"
            ) from fault
        return cls(engine, url.render_as_string(hide_password=True))

    @property
    def lite(self) -> bool:
        """Whether the database is SQLite, which allows one writer at a time."""
        return self._engine.dialect.name == "sqlite"

    def upsert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """Return an INSERT that takes ``ON CONFLICT``."""
        if self.lite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - takes long to load, and few need it

        return postgresql.insert(table)

    def hold(self, connection: Connection, name: str) -> None:
        """Take a lock by name until the transaction ends; other transactions that ask for it wait."""
        if not self.lite:
            lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
            connection.execute(lock, {"name": name})

    def snapshot(self, connection: Connection) -> None:
        """Let a new transaction read one snapshot, that of its first query."""
        if not self.lite:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))

    @contextmanager
    def transaction(self, *, write: bool) -> Generator[Connection]:
        """Return a connection inside one transaction, which is committed or rolled back as a whole."""
        try:
            with self._engine.connect() as plain:
                connection = plain.execution_options(**{WRITE: write})
                with connection.begin():
                    yield connection
        except SQLAlchemyError as fault:
            raise fault_of(self.where, fault) from fault

    async def rows(self, query: Select[*tuple[Any, ...]]) -> Sequence[Row[Any]]:
        """Return the rows of a query."""

        def work() -> Sequence[Row[Any]]:
            with self.transaction(write=False) as connection:
                return connection.execute(query).all()

        return await asyncio.to_thread(work)

    async def mappings(self, query: Select[*tuple[Any, ...]]) -> Sequence[RowMapping]:
        """Return the rows of a query by the names of their columns."""

        def work() -> Sequence[RowMapping]:
            with self.transaction(write=False) as connection:
                return connection.execute(query).mappings().all()

        return await asyncio.to_thread(work)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
