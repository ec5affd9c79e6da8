"""The static metrics: adversarial cases computed by hand, floors on the real trajectories, speed aside."""

import json
from pathlib import Path

import pytest

from toolmint.core.errors import InputError
from toolmint.core.task import Step, Trajectory
from toolmint.evaluation.compat import Compat, argument_score, score_compat
from toolmint.evaluation.floors import FLOORS, Situation, predictions
from toolmint.evaluation.static_steps import (
    Reading,
    StepPair,
    gold_of,
    read_backbone_step,
    read_prediction,
    read_step,
    scored_steps,
)
from toolmint.evaluation.strict import exact_f1, score_strict
from toolmint.roles.toolbench import decode_conversation, utterances_of_step


def call(action: str, arguments: str = "{}") -> str:
    return f"assistant: I call. Next: caller.</s>caller: Action: {action}\nAction Input: {arguments}</s>"


def finish(answer: str) -> str:
    return f"assistant: Done. Next: conclusion.</s>conclusion: {answer}</s>"


GIVE_UP = "assistant: No way. Next: give up.</s>"


def score(gold: str, predicted: str) -> Compat:
    return score_compat([StepPair(0, ("a", "b"), read_step(gold), read_step(predicted))])


HALF = 2 * 0.5 * 0.5 / (0.5 + 0.5)
ARGUMENTS = [
    # gold, predicted, plan, action, hallucinated, argument f1: each worked out by hand
    (call("a"), call("a"), 1, 1, 0, 1.0),
    (call("a"), call("a", '{"x": 1}'), 1, 1, 0, 0.0),
    (call("a", '{"x": 1}'), call("a"), 1, 1, 0, 0.0),
    (call("a", '{"x": 1}'), call("a", '{"x": 1}'), 1, 1, 0, 1.0),
    (call("a", '{"x": 1}'), call("a", '{"x": "1"}'), 1, 1, 0, HALF),
    (call("a", '{"x": 1}'), call("a", '{"x": 1.0}'), 1, 1, 0, 1.0),
    (call("a", '{"x": 1}'), call("a", '{"x": true}'), 1, 1, 0, 1.0),
    (call("a", '{"x": 1, "y": 2}'), call("a", '{"x": 1}'), 1, 1, 0, 2 * 0.5 * 1.0 / (0.5 + 1.0)),
    (call("a", '{"x": 1}'), call("a", '{"x": 2, "y": 3}'), 1, 1, 0, 2 * 0.5 * 0.25 / (0.5 + 0.25)),
    (call("a", '{"x": 1}'), call("a", '{"z": 1}'), 1, 1, 0, 0.0),
    (call("a", '{"x": 1}'), call("a", "[1]"), 1, 1, 0, 0.0),
    (call("a", '{"x": 1}'), call("a", '{"x": 1'), 1, 1, 0, 0.0),
    (call("a"), call("a", "null"), 1, 1, 0, 0.0),
    (call("a", '{"x": NaN}'), call("a", '{"x": NaN}'), 1, 1, 0, HALF),
    (call("a", '{"x": [1, {"y": 2}]}'), call("a", '{"x": [1, {"y": 2}]}'), 1, 1, 0, 1.0),
    (call("a", '{"x": 1}'), call("b", '{"x": 1}'), 1, 0, 0, 0.0),
    (call("a"), call("c"), 1, 0, 1, 0.0),
    (call("a"), "assistant: hm Next: caller.</s>caller: a()</s>", 1, 0, 0, 0.0),
    (call("a"), finish("done"), 0, 0, 0, 0.0),
    (call("a"), GIVE_UP, 0, 0, 0, 0.0),
    (call("a"), "", 1, 0, 0, 0.0),
    (call("a", "no json"), call("b"), 1, 0, 0, 0.0),
]


