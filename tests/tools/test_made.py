"""Made tools and programs as an agent's tools, in the real sandbox."""

import json
from typing import cast

import pytest

from toolmint.core.errors import ToolError
from toolmint.core.messages import ToolCall
from toolmint.core.tool import Provenance, ToolRecord
from toolmint.sandbox.forkserver import ForkServer
from toolmint.tools.made import MadeTool, parameters_of
from toolmint.tools.program import ProgramTool
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio

SOURCE = """
def solve(numbers, up):
    return sorted(numbers, reverse=not up)

def render(args, result):
    return ", ".join(str(one) for one in result)
"""


def record(**change: object) -> ToolRecord:
    uses = [
        ["sort 3, 1 upwards", {"numbers": [3, 1], "up": True}],
        ["sort 2 down", {"numbers": [2], "up": False}],
    ]
    fields: dict[str, object] = {
        "request_class": "sort numbers!",
        "version": 1,
        "source": SOURCE,
        "wrap": json.dumps(uses),
        "provenance": Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
    }
    return ToolRecord.model_validate(fields | change)


def call(name: str, **arguments: object) -> ToolCall:
    return ToolCall(id="c", name=name, arguments=json.dumps(arguments))


def test_the_document_comes_from_the_uses_that_making_kept(sandbox: ForkServer) -> None:
    spec = MadeTool(record(), sandbox).spec
    assert spec.name == "sort_numbers_"
    assert "sort 3, 1 upwards" in spec.description
    assert spec.parameters["required"] == ["numbers", "up"]
    properties = cast("dict[str, dict[str, object]]", spec.parameters["properties"])
    assert (properties["numbers"]["type"], properties["up"]["type"]) == ("array", "boolean")


def test_arguments_of_several_kinds_and_sometimes_missing() -> None:
    schema = parameters_of([{"a": 1, "b": "x"}, {"a": 1.5}])
    assert cast("dict[str, dict[str, object]]", schema["properties"])["a"]["type"] == "number"
    assert schema["required"] == ["a"]


async def test_an_agent_can_call_a_made_tool(sandbox: ForkServer) -> None:
    box = ToolCollection([MadeTool(record(), sandbox)])
    result = await box.call(call("sort_numbers_", numbers=[3, 1, 2], up=True))
    assert (result.content, result.data) == ("1, 2, 3", [1, 2, 3])
    bad = await box.call(call("sort_numbers_", numbers=[3, "a"], up=True))
    assert bad.failure == "tool-error"
    assert "TypeError" in bad.content
    assert (await box.call(call("sort_numbers_", numbers=[1]))).failure == "tool-arguments"


def test_a_tool_without_named_arguments_is_refused(sandbox: ForkServer) -> None:
    with pytest.raises(ToolError, match="latm profile"):
        MadeTool(record(profile="latm"), sandbox)


@pytest.mark.parametrize(
    ("code", "failure", "said"),
    [
        ("print(6 * 7)", None, "42"),
        ("x = 1", None, "printed nothing"),
        ("print('a')\n1 / 0", "program-error", "ZeroDivisionError"),
        ("open('/etc/passwd')", "program-error", "Error"),
        ("while True: pass", "program-timeout", ""),
    ],
)
async def test_programs_run_in_the_sandbox(
    sandbox: ForkServer, code: str, failure: str | None, said: str
) -> None:
    result = await ToolCollection([ProgramTool(sandbox, seconds=1.0)]).call(
        call("python", code=code)
    )
    assert result.failure == failure
    assert said in result.content
