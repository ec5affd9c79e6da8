"""Shorten the history of a run that no longer fits a model's context, step by step, and say what was cut."""

from typing import NamedTuple

from toolmint.core.messages import ToolCall, ToolResult
from toolmint.core.task import Step
from toolmint.core.values import canonical, clip
from toolmint.roles.view import View


class _Level(NamedTuple):
    """How much is kept: characters of old results, of the last step's, of thoughts, and how many steps."""

    old: int
    last: int
    thought: int
    steps: int | None


_LEVELS = (
    _Level(old=400, last=4096, thought=1000, steps=None),
    _Level(old=120, last=1500, thought=300, steps=None),
    _Level(old=80, last=600, thought=120, steps=4),
    _Level(old=40, last=200, thought=80, steps=1),
)
MOST_COMPACT = len(_LEVELS)


def compacted(view: View, level: int) -> tuple[View, str]:
    """Return a view with a shorter history, and a note of what was cut.

    Args:
        view: task and steps; the task and this step's plan are kept whole.
        level: 1 to ``MOST_COMPACT``, from mild to severe.
    """
    kept = _LEVELS[level - 1]
    path = view.path if kept.steps is None else view.path[-kept.steps :]
    left = len(view.path) - len(path)
    short = tuple(
        _short(step, kept.last if number == len(path) - 1 else kept.old, kept.thought)
        for number, step in enumerate(path)
    )
    hint = (f"{left} earlier steps are left out here, as the context is full.",) if left else ()
    note = (
        "the prompt was longer than the model reads, so the history was compacted: "
        f"results cut to {kept.old} characters, the last one to {kept.last}"
        + (f", {left} earlier steps left out" if left else "")
    )
    return view._replace(path=short, hints=(*hint, *view.hints)), note


def _short(step: Step, characters: int, thought: int) -> Step:
    return step.model_copy(
        update={
            "thought": clip(step.thought, thought),
            "hints": tuple(clip(hint, thought) for hint in step.hints),
            "calls": tuple(_short_call(call, characters) for call in step.calls),
            "results": tuple(_short_result(result, characters) for result in step.results),
        }
    )


def _short_call(call: ToolCall, characters: int) -> ToolCall:
    if len(call.arguments) <= characters:
        return call
    cut = canonical({"cut": clip(call.arguments, characters)})
    return call.model_copy(update={"arguments": cut})


def _short_result(result: ToolResult, characters: int) -> ToolResult:
    return result.model_copy(update={"content": clip(result.content, characters), "data": None})
