"""The prover: which call a goal needs next, given what is known, or that nothing can reach it.

It reasons backwards from the goal. Whoever runs its calls until it says ``Done`` has solved the task;
where it says that nothing is left, ``certificate`` names the goal and why no tool can ever give it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from toolwright.core.errors import ToolError
from toolwright.core.values import Value, canonical
from toolwright.world.goals import Goal, Target
from toolwright.world.operations import Arguments, Operation, run, total
from toolwright.world.state import State
from toolwright.world.tools import WorldTool

Knowledge = dict[str, Value]
"""What calls have shown: results by operation and arguments, whoever provided them."""


class Need(NamedTuple):
    """A call that is needed next, the tool for it, and what it is for (``identify``, ``learn``, ``goal``)."""

    tool: WorldTool
    meanings: Arguments
    purpose: str


class Done(NamedTuple):
    """Something that is known."""

    value: Any


Step = Need | Done | None


def key_of(operation: Operation, meanings: Arguments) -> str:
    """Give the name under which a call's result is known."""
    return canonical([*operation, dict(meanings)])


class Reasoner:
    """Finds the next call among the tools that are not known to be broken."""

    def __init__(
        self, tools: Sequence[WorldTool], known: Knowledge, broken: Iterable[str] = ()
    ) -> None:
        self._known = known
        out = set(broken)
        self._live: dict[Operation, WorldTool] = {}
        for tool in tools:
            if tool.spec.name not in out:
                self._live.setdefault(tool.operation, tool)

    def goal(self, goal: Goal) -> Step:
        """Give the next call for a goal, its result where it is known, or None where nothing leads there."""
        category = goal.target.category
        match goal.asks:
            case "tell":
                return self._tell(goal.target, goal.field, "goal")
            case "undo":
                return self._undo(category, goal.person)
            case "quote":
                return self._quote(goal)
            case "do":
                found = self._identify(goal.target)
                if not isinstance(found, Done):
                    return found
                meanings: Arguments = {
                    "id": found.value, "person": goal.person, "amount": goal.amount,
                }  # fmt: skip
                return self._first("goal", [(Operation("do", category), meanings)])

    def _first(self, purpose: str, options: Sequence[tuple[Operation, Arguments]]) -> Step:
        """Give the first option that is known, else the first one that a tool can do."""
        for operation, meanings in options:
            key = key_of(operation, meanings)
            if key in self._known:
                return Done(self._known[key])
        for operation, meanings in options:
            tool = self._live.get(operation)
            if tool is not None:
                return Need(tool, meanings, purpose)
        return None

    def _tell(self, target: Target, field: str, purpose: str) -> Step:
        found = self._identify(target)
        if not isinstance(found, Done):
            return found
        return self._field(target.category, found.value, field, purpose)

    def _field(self, category: str, identifier: Value, field: str, purpose: str) -> Step:
        meanings: Arguments = {"id": identifier}
        options: list[tuple[Operation, Arguments]] = [
            (Operation("get", category, field), meanings), (Operation("details", category), meanings),
            (Operation("many", category), {"ids": [identifier]}),
        ]  # fmt: skip
        step = self._first(purpose, options)
        if not isinstance(step, Done):
            return step
        record = step.value["results"][0] if "results" in step.value else step.value
        return Done(record[field])

    def _quote(self, goal: Goal) -> Step:
        found = self._identify(goal.target)
        if not isinstance(found, Done):
            return found
        category = goal.target.category
        meanings: Arguments = {"id": found.value, "amount": goal.amount}
        step = self._first("goal", [(Operation("quote", category, goal.field), meanings)])
        if isinstance(step, Done):
            return Done(step.value["total"])
        if step is not None:
            return step
        price = self._field(category, found.value, goal.field, "goal")
        return (
            Done(total({goal.field: price.value}, goal.field, goal.amount))
            if isinstance(price, Done)
            else price
        )

    def _undo(self, category: str, person: str) -> Step:
        mine = self._first("identify", [(Operation("deeds", category), {"person": person})])
        if not isinstance(mine, Done):
            return mine
        results: list[dict[str, Value]] = mine.value["results"]
        if not results:
            return None
        meanings: Arguments = {"confirmation": results[0]["confirmation"]}
        return self._first("goal", [(Operation("undo", category), meanings)])

    def _identify(self, target: Target) -> Step:
        """Give a target's identifier."""
        category, value = target.category, target.value
        match target.how:
            case "id":
                return Done(value)
            case "name":
                return self._by_name(category, value)
            case "field":
                return self._by_field(category, target.field, value)
            case "extreme":
                return self._by_extreme(category, target.field, value)
            case "link":
                source = self._tell(cast("Target", target.source), target.source_field, "learn")
                if not isinstance(source, Done):
                    return source
                return self._by_field(category, target.field, source.value)

    def _by_name(self, category: str, name: Value) -> Step:
        options: list[tuple[Operation, Arguments]] = [
            (Operation("find", category, "name"), {"value": name}), (Operation("list", category), {}),
        ]  # fmt: skip
        step = self._first("identify", options)
        if not isinstance(step, Done):
            return step
        return _only([one for one in step.value["results"] if one["name"] == name])

    def _by_field(self, category: str, field: str, value: Value) -> Step:
        step = self._first("identify", [(Operation("find", category, field), {"value": value})])
        if isinstance(step, Done):
            return _only(step.value["results"])
        return step if step is not None else self._each(category, field, value)

    def _by_extreme(self, category: str, field: str, order: Value) -> Step:
        step = self._first("identify", [(Operation("extreme", category, field), {"order": order})])
        if isinstance(step, Done):
            return Done(step.value["result"]["id"])
        return step if step is not None else self._each(category, field, order, extreme=True)

    def _each(self, category: str, field: str, value: Value, *, extreme: bool = False) -> Step:
        """Look at every record, where no tool finds the right one."""
        listed = self._first("identify", [(Operation("list", category), {})])
        if not isinstance(listed, Done):
            return listed
        values: dict[str, Value] = {}
        for one in listed.value["results"]:
            step = self._field(category, one["id"], field, "identify")
            if not isinstance(step, Done):
                return step
            if not extreme and step.value == value:
                return Done(one["id"])
            values[one["id"]] = step.value
        if not extreme or not values:
            return None
        order = sorted(values, key=lambda one: cast("float", values[one]))
        return Done(order[-1] if value == "highest" else order[0])


