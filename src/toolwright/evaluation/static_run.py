"""The static test with models: each step teacher-forced on the gold history (alpha-UMi section 5.1)."""

from collections.abc import Callable, Sequence

from toolwright.agent.meter import Meter
from toolwright.agent.policy import Move, Policy
from toolwright.core.errors import ModelError
from toolwright.core.task import Limits, Step, Trajectory
from toolwright.evaluation.static_steps import PLAN_OF, Reading, StepPair, gold_of, scored_steps
from toolwright.roles.view import View


def reading_of(move: Move) -> Reading:
    """Give a policy's move as a prediction."""
    plan = PLAN_OF[move.decision]
    if move.action is not None and move.action.name is not None:
        return Reading(plan, move.action.name, move.action.arguments)
    return Reading(plan, answer=move.answer if move.answer is not None else "none")


async def predict(
    policy: Policy,
    trajectories: Sequence[Trajectory],
    advance: Callable[[], None],
    limits: Limits | None = None,
) -> tuple[list[StepPair], Meter, list[str]]:
    """Let a policy predict every scored step.

    Gives the pairs, what was spent, and the steps at which the model failed: those count as a call of
    nothing, and are named.
    """
    meter = Meter(limits)
    pairs: list[StepPair] = []
    faults: list[str] = []
    for number, trajectory in enumerate(trajectories):
        path = trajectory.path()
        tools = tuple(tool.name for tool in trajectory.task.tools)
        for step in scored_steps(trajectory):
            try:
                predicted = reading_of(await policy.move(_view(trajectory, path, step), meter))
            except ModelError as fault:
                predicted = Reading("call")
                faults.append(f"trajectory {number}, step {step.id}: [{fault.code}] {fault}")
            pairs.append(StepPair(number, tools, gold_of(step), predicted))
            advance()
    return pairs, meter, faults


def _view(trajectory: Trajectory, path: Sequence[Step], step: Step) -> View:
    return View(trajectory.task, tuple(path[: step.id]), step.hints)
