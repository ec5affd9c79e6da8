"""Harmless variety is accepted: known wordings by themselves, doubtful ones by a second tool or a model."""

from collections.abc import Sequence

import pytest
from tests.maker.tools import fenced

from toolmint.core.errors import ModelUnavailable
from toolmint.core.tool import Demonstration, ToolRecord
from toolmint.maker.doubts import Decided, Doubt, Judge, recorded_judge, undecided
from toolmint.maker.make import Maker
from toolmint.maker.making_run import MakeRequest
from toolmint.maker.program import answer_program, serve_tool
from toolmint.maker.report import MakingResult
from toolmint.maker.slot_words import slots_of
from toolmint.maker.stages import stage_labels, stage_near_misses
from toolmint.maker.verification_input import VerificationInput
from toolmint.models.scripted import ScriptedModel, ScriptedReply
from toolmint.sandbox.forkserver import ForkServer

pytestmark = pytest.mark.anyio
MILES = """import re


def parse(request):
    found = re.fullmatch(r"Convert (\\d+) km to miles(,? please)?", request)
    return {"km": found[1], "please": found[2] or ""} if found else None


def unparse(args):
    return f"Convert {args['km']} km to miles{args['please']}"


def solve(km, please):
    return int(km) * 621371 // 1000000


def render(args, result):
    return str(result)
"""
POLITE = (
    MILES.replace('"please": ', '"politeness": ')
    .replace("['please']", "['politeness']")
    .replace("def solve(km, please)", "def solve(km, politeness)")
)
NUMBERED = MILES.replace('found[2] or ""', "int(bool(found[2]))").replace(
    "{args['please']}", "{' please' * args['please']}"
)


