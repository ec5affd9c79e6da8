"""The paper's own form: one sample a step and role, its prompt written anew each time.

It is here for parity and for comparison. The official preprocessing pairs each give-up of the backbone
with the prompt of the step before (a stale variable); ``stale_give_up`` does the same, so that what that
costs can be measured.
"""

from collections.abc import Iterator
from typing import NamedTuple

from toolwright.core.task import Step, Trajectory
from toolwright.roles.paper import Paper, unmarked
from toolwright.roles.reading import Plan
from toolwright.roles.toolbench import said_in_step
from toolwright.roles.view import AgentRole, View

GIVE_UP = "conclusion: give up."


class StepSample(NamedTuple):
    """A prompt and what the role should write."""

    prompt: str
    target: str


def _targets(step: Step) -> dict[str, str]:
    return {kind: text for kind, text in said_in_step(step) if kind not in {"user", "observation"}}


def step_samples(
    trajectory: Trajectory, role: AgentRole, paper: Paper, *, stale_give_up: bool = False
) -> Iterator[StepSample]:
    """Give a role's samples of the chain that ended a trajectory, one for each step at which it speaks."""
    path = trajectory.path()
    last = ""
    for place, step in enumerate(path):
        if step.decision is None:
            continue
        said = _targets(step)
        planned = said.get("assistant", "")
        target = _target(role, step, said, planned)
        if target is None:
            continue
        plan = Plan(thought=step.thought, decision=step.decision)
        prompt = _prompt(
            View(trajectory.task, path[:place], step.hints, plan, planned), role, paper
        )
        stale = stale_give_up and role == "backbone" and step.decision == "give_up" and last
        yield StepSample(last if stale else prompt, target)
        last = prompt


def _target(role: AgentRole, step: Step, said: dict[str, str], planned: str) -> str | None:
    match role:
        case "planner":
            return planned
        case "caller":
            return said.get("caller") if step.decision == "call" else None
        case "summarizer":
            return said.get("conclusion") if step.decision == "answer" else None
        case "backbone":
            if step.decision == "give_up":
                return unmarked(planned) + GIVE_UP
            if step.decision == "answer":
                return f"{unmarked(planned)}conclusion: {said.get('conclusion', '')}"
            return unmarked(planned) + said.get("caller", "")


def _prompt(view: View, role: AgentRole, paper: Paper) -> str:
    return "".join(message.content for message in paper.prompt(role, view).messages)
