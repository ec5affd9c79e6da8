"""Trajectories and missing tools are kept."""

import json

import pytest

from toolmint.core.errors import StoreError
from toolmint.core.task import Step, Task, Trajectory, read_trajectory
from toolmint.store.sql import SqlStore

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
    assert await store.traces.missing_tools() == []
    with pytest.raises(StoreError, match="no trajectory 99"):
        await store.traces.trace(99)


async def test_a_give_up_for_want_of_a_tool_leaves_a_missing_tool(store: SqlStore) -> None:
    number = await store.traces.log(RUN.model_copy(update={"wants": "sorts numbers"}))
    (missing_tool,) = await store.traces.missing_tools()
    assert (missing_tool.wants, missing_tool.trace, missing_tool.request_class) == (
        "sorts numbers",
        number,
        None,
    )
    await store.traces.made(missing_tool.id, "sorting")
    assert (await store.traces.missing_tools())[0].request_class == "sorting"


async def test_a_trajectory_with_former_words_is_read() -> None:
    turn: dict[str, object] = {
        "role": "tooluser",
        "prompt": [],
        "answer": {"role": "assistant", "content": "a"},
    }
    former: dict[str, object] = {
        "task": {"input": "q"},
        "steps": [{"id": 0, "turns": [turn | {"usage": {}}]}],
        "served": {"tier": "compiled", "why": "w"},
    }
    read = read_trajectory(json.dumps(former))
    assert read.served is not None and read.served.tier == "code"
    assert read.steps[0].turns[0].role == "light"
