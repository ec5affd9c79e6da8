"""LATM's tables over BIG-Bench-style files: coverage and precision by tier, tokens, dispatch."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolmint.core import demonstrations as read
from toolmint.core.errors import InputError
from toolmint.core.messages import Frozen
from toolmint.core.model import Usage
from toolmint.core.task import Task, Trajectory
from toolmint.core.tool import Demonstration
from toolmint.core.values import Value
from toolmint.evaluation.benchmark import Item, Row, Score
from toolmint.evaluation.report import Cell, Line, Report, Section, percent, spent
from toolmint.maker.latm import meets_demonstrations
from toolmint.serving.classify import Classifier

_UNKNOWN_SCORE = 0.5

PAPER_ACCURACY: dict[str, float] = {
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
    made_seeds: tuple[bool, ...] = ()

    @property
    def accuracy(self) -> float:
        """Share of all requests that were answered rightly, by whatever tier."""
        return sum(score.right for score in self.tiers.values()) / self.requests

    @property
    def zero_token_share(self) -> float:
        """Share of requests that were answered without any model."""
        found = self.tiers.get("code")
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


def read_bigbench_tasks(folder: Path, only: Sequence[str] = ()) -> dict[str, list[Demonstration]]:
    """Return the examples of every task file of a folder, by task.

    Raises:
        InputError: there is none, or one cannot be read.
    """
    files = sorted(folder.glob("*.json")) + sorted(folder.glob("*.jsonl"))
    chosen = [file for file in files if not only or file.stem in only]
    if not chosen:
        raise InputError(f"{str(folder)!r} holds no task file (*.json, *.jsonl) of that name")
    return {
        file.stem: read.parse_demonstrations(read.read_text(file), file.name) for file in chosen
    }


def is_exact_match(answered: str | None, target: str | None, tier: str) -> bool:
    """Compare an answer with its label by LATM's own rule, not by ``core.sameness``.

    The texts are equal but for white space at the ends; for a tool user's code the conversions of LATM's
    evaluation are allowed.
    """
    if answered is None or target is None:
        return False
    same = answered.strip() == target.strip()
    return same or (tier == "light" and meets_demonstrations(answered, target) != "contradicts")


class TaskMaking(Frozen):
    """How the making of a task's tool ended, seed by seed."""

    made: bool
    why: str
    usage: Usage
    seeds: tuple[bool, ...]


