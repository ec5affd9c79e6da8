"""The static step metrics as the official evaluator of alpha-UMi computes them, oddities included.

Plan ACC counts all steps. Act. EM counts gold-call steps, where a prediction that does not call counts as
the action ``none``. Arg. F1 gives half a point for a right key with another value, and puts the zero of a
wrong action into both ``easy`` (gold ``{}``) and ``hard``. Hallu. divides by ALL steps. ROUGE-L counts
gold-finish steps. What the evaluator dies of is listed, and counts as 0.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from toolmint.core.errors import InputError
from toolmint.evaluation.rouge_l import rouge_l
from toolmint.evaluation.static_steps import NONE, StepPair


class Compat(NamedTuple):
    """The metrics in 0..1, None where the official evaluator divides by zero; and what it would die of."""

    plan_acc: float | None
    act_em: float | None
    hallucination: float | None
    arg_f1: float | None
    arg_f1_easy: float | None
    arg_f1_hard: float | None
    rouge_l: float | None
    crashes: tuple[str, ...] = ()


class ArgumentScore(NamedTuple):
    """A step's argument score, and which of the lists it enters: ``easy``, ``hard``, both, or none at all."""

    score: float | None
    easy: bool
    hard: bool


def _f1(gold: dict[str, Any], predicted: dict[str, Any]) -> float:
    half = full = 0
    for key, value in gold.items():
        if key in predicted:
            if predicted[key] == value:
                full += 1
            else:
                half += 1
    recall = (0.5 * half + full) / (len(gold) + 1e-30)
    precision = (0.5 * half + full) / (len(predicted) + 1e-30)
    return (2 * recall * precision) / (recall + precision)


def argument_score(gold: str, predicted: str, *, right_action: bool) -> ArgumentScore:
    """Score one gold-call step's arguments.

    Gold that is no JSON makes the step vanish where the action is right, and count 0 where it is wrong.
    """
    if not right_action:
        return ArgumentScore(0, easy=True, hard=True)
    try:
        wanted: Any = json.loads(gold)
    except ValueError:
        return ArgumentScore(None, easy=False, hard=False)
    easy = wanted == {}
    try:
        given: Any = json.loads(predicted)
        if easy:
            return ArgumentScore(1 if given == {} else 0, easy=True, hard=False)
        return ArgumentScore(_f1(wanted, given), easy=False, hard=True)
    except (ValueError, TypeError, AttributeError, ZeroDivisionError):
        return ArgumentScore(0, easy=easy, hard=not easy)


def predicted_action(pair: StepPair) -> str:
    """Return the action of a prediction: ``none`` where it does not call."""
    return pair.predicted.action if pair.predicted.plan == "call" else NONE


def hallucinates(pair: StepPair) -> bool:
    """Tell whether a prediction calls a tool that is not there; an unreadable call is none."""
    action = predicted_action(pair)
    return action != NONE and action not in pair.tools


def _mean(values: Sequence[float]) -> float | None:
    """Return the mean as the evaluator writes it: ``sum / len + 1e-30``; None where that divides by zero."""
    return sum(values) / len(values) + 1e-30 if values else None


def _rouge(pairs: Sequence[StepPair]) -> tuple[float | None, list[str]]:
    scores: list[float] = []
    crashes: list[str] = []
    for number, pair in enumerate(pairs):
        if pair.gold.plan != "finish":
            continue
        answer = pair.predicted.answer if pair.predicted.plan == "finish" else NONE
        try:
            scores.append(rouge_l(answer, pair.gold.answer))
        except InputError:
            crashes.append(f"step {number}: an empty answer: ValueError of the rouge package")
            scores.append(0.0)
    return (sum(scores) / len(scores) if scores else None), crashes


def score_compat(pairs: Sequence[StepPair]) -> Compat:
    """Score predictions as the official evaluator does."""
    crashes = [
        f"step {number}: {side.crash}"
        for number, pair in enumerate(pairs)
        for side in (pair.gold, pair.predicted)
        if side.crash
    ]
    calls = [pair for pair in pairs if pair.gold.plan == "call"]
    right = [predicted_action(pair) == pair.gold.action for pair in calls]
    scored = [
        argument_score(pair.gold.arguments, pair.predicted.arguments, right_action=same)
        for pair, same in zip(calls, right, strict=True)
    ]
    rouge, empty = _rouge(pairs)
    return Compat(
        plan_acc=sum(pair.gold.plan == pair.predicted.plan for pair in pairs) / len(pairs)
        if pairs
        else None,
        act_em=sum(right) / len(right) if right else None,
        hallucination=sum(map(hallucinates, pairs)) / len(pairs) if pairs else None,
        arg_f1=_mean([one.score for one in scored if one.score is not None]),
        arg_f1_easy=_mean([one.score for one in scored if one.score is not None and one.easy]),
        arg_f1_hard=_mean([one.score for one in scored if one.score is not None and one.hard]),
        rouge_l=rouge,
        crashes=tuple(crashes + empty),
    )
