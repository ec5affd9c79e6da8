"""Steps of the static ToolBench test: what the gold says, what was predicted, and how the official
evaluator reads a prediction's text.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast

from toolmint.core.errors import InputError
from toolmint.core.task import Decision, Step, Trajectory
from toolmint.core.values import clip

PlanLabel = Literal["call", "finish", "give up"]
PLANS: tuple[PlanLabel, ...] = ("call", "finish", "give up")
PLAN_OF: dict[Decision, PlanLabel] = {"call": "call", "answer": "finish", "give_up": "give up"}
_END, NONE = "</s>", "none"


class Reading(NamedTuple):
    """A step's text as the official evaluator reads it; ``crash`` says where it would have died.

    ``action`` and ``answer`` are ``none`` where the text has none.
    """

    plan: PlanLabel
    action: str = NONE
    arguments: str = NONE
    answer: str = NONE
    crash: str = ""


class StepPair(NamedTuple):
    """One scored step: its trajectory (the cluster of its errors), the tools, gold and prediction."""

    trajectory: int
    tools: tuple[str, ...]
    gold: Reading
    predicted: Reading


def read_step(text: str) -> Reading:
    """Read a step's text.

    A give-up is looked for first and anywhere; then a conclusion, whose answer begins after the last
    ``conclusion: `` and must be ended by ``</s>``; all else is a call.
    """
    if "Next: give up" in text:
        return Reading("give up")
    if "Next: conclusion" in text:
        return _read_finish(text)
    action, mark, rest = text.rpartition("Action Input:")
    _, found, name = action.rpartition("Action:")
    if not mark or not found:
        return Reading("call")
    return Reading("call", name.strip(), rest.split(_END, 1)[0].strip())


def _read_finish(text: str) -> Reading:
    _, mark, answer = text.rpartition("conclusion: ")
    if not mark:
        said = "'conclusion: ' (with a space) is not in the text: ValueError"
        return Reading("finish", crash=said)
    if _END not in answer:
        return Reading("finish", answer=answer, crash=f"no {_END} after the answer: IndexError")
    return Reading("finish", answer=answer.split(_END, 1)[0])


def read_backbone_step(text: str) -> Reading:
    """Read a backbone's text: whatever holds ``conclusion: `` is a finish, unless it gives up."""
    if "give up" in text.rpartition("conclusion: ")[2] and "conclusion: " in text:
        return Reading("give up")
    if "conclusion: " in text:
        return Reading("finish", answer=text.rpartition("conclusion: ")[2].split(_END, 1)[0])
    return read_step(text.replace("Next: give up", "").replace("Next: conclusion", ""))


def gold_of(step: Step) -> Reading:
    """Return the gold reading of a step, from what it is and not from its text."""
    if step.decision is None:
        raise InputError(f"step {step.id} has no decision, so it cannot be scored")
    plan = PLAN_OF[step.decision]
    if plan == "call" and step.calls:
        return Reading(plan, step.calls[0].name, step.calls[0].arguments)
    return Reading(plan, answer=step.answer if step.answer is not None else NONE)


def scored_steps(trajectory: Trajectory) -> list[Step]:
    """Return the steps that the test scores: those with a marker."""
    return [step for step in trajectory.path() if step.decision is not None]


def read_prediction(item: Mapping[str, Any], number: int, *, backbone: bool = False) -> StepPair:
    """Read one line of a prediction file: ``tools``, ``reference``, ``predictions``, and its ``trajectory``.

    Texts are read by the rules for three roles, or by those for a backbone.

    Raises:
        InputError: a field is missing or of another kind; the line is named.
    """
    try:
        listed: list[Any] = list(item["tools"])
        tools = tuple(
            str(cast("Any", one)["Name"] if isinstance(one, dict) else one) for one in listed
        )
        gold, predicted = item["reference"], item.get("predictions", item.get("prediction"))
        if not isinstance(gold, str) or not isinstance(predicted, str):
            raise TypeError("'reference' and 'predictions' must be texts")
        read = read_backbone_step if backbone else read_step
        return StepPair(int(item.get("trajectory", number)), tools, read(gold), read(predicted))
    except (KeyError, TypeError, ValueError) as fault:
        raise InputError(
            f"line {number} of the predictions is not as expected: {clip(str(fault), 160)}"
        ) from fault
