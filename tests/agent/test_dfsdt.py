"""Depth-first search: order, siblings, limits, and that a thousand nodes cost what they should."""

import json
from itertools import count

import pytest
from tests.agent.world import ANSWER, BOX, CALL, GIVE_UP, act, answering, three_roles

from toolmint.agent.agent import AgentLoop
from toolmint.agent.dfsdt import DFSDT, PAPER_DFSDT
from toolmint.agent.policy import ThreeRolePolicy
from toolmint.core.model import Model
from toolmint.core.task import Task, Trajectory

pytestmark = pytest.mark.anyio
TASK = Task(input="What does a pen cost?")
PEN, GOLD = act("price", '{"item": "pen"}'), act("price", '{"item": "gold"}')
PENS = [act("price", f'{{"item": "pen {number}"}}') for number in range(9)]


def other_calls() -> Model:
    """Return a model that calls for another pen each time: equal calls would end a branch."""
    numbers = count()
    return answering(lambda _: CALL + "\n" + act("price", f'{{"item": "pen {next(numbers)}"}}'))


def shape(done: Trajectory) -> list[tuple[int | None, str | None, bool]]:
    return [(step.parent, step.decision, step.pruned) for step in done.steps]


async def test_it_goes_back_and_tries_a_sibling_that_is_shown_what_was_tried() -> None:
    policy = three_roles([CALL, GIVE_UP, CALL, ANSWER], [GOLD, PEN], ["2"])
    done = await AgentLoop(policy, BOX, DFSDT()).solve(TASK)
    assert (done.outcome, done.answer) == ("answered", "2")
    assert shape(done) == [
        (None, "call", True),
        (0, "give_up", True),
        (None, "call", False),
        (2, "answer", False),
    ]
    (hint,) = done.steps[2].hints
    shown = json.loads(hint[hint.index("[") : hint.rindex("]") + 1])
    assert shown[0]["name"] == "price"
    assert "KeyError" in shown[0]["output"]
    assert [step.id for step in done.path()] == [2, 3]


async def test_levels_to_go_back_are_a_parameter() -> None:
    two = three_roles([CALL, CALL, GIVE_UP, CALL, GIVE_UP, CALL, GIVE_UP, GIVE_UP, GIVE_UP], PENS)
    done = await AgentLoop(two, BOX, DFSDT(back_after_give_up=1)).solve(TASK)
    assert [step.parent for step in done.steps] == [None, 0, 1, 1, 3, 3, 5, 5, 0][: len(done.steps)]
    three = three_roles([CALL, CALL, CALL, GIVE_UP, CALL, GIVE_UP], PENS)
    far = await AgentLoop(three, BOX, DFSDT(back_after_give_up=3)).solve(TASK)
    assert [step.parent for step in far.steps] == [None, 0, 1, 2, 0, 4]


async def test_an_exhausted_search_ends_in_its_first_give_up() -> None:
    done = await AgentLoop(three_roles([GIVE_UP, GIVE_UP]), BOX, DFSDT(back_after_give_up=1)).solve(
        TASK
    )
    assert (done.outcome, done.leaf, len(done.steps)) == ("gave_up", 0, 2)


async def test_more_answers_than_one_can_be_asked_for() -> None:
    policy = three_roles([ANSWER, ANSWER], [], ["a", "b"])
    done = await AgentLoop(policy, BOX, DFSDT(answers=2, back_after_answer=1)).solve(TASK)
    assert (done.answer, [step.answer for step in done.steps]) == ("a", ["a", "b"])


async def test_the_papers_bound_of_a_chain_counts_nodes() -> None:
    model = other_calls()
    done = await AgentLoop(ThreeRolePolicy(model, model, model), BOX, PAPER_DFSDT).solve(TASK)
    assert done.outcome == "limit"
    depths = {step.id: len(done.path(step.id)) for step in done.steps}
    assert max(depths.values()) == 4
    assert len(done.steps) == 2 + 4 + 8 + 16


async def test_queries_are_bounded() -> None:
    model = other_calls()
    done = await AgentLoop(ThreeRolePolicy(model, model, model), BOX, DFSDT(queries=10)).solve(TASK)
    assert (done.outcome, len(done.steps)) == ("limit", 10)
    assert "10 steps" in done.run.stopped


async def test_a_thousand_nodes_and_a_deep_chain_are_no_trouble() -> None:
    model = other_calls()
    search = DFSDT(queries=1000, max_steps=9)
    done = await AgentLoop(ThreeRolePolicy(model, model, model), BOX, search).solve(TASK)
    assert len(done.steps) == 1000
    deep = DFSDT(queries=300, max_steps=5000)
    assert (
        len((await AgentLoop(ThreeRolePolicy(model, model, model), BOX, deep).solve(TASK)).path())
        == 300
    )
