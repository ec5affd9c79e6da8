"""Held-out calls: what is right, what is invalid, which steps are scored, and BFCL's files."""

import json
from pathlib import Path

import pytest

from toolmint.agent.policy import ThreeRolePolicy
from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall, ToolSpec
from toolmint.core.task import Step, Task, Trajectory, Turn
from toolmint.core.values import Value
from toolmint.evaluation.bfcl import bfcl_items
from toolmint.evaluation.calls import HeldOutCalls, call_items
from toolmint.evaluation.right_call import RightCall, golden_score, invalid_call, same_argument
from toolmint.evaluation.runner import RunConfig, run
from toolmint.evaluation.toolbench import StepSolver
from toolmint.models.scripted import ScriptedModel

pytestmark = pytest.mark.anyio
SPEC = ToolSpec(
    name="weather",
    description="Weather of a city",
    parameters={
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "default": 1},
        },
        "required": ["city"],
        "additionalProperties": False,
    },
)


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        ("Paris", " paris ", True),
        ("Paris", "Rome", False),
        ("37.50", 37.5, True),
        (1, 1.0, True),
        (True, 1, False),
        ("true", True, True),
        ([1, "A"], ["1", "a"], True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": "1"}, True),
        ({"a": 1}, {"b": 1}, False),
        ([], "", False),
        (None, None, True),
    ],
)
def test_arguments_are_compared_as_values(given: Value, wanted: Value, same: bool) -> None:
    assert same_argument(given, wanted) is same
    assert same_argument(wanted, given) is same


def test_a_default_may_be_written_and_another_argument_may_not() -> None:
    right = RightCall("weather", {"city": ["Paris"]})
    assert golden_score({"city": "Paris", "days": 1}, right, SPEC) == (True, 1.0)
    assert golden_score({"city": "Paris", "days": 2}, right, SPEC) == (False, pytest.approx(2 / 3))
    assert golden_score({}, right, SPEC) == (False, 0.0)
    assert golden_score({}, RightCall("weather", {}), SPEC) == (True, 1.0)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (ToolCall(id="1", name="weather", arguments='{"city": "Rome"}'), None),
        (ToolCall(id="1", name="wether", arguments="{}"), "there is no tool 'wether'"),
        (ToolCall(id="1", name="weather", arguments="{"), "are not JSON"),
        (ToolCall(id="1", name="weather", arguments='{"town": "Rome"}'), "unknown argument 'town'"),
    ],
)
def test_an_invalid_call_says_why(call: ToolCall, why: str | None) -> None:
    found = invalid_call(call, [SPEC])
    assert found is None if why is None else why in (found or "")


def gold(city: str, weight: int = 1) -> Trajectory:
    call = ToolCall(id="c", name="weather", arguments=json.dumps({"city": city}))
    turn = Turn.from_file("caller", calls=(call,), weight=1 if weight else 0)
    step = Step(id=0, turns=(turn,), thought="t", decision="call", calls=(call,))
    return Trajectory(task=Task(input=f"Weather in {city}?", tools=(SPEC,)), steps=(step,), leaf=0)


def lacking() -> Trajectory:
    step = Step(id=0, turns=(Turn.from_file("planner", "no"),), thought="no", decision="give_up")
    task = Task(input="Sell my car", tools=(SPEC,))
    return Trajectory(task=task, steps=(step,), leaf=0, outcome="gave_up")


def test_context_is_not_scored_and_a_file_without_calls_is_one_line() -> None:
    assert call_items("part", [gold("Rome", 0)]) == []
    with pytest.raises(InputError, match="the files hold no call to score"):
        HeldOutCalls([])


async def test_calls_are_scored_resumed_and_shown_by_part(tmp_path: Path) -> None:
    items = call_items("a", [gold("Rome"), gold("Oslo")]) + call_items("b", [lacking()])
    benchmark = HeldOutCalls(items)
    said = [
        "Next: caller",
        '{"name": "weather", "arguments": {"city": "rome"}}',
        "Next: caller",
        '{"name": "weather", "arguments": {"town": "Oslo"}}',
        "No tool.\nNext: give up",
    ]
    model = ScriptedModel(said)
    solver = StepSolver(ThreeRolePolicy(model, model, model))

    config = RunConfig("scripted", concurrency=1)
    rows = await run(benchmark, solver, tmp_path / "rows.jsonl", config)
    again = await run(benchmark, solver, tmp_path / "rows.jsonl", config)
    assert rows == again, "a finished run asks no model"
    assert [row.measures["exact"] for row in rows] == [True, False, True]
    lines = benchmark.summary(rows).sections[0].lines
    assert [line.cells["part"] for line in lines] == ["a", "b", "all"]
    assert str(lines[0].cells["right tool"]).startswith("100.0")
    assert str(lines[0].cells["invalid"]).startswith("50.0")
    assert str(lines[1].cells["rightly none"]).startswith("100.0")


def bfcl(folder: Path, name: str, question: object, truth: object | None) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(question) + "\n")
    if truth is not None:
        (folder / "possible_answer").mkdir(exist_ok=True)
        answer = {"id": "simple_0", "ground_truth": truth}
        (folder / "possible_answer" / path.name).write_text(json.dumps(answer) + "\n")
    return path


QUESTION = {
    "id": "simple_0",
    "question": [[{"role": "user", "content": "Area of a 3 by 4 triangle?"}]],
    "function": [
        {
            "name": "geometry.area",
            "description": "Area of a triangle",
            "parameters": {
                "type": "dict",
                "properties": {"base": {"type": "float"}, "unit": {"type": "any"}},
                "required": ["base"],
            },
        }
    ],
}


def test_questions_of_bfcl_have_alternatives_and_optional_arguments(tmp_path: Path) -> None:
    truth = [{"geometry.area": {"base": [3, 3.0], "unit": ["", "units"]}}]
    found = bfcl_items(bfcl(tmp_path, "BFCL_v4_simple", QUESTION, truth))[0]
    assert found.task.tools[0].name == "geometry_area"
    assert found.task.tools[0].parameters["type"] == "object"
    assert found.golden is not None
    assert golden_score({"base": 3}, found.golden, found.task.tools[0]) == (True, 1.0)
    assert golden_score({"base": 3, "unit": "cm"}, found.golden, None)[0] is False
    none = bfcl_items(bfcl(tmp_path, "BFCL_v4_irrelevance", QUESTION, None))[0]
    assert none.golden is None


def test_answers_of_bfcl_that_are_missing_or_many_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs its answers in"):
        bfcl_items(bfcl(tmp_path, "BFCL_v4_multiple", QUESTION, None))
    two = [{"geometry.area": {"base": [3]}}, {"geometry.area": {"base": [4]}}]
    with pytest.raises(InputError, match="asks for 2 calls"):
        bfcl_items(bfcl(tmp_path, "BFCL_v4_simple", QUESTION, two))
