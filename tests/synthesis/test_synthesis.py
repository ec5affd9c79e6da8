"""Synthetic tasks: values that fit any schema, requests that hold them, runs that training can read."""

import re
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolmint.assembly.mix import nearest_tools
from toolmint.core.errors import InputError
from toolmint.core.messages import ToolSpec
from toolmint.core.schema import violations
from toolmint.core.task import Trajectory, read_trajectory
from toolmint.core.values import Value
from toolmint.synthesis.argument_values import arguments_for, value_for
from toolmint.synthesis.patterns import text_of_pattern
from toolmint.synthesis.purpose import purpose_of
from toolmint.synthesis.results import synthetic_result
from toolmint.synthesis.text_values import described_examples
from toolmint.synthesis.tool_tasks import TaskShares, TaskSynthesis, wanted_call
from toolmint.synthesis.toolbox_tasks import Recorded, TaskPlan, toolbox_tasks, usable_runs
from toolmint.synthesis.wording import request_text


def spec(
    name: str, about: str, fields: dict[str, Value] | None = None, required: Sequence[str] = ()
) -> ToolSpec:
    parameters: dict[str, Value] = {
        "type": "object",
        "properties": fields or {},
        "required": list(required),
    }
    return ToolSpec(name=name, description=about, parameters=parameters)


WEATHER = spec(
    "get_weather",
    "Retrieve the weather forecast of a city.",
    {
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    ["city"],
)
BOOK = spec(
    "bookTable",
    "Book a table at a restaurant",
    {
        "restaurant": {"type": "string", "description": "The restaurant (e.g., Luigi, Chez Nous)"},
        "at": {"type": "string", "format": "date"},
        "guests": {"type": "integer", "minimum": 1, "maximum": 8},
    },
    ["restaurant", "at", "guests"],
)
STOP = spec("stop_music", "Stop the music that is playing.")
TOOLS = [WEATHER, BOOK, STOP]
FOREIGN = [spec("sell_stock", "Sell a stock", {"symbol": {"type": "string"}}, ["symbol"])]

LEAF = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "email"},
        {"type": "string", "format": "uuid"},
        {"type": "string", "pattern": "^[A-Z]{2}-\\d{3,5}$"},
        {"type": "string", "minLength": 12},
        {"type": "string", "maxLength": 4},
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "default": "now"},
        {"type": "string", "examples": ["x1", "x2"]},
        {"type": "integer"},
        {"type": "integer", "minimum": 100, "exclusiveMaximum": 110},
        {"type": "integer", "multipleOf": 5},
        {"type": "number", "exclusiveMinimum": -2, "maximum": -1},
        {"type": "boolean"},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        {"const": 7},
        {},
    ]
)
SCHEMA = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        inner.map(lambda one: {"type": "array", "items": one, "minItems": 1}),
        st.dictionaries(
            st.sampled_from(["city", "id", "start_date", "note"]), inner, min_size=1
        ).map(
            lambda fields: {
                "type": "object",
                "properties": fields,
                "required": list(fields),
                "additionalProperties": False,
            }
        ),
    ),
    max_leaves=4,
)
NAMES = ["city", "userId", "start_date", "max_price", "q", "phone_number", "名前", "x"]


@settings(deadline=None)
@given(SCHEMA, st.sampled_from(NAMES), st.integers(0, 10_000))
def test_arguments_fit_the_schema_and_depend_on_the_seed_alone(
    schema: dict[str, Value], name: str, seed: int
) -> None:
    tool = spec("do_it", "Do a thing", {name: schema}, [name])
    found = arguments_for(tool, Random(seed))
    assert found is not None
    assert violations(tool, found) == []
    assert found == arguments_for(tool, Random(seed))


@settings(deadline=None)
@given(st.sampled_from(TOOLS), st.integers(0, 10_000))
def test_a_request_holds_the_texts_and_numbers_of_its_call(tool: ToolSpec, seed: int) -> None:
    wanted = wanted_call(tool, Random(seed))
    assert wanted is not None
    for name, value in wanted.arguments.items():
        if name != "at":  # a date may be in words
            assert str(value) in wanted.request
    if "at" in wanted.arguments:
        assert str(wanted.arguments["at"])[:4] in wanted.request
    assert not re.search(r"\{|\}|  ", wanted.request)


def test_examples_of_a_description_are_taken_and_kinds_are_not() -> None:
    assert described_examples("The method (e.g., PCR, mass spectrometry, etc.)") == [
        "PCR",
        "mass spectrometry",
    ]
    assert described_examples("The place, such as city or country.") == []
    assert described_examples("Format of the day (e.g. YYYY-MM-DD)") == []


@pytest.mark.parametrize(
    ("about", "phrase"),
    [
        ("Retrieves the list of users.", "retrieve the list of users"),
        ("This endpoint will return all cards of a deck", "return all cards of a deck"),
        ("API for checking the stock of a shop. More words.", "check the stock of a shop"),
        ('This is the subfunction for tool "x", you can use this tool.', "find all pets"),
        ("", "find all pets"),
    ],
)
def test_a_purpose_is_read_from_the_document_or_the_name(about: str, phrase: str) -> None:
    assert purpose_of(spec("findAllPets", about)).phrase == phrase


