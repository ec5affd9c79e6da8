"""Scripted policies for ToolWorld: the reference, which follows the prover, and two weaker baselines."""

import json
from random import Random
from typing import Any, NamedTuple, cast

from toolmint.agent.agent import AgentLoop
from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Move, Policy
from toolmint.agent.react import ReACT
from toolmint.agent.tree import Search
from toolmint.core.messages import AssistantMessage, ToolCall
from toolmint.core.model import Usage
from toolmint.core.task import Decision, Limits, Role, Step, Trajectory, Turn
from toolmint.core.values import Value, canonical
from toolmint.roles.reading import Action
from toolmint.roles.view import View
from toolmint.world.goals import Goal
from toolmint.world.prover import Knowledge, Known, NeededCall, Reasoner, call_key, certificate
from toolmint.world.task import WorldTask, WorldToolbox
from toolmint.world.tools import WorldTool
from toolmint.world.wording import (
    FINAL_RATIONALE,
    GIVE_UP_RATIONALE,
    answer_sentence,
    goal_words,
    list_goals,
    rationale,
)

_MAX_FAULTS = 3
_WRONG_ARGUMENTS = "(wrong arguments)"
_NEXT: dict[Decision, str] = {"call": "caller", "answer": "summarizer", "give_up": "give up"}


def _turn(role: Role, text: str, calls: tuple[ToolCall, ...] = ()) -> Turn:
    answer = AssistantMessage(content=text, tool_calls=calls)
    return Turn(role=role, prompt=(), answer=answer, usage=Usage())


def _move(
    thought: str, decision: Decision, *, action: Action | None = None, answer: str | None = None
) -> Move:
    turns = [_turn("planner", f"{thought}\nNext: {_NEXT[decision]}")]
    if action is not None:
        call = ToolCall(id="call", name=str(action.name), arguments=action.arguments)
        turns.append(_turn("caller", "", (call,)))
    if answer is not None:
        turns.append(_turn("summarizer", answer))
    return Move(tuple(turns), thought, decision, action, answer)


class Observations(NamedTuple):
    """What a path shows.

    Attributes:
        known: results of calls.
        broken: names of tools that do not work.
        retry: the tool to call again after a temporary fault, or ``_WRONG_ARGUMENTS``.
    """

    known: Knowledge
    broken: frozenset[str]
    retry: str | None


class Reference:
    """The optimal policy given what it has observed.

    It retries after temporary faults, avoids broken tools, gives up only where the prover finds no way,
    and writes a rationale for each step.

    Args:
        task: the task to solve.
        argument_errors: share of calls (0 to 1) whose arguments are first written wrongly. The next step
            corrects them, so its trajectories also teach recovery.
    """

    name = "reference"

    def __init__(self, task: WorldTask, argument_errors: float = 0.0) -> None:
        self._task, self._argument_errors = task, argument_errors
        self._tools = {tool.spec.name: tool for tool in task.world_tools()}

    def observe(self, path: tuple[Step, ...], hints: tuple[str, ...]) -> Observations:
        """Return what a path shows, and the outputs of siblings that the hints list."""
        known: Knowledge = {}
        faults: dict[str, int] = {}
        retry: str | None = None
        for step in path:
            retry = None
            for call, result in zip(step.calls, step.results, strict=True):
                tool = self._tools.get(call.name)
                if tool is None:
                    continue
                if result.failure is None:
                    known[call_key(tool.operation, tool.meanings(call.parsed()))] = result.data
                elif result.failure == "tool-arguments":
                    retry = _WRONG_ARGUMENTS
                elif result.failure == "temporary":
                    faults[call.name] = faults.get(call.name, 0) + 1
                    retry = call.name
                else:
                    faults[call.name] = _MAX_FAULTS
        for name, output in _sibling_outputs(hints):
            if output.startswith("Error") and not _temporary(output):
                faults[name] = _MAX_FAULTS
        broken = frozenset(name for name, count in faults.items() if count >= _MAX_FAULTS)
        return Observations(known, broken, retry if retry not in broken else None)

    async def move(self, view: View, tracker: BudgetTracker) -> Move:
        """Return the next step."""
        del tracker
        return self.decide(view)

    def decide(self, view: View) -> Move:
        """Return the next step of a view; deterministic."""
        random = Random(f"{self._task.seed}/{len(view.path)}/{len(view.hints)}")
        seen = self.observe(view.path, view.hints)
        pending = self.next_goal(seen)
        if pending is None:
            reasoner = self._reasoner(seen)
            answer = " ".join(
                answer_sentence(goal, self._fact(goal, reasoner)) for goal in self._task.goals
            )
            return _move(FINAL_RATIONALE, "answer", answer=answer)
        first = "" if view.path else f"{list_goals(self._task.goals)}\n"
        goal, need = pending
        if need is not None:
            return self._call(need, goal, seen, random, first)
        why = certificate(goal, self._tools.values(), seen.broken) or "nothing leads there"
        return _move(first + GIVE_UP_RATIONALE.format(aim=goal_words(goal), why=why), "give_up")

    def _reasoner(self, seen: Observations) -> Reasoner:
        return Reasoner(list(self._tools.values()), seen.known, seen.broken)

    def next_goal(self, seen: Observations) -> tuple[Goal, NeededCall | None] | None:
        """Return the first open goal and its next call (None: unreachable); None when all are reached."""
        reasoner = self._reasoner(seen)
        for goal in self._task.goals:
            step = reasoner.goal(goal)
            if not isinstance(step, Known):
                return goal, step
        return None

    def _call(
        self, need: NeededCall, goal: Goal, seen: Observations, random: Random, first: str
    ) -> Move:
        name = need.tool.spec.name
        failed = next(
            (
                tool
                for tool in sorted(seen.broken)
                if _could_replace(self._tools.get(tool), need.tool)
            ),
            "",
        )
        corrected = seen.retry == _WRONG_ARGUMENTS
        thought = rationale(
            need, goal, again=seen.retry == name, failed=failed, corrected=corrected
        )
        arguments = need.tool.arguments(need.meanings)
        if arguments and not corrected and random.random() < self._argument_errors:
            arguments = _with_argument_error(arguments, random)
        action = Action(name=name, arguments=canonical(arguments))
        return _move(first + thought, "call", action=action)

    def _fact(self, goal: Goal, reasoner: Reasoner) -> Value:
        step = reasoner.goal(goal)
        value: Any = step.value if isinstance(step, Known) else None
        return cast("Value", value["confirmation"] if goal.asks in {"do", "undo"} else value)


