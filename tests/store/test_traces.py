"""Trajectories and wishes are kept, and an older store is brought up to date."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from toolwright.core.errors import StoreError
from toolwright.core.task import Step, Task, Trajectory
from toolwright.store.sql import SqlStore

pytestmark = pytest.mark.anyio
RUN = Trajectory(
    task=Task(input="q"),
    steps=(Step(id=0, thought="t", decision="give_up"),),
    leaf=0,
    outcome="gave_up",
)


async def test_trajectories_are_kept_as_they_are(store: SqlStore) -> None:
    number = await store.traces.log(RUN)
    assert await store.traces.trace(number) == RUN
    await store.traces.log(RUN.model_copy(update={"task": Task(input="r")}))
    listed = await store.traces.traces()
    assert [(one.input, one.outcome, one.steps) for one in listed] == [
        ("r", "gave_up", 1),
        ("q", "gave_up", 1),
    ]
    assert len(await store.traces.traces(1)) == 1
    assert await store.traces.wishes() == []
    with pytest.raises(StoreError, match="no trajectory 99"):
        await store.traces.trace(99)


async def test_a_give_up_for_want_of_a_tool_leaves_a_wish(store: SqlStore) -> None:
    number = await store.traces.log(RUN.model_copy(update={"wants": "sorts numbers"}))
    (wish,) = await store.traces.wishes()
    assert (wish.wants, wish.trace, wish.request_class) == ("sorts numbers", number, None)
    await store.traces.granted(wish.id, "sorting")
    assert (await store.traces.wishes())[0].request_class == "sorting"


async def test_a_store_of_the_first_schema_learns_to_keep_trajectories(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    SqlStore.open(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for statement in (
            "DROP TABLE traces",
            "DROP TABLE wishes",
            "DELETE FROM migrations WHERE number > 1",
        ):
            connection.execute(text(statement))
    engine.dispose()
    store = SqlStore.open(path)
    assert await store.traces.log(RUN) == 1
    store.close()
