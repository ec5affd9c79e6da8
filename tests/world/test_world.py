"""ToolWorld: its tools, its tasks, its proofs, and what its players achieve."""

import json
import re
from collections import Counter

import pytest

from toolmint.agent.dfsdt import DFSDT
from toolmint.agent.react import ReACT
from toolmint.core.errors import InputError, ToolError
from toolmint.core.messages import ToolCall
from toolmint.core.schema import schema_fault
from toolmint.core.task import Task, Trajectory
from toolmint.core.values import digest
from toolmint.roles import openai_messages, toolbench
from toolmint.world.categories import CATEGORIES, SEEN_CATEGORIES
from toolmint.world.generate import make_task, make_tasks
from toolmint.world.goals import says
from toolmint.world.players import GivesUpEarly, RandomPlayer, Reference, play_task
from toolmint.world.prover import certificate, prove
from toolmint.world.shape import Shape
from toolmint.world.state import WorldState
from toolmint.world.task import WorldTask, WorldToolbox, read_task
from toolmint.world.tools import categories_of, inventory, world_tools

pytestmark = pytest.mark.anyio
TASKS = [*make_tasks("train", 150), *make_tasks("unseen", 150, seed=10_000)]
NONE = Trajectory(task=Task(input=""))


def answered(text: str) -> Trajectory:
    return NONE.model_copy(update={"answer": text, "outcome": "answered"})


def test_there_are_enough_tools_and_none_is_in_both_splits() -> None:
    train, unseen = inventory("train"), inventory("unseen")
    assert len(train) >= 200
    assert len(unseen) >= 100
    names = {tool.spec.name for tool in train}, {tool.spec.name for tool in unseen}
    assert not names[0] & names[1]
    assert (len(names[0]), len(names[1])) == (len(train), len(unseen))
    about = {tool.operation.category for tool in unseen}
    assert about == {category.name for category in CATEGORIES}
    assert {tool.operation.category for tool in train} == {
        one.name for one in CATEGORIES[:SEEN_CATEGORIES]
    }


def test_documents_are_legal_and_varied() -> None:
    tools = inventory("train") + inventory("unseen")
    assert all(schema_fault(tool.spec.parameters) is None for tool in tools)
    assert all(1 <= len(tool.spec.name) <= 64 for tool in tools)
    text = json.dumps([tool.spec.parameters for tool in tools])
    assert all(
        f'"type": "{kind}"' in text
        for kind in ("string", "integer", "number", "object", "array", "boolean")
    )
    assert '"enum"' in text
    assert '"format": "date"' in text
    assert len({tool.spec.description for tool in tools}) > 500


def test_a_seed_fixes_everything() -> None:
    assert make_task("train", 7) == make_task("train", 7)
    assert make_task("train", 7) != make_task("train", 8)
    assert read_task(TASKS[0].model_dump_json()) == TASKS[0]


def test_tasks_are_as_varied_as_they_should_be() -> None:
    calls = Counter(task.calls for task in TASKS if task.solvable)
    assert set(calls) == {1, 2, 3, 4, 5, 6}
    assert min(calls.values()) > 10
    assert 30 < sum(not task.solvable for task in TASKS) < 90
    assert sum(bool(task.flaky) for task in TASKS) > 20
    assert sum(bool(task.dead) and task.solvable for task in TASKS) > 20
    assert len({task.input for task in TASKS}) == len(TASKS)
    assert {goal.asks for task in TASKS for goal in task.goals} == {"tell", "quote", "do", "undo"}
    hows = {goal.target.how for task in TASKS for goal in task.goals}
    assert hows == {"id", "name", "field", "extreme", "link"}


def test_every_task_is_proved_one_way_or_the_other() -> None:
    for task in TASKS:
        tools = task.world_tools()
        proof = prove(task.goals, tools, WorldState(task.records, task.deeds), task.dead)
        if task.solvable:
            assert proof.calls is not None
            assert len(proof.calls) == task.calls <= 6
        else:
            assert proof.calls is None
            assert any(certificate(goal, tools, task.dead) for goal in task.goals)


async def test_the_reference_passes_everything() -> None:
    for task in TASKS:
        done, box = await play_task(task, Reference(task))
        assert box.check(done).passed, (task.id, box.check(done).why)
        assert done.outcome == ("answered" if task.solvable else "gave_up")


