"""The static step metrics with the official evaluator's faults mended, each with a 95 % interval.

Plan is a macro-F1 with the recall of each class beside it, since always calling already has a Plan ACC of
74 %. An argument counts only with its exact value. Hallucination is counted per predicted call. Intervals
are cluster bootstraps by trajectory: the steps of one trajectory stand or fall together.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np

from toolmint.core.errors import InputError
from toolmint.core.values import Value, canonical
from toolmint.evaluation.bootstrap import Table, estimate
from toolmint.evaluation.compat import hallucinates, predicted_action
from toolmint.evaluation.report import Estimate
from toolmint.evaluation.rouge_l import rouge_l
from toolmint.evaluation.static_steps import PLANS, StepPair


class Strict(NamedTuple):
    """The strict metrics; ``recall`` by gold plan."""

    plan_acc: Estimate
    plan_macro_f1: Estimate
    recall: Mapping[str, Estimate]
    act_em: Estimate
    arg_f1: Estimate
    hallucination: Estimate
    rouge_l: Estimate


def exact_f1(gold: str, predicted: str) -> float:
    """Return the F1 over argument names whose values are exactly the same JSON; two empty objects are 1."""
    wanted, given = _object(gold), _object(predicted)
    if wanted is None or given is None:
        return 0.0
    if not wanted and not given:
        return 1.0
    same = sum(
        name in given and canonical(given[name]) == canonical(value)
        for name, value in wanted.items()
    )
    return 2 * same / (len(wanted) + len(given))


def _object(text: str) -> dict[str, Value] | None:
    try:
        found: object = json.loads(text)
    except ValueError:
        return None
    return cast("dict[str, Value]", found) if isinstance(found, dict) else None


def _rouge(pair: StepPair) -> float:
    if pair.predicted.plan != "finish":
        return 0.0
    try:
        return rouge_l(pair.predicted.answer, pair.gold.answer)
    except InputError:
        return 0.0


_COLUMNS = (
    "steps",
    "right plan",
    "calls",
    "right action",
    "argument f1",
    "predicted calls",
    "hallucinated",
    "answers",
    "rouge",
    *(f"{gold}>{said}" for gold in PLANS for said in PLANS),
)


def _row(pair: StepPair) -> list[float]:
    called, finished = pair.gold.plan == "call", pair.gold.plan == "finish"
    right = called and predicted_action(pair) == pair.gold.action
    f1 = exact_f1(pair.gold.arguments, pair.predicted.arguments) if right else 0.0
    counts = [
        1,
        pair.gold.plan == pair.predicted.plan,
        called,
        right,
        f1,
        pair.predicted.plan == "call",
        hallucinates(pair),
        finished,
        _rouge(pair) if finished else 0.0,
    ]
    said = [
        pair.gold.plan == gold and pair.predicted.plan == predicted
        for gold in PLANS
        for predicted in PLANS
    ]
    return [float(one) for one in [*counts, *said]]


def _macro_f1(table: Table) -> Table:
    first = _COLUMNS.index("call>call")
    confusion = table[:, first : first + 9].reshape(-1, 3, 3)
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    sizes = confusion.sum(axis=2) + confusion.sum(axis=1)
    seen = confusion.sum(axis=2) > 0
    f1 = np.where(sizes > 0, 2 * hits / np.maximum(sizes, 1e-12), 0.0)
    return (f1 * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)


def score_strict(pairs: Sequence[StepPair], *, seed: int = 0, resamples: int = 1000) -> Strict:
    """Score predictions strictly, with intervals."""
    rows = np.array([_row(pair) for pair in pairs]).reshape(-1, len(_COLUMNS))
    clusters = [pair.trajectory for pair in pairs]

    def ratio(top: str, bottom: str) -> Estimate:
        one, other = _COLUMNS.index(top), _COLUMNS.index(bottom)
        return estimate(
            rows,
            clusters,
            lambda sums: sums[:, one] / sums[:, other],
            seed=seed,
            resamples=resamples,
        )

    def recall(place: int) -> Estimate:
        first = _COLUMNS.index("call>call") + 3 * place
        return estimate(
            rows,
            clusters,
            lambda sums: sums[:, first + place] / sums[:, first : first + 3].sum(axis=1),
            seed=seed,
            resamples=resamples,
        )

    return Strict(
        plan_acc=ratio("right plan", "steps"),
        plan_macro_f1=estimate(rows, clusters, _macro_f1, seed=seed, resamples=resamples),
        recall={plan: recall(place) for place, plan in enumerate(PLANS)},
        act_em=ratio("right action", "calls"),
        arg_f1=ratio("argument f1", "calls"),
        hallucination=ratio("hallucinated", "predicted calls"),
        rouge_l=ratio("rouge", "answers"),
    )
