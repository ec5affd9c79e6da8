"""The prover: the next call that a goal needs given what is known, or the proof that no call reaches it.

It chains backwards from the goal. Running its calls until it returns ``Known`` solves the goal; where it
returns None, ``certificate`` states why no tool can ever reach the goal.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from toolmint.core.errors import ToolError
from toolmint.core.values import Value, canonical
from toolmint.world.goals import Goal, Target
from toolmint.world.operations import Arguments, WorldOperation, run_operation, total
from toolmint.world.state import WorldState
from toolmint.world.tools import WorldTool

Knowledge = dict[str, Value]
"""Results of calls by operation and arguments (``call_key``), independent of the provider."""


class NeededCall(NamedTuple):
    """The next call: its tool, its canonical arguments, and its purpose.

    ``purpose``: ``identify`` a record, ``learn`` the field that a link refers to, or reach the ``goal``.
    """

    tool: WorldTool
    meanings: Arguments
    purpose: str


class Known(NamedTuple):
    """A value that is known already, so no call is needed."""

    value: Any


ProverStep = NeededCall | Known | None


def call_key(operation: WorldOperation, meanings: Arguments) -> str:
    """Return the key of a call's result in ``Knowledge``."""
    return canonical([*operation, dict(meanings)])


class Reasoner:
    """Finds the next call among the working tools.

    Args:
        tools: the toolbox.
        known: results so far.
        broken: names of tools to avoid.
    """

    def __init__(
        self, tools: Sequence[WorldTool], known: Knowledge, broken: Iterable[str] = ()
    ) -> None:
        self._known = known
        out = set(broken)
        self._live: dict[WorldOperation, WorldTool] = {}
        for tool in tools:
            if tool.spec.name not in out:
                self._live.setdefault(tool.operation, tool)

    def goal(self, goal: Goal) -> ProverStep:
        """Return the next call for a goal, its value where it is known, or None where it is unreachable."""
        category = goal.target.category
        match goal.asks:
            case "tell":
                return self._field_of_target(goal.target, goal.field, "goal")
            case "undo":
                return self._undo(category, goal.person)
            case "quote":
                return self._quote(goal)
            case "do":
                found = self._identify(goal.target)
                if not isinstance(found, Known):
                    return found
                meanings: Arguments = {
                    "id": found.value,
                    "person": goal.person,
                    "amount": goal.amount,
                }
                return self._first("goal", [(WorldOperation("do", category), meanings)])

    def _first(
        self, purpose: str, options: Sequence[tuple[WorldOperation, Arguments]]
    ) -> ProverStep:
        """Return the result of the first known option, else the first option that a tool offers."""
        for operation, meanings in options:
            key = call_key(operation, meanings)
            if key in self._known:
                return Known(self._known[key])
        for operation, meanings in options:
            tool = self._live.get(operation)
            if tool is not None:
                return NeededCall(tool, meanings, purpose)
        return None

    def _field_of_target(self, target: Target, field: str, purpose: str) -> ProverStep:
        found = self._identify(target)
        if not isinstance(found, Known):
            return found
        return self._field(target.category, found.value, field, purpose)

    def _field(self, category: str, identifier: Value, field: str, purpose: str) -> ProverStep:
        meanings: Arguments = {"id": identifier}
        options: list[tuple[WorldOperation, Arguments]] = [
            (WorldOperation("get", category, field), meanings),
            (WorldOperation("details", category), meanings),
            (WorldOperation("many", category), {"ids": [identifier]}),
        ]
        step = self._first(purpose, options)
        if not isinstance(step, Known):
            return step
        record = step.value["results"][0] if "results" in step.value else step.value
        return Known(record[field])

    def _quote(self, goal: Goal) -> ProverStep:
        found = self._identify(goal.target)
        if not isinstance(found, Known):
            return found
        category = goal.target.category
        meanings: Arguments = {"id": found.value, "amount": goal.amount}
        step = self._first("goal", [(WorldOperation("quote", category, goal.field), meanings)])
        if isinstance(step, Known):
            return Known(step.value["total"])
        if step is not None:
            return step
        price = self._field(category, found.value, goal.field, "goal")
        return (
            Known(total({goal.field: price.value}, goal.field, goal.amount))
            if isinstance(price, Known)
            else price
        )

    def _undo(self, category: str, person: str) -> ProverStep:
        mine = self._first("identify", [(WorldOperation("deeds", category), {"person": person})])
        if not isinstance(mine, Known):
            return mine
        results: list[dict[str, Value]] = mine.value["results"]
        if not results:
            return None
        meanings: Arguments = {"confirmation": results[0]["confirmation"]}
        return self._first("goal", [(WorldOperation("undo", category), meanings)])

    def _identify(self, target: Target) -> ProverStep:
        """Return the identifier of a target's record."""
        category, value = target.category, target.value
        match target.how:
            case "id":
                return Known(value)
            case "name":
                return self._by_name(category, value)
            case "field":
                return self._by_field(category, target.field, value)
            case "extreme":
                return self._by_extreme(category, target.field, value)
            case "link":
                source = self._field_of_target(
                    cast("Target", target.source), target.source_field, "learn"
                )
                if not isinstance(source, Known):
                    return source
                return self._by_field(category, target.field, source.value)

    def _by_name(self, category: str, name: Value) -> ProverStep:
        options: list[tuple[WorldOperation, Arguments]] = [
            (WorldOperation("find", category, "name"), {"value": name}),
            (WorldOperation("list", category), {}),
        ]
        step = self._first("identify", options)
        if not isinstance(step, Known):
            return step
        return _unique_id([one for one in step.value["results"] if one["name"] == name])

    def _by_field(self, category: str, field: str, value: Value) -> ProverStep:
        step = self._first(
            "identify", [(WorldOperation("find", category, field), {"value": value})]
        )
        if isinstance(step, Known):
            return _unique_id(step.value["results"])
        return step if step is not None else self._each(category, field, value)

    def _by_extreme(self, category: str, field: str, order: Value) -> ProverStep:
        step = self._first(
            "identify", [(WorldOperation("extreme", category, field), {"order": order})]
        )
        if isinstance(step, Known):
            return Known(step.value["result"]["id"])
        return step if step is not None else self._each(category, field, order, extreme=True)

    def _each(
        self, category: str, field: str, value: Value, *, extreme: bool = False
    ) -> ProverStep:
        """Read the field of every listed record, where no search tool finds the right one."""
        listed = self._first("identify", [(WorldOperation("list", category), {})])
        if not isinstance(listed, Known):
            return listed
        values: dict[str, Value] = {}
        for one in listed.value["results"]:
            step = self._field(category, one["id"], field, "identify")
            if not isinstance(step, Known):
                return step
            if not extreme and step.value == value:
                return Known(one["id"])
            values[one["id"]] = step.value
        if not extreme or not values:
            return None
        order = sorted(values, key=lambda one: cast("float", values[one]))
        return Known(order[-1] if value == "highest" else order[0])


