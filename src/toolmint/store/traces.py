"""The log of trajectories over SQL, and the missing tools that come out of them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from toolmint.core.errors import StoreError
from toolmint.core.store import MissingTool, TrajectorySummary
from toolmint.core.task import FlagKind, Trajectory, read_trajectory
from toolmint.store.clock import now
from toolmint.store.engine import Database
from toolmint.store.schema import MISSING_TOOLS_TABLE, TRACES_TABLE

_FLAG_LETTERS: dict[str, FlagKind] = {"c": "cut", "u": "ungrounded"}
"""The column ``outcome`` holds the flags of an answer too, as ``answered!cu``."""


def _marked(trajectory: Trajectory) -> str:
    kinds = {flag.kind for flag in trajectory.flags}
    letters = "".join(letter for letter, kind in _FLAG_LETTERS.items() if kind in kinds)
    return f"{trajectory.outcome}!{letters}" if letters else trajectory.outcome


def _unmarked(row: dict[str, Any]) -> dict[str, Any]:
    outcome, _, letters = str(row["outcome"]).partition("!")
    flags = tuple(_FLAG_LETTERS[one] for one in letters if one in _FLAG_LETTERS)
    return row | {"outcome": outcome, "flags": flags}


class SqlTraces:
    """Keeps trajectories in a database; see ``toolmint.core.store.TrajectoryLog``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def log(self, trajectory: Trajectory) -> int:
        """Keep a trajectory, and its missing tool, in one transaction."""

        def work() -> int:
            row = {
                "at": now(),
                "input": trajectory.task.input,
                "outcome": _marked(trajectory),
                "steps": len(trajectory.steps),
                "body": trajectory.model_dump_json(),
            }
            with self._database.transaction(write=True) as connection:
                key = connection.execute(insert(TRACES_TABLE).values(row)).inserted_primary_key
                number = int(key[0]) if key else 0
                if trajectory.wants is not None:
                    missing_tool = {"at": now(), "wants": trajectory.wants, "trace": number}
                    connection.execute(insert(MISSING_TOOLS_TABLE).values(missing_tool))
            return number

        return await asyncio.to_thread(work)

    async def trace(self, number: int) -> Trajectory:
        """Return a trajectory by its number."""
        rows = await self._database.rows(
            select(TRACES_TABLE.c.body).where(TRACES_TABLE.c.id == number)
        )
        if not rows:
            raise StoreError(
                f"the store has no trajectory {number}; `toolmint traces list` names all",
                code="store-trace",
            )
        return read_trajectory(rows[0].body, f"trajectory {number}")

    async def traces(self, most: int | None = None) -> Sequence[TrajectorySummary]:
        """Return summaries of the trajectories, newest first."""
        columns = (
            TRACES_TABLE.c.id,
            TRACES_TABLE.c.at,
            TRACES_TABLE.c.input,
            TRACES_TABLE.c.outcome,
            TRACES_TABLE.c.steps,
        )
        rows = await self._database.mappings(
            select(*columns).order_by(TRACES_TABLE.c.id.desc()).limit(most)
        )
        return [TrajectorySummary.model_validate(_unmarked(dict(row))) for row in rows]

    async def missing_tools(self) -> Sequence[MissingTool]:
        """Return every missing tool, oldest first."""
        rows = await self._database.rows(
            select(MISSING_TOOLS_TABLE).order_by(MISSING_TOOLS_TABLE.c.id)
        )
        return [
            MissingTool(
                id=row.id,
                at=datetime.fromisoformat(row.at),
                wants=row.wants,
                trace=row.trace,
                request_class=row.request_class,
            )
            for row in rows
        ]

    async def made(self, missing_tool: int, request_class: str) -> None:
        """Note the class of the tool that was made for it."""

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(
                    update(MISSING_TOOLS_TABLE)
                    .where(MISSING_TOOLS_TABLE.c.id == missing_tool)
                    .values(request_class=request_class)
                )

        await asyncio.to_thread(work)
