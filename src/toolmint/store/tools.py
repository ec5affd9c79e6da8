"""Made tools over SQL: immutable versions, their states, and the history of these."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, func, insert, select

from toolmint.core.errors import StoreError, ToolNotFound
from toolmint.core.grants import StoreChanges
from toolmint.core.learned import weights_digest
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.store import Lease, StateChange
from toolmint.core.tool import State, ToolRecord
from toolmint.store.classes import introduce
from toolmint.store.columns import class_row, is_class, key_of
from toolmint.store.live import check_lease
from toolmint.store.schema import GRANTS_TABLE, TOOLS_TABLE, TRANSITIONS_TABLE, WEIGHTS_TABLE
from toolmint.store.states import change_state, demote_serving, log_state
from toolmint.store.view import NamespaceView

_RECORD = (
    TOOLS_TABLE.c.tenant,
    TOOLS_TABLE.c.scope,
    TOOLS_TABLE.c.request_class,
    TOOLS_TABLE.c.record,
)


class _Moved(NamedTuple):
    """The first state of a version, and why it has it."""

    state: State
    reason: str


class SqlTools(NamespaceView):
    """Keeps versions and their states; see ``toolmint.core.store.ToolStore``."""

    def _tool(self, row: Row[Any]) -> ToolRecord:
        record = ToolRecord.model_validate_json(row.record)
        return record.model_copy(update={"request_class": self._name(row)})

    async def add(
        self,
        record: ToolRecord,
        state: State,
        reason: str,
        lease: Lease | None = None,
        *,
        weights: bytes | None = None,
    ) -> ToolRecord:
        """Keep a new version under the next number of its class, with the weights that it names."""
        if record.weights != (weights_digest(weights) if weights is not None else ""):
            raise StoreError(
                f"{record.request_class!r} names other weights than were given",
                code="store-weights",
            )
        key, moved = self._new_key(record.request_class), _Moved(state, reason)
        return await asyncio.to_thread(self._add, key, record, moved, lease, weights)

    def _add(
        self,
        key: ClassKey,
        record: ToolRecord,
        moved: "_Moved",
        lease: Lease | None,
        weights: bytes | None,
    ) -> ToolRecord:
        state, reason = moved
        with self._database.transaction(write=True) as connection:
            if lease is not None:
                check_lease(self._database, connection, lease)
            self._database.hold(connection, str(key))
            last = connection.execute(
                select(func.max(TOOLS_TABLE.c.version)).where(is_class(TOOLS_TABLE, key))
            ).scalar()
            kept = record.model_copy(update={"version": (last or 0) + 1})
            if state == "serving":
                demote_serving(connection, key, "a newer version serves")
            row = {
                "version": kept.version,
                "digest": kept.digest,
                "record": kept.model_copy(update={"request_class": key.name}).model_dump_json(),
                "state": state,
            }
            connection.execute(insert(TOOLS_TABLE).values(class_row(key) | row))
            if weights is not None:
                body = {"digest": kept.weights, "body": weights}
                new = self._database.upsert(WEIGHTS_TABLE).values(class_row(key) | body)
                connection.execute(new.on_conflict_do_nothing())
            log_state(connection, key, kept.version, state, reason)
            if kept.demonstrations:
                introduce(self._database, connection, key, kept.demonstrations[0].input)
        return kept

    async def weights(self, request_class: str, digest: str) -> bytes:
        """Return the weights that a class's record names."""
        mine = is_class(WEIGHTS_TABLE, self._key(request_class))
        query = select(WEIGHTS_TABLE.c.body).where(mine, WEIGHTS_TABLE.c.digest == digest)
        rows = await self._database.rows(query)
        if not rows:
            raise StoreError(
                f"the store has no weights {digest[:12]} of {request_class!r}", code="store-weights"
            )
        found = bytes(rows[0].body)
        if weights_digest(found) != digest:
            raise StoreError(
                f"the weights {digest[:12]} of {request_class!r} are damaged", code="store-weights"
            )
        return found

    async def get(self, request_class: str, version: int | None = None) -> ToolRecord:
        """Return a version, by default the newest."""
        query = select(*_RECORD).where(is_class(TOOLS_TABLE, self._key(request_class)))
        if version is not None:
            query = query.where(TOOLS_TABLE.c.version == version)
        rows = await self._database.rows(query.order_by(TOOLS_TABLE.c.version.desc()).limit(1))
        if not rows:
            name = request_class if version is None else f"{request_class} v{version}"
            raise ToolNotFound(f"the store has no tool {name!r}; `toolmint tools list` names all")
        return self._tool(rows[0])

    async def serving(self) -> Sequence[ToolRecord]:
        """Return the serving version of each class."""
        query = select(*_RECORD).where(TOOLS_TABLE.c.state == "serving", self._mine(TOOLS_TABLE))
        order = (TOOLS_TABLE.c.tenant, TOOLS_TABLE.c.scope, TOOLS_TABLE.c.request_class)
        return [self._tool(row) for row in await self._database.rows(query.order_by(*order))]

    async def versions(
        self, request_class: str | None = None
    ) -> Sequence[tuple[ToolRecord, State]]:
        """Return all versions with their states."""
        table = TOOLS_TABLE
        query = select(*_RECORD, table.c.state).where(self._mine(table))
        if request_class is not None:
            query = query.where(is_class(table, self._key(request_class)))
        order = (table.c.tenant, table.c.scope, table.c.request_class, table.c.version)
        rows = await self._database.rows(query.order_by(*order))
        return [(self._tool(row), row.state) for row in rows]

    async def move(self, request_class: str, version: int, state: State, reason: str) -> None:
        """Change a version's state; a version that begins to serve replaces the one that did."""
        key = self._key(request_class)

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                self._database.hold(connection, str(key))
                change_state(connection, key, version, state, reason)

        await asyncio.to_thread(work)

    async def history(self, request_class: str, version: int) -> Sequence[StateChange]:
        """Return every change of state of a version."""
        table = TRANSITIONS_TABLE
        query = select(table.c.state, table.c.reason, table.c.at).where(
            is_class(table, self._key(request_class)), table.c.version == version
        )
        return [
            StateChange(state=row.state, reason=row.reason, at=datetime.fromisoformat(row.at))
            for row in await self._database.rows(query.order_by(table.c.id))
        ]

    async def changes(self, since: int | None) -> StoreChanges:
        """Return where versions have moved after a change of some number, and all grants."""
        table = TRANSITIONS_TABLE.c
        last = select(func.coalesce(func.max(table.id), 0))
        moved = select(table.id, table.tenant, table.scope).where(table.id > (since or 0))
        grants = select(GRANTS_TABLE)

        def work() -> StoreChanges:
            with self._database.transaction(write=False) as connection:
                number = int(connection.execute(last).scalar_one())
                rows = connection.execute(moved).all() if since is not None else ()
                return StoreChanges(
                    {row.id: Namespace(row.tenant, row.scope) for row in rows},
                    max([number, *(row.id for row in rows)]),
                    frozenset((key_of(row), row.grantee) for row in connection.execute(grants)),
                )

        return await asyncio.to_thread(work)
