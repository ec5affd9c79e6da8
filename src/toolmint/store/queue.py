"""The queue of demonstrations that wait for a tool, over SQL."""

import asyncio
from collections.abc import Mapping

from sqlalchemy import delete, func, select, update

from toolmint.core.learned import DrawnDemonstration
from toolmint.core.tool import Demonstration
from toolmint.core.values import digest
from toolmint.store.classes import introduce
from toolmint.store.clock import now
from toolmint.store.columns import CLASS_COLUMNS, class_row, is_class
from toolmint.store.schema import CLASSES_TABLE, QUEUE_TABLE
from toolmint.store.view import NamespaceView

_CLASS = (QUEUE_TABLE.c.tenant, QUEUE_TABLE.c.scope, QUEUE_TABLE.c.request_class)


class SqlQueue(NamespaceView):
    """Keeps the queue; see ``toolmint.core.store.ToolStore``."""

    async def enqueue(self, request_class: str, demonstration: Demonstration) -> int:
        """Queue a request with its answer; one that is queued already takes the newer answer."""
        key = self._new_key(request_class)

        def work() -> int:
            drawn = demonstration.drawn if isinstance(demonstration, DrawnDemonstration) else None
            newer = {"target": demonstration.target, "at": now(), "drawn": drawn}
            row = {"input": demonstration.input, "input_digest": digest(demonstration.input)}
            new = self._database.upsert(QUEUE_TABLE).values(class_row(key) | row | newer)
            new = new.on_conflict_do_update(
                index_elements=[*CLASS_COLUMNS, "input_digest"], set_=newer
            )
            count = select(func.count()).where(is_class(QUEUE_TABLE, key))
            with self._database.transaction(write=True) as connection:
                connection.execute(new)
                introduce(self._database, connection, key, demonstration.input)
                return connection.execute(count).scalar_one()

        return await asyncio.to_thread(work)

    async def join(self, request_class: str, other: str) -> None:
        """Move the queued demonstrations of one class to another one; duplicates are dropped."""
        old, new = self._key(request_class), self._new_key(other)
        there = select(QUEUE_TABLE.c.input_digest).where(is_class(QUEUE_TABLE, new))
        mine = is_class(QUEUE_TABLE, old)
        info = select(CLASSES_TABLE.c.title, CLASSES_TABLE.c.example, CLASSES_TABLE.c.at)

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(
                    delete(QUEUE_TABLE).where(mine, QUEUE_TABLE.c.input_digest.in_(there))
                )
                connection.execute(update(QUEUE_TABLE).where(mine).values(class_row(new)))
                known = (
                    connection.execute(info.where(is_class(CLASSES_TABLE, old))).mappings().first()
                )
                if known is not None:
                    row = class_row(new) | dict(known)
                    added = self._database.upsert(CLASSES_TABLE).values(row)
                    connection.execute(added.on_conflict_do_nothing())

        await asyncio.to_thread(work)

    async def queued(
        self,
        request_class: str | None = None,
        *,
        since: str | None = None,
        most: int | None = None,
    ) -> dict[str, list[Demonstration]]:
        """Return the queued demonstrations by class, oldest first."""
        chosen = [self._mine(QUEUE_TABLE)]
        if request_class is not None:
            chosen.append(is_class(QUEUE_TABLE, self._key(request_class)))
        if since is not None:
            chosen.append(QUEUE_TABLE.c.at >= since)
        query = select(*_CLASS, QUEUE_TABLE.c.input, QUEUE_TABLE.c.target)
        if most is None:
            query = query.where(*chosen)
        else:
            age = func.row_number().over(partition_by=_CLASS, order_by=QUEUE_TABLE.c.id.desc())
            newest = select(QUEUE_TABLE.c.id, age.label("age")).where(*chosen).subquery()
            query = query.join(newest, newest.c.id == QUEUE_TABLE.c.id).where(newest.c.age <= most)
        found: dict[str, list[Demonstration]] = {}
        for row in await self._database.rows(query.order_by(QUEUE_TABLE.c.id)):
            one = Demonstration(input=row.input, target=row.target)
            found.setdefault(self._name(row), []).append(one)
        return found

    async def learnable(self, request_class: str, most: int) -> list[DrawnDemonstration]:
        """Return a class's newest queued demonstrations that have an answer, oldest first."""
        table, at = QUEUE_TABLE.c, func.coalesce(QUEUE_TABLE.c.at, "")
        mine = is_class(QUEUE_TABLE, self._key(request_class))
        query = (
            select(table.input, table.target, table.drawn, at.label("at"))
            .where(mine, table.target.is_not(None))
            .order_by(at.desc(), table.id.desc())
            .limit(most)
        )
        return [
            DrawnDemonstration(
                input=row.input, target=row.target, drawn=row.drawn or "all", at=row.at
            )
            for row in reversed(await self._database.rows(query))
        ]

    async def trim(self, request_class: str, most: int) -> int:
        """Drop a class's oldest queued demonstrations beyond some number."""
        mine = is_class(QUEUE_TABLE, self._new_key(request_class))
        order = (func.coalesce(QUEUE_TABLE.c.at, "").desc(), QUEUE_TABLE.c.id.desc())
        newest = select(QUEUE_TABLE.c.id).where(mine).order_by(*order).limit(most)

        def work() -> int:
            with self._database.transaction(write=True) as connection:
                old = delete(QUEUE_TABLE).where(mine, QUEUE_TABLE.c.id.not_in(newest))
                return connection.execute(old).rowcount

        return await asyncio.to_thread(work)

    async def waiting(self) -> Mapping[str, int]:
        """Return how many demonstrations are queued, by class."""
        query = select(*_CLASS, func.count().label("waiting")).where(self._mine(QUEUE_TABLE))
        rows = await self._database.rows(query.group_by(*_CLASS).order_by(*_CLASS))
        return {self._name(row): row.waiting for row in rows}