def _with_argument_error(arguments: dict[str, Value], random: Random) -> dict[str, Value]:
    """Return arguments with one name wrong, or one argument missing."""
    name = random.choice(sorted(arguments))
    rest = {key: value for key, value in arguments.items() if key != name}
    return rest if random.random() < 0.5 else {f"{name}_value": arguments[name], **rest}


def _could_replace(broken: WorldTool | None, tool: WorldTool) -> bool:
    if broken is None:
        return False
    one, other = broken.operation, tool.operation
    return one.category == other.category and (
        one == other or other.does in {"details", "many", "list"}
    )


def _sibling_outputs(hints: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the tool name and output of each sibling call that the hints list."""
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


class GivesUpEarly:
    """The reference policy, except that it gives up at the first error of any kind."""

    name = "gives_up_early"

    def __init__(self, task: WorldTask) -> None:
        self._reference = Reference(task)

    async def move(self, view: View, tracker: BudgetTracker) -> Move:
        """Return the next step."""
        del tracker
        if any(result.failure for step in view.path for result in step.results):
            return _move("That is an error. I give up.", "give_up")
        return self._reference.decide(view)


class RandomPlayer:
    """A random policy: calls tools and answers with values from the task and the results."""

    name = "random"

    def __init__(self, task: WorldTask, seed: int = 0) -> None:
        self._tools = task.world_tools()
        # The seed text holds this policy's former name: published figures depend on it.
        self._random = Random(f"{task.seed}/{seed}/aimless")

    async def move(self, view: View, tracker: BudgetTracker) -> Move:
        """Return the next step."""
        del tracker
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


async def play_task(
    task: WorldTask,
    policy: Policy,
    search: Search | None = None,
    *,
    limits: Limits | None = None,
    faults: float = 0.0,
    seed: int = 0,
) -> tuple[Trajectory, WorldToolbox]:
    """Run a policy on one task in a fresh world.

    Args:
        task: the task.
        policy: chooses the steps.
        search: ReACT of at most 30 steps unless given.
        limits: of the run.
        faults: share of calls (0 to 1) that fail in addition (error injection).
        seed: of the injected faults.

    Returns:
        The trajectory, and the toolbox with the final state.
    """
    box = WorldToolbox(task, faults=faults, seed=seed)
    agent = AgentLoop(policy, box, search or ReACT(max_steps=30))
    return await agent.solve(task.task(), limits), box
