"""The eight published conversations of LATM, replayed: eight tools, and their checks judged."""

import json
from pathlib import Path
from typing import Any

import pytest

from toolmint.core.demonstrations import parse_demonstrations
from toolmint.core.sandbox import FunctionCall, RunLimits, SandboxRun
from toolmint.core.tool import ToolRecord
from toolmint.maker.make import Maker
from toolmint.maker.making_run import MakeRequest
from toolmint.models.cassette import from_transcript
from toolmint.sandbox.forkserver import ForkServer

pytestmark = pytest.mark.anyio
TASKS = (
    "chinese_remainder_theorem",
    "dyck_languages",
    "logical_deduction_five_objects",
    "logical_deduction_seven_objects",
    "schedule_meeting",
    "tracking_shuffled_objects_five_objects",
    "tracking_shuffled_objects_seven_objects",
    "word_sorting",
)
CALLS: dict[str, tuple[list[Any], Any]] = {
    "chinese_remainder_theorem": ([100, [3, 5, 7], [2, 3, 2]], 23),
    "dyck_languages": ([["(", "[", "<"]], "> ] )"),
    "schedule_meeting": ([[["09:00", "11:00"]], [["10:00", "12:00"]], 60], ["10:00", "11:00"]),
    "tracking_shuffled_objects_five_objects": (
        [[["A", "x"], ["B", "y"], ["C", "z"]], [["A", "B"], ["B", "C"]]],
        {"A": "y", "B": "z", "C": "x"},
    ),
    "word_sorting": ([["pear", "fig", "apple"]], ["apple", "fig", "pear"]),
}


async def _made(data: Path, task: str, boxes: tuple[ForkServer, ForkServer]) -> ToolRecord | None:
    labelled = parse_demonstrations((data / "bbh" / f"{task}.json").read_text(), task)
    # the conversations show examples 0-2 to propose and 5-7 to verify
    chosen = tuple(labelled[:3] + labelled[5:8])
    model = from_transcript(data / "latm_transcripts" / f"{task}.json")
    make_request = MakeRequest(request_class=task, labelled=chosen, profile="latm")
    return (await Maker(model, *boxes).make(make_request)).record


@pytest.mark.parametrize("task", TASKS)
async def test_a_conversation_ends_with_a_stored_tool(
    data: Path, task: str, sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    record = await _made(data, task, (sandbox, other_sandbox))
    assert record is not None
    assert record.evidence[0].verdict == "passed"
    base = task.replace("_seven_", "_five_")
    if base in CALLS:
        arguments, expected = CALLS[base]
        call = FunctionCall(function=record.entry, arguments=tuple(arguments))
        run = SandboxRun(source=record.source, calls=(call,), limits=RunLimits(seconds=10))
        result = await sandbox.run(run)
        assert result.status == "ok", result
        assert _same(result.value[0], expected), result.value


@pytest.mark.parametrize("task", [task for task in TASKS if task.startswith("logical")])
async def test_an_order_is_found_from_clues_written_as_code(
    data: Path, task: str, sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    record = await _made(data, task, (sandbox, other_sandbox))
    assert record is not None
    clues = "[lambda o: o.index('c') == 0, lambda o: o.index('a') > o.index('b')]"
    source = f"{record.source}\ndef ask():\n    return {record.entry}(['a', 'b', 'c'], {clues})\n"
    result = await sandbox.run(SandboxRun(source=source, calls=(FunctionCall(function="ask"),)))
    assert result.value == (["c", "b", "a"],)


def _same(got: Any, expected: Any) -> bool:
    if isinstance(expected, str):
        return "".join("".join(got).split()) == "".join(expected.split())
    return json.dumps(got, sort_keys=True) == json.dumps(expected, sort_keys=True)


async def test_where_gpt4s_checks_do_not_meet_the_labels_it_is_said(
    data: Path, sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    record = await _made(data, "schedule_meeting", (sandbox, other_sandbox))
    assert record is not None
    assert "2 not met by the answer tested" in record.evidence[0].summary
    record = await _made(data, "logical_deduction_five_objects", (sandbox, other_sandbox))
    assert record is not None and "3 after conversion" in record.evidence[0].summary
