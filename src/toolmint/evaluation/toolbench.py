"""Static ToolBench test of alpha-UMi: single steps, each on the gold history (Shen et al., section 5.1)."""

from collections.abc import Mapping, Sequence

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Policy
from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall
from toolmint.core.task import Limits, Run, Step, Task, Trajectory
from toolmint.core.values import Value
from toolmint.evaluation.benchmark import Item, Row, Score
from toolmint.evaluation.compat import Compat, hallucinates, predicted_action, score_compat
from toolmint.evaluation.floors import FLOORS, predictions
from toolmint.evaluation.report import Figure, Line, Report, Section
from toolmint.evaluation.static_steps import (
    NONE,
    PLAN_OF,
    PLANS,
    PlanLabel,
    Reading,
    StepPair,
    gold_of,
    scored_steps,
)
from toolmint.evaluation.strict import Strict, score_strict
from toolmint.roles.view import View

_COMPAT = "compat: as the official evaluator computes them (%)"
_STRICT = "strict: faults mended, 95 % intervals by trajectory (%)"
_CRASHES_SHOWN = 5


class StepTask(Task):
    """One step to be predicted: the trajectory's task, the gold steps before it, the hints that it had."""

    before: tuple[Step, ...]
    hints: tuple[str, ...] = ()


class StepSolver:
    """Predicts single steps with a policy; the trajectory is the one step."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Predict one step; its tool is not called.

        Raises:
            InputError: the task is no step.
            ModelError: a model gave no usable reply.
        """
        if not isinstance(task, StepTask):
            raise InputError("steps are predicted of a StepTask alone")
        tracker = BudgetTracker(limits)
        move = await self._policy.move(View(task, task.before, task.hints), tracker)
        calls: tuple[ToolCall, ...] = ()
        if move.action is not None and move.action.name is not None:
            calls = (ToolCall(id="call", name=move.action.name, arguments=move.action.arguments),)
        step = Step(
            id=0,
            turns=move.turns,
            thought=move.thought,
            decision=move.decision,
            calls=calls,
            answer=move.answer,
            notes=move.notes,
        )
        run = Run(policy=self._policy.name, seconds=tracker.seconds, usage=tracker.usage)
        return Trajectory(task=task, steps=(step,), leaf=0, answer=move.answer, run=run)


def reading_of(step: Step) -> Reading:
    """Return a predicted step as the metrics read it."""
    plan = PLAN_OF[step.decision] if step.decision is not None else "call"
    if step.calls:
        return Reading(plan, step.calls[0].name, step.calls[0].arguments)
    return Reading(plan, answer=step.answer if step.answer is not None else NONE)