def _only(results: list[dict[str, Value]]) -> Step:
    return Done(results[0]["id"]) if len(results) == 1 else None


class Proof(NamedTuple):
    """The calls that solve a task, or the reason why none can."""

    calls: tuple[Need, ...] | None
    why: str = ""


def prove(
    goals: Sequence[Goal],
    tools: Sequence[WorldTool],
    state: State,
    dead: Iterable[str],
    most: int = 24,
) -> Proof:
    """Solve a task by running the calls that it needs, on a state of its own.

    Args:
        goals: what is asked for.
        tools: the toolbox.
        state: the world; deeds are done in it.
        dead: the tools that never work.
        most: calls after which the proof is given up.
    """
    known: Knowledge = {}
    broken = frozenset(dead)
    calls: list[Need] = []
    for goal in goals:
        while not isinstance(step := Reasoner(tools, known, broken).goal(goal), Done):
            if step is None or len(calls) >= most:
                return Proof(
                    None,
                    certificate(goal, tools, broken) or f"no short way to {goal.asks} was found",
                )
            try:
                known[key_of(step.tool.operation, step.meanings)] = run(
                    state, step.tool.operation, step.meanings
                )
            except ToolError as fault:
                return Proof(None, f"{step.tool.spec.name}: {fault}")
            calls.append(step)
    return Proof(tuple(calls))


def certificate(goal: Goal, tools: Iterable[WorldTool], dead: Iterable[str]) -> str | None:
    """Say why no use of the tools, however lucky its guesses, can reach a goal; None: it may be reachable."""
    out = set(dead)
    live = {tool.operation for tool in tools if tool.spec.name not in out}
    category = goal.target.category
    mine = {(one.does, one.field) for one in live if one.category == category}
    match goal.asks:
        case "tell" | "quote":
            ways = {
                ("details", ""),
                *((does, goal.field) for does in ("get", "find", "quote", "extreme")),
            }
            if not mine & ways:
                return f"no working tool shows the {goal.field} of {category}"
        case "do":
            if ("do", "") not in mine:
                return f"no working tool changes {category}"
        case "undo":
            if ("undo", "") not in mine:
                return f"no working tool cancels anything of {category}"
    return None
