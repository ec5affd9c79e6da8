"""Branches that no demonstration reaches are exercised: by generated requests, by a model's."""

import json
import re

import pytest
from tests.maker.tools import fenced
from tests.serving.test_arcs import LIGHT, LINE, RIGHT, SLIP, ask, right

from toolmint.core.arcs import read_arcs
from toolmint.core.errors import ModelUnavailable
from toolmint.core.model import ModelRequest
from toolmint.core.tool import ToolRecord
from toolmint.core.values import Value
from toolmint.maker.arc_requests import generated_requests, reworded
from toolmint.maker.make import Maker
from toolmint.maker.making_run import MakeRequest
from toolmint.maker.program import run_tool
from toolmint.maker.report import MakingResult
from toolmint.models.scripted import ScriptedModel, ScriptedReply
from toolmint.sandbox.forkserver import ForkServer

pytestmark = pytest.mark.anyio

HIDDEN = RIGHT.replace(
    "    return price\n",
    "    if str(weight)[::-1] == '321':\n        price += 1\n    return price\n",
)
"""A branch that no constant of the source reaches."""
HIDDEN_LINE = 19


def strong(request: ModelRequest) -> str:
    """Answer the numbered questions as they should be."""
    said = request.messages[-1].content
    found = re.findall(r"(\d+)\. A parcel of (\d+) kg to (\w+)", said)
    assert found and "def solve" not in said, "who answers has not seen the source"
    rows = [{"number": int(n), "answer": truth(int(kg), to)} for n, kg, to in found]
    return "\n".join(json.dumps(row) for row in rows)


def truth(weight: int, where: str) -> str:
    return right(weight, where)


def of_hidden(request: ModelRequest) -> str:
    rows = [json.loads(line) for line in strong(request).splitlines()]
    said = request.messages[-1].content
    for row in rows:
        if re.search(rf"\b{row['number']}\. A parcel of 123 kg", said):
            row["answer"] = f"{int(row['answer'].split()[0]) + 1} euros"
    return "\n".join(json.dumps(row) for row in rows)


def written(*rows: tuple[int, str, str]) -> str:
    return "Here they are:\n" + "\n".join(
        json.dumps({"request": ask(weight, where), "answer": answer})
        for weight, where, answer in rows
    )


@pytest.fixture
def boxes(sandbox: ForkServer, other_sandbox: ForkServer) -> tuple[ForkServer, ForkServer]:
    return sandbox, other_sandbox


async def make(
    boxes: tuple[ForkServer, ForkServer], replies: list[ScriptedReply], **more: object
) -> tuple[MakingResult, ScriptedModel]:
    fields: dict[str, object] = {"exercise": True, "second": "never", "shown": 10}
    request = MakeRequest.model_validate(
        {"request_class": "parcels", "labelled": LIGHT} | fields | more
    )
    model = ScriptedModel(replies)
    return await Maker(model, *boxes).make(request), model


def is_verified(record: ToolRecord | None, said: str) -> bool:
    assert record is not None and record.arcs is not None
    verified = read_arcs(record.arcs.verified)
    return bool(verified >> record.arcs.lines.index(said) & 1)


HEAVY = f"line {LINE}: weight > 20 is true"


