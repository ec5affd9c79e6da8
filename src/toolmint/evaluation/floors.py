"""What predictors without any model score on the static test: a number below these has no worth."""

from collections.abc import Callable
from typing import NamedTuple

from toolmint.core.task import Step, Trajectory
from toolmint.evaluation.static_steps import Reading, StepPair, gold_of, scored_steps
from toolmint.evaluation.words import words_in

_ERRORS = (
    "error",
    "not found",
    "forbidden",
    "denied",
    "exceeded",
    "invalid",
    "unauthorized",
    "failed",
    "timed out",
)


class Situation(NamedTuple):
    """What a predictor may see: the trajectory's task and tools, and the gold steps before this one."""

    trajectory: Trajectory
    before: tuple[Step, ...]

    @property
    def tools(self) -> list[str]:
        """The names of the tools."""
        return [tool.name for tool in self.trajectory.task.tools]


Predictor = Callable[[Situation], Reading]


def always_call(situation: Situation) -> Reading:
    """Call the first tool, with no arguments, at every step."""
    return Reading("call", situation.tools[0] if situation.tools else "none", "{}")


def word_overlap(situation: Situation) -> Reading:
    """Call the unused tool whose document shares most words with the query, with no arguments."""
    used = {call.name for step in situation.before for call in step.calls}
    query = words_in(situation.trajectory.task.input)
    best, most = "none", -1.0
    for tool in situation.trajectory.task.tools:
        words = words_in(f"{tool.name} {tool.description}")
        score = len(words & query) / (1 + len(words)) ** 0.5 - (tool.name in used)
        if best == "none" or score > most:
            best, most = tool.name, score
    return Reading("call", best, "{}")


def three_calls(situation: Situation) -> Reading:
    """Call three times, then conclude with what was observed, or give up where all of it was errors."""
    results = [result.content for step in situation.before for result in step.results]
    if len(results) < 3:
        return always_call(situation)
    if all(_is_error(content) for content in results):
        return Reading("give up")
    return Reading("finish", answer=" ".join(content for content in results if content) or "none")


def _is_error(content: str) -> bool:
    text = content[:300].lower()
    return not text.strip() or any(word in text for word in _ERRORS)


FLOORS: dict[str, Predictor] = {
    "always call, first tool, {}": always_call,
    "always call, most shared words, {}": word_overlap,
    "3 calls, then conclude": three_calls,
}


def predictions(trajectories: list[Trajectory], predictor: Predictor) -> list[StepPair]:
    """Return a predictor's pairs over all scored steps, each with the gold history before it."""
    pairs: list[StepPair] = []
    for number, trajectory in enumerate(trajectories):
        path = trajectory.path()
        for step in scored_steps(trajectory):
            situation = Situation(trajectory, path[: step.id])
            pairs.append(
                StepPair(number, tuple(situation.tools), gold_of(step), predictor(situation))
            )
    return pairs
