"""The store over SQL, put together of its parts."""

from os import PathLike, fspath

from toolmint.core.namespace import Namespace
from toolmint.core.store import TrajectoryLog
from toolmint.core.traffic import LiveStore
from toolmint.store.classes import SqlClasses
from toolmint.store.engine import Database
from toolmint.store.ledger import SqlLedger
from toolmint.store.live import SqlLive
from toolmint.store.queue import SqlQueue
from toolmint.store.tools import SqlTools
from toolmint.store.traces import SqlTraces
from toolmint.store.traffic import SqlTraffic


class SqlStore(SqlTools, SqlQueue, SqlClasses, SqlLedger):
    """Keeps everything in one SQL database; see ``toolmint.core.store.ToolStore``.

    An opened store is the whole one: it shows the classes of every namespace by ``str`` of their keys.
    ``namespace`` returns one that sees a single namespace, by plain names.
    """

    @classmethod
    def open(cls, where: str | PathLike[str]) -> "SqlStore":
        """Open, or begin, a store in one SQLite file, or in the PostgreSQL database of a URL."""
        return cls(Database.open(fspath(where)))

    def namespace(self, namespace: Namespace) -> "SqlStore":
        """Return the store of one namespace, in the same database."""
        return SqlStore(self._database, namespace)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @property
    def traces(self) -> TrajectoryLog:
        """The trajectories and the missing tools, in the same database."""
        return SqlTraces(self._database)

    @property
    def live(self) -> LiveStore:
        """What live traffic shows of tools, in every namespace."""
        return SqlLive(self._database)

    @property
    def traffic(self) -> SqlTraffic:
        """The log of requests and the keys, in every namespace."""
        return SqlTraffic(self._database)
