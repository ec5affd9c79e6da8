"""Scripted players of the world: the reference, which reasons as the prover does, and two worse ones."""

import json
from random import Random
from typing import Any, NamedTuple, cast

from toolwright.agent.agent import Agent
from toolwright.agent.meter import Meter
from toolwright.agent.policy import Move, Policy
from toolwright.agent.search import React, Search
from toolwright.core.messages import AssistantMessage, ToolCall
from toolwright.core.model import Usage
from toolwright.core.task import Decision, Limits, Role, Step, Trajectory, Turn
from toolwright.core.values import Value, canonical
from toolwright.roles.reading import Action
from toolwright.roles.view import View
from toolwright.world.goals import Goal
from toolwright.world.prover import Done, Knowledge, Need, Reasoner, certificate, key_of
from toolwright.world.task import WorldBox, WorldTask
from toolwright.world.tools import WorldTool
from toolwright.world.wording import END, GIVE_UP, aim, listed, reason, told

PATIENCE = 3
SLIPPED = "(wrong arguments)"
MARKS: dict[Decision, str] = {"call": "caller", "answer": "summarizer", "give_up": "give up"}


def _turn(role: Role, text: str, calls: tuple[ToolCall, ...] = ()) -> Turn:
    answer = AssistantMessage(content=text, tool_calls=calls)
    return Turn(role=role, prompt=(), answer=answer, usage=Usage())


def _move(
    thought: str, decision: Decision, *, action: Action | None = None, answer: str | None = None
) -> Move:
    turns = [_turn("planner", f"{thought}\nNext: {MARKS[decision]}")]
    if action is not None:
        call = ToolCall(id="call", name=str(action.name), arguments=action.arguments)
        turns.append(_turn("caller", "", (call,)))
    if answer is not None:
        turns.append(_turn("summarizer", answer))
    return Move(tuple(turns), thought, decision, action, answer)


class Seen(NamedTuple):
    """What a path shows: results, tools that do not work, the last temporary fault."""

    known: Knowledge
    broken: frozenset[str]
    again: str | None


class Reference:
    """Plays perfectly with what it has seen: retries what is temporary, goes round what is broken,
    gives up only where the prover finds no way; writes a rationale for each step.

    Args:
        task: what it plays.
        slips: share of calls whose arguments it first writes wrongly; the next step mends them, so that
            its runs teach that too.
    """

    name = "reference"

    def __init__(self, task: WorldTask, slips: float = 0.0) -> None:
        self._task, self._slips = task, slips
        self._tools = {tool.spec.name: tool for tool in task.world_tools()}

    def seen(self, path: tuple[Step, ...], hints: tuple[str, ...]) -> Seen:
        """Read a path, and the siblings that hints tell of."""
        known: Knowledge = {}
        faults: dict[str, int] = {}
        again: str | None = None
        for step in path:
            again = None
            for call, result in zip(step.calls, step.results, strict=True):
                tool = self._tools.get(call.name)
                if tool is None:
                    continue
                if result.failure is None:
                    known[key_of(tool.operation, tool.meanings(call.parsed()))] = result.data
                elif result.failure == "tool-arguments":
                    again = SLIPPED
                elif result.failure == "temporary":
                    faults[call.name] = faults.get(call.name, 0) + 1
                    again = call.name
                else:
                    faults[call.name] = PATIENCE
        for name, output in _tried(hints):
            if output.startswith("Error") and not _temporary(output):
                faults[name] = PATIENCE
        broken = frozenset(name for name, count in faults.items() if count >= PATIENCE)
        return Seen(known, broken, again if again not in broken else None)

    async def move(self, view: View, meter: Meter) -> Move:
        """Give the next step."""
        del meter
        return self.decide(view)

    def decide(self, view: View) -> Move:
        """Give the next step of a view; the same view, the same step."""
        random = Random(f"{self._task.seed}/{len(view.path)}/{len(view.hints)}")
        seen = self.seen(view.path, view.hints)
        wanted = self.wanted(seen)
        if wanted is None:
            reasoner = self._reasoner(seen)
            answer = " ".join(told(goal, self._fact(goal, reasoner)) for goal in self._task.goals)
            return _move(END, "answer", answer=answer)
        first = "" if view.path else f"{listed(self._task.goals)}\n"
        goal, need = wanted
        if need is not None:
            return self._call(need, goal, seen, random, first)
        why = certificate(goal, self._tools.values(), seen.broken) or "nothing leads there"
        return _move(first + GIVE_UP.format(aim=aim(goal), why=why), "give_up")

    def _reasoner(self, seen: Seen) -> Reasoner:
        return Reasoner(list(self._tools.values()), seen.known, seen.broken)

    def wanted(self, seen: Seen) -> tuple[Goal, Need | None] | None:
        """Give the first goal that is not reached and the call that it needs (None: nothing leads there)."""
        reasoner = self._reasoner(seen)
        for goal in self._task.goals:
            step = reasoner.goal(goal)
            if not isinstance(step, Done):
                return goal, step
        return None

    def _call(self, need: Need, goal: Goal, seen: Seen, random: Random, first: str) -> Move:
        name = need.tool.spec.name
        failed = next(
            (tool for tool in sorted(seen.broken) if _same_work(self._tools.get(tool), need.tool)),
            "",
        )
        slipped = seen.again == SLIPPED
        thought = reason(need, goal, again=seen.again == name, failed=failed, slipped=slipped)
        arguments = need.tool.arguments(need.meanings)
        if arguments and not slipped and random.random() < self._slips:
            arguments = _mangled(arguments, random)
        action = Action(name=name, arguments=canonical(arguments))
        return _move(first + thought, "call", action=action)

    def _fact(self, goal: Goal, reasoner: Reasoner) -> Value:
        step = reasoner.goal(goal)
        value: Any = step.value if isinstance(step, Done) else None
        return cast("Value", value["confirmation"] if goal.asks in {"do", "undo"} else value)