def miles(tail: str = "", count: int = 6) -> tuple[Demonstration, ...]:
    return tuple(
        Demonstration(
            input=f"Convert {n} km to miles" + tail * (n % 2), target=str(n * 621371 // 1000000)
        )
        for n in range(11, 11 + count)
    )


async def near_miss_stage(
    sandbox: ForkServer,
    source: str,
    labelled: Sequence[Demonstration],
    *,
    second: str | None = None,
    judge: Judge = undecided,
):
    inputs = VerificationInput(source=source, labelled=tuple(labelled), second=second)
    labels, runs = await stage_labels(inputs, sandbox)
    assert labels.verdict == "passed", labels.summary
    return await stage_near_misses(inputs, runs, sandbox, judge)


@pytest.mark.parametrize("source", [MILES, POLITE, NUMBERED], ids=["key", "other key", "number"])
async def test_a_word_that_half_of_the_demonstrations_have_is_no_near_miss(
    sandbox: ForkServer, source: str
) -> None:
    evidence = await near_miss_stage(sandbox, source, miles(" please"))
    assert evidence.verdict == "passed", evidence.summary
    assert evidence.details["doubtful"] == []


# Every demonstration says "to"; this tool takes a request without it as well.
DOUBTFUL = """import re


def parse(request):
    found = re.fullmatch(r"Convert (\\d+) km( to)? miles", request)
    return {"km": found[1], "to": found[2] or ""} if found else None


def unparse(args):
    return f"Convert {args['km']} km{args['to']} miles"


def solve(km, to):
    return int(km) * 621371 // 1000000


def render(args, result):
    return str(result)
"""
STRICT = DOUBTFUL.replace("( to)?", "( to)")


async def test_a_doubtful_deletion_that_nobody_decides_is_answered_wrongly(
    sandbox: ForkServer,
) -> None:
    evidence = await near_miss_stage(sandbox, DOUBTFUL, miles())
    assert evidence.verdict == "failed"
    assert " km miles' is answered with" in evidence.summary and "undecided" in evidence.summary
    assert (await near_miss_stage(sandbox, STRICT, miles())).verdict == "passed"


async def test_a_second_tool_that_reads_it_alike_decides(sandbox: ForkServer) -> None:
    evidence = await near_miss_stage(sandbox, DOUBTFUL, miles(), second=DOUBTFUL)
    assert evidence.verdict == "passed", evidence.summary
    doubtful = evidence.details["doubtful"]
    assert isinstance(doubtful, list) and len(doubtful) == 6
    assert {
        "known": "Convert 11 km to miles",
        "changed": "Convert 11 km miles",
        "answer": "6",
        "verdict": "same",
        "by": "the second tool",
    } in doubtful
    assert "ask the same" in evidence.summary


@pytest.mark.parametrize(("verdict", "stage"), [("same", "passed"), ("other", "failed")])
async def test_a_judge_decides_what_a_second_tool_refuses(
    sandbox: ForkServer, verdict: str, stage: str
) -> None:
    asked: list[Doubt] = []

    async def judge(doubts: Sequence[Doubt]) -> list[Decided]:
        asked.extend(doubts)
        return [Decided(one, "same" if verdict == "same" else "other", "me") for one in doubts]

    evidence = await near_miss_stage(sandbox, DOUBTFUL, miles(), second=STRICT, judge=judge)
    assert evidence.verdict == stage
    assert len(asked) == 6 and {one.change for one in asked} == {("to", "→")}


async def make(
    boxes: tuple[ForkServer, ForkServer], replies: Sequence[ScriptedReply], source: str, tries: int
) -> tuple[MakingResult, ScriptedModel]:
    model = ScriptedModel([fenced(source), *replies])
    request = MakeRequest(request_class="miles", labelled=miles(), tries=tries)
    return await Maker(model, *boxes).make(request), model


async def test_the_strong_model_is_asked_once_for_each_change_and_its_verdict_is_kept(
    sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    result, model = await make((sandbox, other_sandbox), ["1: same"], DOUBTFUL, 3)
    assert result.record is not None, result.body["ending"]
    assert result.usage.requests == 2
    question = model.requests[1].messages[0].content
    assert question.count("Changed: ") == 1 and " km miles\n" in question
    doubtful = result.record.evidence[3].details["doubtful"]
    assert isinstance(doubtful, list) and "'by': 'scripted'" in str(doubtful[0])


async def test_a_verdict_holds_where_the_tool_is_verified_anew_without_a_model(
    sandbox: ForkServer,
) -> None:
    evidence = await near_miss_stage(sandbox, DOUBTFUL, miles(), second=DOUBTFUL)
    judge = recorded_judge([evidence])
    again = await near_miss_stage(sandbox, DOUBTFUL, miles(), judge=judge)
    assert again.verdict == "passed" and again.details == evidence.details
    assert (await near_miss_stage(sandbox, STRICT, miles(), judge=judge)).details["doubtful"] == []


@pytest.mark.parametrize(
    "reply",
    ["1: other", "I cannot say.", ModelUnavailable("down for now")],
    ids=["other", "no verdict", "no reply"],
)
async def test_a_change_that_is_not_the_same_goes_back_to_the_maker(
    sandbox: ForkServer, other_sandbox: ForkServer, reply: ScriptedReply
) -> None:
    replies: list[ScriptedReply] = [reply, fenced(STRICT)]
    result, model = await make((sandbox, other_sandbox), replies, DOUBTFUL, 2)
    assert result.record is not None and result.record.source == STRICT
    assert " km miles' is answered" in model.requests[2].messages[-1].content


async def test_no_model_is_asked_where_nothing_is_in_doubt(
    sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    result, _ = await make((sandbox, other_sandbox), [], STRICT, 1)
    assert result.record is not None and result.usage.requests == 1


WORDS = """def parse(request):
    head = "Sort the words: "
    words = request.removeprefix(head).split(" ")
    return {"words": words} if request.startswith(head) and "".join(words).islower() else None


def unparse(args):
    return "Sort the words: " + " ".join(args["words"])


def solve(words):
    return sorted(words)


def render(args, result):
    return " ".join(result)
"""
LISTS = (
    "pear fig",
    "lime kiwi mango",
    "plum peach",
    "melon quince olive",
    "date guava",
    "kale oat",
)


async def served(sandbox: ForkServer, record: ToolRecord, request: str) -> str | None:
    program, slots = answer_program(record.source), slots_of(record.evidence)
    return (await serve_tool(sandbox, program, request, "tests", slots)).answer


async def test_a_tool_that_takes_any_word_is_kept_from_orders_in_service(
    sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    labelled = tuple(
        Demonstration(input=f"Sort the words: {text}", target=" ".join(sorted(text.split())))
        for text in LISTS
    )
    model = ScriptedModel([fenced(WORDS)])
    request = MakeRequest(request_class="words", labelled=labelled, tries=1)
    record = (await Maker(model, sandbox, other_sandbox).make(request)).record
    assert record is not None
    assert await served(sandbox, record, "Sort the words: zebra apple") == "apple zebra"
    for order in ("in descending order", "and then reverse them", "but only the first three"):
        assert await served(sandbox, record, f"Sort the words: zebra apple {order}") is None
