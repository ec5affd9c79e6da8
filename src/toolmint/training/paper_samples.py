"""Samples in the paper's own form: one for each step and role, each with a full prompt.

They serve parity tests and comparison with the one-pass form (``samples``). The official preprocessing pairs
each give-up of the backbone with the prompt of the step before (a stale variable); ``stale_give_up``
reproduces that, so that its cost can be measured.
"""

from collections.abc import Iterator
from typing import NamedTuple

from toolmint.core.task import Step, Trajectory
from toolmint.roles.paper import Paper, without_marker
from toolmint.roles.reading import Plan
from toolmint.roles.toolbench import utterances_of_step
from toolmint.roles.view import AgentRole, View

_GIVE_UP_CONCLUSION = "conclusion: give up."


class StepSample(NamedTuple):
    """A prompt and the reply that the role should write."""

    prompt: str
    target: str


def _targets(step: Step) -> dict[str, str]:
    return {
        kind: text for kind, text in utterances_of_step(step) if kind not in {"user", "observation"}
    }


def step_samples(
    trajectory: Trajectory, role: AgentRole, paper: Paper, *, stale_give_up: bool = False
) -> Iterator[StepSample]:
    """Yield a role's samples of a trajectory's final chain, one for each step in which it speaks.

    Args:
        trajectory: the run.
        role: planner, caller, summarizer, or backbone.
        paper: the text family with the instructions.
        stale_give_up: pair a give-up of the backbone with the prompt of the step before, as the official
            preprocessing does.
    """
    path = trajectory.path()
    last = ""
    for place, step in enumerate(path):
        if step.decision is None:
            continue
        texts = _targets(step)
        planned = texts.get("assistant", "")
        target = _target(role, step, texts, planned)
        if target is None or not _is_learnt(role, step):
            continue
        plan = Plan(thought=step.thought, decision=step.decision)
        prompt = _prompt(
            View(trajectory.task, path[:place], step.hints, plan, planned), role, paper
        )
        stale = stale_give_up and role == "backbone" and step.decision == "give_up" and last
        yield StepSample(last if stale else prompt, target)
        last = prompt


def _is_learnt(role: AgentRole, step: Step) -> bool:
    """Return whether no turn of weight 0 is in the target; the backbone writes what all roles do."""
    return all(turn.weight for turn in step.turns if role in {"backbone", turn.role})


def _target(role: AgentRole, step: Step, texts: dict[str, str], planned: str) -> str | None:
    match role:
        case "planner":
            return planned
        case "caller":
            return texts.get("caller") if step.decision == "call" else None
        case "summarizer":
            return texts.get("conclusion") if step.decision == "answer" else None
        case "backbone":
            if step.decision == "give_up":
                return without_marker(planned) + _GIVE_UP_CONCLUSION
            if step.decision == "answer":
                return f"{without_marker(planned)}conclusion: {texts.get('conclusion', '')}"
            return without_marker(planned) + texts.get("caller", "")


def _prompt(view: View, role: AgentRole, paper: Paper) -> str:
    return "".join(message.content for message in paper.prompt(role, view).messages)
