"""Write a run as plain text for people and judges."""

from toolmint.core.task import Trajectory
from toolmint.core.values import clip


def transcript(trajectory: Trajectory, observed: int = 600) -> str:
    """Return the final chain of a run as text: thoughts, calls, results, outcome and answer.

    Results are cut to ``observed`` characters, with a mark.
    """
    lines: list[str] = []
    for step in trajectory.path():
        lines.append(f"Thought: {step.thought}")
        lines += [f"Call: {call.name} {call.arguments}" for call in step.calls]
        lines += [f"Result: {clip(result.content, observed)}" for result in step.results]
    lines.append(f"Ending: {trajectory.outcome}")
    lines.append(f"Answer: {trajectory.answer or '(none)'}")
    return "\n".join(lines)