async def test_the_random_player_passes_next_to_nothing() -> None:
    passed = 0
    for task in TASKS:
        if task.solvable:
            done, box = await play_task(task, RandomPlayer(task))
            passed += box.check(done).passed
    assert passed <= 3


async def test_going_back_helps_a_player_that_gives_up_early() -> None:
    rates: dict[str, int] = {}
    for search in (ReACT(), DFSDT()):
        for task in TASKS:
            done, box = await play_task(task, GivesUpEarly(task), search, faults=0.15)
            rates[search.name] = rates.get(search.name, 0) + box.check(done).passed
    assert rates["dfsdt"] > rates["react"] + 50


async def test_reference_runs_are_training_data_in_every_format() -> None:
    for task in TASKS[:40]:
        done, _ = await play_task(task, Reference(task))
        read = openai_messages.decode_messages(openai_messages.encode_messages(done))
        assert [openai_messages.without_prompts(step) for step in done.path()] == [
            step.model_copy(update={"id": old.id, "parent": old.parent})
            for step, old in zip(read.path(), done.path(), strict=True)
        ]
        said = toolbench.encode_conversation(done)["conversations"]
        assert said[0] == {"from": "user", "value": task.input}
        assert (
            toolbench.decode_conversation(toolbench.encode_conversation(done)).outcome
            == done.outcome
        )
        assert all(step.thought for step in done.steps)


def _writing() -> WorldTask:
    return next(
        task
        for task in TASKS
        if task.solvable and len(task.goals) == 1 and task.goals[0].asks == "do" and not task.flaky
    )


async def test_a_deed_that_nobody_asked_for_fails_the_run() -> None:
    task = _writing()
    done, box = await play_task(task, Reference(task))
    assert box.check(done).passed
    record = task.records[task.goals[0].target.category][0]
    box.state.do(task.goals[0].target.category, str(record["id"]), "Nobody", 1)
    assert any("nobody asked for" in why for why in box.check(done).why)


async def test_words_without_deeds_do_not_pass() -> None:
    task = _writing()
    done, _ = await play_task(task, Reference(task))
    assert not WorldToolbox(task).check(done).passed
    assert not WorldToolbox(task).check(NONE.model_copy(update={"outcome": "gave_up"})).passed


async def test_an_answer_that_says_everything_is_no_answer() -> None:
    asking = [
        task
        for task in TASKS
        if task.solvable and len(task.goals) == 1 and task.goals[0].asks == "tell"
    ]
    task = next(task for task in asking if task.goals[0].field == "city")
    box = WorldToolbox(task)
    done, _ = await play_task(task, Reference(task))
    assert box.check(done).passed
    everything = " ".join(str(one["city"]) for one in task.records[task.goals[0].target.category])
    assert not box.check(answered(everything)).passed


async def test_calls_change_the_world_and_deeds_are_done_once() -> None:
    task = _writing()
    tool = next(tool for tool in task.world_tools() if tool.operation.does == "do")
    record = task.records[tool.operation.category][0]["id"]
    box = WorldToolbox(task)
    arguments = json.dumps(tool.arguments({"id": record, "person": "A B", "amount": 2}))
    call = ToolCall(id="c", name=tool.spec.name, arguments=arguments)
    first, second = await box.call(call), await box.call(call)
    assert first.data == second.data
    assert len(box.state.deeds) == 1
    bad = json.dumps(tool.arguments({"id": "XX1", "person": "A B", "amount": 2}))
    assert (await box.call(call.model_copy(update={"arguments": bad}))).failure == "not-found"
    none = json.dumps(tool.arguments({"id": record, "person": "A B", "amount": 0}))
    assert (await box.call(call.model_copy(update={"arguments": none}))).failure == "tool-arguments"
    assert len(box.state.deeds) == 1


async def test_dead_and_flaky_tools_fail_as_the_task_says() -> None:
    dead = next(task for task in TASKS if task.dead)
    box = WorldToolbox(dead)
    call = ToolCall(id="c", name=dead.dead[0], arguments="{}")
    assert [(await box.call(call)).failure for _ in range(3)] == ["unavailable"] * 3
    flaky = next(task for task in TASKS if task.flaky)
    again = WorldToolbox(flaky)
    call = ToolCall(id="c", name=flaky.flaky[0], arguments="{}")
    assert (await again.call(call)).failure == "temporary"
    assert (await again.call(call)).failure != "temporary"


