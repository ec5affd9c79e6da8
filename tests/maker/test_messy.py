"""Makings of files in many phrasings, off-topic lines, long files, and makers that do not learn."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from benchmarks.messy_topics import (
    INTEREST,
    TOPICS,
    Topic,
    literal_maker,
    messy_file,
    module_of,
    shown_phrasings,
)
from tests.maker.tools import RIGHT, demos, fenced

from toolmint.core.errors import ModelUnavailable
from toolmint.core.tool import Demonstration
from toolmint.maker.make import Maker
from toolmint.maker.making_run import MakeRequest, checked_request
from toolmint.maker.program import answer_program, serve_tool
from toolmint.maker.report import MakingResult
from toolmint.maker.verification_input import VerificationInput
from toolmint.maker.verify import failed_stage, verify
from toolmint.maker.wording_clusters import spread, wording_clusters, wording_share
from toolmint.models.scripted import AnsweringModel, ScriptedModel, ScriptedReply
from toolmint.sandbox.forkserver import ForkServer

pytestmark = pytest.mark.anyio
OFF_TOPIC = Demonstration(input="Who wrote the opera about the flute?", target="Mozart")


@pytest.fixture
def boxes(sandbox: ForkServer, other_sandbox: ForkServer) -> tuple[ForkServer, ForkServer]:
    return sandbox, other_sandbox


async def make(
    boxes: tuple[ForkServer, ForkServer],
    labelled: Sequence[Demonstration],
    replies: Sequence[ScriptedReply] | None = None,
    **more: Any,
) -> MakingResult:
    model = AnsweringModel(literal_maker) if replies is None else ScriptedModel(replies)
    fields = {"request_class": "messy", "labelled": tuple(labelled)} | more
    return await Maker(model, *boxes).make(MakeRequest.model_validate(fields))


def steps(result: MakingResult, kind: str) -> list[dict[str, Any]]:
    every = cast("list[dict[str, Any]]", result.body["steps"])
    return [step for step in every if step["kind"] == kind]


@pytest.mark.parametrize(("topic", "phrasings"), list(zip(TOPICS, (15, 18, 20), strict=True)))
async def test_a_file_in_many_phrasings_ends_with_a_tool(
    boxes: tuple[ForkServer, ForkServer], topic: Topic, phrasings: int
) -> None:
    labelled = messy_file(topic, phrasings=phrasings)
    result = await make(boxes, labelled)
    assert result.record is not None and result.usage.requests <= 3
    fresh = messy_file(topic, phrasings=phrasings, count=60, seed=0)[30:]
    program = answer_program(result.record.source)
    runs = [await serve_tool(boxes[0], program, one.input, "fresh") for one in fresh]
    answered = [(run.answer, one.target) for run, one in zip(runs, fresh, strict=True)]
    assert sum(mine is not None for mine, _ in answered) >= 0.8 * len(fresh)
    assert all(mine in {None, right} for mine, right in answered)


async def test_the_first_prompt_shows_the_first_ones_and_one_of_each_other_wording() -> None:
    alike = MakeRequest(request_class="sorting", labelled=demos(30))
    assert alike.shown_first() == demos(30)[:5]
    messy = MakeRequest(request_class="messy", labelled=tuple(messy_file(INTEREST, phrasings=20)))
    shown = messy.shown_first()
    assert len(shown) == 12 and shown[:5] == messy.labelled[:5]
    assert len(set(wording_clusters([one.input for one in shown]))) >= 11


async def test_right_but_for_two_refusals_is_a_tool_at_the_first_call(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    two = tuple(
        one.model_copy(update={"input": f"Kindly sort: {one.input[40:]}"})
        for one in demos(2, seed=7)
    )
    result = await make(boxes, (*demos(28), *two), [fenced(RIGHT)])
    assert result.record is not None
    assert result.unanswered == two and result.body["repair"] == [one.input for one in two]
    assert two[0] not in result.record.demonstrations


async def test_one_line_of_another_kind_costs_no_second_tool(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    labelled = (*messy_file(INTEREST, phrasings=12), OFF_TOPIC)
    result = await make(boxes, labelled)
    assert result.record is not None and result.usage.requests <= 2
    assert not steps(result, "second")


async def test_what_every_tool_refuses_is_set_apart(boxes: tuple[ForkServer, ForkServer]) -> None:
    labelled = messy_file(INTEREST, phrasings=4, count=12)
    phrasings = shown_phrasings(INTEREST, "\n".join(one.input for one in labelled))
    replies = [fenced(module_of(INTEREST, phrasings[:count])) for count in (2, 4)]
    result = await make(boxes, (*labelled, OFF_TOPIC), replies)
    assert result.record is not None and result.unanswered == ()
    assert result.body["set_apart"] == [OFF_TOPIC.input]
    assert "probably of another kind" in steps(result, "set apart")[0]["text"]


async def test_a_worse_version_does_not_replace_the_best(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    labelled = messy_file(INTEREST, phrasings=10, count=12)
    good = module_of(INTEREST, shown_phrasings(INTEREST, str(labelled))[:7])
    wrong = good.replace("// 100", "// 10")
    result = await make(boxes, labelled, [fenced(good), fenced(wrong)])
    assert result.record is not None and result.record.source == good
    assert 0.5 < cast("float", result.body["coverage"]) < 0.9


async def test_a_version_that_gains_is_not_counted_and_the_end_names_the_option(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    labelled = messy_file(INTEREST, phrasings=20)
    replies = [fenced(module_of(INTEREST, list(INTEREST.phrasings[:n]))) for n in range(1, 9)]
    result = await make(boxes, labelled, replies, tries=3)
    assert result.record is None and result.body["proposals"] == 6
    ending = str(result.body["ending"])
    assert "after 6 proposals, --tries 3" in ending.splitlines()[0]
    assert "- refused: request" in ending and ":;" not in ending
    best = cast("dict[str, Any]", result.body["best"])
    assert best["source"] == module_of(INTEREST, list(INTEREST.phrasings[:6]))


async def test_a_maker_that_goes_wrong_is_led_back_to_its_best_version(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    labelled = messy_file(INTEREST, phrasings=20)
    some = module_of(INTEREST, list(INTEREST.phrasings[:6]))
    model = ScriptedModel([fenced(some), fenced("x = 1\n"), fenced(some)])
    asked = MakeRequest(request_class="messy", labelled=tuple(labelled))
    result = await Maker(model, *boxes).make(asked)
    assert result.record is None and len(steps(result, "repeated")) == 1
    last = model.requests[2].messages[-1].content
    assert "Go on from the earlier one" in last and some.strip() in last


TABLE = """
TABLE = {table!r}
def parse(request):
    return {{"n": TABLE.index([one for one in TABLE if one[0] == request][0])}} if any(
        one[0] == request for one in TABLE) else None
