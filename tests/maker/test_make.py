"""Makings from start to end: repaired, doubted, refused, and hostile ones; each leaves its report."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.maker.tools import RIGHT, demos, fenced

from toolmint.core.errors import InputError, ModelUnavailable
from toolmint.core.model import ModelRequest, ModelResponse
from toolmint.core.tool import Demonstration
from toolmint.core.values import Value
from toolmint.maker.latm import meets_demonstrations
from toolmint.maker.make import Maker
from toolmint.maker.making_run import MakeRequest
from toolmint.maker.report import MakingResult, short_reason, title_of
from toolmint.models.scripted import ScriptedModel, ScriptedReply
from toolmint.sandbox.forkserver import ForkServer

pytestmark = pytest.mark.anyio
LOOSE = RIGHT.replace("([a-z]+(?:, [a-z]+)+)", "(.+)")


async def make(
    replies: Sequence[ScriptedReply],
    boxes: tuple[ForkServer, ForkServer],
    seconds: Sequence[ScriptedReply] | None = None,
    **more: Any,
) -> tuple[MakingResult, ScriptedModel]:
    model = ScriptedModel(replies)
    second = ScriptedModel(seconds) if seconds is not None else None
    make_request = MakeRequest.model_validate(
        {"request_class": "sorting", "labelled": demos()} | more
    )
    return await Maker(model, *boxes, second).make(make_request), model


@pytest.fixture
def boxes(sandbox: ForkServer, other_sandbox: ForkServer) -> tuple[ForkServer, ForkServer]:
    return sandbox, other_sandbox


async def test_a_right_tool_is_made_at_once(boxes: tuple[ForkServer, ForkServer]) -> None:
    outcome, model = await make([fenced(RIGHT)], boxes)
    record = outcome.record
    assert record is not None and record.has_parser and record.source == RIGHT
    assert [one.verdict for one in record.evidence] == ["passed"] * 5 + ["skipped"]
    assert record.usage.requests == 1 and outcome.body["ending"] == "made"
    assert all(one.input in model.requests[0].messages[0].content for one in demos()[:5])
    assert demos()[5].input not in model.requests[0].messages[0].content


async def test_the_evidence_goes_back_to_the_maker(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    outcome, model = await make([fenced(LOOSE), fenced(RIGHT)], boxes)
    assert outcome.record is not None and outcome.record.source == RIGHT
    messages = model.requests[1].messages
    assert len(messages) == 3 and "another meaning are answered" in messages[2].content


async def test_after_the_last_try_the_report_says_why(boxes: tuple[ForkServer, ForkServer]) -> None:
    outcome, _ = await make([fenced(LOOSE)] * 2, boxes, tries=2)
    assert outcome.record is None
    assert str(outcome.body["ending"]).startswith("4 near misses")
    steps = outcome.body["steps"]
    assert isinstance(steps, list)
    assert sum(isinstance(step, dict) and step["kind"] == "model" for step in steps) == 2


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("I would rather not.", "no reply held code"),
        ("```python\n```", "no reply held code"),
        (fenced("import os\nos.system('rm -rf /')\n"), "missing at the top level"),
        (fenced(RIGHT + "\nwhile True:\n    pass\n"), "timeout"),
        (fenced(RIGHT + "\nhuge = [0] * 10**10\n"), "MemoryError"),
        (fenced(RIGHT.replace("import re", "import re, subprocess")), "forbidden imports"),
        (fenced(RIGHT.replace("sorted(words)", "print('x' * 10**7) or words")), "not met"),
        (fenced("(" * 5000), "cannot be read"),
    ],
    ids=["prose", "empty", "destructive", "endless", "huge", "import", "noise", "nested"],
)
async def test_bad_code_is_a_failed_making(
    boxes: tuple[ForkServer, ForkServer], reply: str, says: str
) -> None:
    outcome, _ = await make([reply], boxes, tries=1, second="never")
    assert outcome.record is None and says in str(outcome.body["ending"])


async def test_a_model_that_fails_leaves_a_report(boxes: tuple[ForkServer, ForkServer]) -> None:
    outcome, _ = await make([ModelUnavailable("down for now")], boxes)
    assert outcome.record is None and outcome.body["ending"] == "down for now"


async def test_a_fault_of_our_own_leaves_a_report_too(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    class Broken(ScriptedModel):
        async def complete(self, request: ModelRequest) -> ModelResponse:
            raise ZeroDivisionError(f"{len(request.messages)} by nothing")

    asked = MakeRequest(request_class="sorting", labelled=tuple(demos()))
    outcome = await Maker(Broken([]), *boxes).make(asked)
    assert outcome.record is None and "ZeroDivisionError" in str(outcome.body["ending"])
    assert "in complete" in str(outcome.body["steps"])


async def test_a_second_tool_is_made_where_requests_have_no_labels(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    unlabelled = tuple(one.input for one in demos(8, seed=9))
    outcome, _ = await make([fenced(RIGHT)], boxes, ["prose", fenced(RIGHT)], unlabelled=unlabelled)
    assert outcome.record is not None and outcome.record.provenance.second_model == "scripted"
    assert outcome.record.evidence[-1].verdict == "passed"
    assert outcome.usage.requests == 3


async def test_without_a_second_tool_unlabelled_requests_prove_nothing(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    outcome, _ = await make([fenced(RIGHT)], boxes, ["no", "no"], tries=1, second="always")
    assert outcome.record is None and "no second tool" in str(outcome.body["ending"])


async def test_a_wrong_label_is_reported_not_learned(boxes: tuple[ForkServer, ForkServer]) -> None:
    labelled = (*demos()[:7], demos()[7].model_copy(update={"target": "wrong"}), *demos()[8:])
    outcome, _ = await make(
        [fenced(RIGHT)] * 2, boxes, [fenced(RIGHT)] * 2, tries=2, labelled=labelled
    )
    assert outcome.record is not None
    assert "1 suspect" in outcome.record.evidence[1].summary


@pytest.mark.parametrize(
    ("labelled", "code"),
    [
        ((), "demonstrations-few"),
        (demos(1), "demonstrations-few"),
        (demos(1) * 20, "demonstrations-few"),
        (demos(5), "demonstrations-few"),
        (demos(3) * 4, "demonstrations-few"),
        (
            (*demos(), demos()[0].model_copy(update={"target": "other"})),
            "demonstrations-contradict",
        ),
        (
            (*demos(), demos()[0].model_copy(update={"target": f"a  {demos()[0].target}"})),
            "demonstrations-contradict",
        ),
        (
            tuple(
                one.model_copy(update={"target": f"{one.target}{end}"})
                for end in ("", "\n", " ")
                for one in demos(4)
            ),
            "demonstrations-few",
        ),
        ((*demos(), Demonstration(input="q", target=None)), "input"),
    ],
    ids=["none", "one", "all-alike", "five", "repeated", "contradictory", "spaced", "ends-alone", "unanswered"],
)
async def test_bad_demonstrations_are_refused_before_any_call(
    boxes: tuple[ForkServer, ForkServer], labelled: tuple[Demonstration, ...], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        await make([], boxes, labelled=labelled)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("# title: Sort words", "Sort words"),
        ("#Title:  'Sort words.' ", "Sort words"),
        ("# -*- coding: utf-8 -*-\n\n## TITLE: Sort words", "Sort words"),
        ('"""Sort words.\n\nMore."""', "Sort words"),
        ('r"""\nSort words\n"""', "Sort words"),
        ("'''Sort words'''", "Sort words"),
        ("# subtitle: Sort words", None),
        ("# title:", None),
        ("# title: " + "x" * 61, None),
        ("# title: a\x1b[31mred", None),
        ('x = """Sort words"""', None),
        ("", None),
    ],
)
def test_a_title_is_read_leniently_or_not_at_all(head: str, title: str | None) -> None:
    assert title_of(f"{head}\nimport re\n") == title


@pytest.mark.parametrize("profile", ["proved", "latm"])
async def test_the_first_title_of_a_making_is_kept(
    boxes: tuple[ForkServer, ForkServer], profile: str
) -> None:
    replies = [fenced(f"# title: Sort words\n{LOOSE}"), fenced(f"# title: Order words\n{LOOSE}")]
    outcome, _ = await make(replies, boxes, tries=2 if profile == "proved" else 1, profile=profile)
    assert outcome.record is None and outcome.title == outcome.body["title"] == "Sort words"


@pytest.mark.parametrize(
    ("ending", "line", "case"),
    [
        ("made", "made", "made"),
        ("", "no reason is known", "no reason is known"),
        ("2 of 9 fail:\n- one\n  got x\n- two", "2 of 9 fail", "2 of 9 fail: one; got x"),
        ("2 of 9 fail:", "2 of 9 fail", "2 of 9 fail"),
        ("it broke: [input] why\nmore", "it broke: [input] why", "it broke: [input] why"),
    ],
)
def test_a_reason_is_one_line_and_quotes_a_case_only_where_it_may(
    ending: str, line: str, case: str
) -> None:
    assert short_reason(ending, case=False) == line
    assert short_reason(ending, case=True) == case


async def test_demonstrations_that_are_not_met_are_counted_by_what_happened(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    lines = (
        "    if len(words) > 7:\n        raise ValueError('long')\n"
        "    return sorted(words) if words[0] < 'n' else words"
    )
    outcome, _ = await make(
        [fenced(RIGHT.replace("    return sorted(words)", lines))],
        boxes,
        tries=1,
        second="never",
    )
    ending = str(outcome.body["ending"])
    assert "answered wrongly" in ending and "4 failed) (" in ending.splitlines()[0]


TOOL = "def order(words):\n    return sorted(words)\n"
TESTS = "".join(
    f"ret = order({(one.input.split(': ')[1][:-1].split(', '))!r})\n"
    f"ans = ', '.join(ret)\nassert ans == {one.target!r}\n"
    for one in demos()[3:6]
)


async def test_the_papers_own_steps(boxes: tuple[ForkServer, ForkServer]) -> None:
    wrap = fenced(TOOL) + "\nQuestion: q\nSolution:\n```python\nret = order(['b', 'a'])\n```"
    outcome, model = await make([fenced(TOOL), fenced(TESTS), wrap], boxes, profile="latm")
    record = outcome.record
    assert record is not None and record.entry == "order" and not record.has_parser
    assert record.source == TOOL and record.wrap == wrap
    assert "3 met by the answer itself" in record.evidence[0].summary
    assert [len(request.messages) for request in model.requests] == [1, 3, 5]
    assert model.requests[0].temperature == 0.3


async def test_latm_feeds_faults_back_and_mends_tests_only(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    replies: list[ScriptedReply] = [
        "prose",
        fenced("1 / 0"),
        fenced(TOOL),
        fenced("ret = 1\nans = 1\n"),
        fenced("assert order(['b', 'a']) == ['b', 'a']\n"),
        fenced(TESTS),
        fenced(TOOL),
    ]
    outcome, model = await make(replies, boxes, profile="latm")
    assert outcome.record is not None
    sent = [request.messages[-1].content for request in model.requests]
    assert "no code block" in sent[1] and "ZeroDivisionError" in sent[2]
    assert "asserts nothing" in sent[4] and "AssertionError" in sent[5]


async def test_latm_says_where_its_own_checks_do_not_meet_the_labels(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    loose = "".join(f"ret = order(['b'])\nans = {n}\nassert ans == {n}\n" for n in range(3))
    outcome, _ = await make([fenced(TOOL), fenced(loose), fenced(TOOL)], boxes, profile="latm")
    assert outcome.record is not None
    assert "3 not met by the answer tested" in outcome.record.evidence[0].summary


async def test_latm_gives_up_after_its_tries(boxes: tuple[ForkServer, ForkServer]) -> None:
    outcome, _ = await make(["no"] * 3, boxes, profile="latm")
    assert outcome.record is None and outcome.body["ending"] == "no proposal ran"
    outcome, _ = await make([fenced(TOOL), "no", "no", "no"], boxes, profile="latm")
    assert outcome.body["ending"] == "the maker's tests never passed"


async def test_demonstrations_that_differ_at_the_ends_alone_are_one(
    boxes: tuple[ForkServer, ForkServer],
) -> None:
    again = tuple(one.model_copy(update={"target": f"{one.target}\n"}) for one in demos())
    outcome, _ = await make([fenced(RIGHT)], boxes, labelled=(*demos(), *again))
    assert outcome.record is not None and outcome.body["demonstrations"] == len(demos())


@pytest.mark.parametrize(
    ("answer", "label", "how"),
    [
        ("(C)", "(C)\n", "text"),
        ("C", "(C)", "converted"),
        (3, "(C)", "converted"),
        (3, "3", "converted"),
        ([1, 2], "[1,2]", "json"),
        ({"a": 1}, '{ "a": 1.0 }', "json"),
        ("a  b", "a b", "contradicts"),
        ([1, 2], "[2, 1]", "contradicts"),
    ],
)
def test_what_a_makers_tests_computed_meets_its_label(answer: Value, label: str, how: str) -> None:
    assert meets_demonstrations(answer, label) == how