def _mangled(arguments: dict[str, Value], random: Random) -> dict[str, Value]:
    """Give arguments with one name wrong, or one left out."""
    name = random.choice(sorted(arguments))
    rest = {key: value for key, value in arguments.items() if key != name}
    return rest if random.random() < 0.5 else {f"{name}_value": arguments[name], **rest}


def _same_work(broken: WorldTool | None, tool: WorldTool) -> bool:
    if broken is None:
        return False
    one, other = broken.operation, tool.operation
    return one.category == other.category and (
        one == other or other.does in {"details", "many", "list"}
    )


def _tried(hints: tuple[str, ...]) -> list[tuple[str, str]]:
    """Give name and output of each sibling that a hint shows."""
    found: list[tuple[str, str]] = []
    for hint in hints:
        try:
            shown = json.loads(hint[hint.index("[") : hint.rindex("]") + 1])
        except ValueError:
            continue
        found += [(one["name"], one["output"]) for one in shown if "name" in one]
    return found


def _temporary(output: str) -> bool:
    return any(word in output for word in ("try again", "retry", "429"))


class Hasty:
    """Plays as the reference does, but gives up as soon as its path shows any error."""

    name = "hasty"

    def __init__(self, task: WorldTask) -> None:
        self._reference = Reference(task)

    async def move(self, view: View, meter: Meter) -> Move:
        """Give the next step."""
        del meter
        if any(result.failure for step in view.path for result in step.results):
            return _move("That is an error. I give up.", "give_up")
        return self._reference.decide(view)


class Aimless:
    """Calls tools and answers at random, with values that it has seen."""

    name = "aimless"

    def __init__(self, task: WorldTask, seed: int = 0) -> None:
        self._tools, self._random = task.world_tools(), Random(f"{task.seed}/{seed}/aimless")

    async def move(self, view: View, meter: Meter) -> Move:
        """Give the next step."""
        del meter
        random = self._random
        words = view.task.input.split() + [
            word
            for step in view.path
            for result in step.results
            for word in result.content.split('"')
        ]
        if random.random() < 0.25:
            return _move(
                "That may be enough.",
                "answer",
                answer=" ".join(random.sample(words, min(5, len(words)))),
            )
        if random.random() < 0.1:
            return _move("I stop.", "give_up")
        tool = random.choice(self._tools)
        arguments = {
            meaning: random.randrange(1, 9)
            if meaning in {"amount", "limit"}
            else random.choice(words)
            for meaning in tool.paths
        }
        action = Action(name=tool.spec.name, arguments=canonical(tool.arguments(arguments)))
        return _move("I try something.", "call", action=action)

    def _value(self, meaning: str, words: list[str]) -> Value:
        match meaning:
            case "amount" | "limit":
                return self._random.randrange(1, 9)
            case "names":
                return self._random.random() < 0.5
            case "ids":
                return [self._random.choice(words)]
            case _:
                return self._random.choice(words)


async def play(
    task: WorldTask,
    policy: Policy,
    search: Search | None = None,
    *,
    limits: Limits | None = None,
    faults: float = 0.0,
    seed: int = 0,
) -> tuple[Trajectory, WorldBox]:
    """Let a policy play one task in a world of its own; gives the run and the world after it."""
    box = WorldBox(task, faults=faults, seed=seed)
    agent = Agent(policy, box, search or React(max_steps=30))
    return await agent.solve(task.task(), limits), box