async def test_generated_requests_that_the_strong_model_answers_alike_verify_branches(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    result, model = await make(boxes, [fenced(RIGHT), strong])
    assert len(model.requests) == 2, "generation reaches all, so that nothing is to be written"
    assert is_verified(result.record, HEAVY)
    exercised = result.body["exercised"]
    assert isinstance(exercised, dict) and exercised["contradicted"] == []
    assert isinstance(exercised["arcs"], int) and exercised["arcs"] > 5
    assert result.record is not None and result.record.usage.requests == 2


async def test_a_slip_there_is_contradicted_stays_unverified_and_is_reported(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    result, _ = await make(boxes, [fenced(SLIP), strong])
    assert not is_verified(result.record, HEAVY)
    exercised = result.body["exercised"]
    assert isinstance(exercised, dict) and isinstance(exercised["contradicted"], list)
    row = exercised["contradicted"][0]
    assert isinstance(row, dict) and row["tool"] != row["other"] and row["by"] == "scripted"


async def test_the_maker_writes_requests_for_a_branch_that_generation_does_not_reach(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    said = written((123, "city", "9 euros"), (123, "country", "13 euros"), (5, "mars", "0"))
    result, model = await make(boxes, [fenced(HIDDEN), said, of_hidden])
    prompt = model.requests[1].messages[-1].content
    hidden = f"line {HIDDEN_LINE}: str(weight)[::-1] == '321' is true"
    assert hidden in prompt and f">>  {HIDDEN_LINE}     if str(weight)" in prompt
    assert f"line {HIDDEN_LINE - 2}: weight > 20 is true" not in prompt
    assert is_verified(result.record, hidden) and is_verified(result.record, HEAVY)


@pytest.mark.parametrize(
    "answers",
    [("9 euros", "14 euros"), ("8 euros", "12 euros")],
    ids=["one agrees", "the writer says otherwise"],
)
async def test_one_agreement_or_a_doubt_verifies_nothing(
    boxes: tuple[ForkServer, ForkServer], answers: tuple[str, str]
) -> None:
    said = written((123, "city", answers[0]), (123, "country", answers[1]))
    result, _ = await make(boxes, [fenced(HIDDEN), said, of_hidden])
    hidden = f"line {HIDDEN_LINE}: str(weight)[::-1] == '321' is true"
    assert not is_verified(result.record, hidden) and is_verified(result.record, HEAVY)


async def test_a_second_tool_verifies_without_a_call_of_the_strong_model(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    said = written((123, "city", "9 euros"))
    request = MakeRequest(
        request_class="parcels", labelled=LIGHT, exercise=True, second="always", shown=10, tries=2
    )
    first, other = ScriptedModel([fenced(HIDDEN), said]), ScriptedModel([fenced(HIDDEN + "\n\n")])
    result = await Maker(first, *boxes, other).make(request)
    hidden = f"line {HIDDEN_LINE}: str(weight)[::-1] == '321' is true"
    assert is_verified(result.record, hidden)


@pytest.mark.parametrize(
    "reply",
    ["I would rather not.", "{broken\n{}", '{"request": 3}', ModelUnavailable("down for now")],
    ids=["prose", "broken", "a number", "no answer"],
)
async def test_whatever_a_model_replies_the_tool_is_kept(
    boxes: tuple[ForkServer, ForkServer], reply: ScriptedReply
) -> None:
    result, _ = await make(boxes, [fenced(HIDDEN), reply, reply])
    assert not is_verified(result.record, HEAVY)


@pytest.mark.parametrize(("more", "calls"), [({"exercise": False}, 1), ({"tries": 1}, 1)])
async def test_without_being_asked_for_or_without_calls_left_nothing_is_spent(
    boxes: tuple[ForkServer, ForkServer], more: dict[str, object], calls: int
) -> None:
    result, model = await make(boxes, [fenced(RIGHT), strong], **more)
    assert len(model.requests) == calls and "exercised" not in result.body
    assert not is_verified(result.record, HEAVY)


async def test_generation_goes_on_from_what_reached_a_new_branch(sandbox: ForkServer) -> None:
    """Two rare values at once are needed: neither is in a demonstration."""
    source = RIGHT.replace(
        "    return price\n",
        "    if where == 'abroad' and weight > 70:\n        price += 1\n    return price\n",
    )
    known: list[tuple[str, Value]] = [
        (one.input, (await run_tool(sandbox, source, one.input)).args) for one in LIGHT
    ]
    found = await generated_requests(source, known, sandbox)
    assert any(one.run.answer == "31 euros" for one in found)
    assert len({one.text for one in found}) == len(found), "each is asked once"


def test_an_alternative_of_a_pattern_stands_for_another_one() -> None:
    groups = [["apples", "pears"], ["buys", "eats at once"]]
    found = set(reworded(["Tom eats at once 3 apples.", "Ann buys pearls."], groups))
    assert found == {
        "Tom eats at once 3 pears.",
        "Tom buys 3 apples.",
        "Ann eats at once pearls.",
    }
