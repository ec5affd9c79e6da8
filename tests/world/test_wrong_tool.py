"""The player that takes a wrong tool now and then, and says so."""

import pytest

from toolmint.core.task import Step
from toolmint.roles.marked import pieces_of
from toolmint.world.generate import make_tasks
from toolmint.world.players import Reference, play_task
from toolmint.world.task import WorldTask
from toolmint.world.wrong_tool import WrongToolPlayer

pytestmark = pytest.mark.anyio
TASKS = list(make_tasks("train", 60, seed=500))


def strays(path: tuple[Step, ...]) -> list[int]:
    """Return the places of the steps for which no planner took a turn."""
    return [at for at, step in enumerate(path) if all(one.role != "planner" for one in step.turns)]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
async def test_a_player_that_calls_wrong_tools_reaches_the_same_answer(task: WorldTask) -> None:
    right, _ = await play_task(task, Reference(task))
    done, box = await play_task(task, WrongToolPlayer(task, 0.5))
    assert (done.outcome, done.answer) == (right.outcome, right.answer)
    assert box.check(done).passed
    path = done.path()
    for at in strays(path):
        wrong, after = path[at].calls[0].name, path[at + 1]
        assert after.thought.startswith(f"`{wrong}` was the wrong tool. ")
        assert after.decision == "give_up" or after.calls[0].name != wrong
        assert path[at].results[0].failure != "tool-arguments"
        written = [call for turn in path[at].turns for call in turn.answer.tool_calls]
        assert all(
            (one.name, one.parsed()) == (wrong, path[at].calls[0].parsed()) for one in written
        )


async def test_a_wrong_turn_is_read_and_not_learnt() -> None:
    runs = [(await play_task(task, WrongToolPlayer(task, 0.5)))[0] for task in TASKS]
    assert sum(len(strays(run.path())) for run in runs) > 40
    for run in runs:
        wrong = {run.path()[at].id for at in strays(run.path())}
        owned = {piece.step for piece in pieces_of(run.task, run.path()) if piece.role == "planner"}
        assert not wrong & owned


async def test_a_goal_that_nothing_reaches_can_have_a_wrong_turn_too() -> None:
    hopeless = [task for task in TASKS if not task.solvable]
    runs = [(await play_task(task, WrongToolPlayer(task, 1.0)))[0] for task in hopeless]
    last = [run.path()[-1].thought for run in runs]
    assert any("was the wrong tool" in one and "I give up" in one for one in last)
