"""``@tool`` and the toolbox's views."""

from typing import Any, cast

import pytest

from toolmint.core.errors import ToolError, ToolNotFound
from toolmint.core.messages import ToolCall
from toolmint.tools.function import tool
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio


@tool
def weather(city: str, days: int = 1, units: "list[str] | None" = None) -> dict[str, object]:
    """Tell the weather.

    Reads it from a table.

    Args:
        city: the town's name.
        days: how many days ahead.
        units: what to measure in.
    """
    if city == "Atlantis":
        raise LookupError("no such town")
    return {"city": city, "days": days, "units": units or []}


@tool(name="wait_for")
async def wait(seconds: float) -> str:
    """Wait."""
    return f"waited {seconds}"


def call(name: str, arguments: str) -> ToolCall:
    return ToolCall(id="c", name=name, arguments=arguments)


def test_the_schema_comes_from_signature_and_docstring() -> None:
    spec = weather.spec
    assert spec.name == "weather"
    assert spec.description.startswith("Tell the weather.")
    properties = cast("dict[str, dict[str, Any]]", spec.parameters["properties"])
    assert properties["city"] == {"type": "string", "description": "the town's name."}
    assert properties["days"]["default"] == 1
    assert spec.parameters["required"] == ["city"]


def test_a_tool_is_still_a_function() -> None:
    assert weather("Rome", 2)["days"] == 2


async def test_calls_run_and_give_json() -> None:
    box = ToolCollection([weather, wait])
    result = await box.call(call("weather", '{"city": "Rome", "days": 3}'))
    assert result.content == '{"city":"Rome","days":3,"units":[]}'
    assert (await box.call(call("wait_for", '{"seconds": 0}'))).content == "waited 0.0"


@pytest.mark.parametrize(
    ("name", "arguments", "failure", "said"),
    [
        ("wether", "{}", "tool-not-found", "the nearest are weather"),
        ("weather", "{city: 1}", "tool-arguments", "not JSON"),
        ("weather", "[]", "tool-arguments", "must be a JSON object"),
        ("weather", "{}", "tool-arguments", "'city' is a required property"),
        ("weather", '{"city": 3}', "tool-arguments", "city: 3 is not of type 'string'"),
        ("weather", '{"city": "x", "dayz": 1}', "tool-arguments", "did you mean 'days'"),
        ("weather", '{"city": "Atlantis"}', "tool", "LookupError: no such town"),
    ],
)
async def test_whatever_goes_wrong_is_an_observation(
    name: str, arguments: str, failure: str, said: str
) -> None:
    result = await ToolCollection([weather]).call(call(name, arguments))
    assert result.failure == failure
    assert said in result.content


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ToolError, match="two tools are named 'weather'"):
        ToolCollection([weather, weather])
    with pytest.raises(ToolError, match="two tools"):
        ToolCollection([weather]).merged(ToolCollection([weather]))


async def test_views_filter_prefix_rename_and_merge() -> None:
    box = ToolCollection([weather, wait])
    assert [spec.name for spec in box.prefixed("my_").specs] == ["my_weather", "my_wait_for"]
    renamed = box.renamed({"weather": "sky"})
    assert (await renamed.call(call("sky", '{"city": "Rome"}'))).failure is None
    assert (await renamed.call(call("weather", '{"city": "Rome"}'))).failure == "tool-not-found"
    assert [spec.name for spec in box.filtered(lambda spec: "wait" in spec.name).specs] == [
        "wait_for"
    ]
    assert [spec.name for spec in box.only(["wait_for"]).specs] == ["wait_for"]
    both = box.merged(box.prefixed("b_"))
    assert len(both) == 4
    assert (await both.call(call("b_weather", '{"city": "Rome"}'))).failure is None
    with pytest.raises(ToolNotFound, match="'rain'"):
        box.only(["rain"])


def test_functions_that_cannot_be_tools_say_why() -> None:
    def bare(a) -> None: ...  # type: ignore[no-untyped-def]

    def spread(*a: int) -> None: ...

    def odd(a: object.__class__) -> None: ...

    with pytest.raises(ToolError, match="'a' has no annotation"):
        tool(cast("Any", bare))
    with pytest.raises(ToolError, match="cannot be passed by name"):
        tool(spread)
    with pytest.raises(ToolError, match="cannot be a tool"):
        tool(odd)


def test_a_tool_says_whether_a_call_changes_something() -> None:
    @tool(read_only=True)
    def look(town: str) -> str:
        return town

    @tool(read_only=False)
    def order(town: str) -> str:
        return town

    @tool
    def silent(town: str) -> str:
        return town

    assert [one.spec.read_only for one in (look, order, silent)] == [True, False, None]