def score_task(task: str, rows: Sequence[Row], making: TaskMaking) -> TaskScore:
    """Return what the rows of one task show."""
    answered = Counter(str(row.details["tier"]) for row in rows if row.details.get("tier"))
    rights = Counter(str(row.details["tier"]) for row in rows if row.passed("right"))
    ordered = sorted(row.seconds for row in rows if row.details.get("tier")) or [0.0]
    return TaskScore(
        task=task,
        made=making.made,
        why=making.why,
        making=making.usage,
        requests=len(rows),
        tiers={tier: TierScore(answered=n, right=rights[tier]) for tier, n in answered.items()},
        foreign=sum(row.passed("foreign") for row in rows),
        tokens=sum(row.usage.tokens for row in rows) / len(rows) if rows else 0.0,
        p50_seconds=statistics.median(ordered),
        p99_seconds=ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
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
                found = classifier.rank(one.input, most=1, least=_UNKNOWN_SCORE)
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


_NOT_MADE = TaskMaking(made=False, why="no tool is made", usage=Usage(), seeds=())
"""Stands for the making of a task whose requests a bare model answers."""
_TITLE = "BIG-Bench tasks: tools made from the first examples, measured on the rest"
_LEGEND = (
    "right: by LATM's own comparison; 0 tokens: share answered by a tool alone, precision: share of those "
    "that is right; light, strong: answers of those tiers; foreign: answers by a tool of another family; "
    "LATM: accuracy with GPT-4 as tool user, arXiv 2305.17126 v2, table 2"
)


class BigBench:
    """BIG-Bench-style tasks, measured on the examples that no tool was made from.

    Args:
        tasks: all examples, by task.
        first: examples of each task that tools are made from; they are not measured.
        makings: how the tools were made, by task; a task that is missing had none made.
    """

    name = "bigbench"
    measure = "right"

    def __init__(
        self,
        tasks: Mapping[str, Sequence[Demonstration]],
        first: int = 10,
        makings: Mapping[str, TaskMaking] | None = None,
    ) -> None:
        self.settings: Mapping[str, Value] = {"first": first}
        self._shown = {task: examples[:first] for task, examples in tasks.items()}
        self._tests = {task: examples[first:] for task, examples in tasks.items()}
        self._makings = makings or {}
        self._targets: dict[str, str | None] = {}
        items: list[Item] = []
        for task, tests in self._tests.items():
            for place, one in enumerate(tests, first):
                items.append(Item(f"{task}/{place:04d}", Task(input=one.input), task))
                self._targets[items[-1].id] = one.target
        self.items = tuple(items)

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        """Compare the answer with the label: ``right``, and ``foreign`` (a tool of another family)."""
        served, target = trajectory.served, self._targets[item.id]
        if trajectory.answer is None:
            return Score(measures={"right": False, "foreign": False})
        tier = served.tier if served is not None else "strong"
        name = served.request_class if served is not None else None
        foreign = tier != "strong" and _family(name or "") != _family(item.cluster)
        return Score(
            measures={
                "right": is_exact_match(trajectory.answer, target, tier),
                "foreign": foreign,
            },
            details={"tier": tier, "class": name, "answer": trajectory.answer, "target": target},
        )

    def scores(self, rows: Sequence[Row]) -> list[TaskScore]:
        """Return the scores by task, in the tasks' order."""
        return [
            score_task(
                task,
                [row for row in rows if row.cluster == task],
                self._makings.get(task, _NOT_MADE),
            )
            for task in self._tests
            if any(row.cluster == task for row in rows)
        ]

    def summary(self, rows: Sequence[Row]) -> Report:
        """Return LATM's table, the sum over all tasks, and how well wording alone finds the class."""
        scores = self.scores(rows)
        requests = sum(one.requests for one in scores)
        right = sum(row.passed("right") for row in rows)
        making = sum((one.making for one in scores), start=Usage())
        dispatch = score_dispatch(self._shown, self._tests)
        return Report(
            sections=(
                Section(title=_TITLE, first="task", lines=tuple(_task_line(one) for one in scores)),
            ),
            notes=(
                _LEGEND,
                f"all: {right / max(1, requests):.2%} right of {requests}",
                f"making: {spent(making)}",
                (
                    f"dispatch by wording: closed set {dispatch.closed:.1%}; half the tasks unknown: "
                    f"{dispatch.open_accept:.1%} of unknown accepted, {dispatch.open_reject:.1%} of known "
                    "rejected (LATM with GPT-3.5: 95% closed, 96% open; arXiv 2305.17126)"
                ),
            ),
        )


def _task_line(one: TaskScore) -> Line:
    code = one.tiers.get("code")
    counts = {tier: score.answered for tier, score in one.tiers.items()}
    paper = PAPER_ACCURACY.get(one.task)
    cells: dict[str, Cell] = {
        "made": f"{sum(one.made_seeds)}/{len(one.made_seeds)}",
        "n": one.requests,
        "right": f"{one.accuracy:.1%}",
        "0 tokens": f"{one.zero_token_share:.1%}",
        "precision": percent(code.precision if code else None),
        "light": counts.get("light", 0),
        "strong": counts.get("strong", 0),
        "foreign": one.foreign,
        "tok/req": f"{one.tokens:.0f}",
        "p50 ms": one.p50_seconds * 1000,
        "p99 ms": one.p99_seconds * 1000,
        "LATM": None if paper is None else f"{paper}%",
    }
    return Line(name=one.task, cells=cells)
