"""A run as a text that people and judges read: thoughts, calls, observations, and the ending."""

from toolwright.core.task import Trajectory
from toolwright.core.values import clip


def story(trajectory: Trajectory, observed: int = 600) -> str:
    """Write the chain that ended a run; observations are cut at ``observed`` characters, visibly."""
    lines: list[str] = []
    for step in trajectory.path():
        lines.append(f"Thought: {step.thought}")
        lines += [f"Call: {call.name} {call.arguments}" for call in step.calls]
        lines += [f"Result: {clip(result.content, observed)}" for result in step.results]
    lines.append(f"Ending: {trajectory.outcome}")
    lines.append(f"Answer: {trajectory.answer or '(none)'}")
    return "\n".join(lines)
