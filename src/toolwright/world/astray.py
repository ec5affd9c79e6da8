"""A player that at times takes the wrong tool first, so that its runs teach how to see that and to go on."""

from random import Random
from typing import Any, cast

from toolwright.agent.meter import Meter
from toolwright.agent.policy import Move
from toolwright.core.messages import AssistantMessage, ToolCall
from toolwright.core.schema import refusal
from toolwright.core.task import Step
from toolwright.core.values import Value, canonical
from toolwright.roles.reading import Action
from toolwright.roles.view import View
from toolwright.world.goals import Goal
from toolwright.world.operations import Arguments
from toolwright.world.players import Reference
from toolwright.world.prover import Need
from toolwright.world.task import WorldTask
from toolwright.world.tools import WorldTool
from toolwright.world.wording import WRONG, reason

STANDS_FOR: dict[str, tuple[str, ...]] = {
    "id": ("id", "value", "confirmation"), "value": ("value", "id", "person"),
    "confirmation": ("confirmation", "id", "value"),
}  # fmt: skip
"""What a wrong tool is given where it asks for something else: the value at hand that looks most like it."""


class Astray:
    """Plays as the reference does, but with a chance takes a like tool in place of the right one.

    The thought is the right one but for the tool's name; nobody is said to have had it (the step has no
    planner's turn), so it is read and not learnt. The step after it says that the tool was wrong.

    Args:
        task: what it plays.
        share: of calls, and of times to give up, before which it goes astray; never twice in a row, nor
            in the first step, which must say what is asked for.
    """

    name = "astray"

    def __init__(self, task: WorldTask, share: float) -> None:
        self._task, self._share = task, share
        self._reference, self._tools = Reference(task), task.world_tools()

    async def move(self, view: View, meter: Meter) -> Move:
        """Give the next step."""
        del meter
        straight = view._replace(path=tuple(step for step in view.path if not _strayed(step)))
        right = self._reference.decide(straight)
        if view.path and _strayed(view.path[-1]):
            return _amended(right, WRONG.format(tool=view.path[-1].calls[0].name))
        random = Random(f"{self._task.seed}/{len(view.path)}/astray")
        if not view.path or random.random() >= self._share or _again(view.path):
            return right
        return self._wrong(straight, right, random) or right

    def _wrong(self, view: View, right: Move, random: Random) -> Move | None:
        """Give the same step with another tool, or None where no like tool can be given what is at hand."""
        wanted = self._reference.wanted(self._reference.seen(view.path, view.hints))
        if wanted is None:
            return None
        goal, need = wanted
        hand = dict(need.meanings) if need is not None else _at_hand(goal, view.path, self._tools)
        like = [
            (tool, call) for tool in self._tools
            if _like(tool, goal, need) and (call := _call(tool, hand)) is not None
        ]  # fmt: skip
        if not like:
            return None
        tool, call = random.choice(like)
        name = tool.spec.name
        if need is not None:
            thought = right.thought.replace(f"`{need.tool.spec.name}`", f"`{name}`")
        else:
            thought = reason(Need(tool, hand, "goal"), goal)
        turns = tuple(
            turn.model_copy(update={"answer": AssistantMessage(content="", tool_calls=(call,))})
            for turn in right.turns if turn.role == "caller"
        )  # fmt: skip
        return Move(turns, thought, "call", Action(name=name, arguments=call.arguments))


def _strayed(step: Step) -> bool:
    return bool(step.calls) and all(turn.role != "planner" for turn in step.turns)


def _again(path: tuple[Step, ...]) -> bool:
    return bool(path) and any(result.failure == "temporary" for result in path[-1].results)


def _amended(move: Move, word: str) -> Move:
    """Give a step whose planner first says something else."""
    first, *rest = move.turns
    answer = first.answer.model_copy(update={"content": f"{word} {first.answer.content}"})
    turns = (first.model_copy(update={"answer": answer}), *rest)
    return move._replace(turns=turns, thought=f"{word} {move.thought}")


def _at_hand(goal: Goal, path: tuple[Step, ...], tools: list[WorldTool]) -> dict[str, Value]:
    """Give what a tool could be given where none can help: the record's id, person and amount; or nothing."""
    record = goal.target.value if goal.target.how == "id" else _just_found(goal, path, tools)
    if record is None:
        return {}
    known: dict[str, Value] = {"id": record, "person": goal.person, "amount": goal.amount or 1}
    return {name: value for name, value in known.items() if value}


def _just_found(goal: Goal, path: tuple[Step, ...], tools: list[WorldTool]) -> Value:
    """Give the id of the goal's record where the last call found it."""
    named = {tool.spec.name: tool.operation for tool in tools}
    for call, result in ((step.calls[0], step.results[0]) for step in path[-1:] if step.calls):
        last, found = named[call.name], cast("dict[str, Any]", result.data or {})
        if found and last.category == goal.target.category and last.does in {"find", "extreme"}:
            records: list[dict[str, Value]] = found.get("results") or [found.get("result") or {}]
            if len(records) == 1:
                return records[0].get("id")
    return None


def _like(tool: WorldTool, goal: Goal, need: Need | None) -> bool:
    """Say whether a tool may be taken for the right one, and changes nothing that stays."""
    mine = tool.operation
    if need is not None and mine == need.tool.operation:
        return False
    category = goal.target.category if need is None else need.tool.operation.category
    if mine.does == "do" and mine.category == category:
        return False
    return mine.category == category or (need is not None and mine.does == need.tool.operation.does)


def _call(tool: WorldTool, hand: Arguments) -> ToolCall | None:
    """Give a call of a tool with what is at hand, or None where that does not fit."""
    meanings: dict[str, Value] = {}
    for meaning in tool.paths:
        if meaning in {"limit", "names"}:
            continue
        value = next(
            (hand[one] for one in STANDS_FOR.get(meaning, (meaning,)) if one in hand), None
        )
        if meaning == "ids" and value is None and "id" in hand:
            value = [hand["id"]]
        if value is None:
            return None
        meanings[meaning] = value
    arguments = tool.arguments(meanings)
    call = ToolCall(id="call", name=tool.spec.name, arguments=canonical(arguments))
    return call if refusal(tool.spec, call, arguments) is None else None