def _unique_id(results: list[dict[str, Value]]) -> ProverStep:
    return Known(results[0]["id"]) if len(results) == 1 else None


class SolvabilityProof(NamedTuple):
    """The calls that solve a task, or None with the reason why no calls do."""

    calls: tuple[NeededCall, ...] | None
    why: str = ""


def prove(
    goals: Sequence[Goal],
    tools: Sequence[WorldTool],
    state: WorldState,
    dead: Iterable[str],
    most: int = 24,
) -> SolvabilityProof:
    """Prove a task solvable by executing the calls that it needs.

    Args:
        goals: the task's goals.
        tools: the toolbox.
        state: a state of its own; writing calls change it.
        dead: names of tools that always fail.
        most: bound on the calls; beyond it there is no proof.
    """
    known: Knowledge = {}
    broken = frozenset(dead)
    calls: list[NeededCall] = []
    for goal in goals:
        while not isinstance(step := Reasoner(tools, known, broken).goal(goal), Known):
            if step is None or len(calls) >= most:
                return SolvabilityProof(
                    None,
                    certificate(goal, tools, broken) or f"no short way to {goal.asks} was found",
                )
            try:
                known[call_key(step.tool.operation, step.meanings)] = run_operation(
                    state, step.tool.operation, step.meanings
                )
            except ToolError as fault:
                return SolvabilityProof(None, f"{step.tool.spec.name}: {fault}")
            calls.append(step)
    return SolvabilityProof(tuple(calls))


def certificate(goal: Goal, tools: Iterable[WorldTool], dead: Iterable[str]) -> str | None:
    """Return why no sequence of calls, not even guessed ones, reaches a goal; None: it may be reachable."""
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