def unparse(args): return TABLE[args["n"]][0]
def solve(n): return TABLE[n][1]
def render(args, result): return result
"""


async def test_a_table_of_what_was_shown_is_no_tool(boxes: tuple[ForkServer, ForkServer]) -> None:
    labelled = messy_file(INTEREST, phrasings=15)

    def memorise(request: Any) -> str:
        text = "\n".join(one.content for one in request.messages if one.role == "user")
        table = [[one.input, one.target] for one in labelled if one.input in text]
        return fenced(TABLE.format(table=table))

    result = await make(boxes, labelled, [memorise] * 6)
    assert result.record is None and "a table of known" in str(result.body["ending"])


async def test_a_maker_that_repeats_itself_is_verified_once_and_ends(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    wrong = fenced(RIGHT.replace("sorted(words)", "words"))
    result = await make(boxes, demos(), [wrong] * 9, second="never")
    assert result.record is None and result.body["proposals"] == 3
    assert len(steps(result, "repeated")) == 2


async def test_a_tool_of_five_thousand_lines_is_verified_as_any_other(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    source = RIGHT + "".join(f"\n\ndef unused_{n}():\n    return {n}\n" for n in range(1700))
    assert source.count("\n") > 5000
    inputs = VerificationInput(source=source, labelled=demos(6), near_misses=10)
    assert failed_stage(await verify(inputs, *boxes)) is None


async def test_a_maker_that_breaks_off_leaves_the_best_version(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    labelled = messy_file(INTEREST, phrasings=4, count=12)
    phrasings = shown_phrasings(INTEREST, "\n".join(one.input for one in labelled))
    most = fenced(module_of(INTEREST, phrasings[:3]))
    result = await make(boxes, labelled, [most, ModelUnavailable("down for now")])
    assert result.record is not None and len(result.unanswered) == 3
    assert "the best version is kept" in steps(result, "error")[0]["text"]


async def test_three_kinds_in_one_file_end_with_a_report_of_the_best_version(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    labelled = [one for topic in TOPICS for one in messy_file(topic, phrasings=4, count=10)]
    one_kind = fenced(module_of(INTEREST, list(INTEREST.phrasings)))
    result = await make(boxes, labelled, [one_kind] * 3)
    assert result.record is None
    assert cast("dict[str, float]", result.body["best"])["coverage"] == pytest.approx(
        1 / 3, abs=0.1
    )


def test_a_long_file_is_sampled_over_its_wordings_and_nothing_is_lost() -> None:
    rare = messy_file(INTEREST, phrasings=1, count=5)
    labelled = (*rare, *demos(900))
    chosen = checked_request(MakeRequest(request_class="long", labelled=labelled))
    assert len(chosen.labelled) == 300 and set(rare) <= set(chosen.labelled)
    assert set(chosen.labelled) | set(chosen.further) == set(labelled)
    assert checked_request(chosen) == chosen


def test_twenty_thousand_lines_are_sampled_and_the_rest_is_kept_for_their_labels() -> None:
    labelled = tuple(
        Demonstration(input=f"Add {n} and {n % 7}.", target=str(n + n % 7)) for n in range(20_000)
    )
    chosen = checked_request(MakeRequest(request_class="long", labelled=labelled))
    assert (len(chosen.labelled), len(chosen.further)) == (300, 19_700)


def test_contradictions_of_the_queue_are_left_out() -> None:
    labelled = (*demos(), demos()[0].model_copy(update={"target": "another"}))
    asked = MakeRequest(request_class="queue", labelled=labelled, clustered=True)
    assert checked_request(asked).labelled == demos()[1:]


def test_a_share_counts_each_wording_once() -> None:
    assert wording_share([0, 0, 0, 0, 1], [True] * 4 + [False]) == pytest.approx(2 / 3)
    assert wording_share([*[0] * 20, *range(1, 11)], [True] * 20 + [False] * 10) < 0.5
    assert wording_share([], []) == 0.0
    texts = ["Add 1 and 2", "Add 3 and 4", "What is 5 plus 6?", "Add 7 and 8"]
    assert wording_clusters(texts) == [0, 0, 1, 0]
    assert spread(texts, str, 2) == ["Add 1 and 2", "What is 5 plus 6?"]
