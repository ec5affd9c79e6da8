"""What live traffic shows of tools, over SQL: standings, disagreements, leases."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, text, update

from toolwright.core.errors import StoreError, ToolNotFound
from toolwright.core.store import Lease, Standing
from toolwright.core.tool import State
from toolwright.core.traffic import Comparison, Judge, Weighed
from toolwright.store.engine import Database
from toolwright.store.schema import COMPARISONS, LEASES, STANDINGS, TOOLS
from toolwright.store.states import move


def clock(database: Database, connection: Connection) -> float:
    """Give the seconds since 1970 by the one clock that all owners of leases share."""
    if database.lite:
        return time.time()
    now = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
    return float(now)


class SqlLive:
    """Keeps standings and leases of a room; see ``toolwright.core.traffic.LiveStore``."""

    def __init__(self, database: Database, room: str = "") -> None:
        self._database, self._room = database, room

    async def standing(self, request_class: str, version: int) -> Standing:
        """Give what is known of a version."""

        def work() -> Standing:
            with self._database.transaction(write=False) as connection:
                return _standing(connection, self._room + request_class, version)

        return await asyncio.to_thread(work)

    async def standings(self, room: str) -> Mapping[tuple[str, int], Standing]:
        """Give what is known of all versions of a room."""
        mine = STANDINGS.c.request_class.startswith(self._room + room, autoescape=True)
        return {
            (row.request_class.removeprefix(self._room), row.version): Standing.model_validate_json(
                row.body
            )
            for row in await self._database.rows(select(STANDINGS).where(mine))
        }

    async def weigh(
        self, request_class: str, version: int, judge: Judge, kept: Comparison | None = None
    ) -> Weighed:
        """Apply a comparison to a version."""
        return await asyncio.to_thread(
            self._weigh, self._room + request_class, version, judge, kept
        )

    def _weigh(self, name: str, version: int, judge: Judge, kept: Comparison | None) -> Weighed:
        mine = (TOOLS.c.request_class == name) & (TOOLS.c.version == version)
        with self._database.transaction(write=True) as connection:
            self._database.hold(connection, name)
            row = connection.execute(select(TOOLS.c.state).where(mine)).first()
            if row is None:
                raise ToolNotFound(f"the store has no tool '{name} v{version}'")
            state: State = row.state
            standing, then, reason = judge(_standing(connection, name, version), state)
            body = {"body": standing.model_dump_json()}
            new = self._database.upsert(STANDINGS).values(
                request_class=name, version=version, **body
            )
            key = ["request_class", "version"]
            connection.execute(new.on_conflict_do_update(index_elements=key, set_=body))
            if kept is not None:
                connection.execute(insert(COMPARISONS).values(_row(name, kept)))
            if then is not None and then != state:
                move(connection, name, version, then, reason)
                state = then
        return Weighed(standing, state, reason, kept is not None)

    async def disagreements(self, request_class: str) -> Sequence[Comparison]:
        """Give the kept disagreements of a class, newest first."""
        mine = COMPARISONS.c.request_class == self._room + request_class
        query = select(COMPARISONS).where(mine).order_by(COMPARISONS.c.id.desc())
        return [
            Comparison(
                kind=row.kind, version=row.version, input=row.input, ours=row.ours,
                theirs=row.theirs, at=datetime.fromisoformat(row.at),
            )
            for row in await self._database.rows(query)
        ]  # fmt: skip

    async def lease(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Take a lease; its name is one for all rooms."""

        def work() -> Lease | None:
            with self._database.transaction(write=True) as connection:
                self._database.hold(connection, f"lease {name}")
                now = clock(self._database, connection)
                row = connection.execute(select(LEASES).where(LEASES.c.name == name)).first()
                if row is not None and row.until > now:
                    return None
                held = {
                    "owner": owner,
                    "token": row.token + 1 if row else 1,
                    "until": now + seconds,
                }
                new = self._database.upsert(LEASES).values(name=name, **held)
                connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=held))
                return Lease(name, owner, int(held["token"]))

        return await asyncio.to_thread(work)

    async def renew(self, lease: Lease, seconds: float) -> bool:
        """Prolong a lease."""

        def work() -> bool:
            with self._database.transaction(write=True) as connection:
                until = clock(self._database, connection) + seconds
                mine = held(lease)
                return (
                    connection.execute(update(LEASES).where(mine).values(until=until)).rowcount == 1
                )

        return await asyncio.to_thread(work)

    async def release(self, lease: Lease) -> None:
        """Give a lease back; its token is never given again."""

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(update(LEASES).where(held(lease)).values(until=0.0))

        await asyncio.to_thread(work)


def held(lease: Lease) -> ColumnElement[bool]:
    """Give the condition that a lease is still its holder's."""
    return (LEASES.c.name == lease.name) & (LEASES.c.token == lease.token)


def check_lease(database: Database, connection: Connection, lease: Lease) -> None:
    """Refuse, inside a transaction, what is done under a lease that lapsed.

    Raises:
        StoreError: another owner may have it by now.
    """
    database.hold(connection, f"lease {lease.name}")
    row = connection.execute(select(LEASES.c.until).where(held(lease))).first()
    if row is None or row.until <= clock(database, connection):
        raise StoreError(f"the lease {lease.name!r} lapsed", code="lease-lost")


def _row(name: str, kept: Comparison) -> dict[str, Any]:
    return kept.model_dump() | {"request_class": name, "at": kept.at.isoformat()}


def _standing(connection: Connection, name: str, version: int) -> Standing:
    mine = (STANDINGS.c.request_class == name) & (STANDINGS.c.version == version)
    body = connection.execute(select(STANDINGS.c.body).where(mine)).scalar_one_or_none()
    return Standing(attempt=version) if body is None else Standing.model_validate_json(body)
