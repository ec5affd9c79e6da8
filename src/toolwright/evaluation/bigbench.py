"""LATM's tables over BIG-Bench-style files: coverage and precision by tier, tokens, dispatch."""

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from toolwright.cache.classify import Classifier
from toolwright.cache.dispatcher import Dispatcher
from toolwright.core.errors import ModelError, NoAnswer
from toolwright.core.messages import Frozen
from toolwright.core.model import Usage
from toolwright.core.task import Task, Trajectory
from toolwright.core.tool import Demonstration
from toolwright.core.values import Value
from toolwright.maker.latm import meets

UNKNOWN_SCORE = 0.5

PAPER: dict[str, float] = {
    "logical_deduction_five_objects": 86.6,
    "tracking_shuffled_objects_five_objects": 100.0,
    "dyck_languages": 87.5,
    "word_sorting": 99.1,
    "chinese_remainder_theorem": 100.0,
    "schedule_meeting": 100.0,
}
"""LATM with GPT-4 as tool user, accuracy in %: arXiv 2305.17126 v2, table 2."""


class TierScore(Frozen):
    """How many requests a tier answered, and how many of them rightly."""

    answered: int
    right: int

    @property
    def precision(self) -> float | None:
        """Share of its answers that are right; None where it answered nothing."""
        return self.right / self.answered if self.answered else None


class TaskScore(Frozen):
    """What was measured on one task.

    ``foreign`` counts answers by a tool of another family of tasks. ``tokens`` are query-time
    tokens a request. Seconds are wall time a request, dispatch and sandbox included.
    """

    task: str
    made: bool
    why: str
    making: Usage
    requests: int
    tiers: dict[str, TierScore]
    foreign: int
    tokens: float
    p50_seconds: float
    p99_seconds: float
    wrong: tuple[dict[str, Value], ...]
    made_seeds: tuple[bool, ...] = ()

    @property
    def accuracy(self) -> float:
        """Share of all requests that were answered rightly, by whatever tier."""
        return sum(score.right for score in self.tiers.values()) / self.requests

    @property
    def zero_token_share(self) -> float:
        """Share of requests that were answered without any model."""
        found = self.tiers.get("compiled")
        return found.answered / self.requests if found else 0.0


class DispatchScore(Frozen):
    """How well wording alone finds the class.

    ``closed``: share of requests whose first guess is their task, all tasks known.
    ``open_accept``: share of requests of unknown tasks that get a guess all the same.
    ``open_reject``: share of requests of known tasks that get none. Open-set is measured with each
    half of the tasks unknown in turn.
    """

    closed: float
    open_accept: float
    open_reject: float
    requests: int


async def answer(dispatcher: Dispatcher, request: str) -> Trajectory | None:
    """Give the trajectory of one request; None where nothing may answer."""
    try:
        return await dispatcher.solve(Task(input=request))
    except (NoAnswer, ModelError):
        return None


def right(answered: str | None, target: str | None, tier: str) -> bool:
    """Compare an answer with its label; for a tool user's code LATM's conversions are allowed."""
    if answered is None or target is None:
        return False
    same = answered.strip() == target.strip()
    return same or (tier == "tooluser" and meets(answered, target) != "contradicts")


class Making(Frozen):
    """How the making of a task's tool ended, seed by seed."""

    made: bool
    why: str
    usage: Usage
    seeds: tuple[bool, ...]


async def score_task(
    dispatcher: Dispatcher,
    task: str,
    tests: Sequence[Demonstration],
    making: Making,
    tell: Callable[[], None],
) -> TaskScore:
    """Send a task's test requests through the dispatcher and count."""
    answered: Counter[str] = Counter()
    rights: Counter[str] = Counter()
    wrong: list[dict[str, Value]] = []
    seconds: list[float] = []
    tokens = foreign = 0
    for test in tests:
        trajectory = await answer(dispatcher, test.input)
        tell()
        served = trajectory.served if trajectory is not None else None
        if trajectory is None or served is None or trajectory.answer is None:
            continue
        answered[served.tier] += 1
        tokens += served.usage.tokens
        seconds.append(served.seconds)
        foreign += served.tier != "strong" and _family(served.request_class or "") != _family(task)
        if right(trajectory.answer, test.target, served.tier):
            rights[served.tier] += 1
        else:
            wrong.append(
                {
                    "input": test.input,
                    "target": test.target,
                    "answer": trajectory.answer,
                    "tier": served.tier,
                    "class": served.request_class,
                }
            )
    ordered = sorted(seconds) or [0.0]
    return TaskScore(
        task=task,
        made=making.made,
        why=making.why,
        making=making.usage,
        requests=len(tests),
        tiers={tier: TierScore(answered=n, right=rights[tier]) for tier, n in answered.items()},
        foreign=foreign,
        tokens=tokens / len(tests) if tests else 0.0,
        p50_seconds=statistics.median(ordered),
        p99_seconds=ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        wrong=tuple(wrong),
        made_seeds=making.seeds,
    )


def _family(task: str) -> str:
    return task.replace("_five_objects", "").replace("_seven_objects", "")


def _knowing(tasks: Mapping[str, Sequence[Demonstration]]) -> Classifier:
    classifier = Classifier()
    for task, shown in tasks.items():
        for demonstration in shown:
            classifier.learn(_family(task), demonstration.input)
    return classifier


def score_dispatch(
    shown: Mapping[str, Sequence[Demonstration]], tests: Mapping[str, Sequence[Demonstration]]
) -> DispatchScore:
    """Measure retrieval by wording, without parsers: they would refuse its mistakes."""
    everything = _knowing(shown)
    total = hits = accepted = unknown = rejected = known = 0
    families = sorted({_family(task) for task in shown})
    halves = [set(families[::2]), set(families[1::2])]
    knowing = [_knowing({t: d for t, d in shown.items() if _family(t) in half}) for half in halves]
    for task, requests in tests.items():
        for one in requests:
            guesses = everything.rank(one.input, most=1)
            total += 1
            hits += bool(guesses) and guesses[0].request_class == _family(task)
            for half, classifier in zip(halves, knowing, strict=True):
                found = classifier.rank(one.input, most=1, least=UNKNOWN_SCORE)
                if _family(task) in half:
                    known += 1
                    rejected += not found
                else:
                    unknown += 1
                    accepted += bool(found)
    return DispatchScore(
        closed=hits / max(1, total),
        open_accept=accepted / max(1, unknown),
        open_reject=rejected / max(1, known),
        requests=total,
    )