@pytest.mark.parametrize("case", ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_gold_calls(case: tuple[str, str, int, int, int, float]) -> None:
    gold, predicted, plan, action, hallucinated, f1 = case
    found = score(gold, predicted)
    assert (found.plan_acc, found.act_em, found.hallucination) == (plan, action, hallucinated)
    assert found.arg_f1 == f1 + 1e-30
    assert found.rouge_l is None


def test_unreadable_gold_arguments_vanish_where_the_action_is_right() -> None:
    assert score(call("a", "no json"), call("a", "no json")).arg_f1 is None
    assert argument_score("no json", "{}", right_action=False).score == 0


def test_a_wrong_action_counts_as_easy_and_as_hard() -> None:
    pairs = [
        StepPair(0, ("a", "b"), read_step(gold), read_step(predicted))
        for gold, predicted in (
            (call("a"), call("a")),
            (call("a"), call("b")),
            (call("a", '{"x": 1}'), call("a", '{"x": 1}')),
        )
    ]
    found = score_compat(pairs)
    assert found.arg_f1 == 2 / 3 + 1e-30
    assert found.arg_f1_easy == 1 / 2 + 1e-30
    assert found.arg_f1_hard == 1 / 2 + 1e-30


@pytest.mark.parametrize(
    ("gold", "predicted", "plan", "rouge"),
    [
        (finish("it is blue"), finish("it is blue"), 1, 2 * (1 / (2 + 1e-8))),
        (
            finish("it is blue"),
            finish("it is red"),
            1,
            2 * ((2 / 3 * (2 / 3)) / (2 / 3 + 2 / 3 + 1e-8)),
        ),
        (finish("it is blue"), call("a"), 0, 0.0),
        (finish("none"), call("a"), 0, 2 * (1 / (2 + 1e-8))),
        (finish("blue"), finish("no conclusion: blue"), 1, 2 * (1 / (2 + 1e-8))),
        (finish("blue"), GIVE_UP, 0, 0.0),
        (finish("blue"), finish("blue. Next: give up"), 0, 0.0),
    ],
)
def test_gold_answers(gold: str, predicted: str, plan: int, rouge: float) -> None:
    found = score(gold, predicted)
    assert found.plan_acc == plan
    assert found.rouge_l == pytest.approx(rouge, abs=1e-15)
    assert (found.act_em, found.arg_f1) == (None, None)


@pytest.mark.parametrize(
    ("predicted", "said"),
    [
        (finish(""), "empty answer"),
        (finish("..."), "empty answer"),
        ("assistant: Next: conclusion.</s>conclusion:blue</s>", "with a space"),
        ("assistant: Next: conclusion.</s>conclusion: blue", "no </s>"),
    ],
)
def test_what_the_official_evaluator_dies_of_is_reported(predicted: str, said: str) -> None:
    found = score(finish("blue"), predicted)
    assert any(said in crash for crash in found.crashes)
    assert found.rouge_l is not None


def test_hallucination_counts_where_the_gold_concludes_and_over_all_steps() -> None:
    pairs = [
        StepPair(0, ("a",), read_step(finish("x")), read_step(call("ghost"))),
        StepPair(0, ("a",), read_step(call("a")), read_step(call("a"))),
    ]
    assert score_compat(pairs).hallucination == 0.5
    assert score_strict(pairs).hallucination.value == 0.5
    assert score_compat([]) == Compat(None, None, None, None, None, None, None)


def test_strict_counts_exact_values_and_kinds_only() -> None:
    assert exact_f1('{"x": 1}', '{"x": true}') == 0
    assert exact_f1('{"x": 1}', '{"x": 1}') == 1
    assert exact_f1("{}", "{}") == 1
    assert exact_f1('{"x": 1, "y": 2}', '{"x": 1, "y": 3}') == 0.5
    assert exact_f1("{}", "null") == 0


def test_a_backbones_text_is_read_by_its_own_rules() -> None:
    assert read_backbone_step("t\nconclusion: blue</s>").answer == "blue"
    assert read_backbone_step("t\nconclusion: give up.").plan == "give up"
    assert read_backbone_step("t\nAction: a\nAction Input: {}") == Reading("call", "a", "{}")


def real(data: Path) -> list[Trajectory]:
    path = data / "toolbench/static_out_of_domain_first120.json"
    return [decode_conversation(item) for item in json.loads(path.read_text())]


def step_text(step: Step) -> str:
    """Write a step as the official code does: ``kind: text</s>`` each turn, hints and results left out."""
    said = [one for one in utterances_of_step(step) if one[0] not in {"user", "observation"}]
    return "".join(f"{kind}: {text}</s>" for kind, text in said)


def test_gold_scores_full_marks_through_its_own_texts(data: Path) -> None:
    pairs = [
        StepPair(
            number,
            tuple(tool.name for tool in one.task.tools),
            gold_of(step),
            read_step(step_text(step)),
        )
        for number, one in enumerate(real(data))
        for step in scored_steps(one)
    ]
    assert len(pairs) == 429
    found = score_compat(pairs)
    assert (found.plan_acc, found.act_em, found.arg_f1, found.hallucination) == (1, 1, 1, 0)
    assert found.rouge_l == pytest.approx(1, abs=1e-8)
    assert found.crashes == ()


def test_floors_on_the_real_trajectories(data: Path) -> None:
    trajectories = real(data)
    found = {name: score_compat(predictions(trajectories, one)) for name, one in FLOORS.items()}
    first, overlap, three = found.values()
    assert first.plan_acc == overlap.plan_acc == 309 / 429
    assert overlap.act_em is not None
    assert first.act_em is not None
    assert overlap.act_em > first.act_em + 0.1
    assert three.plan_acc is not None
    assert three.plan_acc > 309 / 429
    assert all(one.hallucination == 0 and not one.crashes for one in found.values())


def test_intervals_hold_the_figure_and_widen_with_fewer_trajectories(data: Path) -> None:
    trajectories = real(data)

    def width(count: int) -> float:
        plan = score_strict(
            predictions(trajectories[:count], FLOORS["3 calls, then conclude"])
        ).plan_acc
        assert plan.value is not None
        assert plan.low is not None
        assert plan.high is not None
        assert plan.low <= plan.value <= plan.high
        return plan.high - plan.low

    assert width(12) > width(120)


def test_a_floor_sees_only_what_came_before(data: Path) -> None:
    seen: list[int] = []

    def spy(situation: Situation) -> Reading:
        seen.append(len(situation.before))
        return Reading("give up")

    trajectories = real(data)[:5]
    predictions(trajectories, spy)
    assert seen == [step.id for one in trajectories for step in scored_steps(one)]


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"tools": [{"Name": "a"}]},
        {"tools": ["a"], "reference": "x", "predictions": 3},
        {"tools": 3},
    ],
)
def test_a_line_that_is_no_prediction_is_named(item: dict[str, object]) -> None:
    with pytest.raises(InputError, match="line 7"):
        read_prediction(item, 7)


def test_a_backbones_predictions_can_be_scored() -> None:
    item = {
        "tools": ["a"],
        "reference": "I look.\nAction: a\nAction Input: {}</s>",
        "predictions": "It is 3.\nconclusion: 3</s>",
    }
    pair = read_prediction(item, 1, backbone=True)
    assert (pair.gold.plan, pair.gold.action) == ("call", "a")
    assert (pair.predicted.plan, pair.predicted.answer) == ("finish", "3")