@pytest.mark.parametrize(
    ("answer", "value", "said"),
    [
        ("It is 12.50.", 12.5, True),
        ("It is 12.5", 12.5, True),
        ("It is 12.51", 12.5, False),
        ("It is 112.5", 12.5, False),
        ("4.0 stars", 4.0, True),
        ("4 stars", 4.0, True),
        ("4.05", 4.0, False),
        ("1,234.50 in all", 1234.5, True),
        ("12 pages", 12, True),
        ("120 pages", 12, False),
        ("3.12", 12, False),
        ("from porto", "Porto", True),
        ("Portosa", "Porto", False),
    ],
)
def test_what_counts_as_said(answer: str, value: float | str, said: bool) -> None:
    assert says(answer, value) is said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 2}, "no task of ToolWorld"),
        ({"tools": ["teleport"]}, "teleport"),
        ({"goals": [{"asks": "sing"}]}, "no task of ToolWorld"),
    ],
)
def test_a_task_that_cannot_be_is_refused(change: dict[str, object], said: str) -> None:
    text = json.dumps(json.loads(TASKS[0].model_dump_json()) | change)
    with pytest.raises(ToolError, match=said):
        read_task(text)


async def test_the_first_rationale_alone_lists_what_is_asked_for_in_words_of_the_query() -> None:
    for task in TASKS[:60]:
        first, *others = [
            step.thought for step in (await play_task(task, Reference(task)))[0].path()
        ]
        parsed, _, rest = first.partition("\n")
        assert parsed.startswith("Asked for: ") and rest.startswith("Now ")
        assert parsed.count("; ") == len(task.goals) - 1
        values = re.findall('"([^"]*)"', parsed)
        assert len(values) >= len(task.goals)
        assert all(value in task.input for value in values), (task.input, parsed)
        assert not any("Asked for" in thought for thought in others)


async def test_the_reference_can_make_and_correct_mistakes() -> None:
    slipped = 0
    for task in TASKS[:60]:
        done, box = await play_task(task, Reference(task, argument_errors=0.4))
        assert box.check(done).passed
        slipped += sum(
            result.failure == "tool-arguments" for step in done.steps for result in step.results
        )
    assert slipped > 20


def test_a_world_can_be_given_a_shape() -> None:
    shape = Shape.of(shortest=2, longest=3, impossible=0, broken=0, flaky=0)
    tasks = list(make_tasks("train", 40, shape=shape))
    assert {task.calls for task in tasks} == {2, 3}
    assert not any(task.dead or task.flaky for task in tasks)
    assert all(
        not task.solvable
        for task in make_tasks("train", 10, shape=Shape.of(impossible=1, broken=0, flaky=0))
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"longest": 9}, "no world has longest=9"),
        ({"shortest": 0}, "no world has shortest=0"),
        ({"shortest": 5, "longest": 2}, "at least 5 and at most 2"),
        ({"flaky": 1.5}, "no world has flaky=1.5"),
        ({"impossible": 0.6, "broken": 0.6}, "more than 1"),
        ({"impossible": float("nan")}, "no world has"),
    ],
)
def test_a_world_with_impossible_parameters_is_refused(given: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Shape.of(**given)


async def test_an_edition_has_the_same_operations_under_names_that_no_other_split_has() -> None:
    unseen = {tool.spec.name for tool in inventory("unseen")}
    plain = {tool.spec.name for tool in inventory("train")}
    renamed = 0
    for edition in range(1, 6):
        for name in categories_of("train"):
            tools, here = world_tools("train", name, edition), world_tools("train", name)
            assert {one.operation for one in tools} == {one.operation for one in here}
            names = {one.spec.name for one in tools}
            assert len(names) == len(tools)
            assert not names & unseen
            renamed += len(names - plain)
        task = make_task("train", edition, edition=edition)
        assert read_task(task.model_dump_json()) == task
        trajectory, box = await play_task(task, Reference(task))
        assert box.check(trajectory).passed
    assert renamed > 1000


def test_the_inventory_is_the_one_that_published_figures_were_measured_with() -> None:
    names = [tool.spec.name for tool in (*inventory("train"), *inventory("unseen"))]
    assert digest(names)[:12] == "1ea8d98772cb"
