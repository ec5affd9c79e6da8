"""Values, usage, messages, trajectories."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from toolmint.core.errors import InputError, ToolArgumentsError, ToolmintError, boundary
from toolmint.core.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from toolmint.core.model import Usage
from toolmint.core.sandbox import FunctionCall, Ref
from toolmint.core.task import Step, Task, Trajectory
from toolmint.core.values import MAX_DEPTH, Value, canonical, clip, digest, too_deep

USAGES = st.builds(
    Usage,
    requests=st.integers(0, 99),
    input_tokens=st.integers(0, 10**6),
    output_tokens=st.integers(0, 10**6),
    cost=st.none() | st.decimals(0, 100, places=6),
)


@given(USAGES, USAGES)
def test_an_unknown_cost_makes_the_sum_unknown(one: Usage, other: Usage) -> None:
    both = one + other
    assert both.tokens == one.tokens + other.tokens
    if one.cost is None or other.cost is None:
        assert both.cost is None
    else:
        assert both.cost == one.cost + other.cost


def test_no_usage_costs_nothing() -> None:
    assert Usage().cost == Decimal(0)


def test_the_digest_ignores_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1})
    assert canonical({"b": "ü", "a": 1}) == '{"a":1,"b":"ü"}'


def test_a_cut_is_visible() -> None:
    assert clip("abcdef", 3) == "abc… [3 characters cut]"
    assert clip("abc", 3) == "abc"


def test_messages_are_told_apart_by_role() -> None:
    read: Message = TypeAdapter[Message](Message).validate_python({"role": "user", "content": "hi"})
    assert read == UserMessage(content="hi")
    with pytest.raises(ValidationError):
        AssistantMessage.model_validate({"role": "assistant", "content": "x", "extra": 1})


def test_tool_arguments_stay_raw_and_are_read_strictly() -> None:
    assert ToolCall(id="1", name="t", arguments='{"a": 1}').parsed() == {"a": 1}
    for raw in ("{", "[1]", "null"):
        with pytest.raises(ToolArgumentsError, match="'t'"):
            ToolCall(id="1", name="t", arguments=raw).parsed()


def test_a_plain_object_is_no_reference() -> None:
    call = FunctionCall(function="f", arguments=({"ref": 0}, Ref(ref=0)))
    assert call.arguments[0] == {"ref": 0}
    assert isinstance(call.arguments[1], Ref)


def test_a_path_goes_from_root_to_leaf() -> None:
    steps = (Step(id=0), Step(id=1, parent=0), Step(id=2, parent=0), Step(id=3, parent=2))
    trajectory = Trajectory(task=Task(input="q"), steps=steps, leaf=3)
    assert [step.id for step in trajectory.path()] == [0, 2, 3]
    assert [step.id for step in trajectory.path(1)] == [0, 1]
    assert Trajectory.model_validate_json(trajectory.model_dump_json()) == trajectory


def test_the_boundary_turns_foreign_faults_into_ours() -> None:
    def fail() -> None:
        raise KeyError("x")

    def ours() -> None:
        raise InputError("known")

    with pytest.raises(ToolmintError, match="wrapped 'x'") as caught:
        boundary(fail, lambda fault: ToolmintError(f"wrapped {fault}", code="c", retryable=True))
    assert (caught.value.code, caught.value.retryable) == ("c", True)
    with pytest.raises(InputError, match="known"):
        boundary(ours, lambda fault: ToolmintError(str(fault)))
    assert boundary(lambda: 3, lambda fault: ToolmintError(str(fault))) == 3


def nested(levels: int) -> Value:
    """Return a list in a list in a list."""
    value: Value = "core"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("levels", "deep"), [(0, False), (MAX_DEPTH, False), (MAX_DEPTH + 1, True), (50_000, True)]
)
def test_values_are_nested_as_deep_as_can_be_kept(levels: int, deep: bool) -> None:
    assert too_deep(nested(levels)) is deep
    assert too_deep({"a": 1, "b": nested(levels)}) is (deep or levels == MAX_DEPTH)


def test_a_value_that_holds_itself_is_too_deep_and_costs_no_time() -> None:
    loop: list[object] = []
    loop += [loop, loop]
    assert too_deep(loop)


@pytest.mark.parametrize("levels", [255, 900, 50_000])
def test_deep_results_and_arguments_break_no_trajectory(levels: int) -> None:
    kept = ToolResult(call_id="1", content="deep", data=nested(levels))
    assert kept.data is None
    assert '"content":"deep"' in kept.model_dump_json()
    call = ToolCall(id="1", name="f", arguments='{"a":' + "[" * levels + "]" * levels + "}")
    with pytest.raises(ToolArgumentsError, match="arguments of 'f' are"):
        call.parsed()
