"""Fits a learned tool in a process of its own: examples on the standard input, weights on the output.

A fit takes seconds of one processor. In a thread of the gateway it would hold the interpreter's lock in turns
with the loop that serves requests; here it takes none of it, its memory goes back to the system when it
ends, and it runs at a lower priority.

The newest examples are held out: the fit does not see them, and what the model makes of them is compared
with their answers as it would be in shadow.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import IO, Any, NamedTuple

from toolmint.core.errors import ToolmintError
from toolmint.core.learned import DrawnDemonstration
from toolmint.core.sameness import same_answer
from toolmint.maker.learned import Fitted, LearnedExample, LearnedModel, fit

_PRIORITY = 5
_LEAST_HELD_OUT, _MOST_HELD_OUT = 100, 1000
_NEW_MEANING = 60
"""Examples since a demotion from which on a fit may leave all older ones out."""


class FitOrder(NamedTuple):
    """What a fit is asked for; the fields are those of ``maker.making_run.Learning``."""

    epsilon: float
    confidence: float
    audit_rate: float
    seed: int
    since: str
    doubtful_since: str


class HeldOutCounts(NamedTuple):
    """What a model makes of the examples that were held out.

    Attributes:
        trials: those that it answered.
        wrong: how many of them wrongly.
        seen: all, each weighted by how seldom the like of it is labelled.
        answered: how many it answered, so weighted; ``rival`` how many the version before did.
    """

    trials: int
    wrong: int
    seen: float
    answered: float
    rival: float


def held_out_of(count: int) -> int:
    """Return how many of so many examples are held out: a fifth, of few up to a third."""
    return min(_MOST_HELD_OUT, max(count // 5, min(count // 3, _LEAST_HELD_OUT)))


def counts_of(
    model: LearnedModel | None,
    previous: LearnedModel | None,
    held_out: Sequence[DrawnDemonstration],
    audit_rate: float,
) -> HeldOutCounts:
    """Return what a model makes of the examples that were held out."""
    trials = wrong = 0
    seen = answered = rival = 0.0
    for one in held_out:
        weight = 1 / audit_rate if one.drawn == "audit" else 1.0
        seen += weight
        text = model.answer(one.input).text if model is not None else None
        if text is not None:
            trials, answered = trials + 1, answered + weight
            wrong += same_answer(text, one.target or "") is None
        if previous is not None and previous.answer(one.input).text is not None:
            rival += weight
    return HeldOutCounts(trials, wrong, seen, answered, rival)


class _Trial(NamedTuple):
    fitted: Fitted
    counts: HeldOutCounts
    since: str
    examples: int

    def score(self, epsilon: float) -> float:
        """Return how good it is: right answers, less what wrong ones count at the bound."""
        right = self.counts.trials - self.counts.wrong
        return right - self.counts.wrong / epsilon


def _try(
    examples: Sequence[DrawnDemonstration],
    order: FitOrder,
    previous: LearnedModel | None,
    since: str,
) -> _Trial:
    mine = [one for one in examples if one.at >= since]
    cut = len(mine) - held_out_of(len(mine))
    learnt = [
        LearnedExample(
            input=one.input, target=one.target, drawn=one.drawn, audit_rate=order.audit_rate
        )
        for one in mine[:cut]
    ]
    fitted = fit(
        learnt,
        epsilon=order.epsilon,
        confidence=order.confidence,
        seed=order.seed,
        previous=previous,
    )
    counts = counts_of(fitted.model, previous, mine[cut:], order.audit_rate)
    return _Trial(fitted, counts, since, len(mine))


def fit_version(
    examples: Sequence[DrawnDemonstration], order: FitOrder, previous: LearnedModel | None
) -> _Trial:
    """Return the fit of a version, on all examples since some time.

    After a demotion (``doubtful_since``) answers may mean something else than before: a fit on what came
    since is tried too, and taken where it does better on the newest examples.
    """
    whole = _try(examples, order, previous, order.since)
    doubtful = order.doubtful_since
    if not doubtful or sum(one.at >= doubtful for one in examples) < _NEW_MEANING:
        return whole
    newer = _try(examples, order, None, doubtful)
    return max(whole, newer, key=lambda one: one.score(order.epsilon))


def answer(source: IO[bytes], out: IO[bytes]) -> None:
    """Read an order, fit, and write the outcome: a line of JSON, then the weights."""
    head: dict[str, Any] = json.loads(source.readline())
    size = head.pop("previous")
    before = source.read(size)
    order = FitOrder(**head)
    examples = [DrawnDemonstration.model_validate_json(line) for line in source]
    said: dict[str, Any]
    weights = b""
    try:
        previous = LearnedModel.from_bytes(before) if before else None
        found = fit_version(examples, order, previous)
        if found.fitted.model is not None:
            weights = found.fitted.model.to_bytes()
        said = {
            "report": found.fitted.report.model_dump(mode="json"),
            "counts": found.counts._asdict(),
            "since": found.since,
            "examples": found.examples,
            "label_count": len(found.fitted.model.labels) if found.fitted.model else 0,
        }
    except ToolmintError as fault:
        said = {"error": str(fault), "code": fault.code}
    out.write(json.dumps(said).encode() + b"\n" + weights)


def serve_order() -> None:
    """Serve one order on the standard streams."""
    os.nice(_PRIORITY)
    answer(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    serve_order()