def test_a_pattern_with_alternatives_is_not_made() -> None:
    assert text_of_pattern("^(a|b)$", Random(0)) is None
    assert value_for("x", {"type": "string", "pattern": "^(a|b)$"}, Random(0)) is None


def test_a_result_follows_its_schema_and_repeats_arguments() -> None:
    tool = WEATHER.model_copy(
        update={
            "returns": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "degrees": {"type": "number"}},
            }
        }
    )
    result = synthetic_result(tool, {"city": "Oslo"}, Random(1))
    assert isinstance(result, dict)
    assert result["city"] == "Oslo"
    assert isinstance(result["degrees"], float)


def kinds(runs: Sequence[Trajectory]) -> dict[str, int]:
    found = {"calls": 0, "failed": 0, "gave_up": 0, "answered": 0}
    for run in runs:
        found["calls"] += sum(len(step.calls) for step in run.steps)
        found["failed"] += sum(bool(r.failure) for step in run.steps for r in step.results)
        found[run.outcome] += 1
    return found


def test_runs_show_distractors_fail_and_try_again_and_give_up() -> None:
    tasks = TaskSynthesis(TOOLS, nearest_tools(TOOLS), TaskShares(), others=FOREIGN)
    random = Random(3)
    runs = [run for number in range(80) for run in tasks.runs(TOOLS[number % 3], random)]
    found = kinds(runs)
    assert found["gave_up"] > 10
    assert found["failed"] > 5
    assert found["answered"] > 100
    for run in runs:
        assert read_trajectory(run.model_dump_json()) == run
        names = [tool.name for tool in run.task.tools]
        assert len(set(names)) == len(names)
        assert {call.name for step in run.steps for call in step.calls} <= set(names)


def test_learnt_and_held_out_tasks_share_no_request_and_no_sentence() -> None:
    plan = TaskPlan(60, 30, 3, 1)
    found = toolbox_tasks(TOOLS, nearest_tools(TOOLS), FOREIGN, plan)
    assert (len(found.learnt), len(found.held_out), found.notes) == (60, 30, [])
    assert found == toolbox_tasks(TOOLS, nearest_tools(TOOLS), FOREIGN, plan)
    learnt = {run.task.input for run in found.learnt}
    assert not learnt & {run.task.input for run in found.held_out}
    worded = {
        part: {request_text(STOP, {}, Random(seed), part) for seed in range(60)}
        for part in ("learnt", "held_out")
    }
    assert not worded["learnt"] & worded["held_out"]


def test_an_empty_toolbox_is_one_line() -> None:
    with pytest.raises(InputError, match="the toolbox is empty: it has no tool to train for"):
        toolbox_tasks([], nearest_tools([]), FOREIGN)


def test_a_toolbox_without_descriptions_is_one_line_and_some_without_are_noted() -> None:
    mute = spec("frob", "")
    with pytest.raises(InputError, match="none of the 1 tools has a description"):
        toolbox_tasks([mute], nearest_tools([mute]), FOREIGN)
    found = toolbox_tasks([*TOOLS, mute], nearest_tools(TOOLS), FOREIGN, TaskPlan(9, 20))
    assert found.notes == ["1 tools without a description, no requests are made of them: frob"]


def test_too_few_held_out_tasks_for_an_interval_are_one_line() -> None:
    with pytest.raises(InputError, match="only 5 held-out tasks could be made of 3 tools"):
        toolbox_tasks(TOOLS, nearest_tools(TOOLS), FOREIGN, TaskPlan(10, 5))


def recorded() -> list[Recorded]:
    found = toolbox_tasks(TOOLS, nearest_tools(TOOLS), FOREIGN, TaskPlan(40, 20)).learnt
    return [Recorded(f"runs.jsonl:{place}", run) for place, run in enumerate(found, 1)]


def test_recorded_runs_are_learnt_and_one_in_five_is_held_out() -> None:
    runs = [one for one in recorded() if one.run.outcome == "answered" and one.run.steps[0].calls]
    found = toolbox_tasks(TOOLS, nearest_tools(TOOLS), FOREIGN, TaskPlan(0, 20), runs)
    assert len(found.learnt) == len(runs) - (len(runs) + 4) // 5
    assert found.held_out[0].task.input == runs[0].run.task.input


def test_runs_that_ended_in_failure_or_call_other_tools_are_left_out_by_name() -> None:
    good, *rest = recorded()
    failed = good.run.model_copy(update={"outcome": "failed", "answer": None})
    notes: list[str] = []
    other = next(one for one in rest if any(step.calls for step in one.run.steps))
    with pytest.raises(InputError, match=r"none of the 2 recorded runs.*ended in failure; first a"):
        usable_runs([FOREIGN[0]], [Recorded("a.jsonl:1", failed), other], notes)
    assert len(notes) == 2


def test_a_call_that_failed_is_context() -> None:
    again = next(
        one.run
        for one in recorded()
        if one.run.outcome == "answered"
        and any(result.failure for result in one.run.steps[0].results)
    )
    learnt = usable_runs(TOOLS, [Recorded("runs.jsonl:1", again)], [])[0]
    assert [turn.weight for turn in learnt.steps[0].turns] == [0, 0]
    assert [turn.weight for turn in learnt.steps[1].turns] == [1, 1]