class StaticToolBench:
    """The scored steps of gold trajectories; the trajectories are the clusters of the intervals.

    Args:
        trajectories: gold.
        floors: report the predictors without a model beside the solver.
    """

    name = "toolbench"
    measure = "plan"

    def __init__(self, trajectories: Sequence[Trajectory], *, floors: bool = True) -> None:
        self._trajectories = list(trajectories)
        self._floors = floors
        self.settings: Mapping[str, Value] = {}
        self._gold: dict[str, tuple[int, tuple[str, ...], Reading]] = {}
        items: list[Item] = []
        for number, trajectory in enumerate(self._trajectories):
            path = trajectory.path()
            tools = tuple(tool.name for tool in trajectory.task.tools)
            for step in scored_steps(trajectory):
                task = StepTask(**dict(trajectory.task), before=path[: step.id], hints=step.hints)
                items.append(Item(f"{number}/{step.id}", task, str(number)))
                self._gold[items[-1].id] = number, tools, gold_of(step)
        self.items = tuple(items)

    def _pair(self, name: str, predicted: Reading) -> StepPair:
        number, tools, gold = self._gold[name]
        return StepPair(number, tools, gold, predicted)

    async def score(self, item: Item, trajectory: Trajectory) -> Score:
        """Compare a predicted step with the gold one.

        Measures: ``plan`` (right decision), ``action`` (right tool, on gold calls), ``hallucinated``.
        """
        predicted = reading_of(trajectory.steps[-1])
        pair = self._pair(item.id, predicted)
        measures: dict[str, bool | int | float] = {
            "plan": pair.gold.plan == predicted.plan,
            "hallucinated": hallucinates(pair),
        }
        if pair.gold.plan == "call":
            measures["action"] = predicted_action(pair) == pair.gold.action
        return Score(measures=measures, details={"prediction": predicted._asdict()})

    def pairs(self, rows: Sequence[Row]) -> list[StepPair]:
        """Return gold and prediction of each row's step; a step whose solver failed calls nothing."""
        return [
            self._pair(row.id, _reading(row.details["prediction"]))
            if "prediction" in row.details
            else self._pair(row.id, Reading("call"))
            for row in rows
        ]

    def summary(self, rows: Sequence[Row]) -> Report:
        """Return both tables, the floors above the solver; steps whose solver failed are named."""
        scored: dict[str, Sequence[StepPair]] = {}
        if self._floors:
            scored |= {name: predictions(self._trajectories, one) for name, one in FLOORS.items()}
        for name in dict.fromkeys(row.solver for row in rows):
            scored[name] = self.pairs([row for row in rows if row.solver == name])
        failed = [f"{row.solver}: step {row.id}: {row.error}" for row in rows if row.error]
        return static_report(scored, failed[:_CRASHES_SHOWN])


def _reading(value: Value) -> Reading:
    """Return a prediction as it was written into a row."""
    fields = {name: str(one) for name, one in value.items()} if isinstance(value, dict) else {}
    plans: dict[str, PlanLabel] = {label: label for label in PLANS}
    plan = plans.get(fields.get("plan", ""), "call")
    return Reading(
        plan,
        action=fields.get("action", NONE),
        arguments=fields.get("arguments", NONE),
        answer=fields.get("answer", NONE),
        crash=fields.get("crash", ""),
    )


def static_report(scored: Mapping[str, Sequence[StepPair]], notes: Sequence[str] = ()) -> Report:
    """Return compat and strict metrics of many predictors, by name."""
    compat = {name: score_compat(pairs) for name, pairs in scored.items()}
    strict = {name: score_strict(pairs) for name, pairs in scored.items()}
    crashes = [
        f"{name}: {crash}" for name, one in compat.items() for crash in one.crashes[:_CRASHES_SHOWN]
    ]
    return Report(
        sections=(
            _section(_COMPAT, {name: _compat_line(name, one) for name, one in compat.items()}),
            _section(_STRICT, {name: _strict_line(name, one) for name, one in strict.items()}),
        ),
        notes=(*notes, *crashes),
    )


def _section(title: str, lines: Mapping[str, Line]) -> Section:
    return Section(title=title, first="predictor", lines=tuple(lines.values()))


def _compat_line(name: str, one: Compat) -> Line:
    figures = {
        "Plan ACC": one.plan_acc,
        "Act. EM": one.act_em,
        "Hallu.": one.hallucination,
        "Arg. F1": one.arg_f1,
        "easy": one.arg_f1_easy,
        "hard": one.arg_f1_hard,
        "R-L": one.rouge_l,
    }
    cells = {column: Figure(value=value) for column, value in figures.items()}
    return Line(name=name, cells={**cells, "would die of": len(one.crashes) or None})


def _strict_line(name: str, one: Strict) -> Line:
    return Line(
        name=name,
        cells={
            "plan acc": Figure.of(one.plan_acc),
            "plan macro-F1": Figure.of(one.plan_macro_f1),
            **{plan: Figure(value=found.value) for plan, found in one.recall.items()},
            "Act. EM": Figure.of(one.act_em),
            "exact arg F1": Figure.of(one.arg_f1),
            "hallu. per call": Figure.of(one.hallucination),
            "R-L": Figure.of(one.rouge_l),
        },
    )
