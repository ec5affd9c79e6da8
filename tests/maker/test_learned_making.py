"""A making of a learned tool: fitted in a process of its own, with its evidence, or refused in one line."""

from pathlib import Path

import pytest
from tests.serving.learned_world import stream

from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.core.errors import InputError, MakerError
from toolmint.core.learned import DrawnDemonstration
from toolmint.core.tool import Demonstration
from toolmint.evaluation.bigbench import read_bigbench_tasks
from toolmint.maker.fit_worker import counts_of, held_out_of
from toolmint.maker.learned_making import title_of_labels
from toolmint.maker.make import fitted
from toolmint.maker.making_run import Learning, MakeRequest, checked_request
from toolmint.maker.report import MAX_TITLE

pytestmark = pytest.mark.anyio
JUDGEMENTS = ("snarks", "movie_recommendation", "disambiguation_qa")


def request(count: int, **more: object) -> MakeRequest:
    labelled = tuple(Demonstration(input=text, target=label) for text, label in stream(count))
    fields = {"request_class": "mail", "profile": "learned", "labelled": labelled}
    return MakeRequest.model_validate(fields | more)


async def test_a_fit_calls_no_model_and_leaves_weights_with_their_evidence() -> None:
    learning = Learning(epsilon=0.1, confidence=0.8)
    found = await fitted(request(300, learning=learning))
    record = found.record
    assert record is not None and found.weights is not None and found.held_out is not None
    assert record.kind == "learned" and len(record.demonstrations) <= 60
    assert [one.stage for one in record.evidence] == ["fit", "held out"]
    assert found.usage.requests == 0 and record.usage.requests == 0
    assert found.held_out.trials >= 60 and found.held_out.wrong <= 3
    assert "no model" in record.provenance.model and found.title is not None
    assert "4 labels" in found.title


@pytest.mark.parametrize("task", JUDGEMENTS)
async def test_ten_demonstrations_of_a_judgement_make_no_tool(data: Path, task: str) -> None:
    examples = read_bigbench_tasks(data / "bbh", [task])[task][:10]
    settings = Settings(profile="learned")
    found = await fitted(
        MakeRequest(
            request_class=task,
            profile="learned",
            labelled=tuple(examples),
            learning=Learning(epsilon=settings.epsilon, confidence=settings.confidence),
        )
    )
    assert found.record is None and found.weights is None
    assert str(found.body["ending"]) and "\n" not in str(found.body["ending"])


async def test_the_command_lines_session_keeps_no_learned_tool_that_is_not_proved(
    tmp_path: Path,
) -> None:
    settings = Settings(store=tmp_path / "tools.db", epsilon=0.02)
    async with Session.open(settings, models=Models(None)) as session:
        with pytest.raises(MakerError, match="no tool for 'mail' passed") as caught:
            await session.make(request(80))
        assert "\n" not in str(caught.value)
        assert await session.store.versions() == []
    with pytest.raises(InputError, match="has 3 different demonstrations"):
        checked_request(request(3))


def test_of_few_examples_up_to_a_third_is_held_out() -> None:
    assert [held_out_of(count) for count in (9, 150, 400, 1000, 9000)] == [3, 50, 100, 200, 1000]


def test_audited_requests_weigh_what_they_stand_for() -> None:
    some = [
        DrawnDemonstration(input="a", target="x", drawn=one) for one in ("all", "audit", "audit")
    ]
    counts = counts_of(None, None, some, audit_rate=0.1)
    assert counts.seen == pytest.approx(21) and counts.trials == 0


def test_a_title_names_how_many_labels_there_are() -> None:
    assert title_of_labels(["billing", "refund", "x"], 3) == "3 labels, such as billing, refund"
    long = title_of_labels(["very long label " * 9, "b"], 2)
    assert len(long) == MAX_TITLE and long.endswith("…")
