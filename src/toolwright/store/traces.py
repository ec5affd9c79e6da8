"""The log of trajectories over SQL, and the wishes for tools that come out of them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from toolwright.core.errors import StoreError
from toolwright.core.store import Trace, Wish
from toolwright.core.task import Trajectory, read_trajectory
from toolwright.store.engine import Database, now
from toolwright.store.schema import TRACES, WISHES


class SqlTraces:
    """Keeps trajectories in a database; see ``toolwright.core.store.TrajectoryLog``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def log(self, trajectory: Trajectory) -> int:
        """Keep a trajectory, and its wish, in one transaction."""

        def work() -> int:
            row = {
                "at": now(), "input": trajectory.task.input, "outcome": trajectory.outcome,
                "steps": len(trajectory.steps), "body": trajectory.model_dump_json(),
            }  # fmt: skip
            with self._database.transaction(write=True) as connection:
                key = connection.execute(insert(TRACES).values(row)).inserted_primary_key
                number = int(key[0]) if key else 0
                if trajectory.wants is not None:
                    wish = {"at": now(), "wants": trajectory.wants, "trace": number}
                    connection.execute(insert(WISHES).values(wish))
            return number

        return await asyncio.to_thread(work)

    async def trace(self, number: int) -> Trajectory:
        """Give a trajectory by its number."""
        rows = await self._database.rows(select(TRACES.c.body).where(TRACES.c.id == number))
        if not rows:
            raise StoreError(
                f"the store has no trajectory {number}; `toolwright traces list` names all",
                code="store-trace",
            )
        return read_trajectory(rows[0].body, f"trajectory {number}")

    async def traces(self, most: int | None = None) -> Sequence[Trace]:
        """Give what is kept, newest first."""
        columns = (TRACES.c.id, TRACES.c.at, TRACES.c.input, TRACES.c.outcome, TRACES.c.steps)
        rows = await self._database.mappings(
            select(*columns).order_by(TRACES.c.id.desc()).limit(most)
        )
        return [Trace.model_validate(dict(row)) for row in rows]

    async def wishes(self) -> Sequence[Wish]:
        """Give every wish, oldest first."""
        rows = await self._database.rows(select(WISHES).order_by(WISHES.c.id))
        return [
            Wish(
                id=row.id, at=datetime.fromisoformat(row.at), wants=row.wants, trace=row.trace,
                request_class=row.request_class,
            )
            for row in rows
        ]  # fmt: skip

    async def granted(self, wish: int, request_class: str) -> None:
        """Note the class of the tool that was made of a wish."""

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(
                    update(WISHES).where(WISHES.c.id == wish).values(request_class=request_class)
                )

        await asyncio.to_thread(work)
