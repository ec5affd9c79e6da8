"""A scripted policy that sometimes calls a wrong tool first; its trajectories teach recovery."""

from random import Random
from typing import Any, cast

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Move
from toolmint.core.messages import AssistantMessage, ToolCall
from toolmint.core.schema import schema_violation
from toolmint.core.task import Step
from toolmint.core.values import Value, canonical
from toolmint.roles.reading import Action
from toolmint.roles.view import View
from toolmint.world.goals import Goal
from toolmint.world.operations import Arguments
from toolmint.world.players import Reference
from toolmint.world.prover import NeededCall
from toolmint.world.task import WorldTask
from toolmint.world.tools import WorldTool
from toolmint.world.wording import WRONG_TOOL, rationale

_SUBSTITUTES: dict[str, tuple[str, ...]] = {
    "id": ("id", "value", "confirmation"),
    "value": ("value", "id", "person"),
    "confirmation": ("confirmation", "id", "value"),
}
"""Values that may fill an argument of a wrong tool, most similar first."""


class WrongToolPlayer:
    """The reference policy, except that it sometimes calls a similar tool before the right one.

    The wrong step has the right thought with the wrong tool's name, and no planner turn: the role mask
    excludes it, so a model reads the mistake but is not trained to make it. The next step states that the
    tool was wrong.

    Args:
        task: the task to solve.
        share: share (0 to 1) of calls and give-ups that a wrong call precedes; never two in a row, and
            never the first step, which must list the goals.
    """

    name = "wrong_tool"

    def __init__(self, task: WorldTask, share: float) -> None:
        self._task, self._share = task, share
        self._reference, self._tools = Reference(task), task.world_tools()

    async def move(self, view: View, tracker: BudgetTracker) -> Move:
        """Return the next step."""
        del tracker
        without_mistakes = view._replace(
            path=tuple(step for step in view.path if not _is_wrong_step(step))
        )
        right = self._reference.decide(without_mistakes)
        if view.path and _is_wrong_step(view.path[-1]):
            return _prefix_thought(right, WRONG_TOOL.format(tool=view.path[-1].calls[0].name))
        # The seed text holds this policy's former name: the bundled model's training data depend on it.
        random = Random(f"{self._task.seed}/{len(view.path)}/astray")
        if not view.path or random.random() >= self._share or _must_retry(view.path):
            return right
        return self._wrong(without_mistakes, right, random) or right

    def _wrong(self, view: View, right: Move, random: Random) -> Move | None:
        """Return the same step with a similar tool, or None where no such tool accepts the known values."""
        pending = self._reference.next_goal(self._reference.observe(view.path, view.hints))
        if pending is None:
            return None
        goal, need = pending
        values = (
            dict(need.meanings) if need is not None else _known_values(goal, view.path, self._tools)
        )
        similar = [
            (tool, call)
            for tool in self._tools
            if _is_similar(tool, goal, need) and (call := _build_call(tool, values)) is not None
        ]
        if not similar:
            return None
        tool, call = random.choice(similar)
        name = tool.spec.name
        if need is not None:
            thought = right.thought.replace(f"`{need.tool.spec.name}`", f"`{name}`")
        else:
            thought = rationale(NeededCall(tool, values, "goal"), goal)
        turns = tuple(
            turn.model_copy(update={"answer": AssistantMessage(content="", tool_calls=(call,))})
            for turn in right.turns
            if turn.role == "caller"
        )
        return Move(turns, thought, "call", Action(name=name, arguments=call.arguments))


def _is_wrong_step(step: Step) -> bool:
    return bool(step.calls) and all(turn.role != "planner" for turn in step.turns)


def _must_retry(path: tuple[Step, ...]) -> bool:
    return bool(path) and any(result.failure == "temporary" for result in path[-1].results)


def _prefix_thought(move: Move, sentence: str) -> Move:
    """Return a step whose rationale begins with another sentence."""
    first, *rest = move.turns
    answer = first.answer.model_copy(update={"content": f"{sentence} {first.answer.content}"})
    turns = (first.model_copy(update={"answer": answer}), *rest)
    return move._replace(turns=turns, thought=f"{sentence} {move.thought}")


def _known_values(goal: Goal, path: tuple[Step, ...], tools: list[WorldTool]) -> dict[str, Value]:
    """Return arguments for a goal that no tool reaches: id, person, amount; empty if the id is unknown."""
    record = goal.target.value if goal.target.how == "id" else _last_found_id(goal, path, tools)
    if record is None:
        return {}
    known: dict[str, Value] = {"id": record, "person": goal.person, "amount": goal.amount or 1}
    return {name: value for name, value in known.items() if value}


def _last_found_id(goal: Goal, path: tuple[Step, ...], tools: list[WorldTool]) -> Value:
    """Return the id of the goal's record if the last call found it, else None."""
    named = {tool.spec.name: tool.operation for tool in tools}
    for call, result in ((step.calls[0], step.results[0]) for step in path[-1:] if step.calls):
        last, found = named[call.name], cast("dict[str, Any]", result.data or {})
        if found and last.category == goal.target.category and last.does in {"find", "extreme"}:
            records: list[dict[str, Value]] = found.get("results") or [found.get("result") or {}]
            if len(records) == 1:
                return records[0].get("id")
    return None


def _is_similar(tool: WorldTool, goal: Goal, need: NeededCall | None) -> bool:
    """Return whether a tool resembles the right one and leaves no deed behind."""
    mine = tool.operation
    if need is not None and mine == need.tool.operation:
        return False
    category = goal.target.category if need is None else need.tool.operation.category
    if mine.does == "do" and mine.category == category:
        return False
    return mine.category == category or (need is not None and mine.does == need.tool.operation.does)


def _build_call(tool: WorldTool, values: Arguments) -> ToolCall | None:
    """Return a schema-valid call of a tool with the known values, or None where they do not fit."""
    meanings: dict[str, Value] = {}
    for meaning in tool.paths:
        if meaning in {"limit", "names"}:
            continue
        value = next(
            (values[one] for one in _SUBSTITUTES.get(meaning, (meaning,)) if one in values), None
        )
        if meaning == "ids" and value is None and "id" in values:
            value = [values["id"]]
        if value is None:
            return None
        meanings[meaning] = value
    arguments = tool.arguments(meanings)
    call = ToolCall(id="call", name=tool.spec.name, arguments=canonical(arguments))
    return call if schema_violation(tool.spec, call, arguments) is None else None
