"""Goals of a task, their true values, and the executed check of a run against them."""

import re
from typing import Literal, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import Frozen
from toolmint.core.task import Trajectory
from toolmint.core.values import Value
from toolmint.world.operations import total
from toolmint.world.state import Deed, Record, WorldState

TargetKind = Literal["id", "name", "field", "extreme", "link"]
GoalKind = Literal["tell", "quote", "do", "undo"]


class Target(Frozen):
    """A reference to one record.

    ``id`` and ``name``: by ``value``. ``field``: the one whose ``field`` is ``value``. ``extreme``: the one
    with the lowest or highest (``value``) ``field``. ``link``: the one whose ``field`` equals the
    ``source_field`` of ``source``.
    """

    category: str
    how: TargetKind
    field: str = ""
    value: Value = None
    source: "Target | None" = None
    source_field: str = ""


class Goal(Frozen):
    """One request of a task.

    ``tell``: the ``field`` of a record. ``quote``: the total of ``amount`` at its ``field``. ``do``: the deed
    for ``person``, ``amount``. ``undo``: that person's deed of the category is cancelled.
    """

    asks: GoalKind
    target: Target
    field: str = ""
    amount: int = 0
    person: str = ""


def truth(target: Target, state: WorldState) -> Record:
    """Return the record that a target refers to.

    Raises:
        InputError: no record or several records match.
    """
    records = state.records.get(target.category, [])
    match target.how:
        case "id" | "name":
            fits = [one for one in records if one[target.how] == target.value]
        case "field":
            fits = [one for one in records if one[target.field] == target.value]
        case "extreme":
            numbers = sorted(records, key=lambda one: cast("float", one[target.field]))
            fits = numbers[-1:] if target.value == "highest" else numbers[:1]
        case "link":
            if target.source is None:
                raise InputError(f"a link of {target.category!r} has no source")
            value = truth(target.source, state)[target.source_field]
            fits = [one for one in records if one[target.field] == value]
    if len(fits) != 1:
        raise InputError(
            f"{len(fits)} records of {target.category!r} fit {target.how} {target.value!r}, not one"
        )
    return fits[0]


def fact_of(goal: Goal, state: WorldState) -> Value:
    """Return the value that an answer must state for a ``tell`` or ``quote`` goal."""
    record = truth(goal.target, state)
    value = record[goal.field]
    return total(record, goal.field, goal.amount) if goal.asks == "quote" else value


def other_values(goal: Goal, state: WorldState) -> set[str]:
    """Return the other records' values of a ``tell`` goal's field; an answer must not state them.

    Otherwise an answer that lists every value would pass.
    """
    if goal.asks != "tell":
        return set()
    fact = fact_of(goal, state)
    return {str(one[goal.field]) for one in state.records[goal.target.category]} - {str(fact)}


def says(answer: str, value: Value) -> bool:
    """Return whether an answer states a value: as a whole word; a number may have other decimals."""
    if isinstance(value, float):
        digits = f"{value:.2f}".rstrip("0").rstrip(".")
        decimals = "0*" if "." in digits else r"(?:\.0+)?"
        pattern = rf"(?<![\w.,]){re.escape(digits)}{decimals}(?![\w]|[.,]\d)"
        plain = answer.replace(",", "") if value >= 1000 else answer
        return re.search(pattern, plain) is not None
    text = re.escape(str(value))
    return re.search(rf"(?<![\w.,-]){text}(?![\w]|[.,]\d)", answer, re.IGNORECASE) is not None


class Check(Frozen):
    """The verdict on a run, with the reasons where it failed."""

    passed: bool
    why: tuple[str, ...] = ()


def check_goals(
    goals: tuple[Goal, ...],
    state: WorldState,
    before: tuple[Deed, ...],
    done: Trajectory,
    *,
    solvable: bool,
) -> Check:
    """Check a run by executing: the final state, and the facts in the answer. No model judges.

    Args:
        goals: the task's goals.
        state: the state after the run.
        before: the deeds at the start.
        done: the trajectory of the run.
        solvable: if False, the only passing outcome is ``gave_up``.
    """
    allowed = _allowed(goals, state, before)
    extra = [deed for deed in state.deeds if _deed_key(deed) not in allowed]
    missing = [
        deed
        for deed in before
        if deed not in state.deeds and _deed_key(deed) not in _undone(goals, before)
    ]
    why = [f"a deed that nobody asked for: {deed.record} for {deed.person}" for deed in extra]
    why += [f"a deed that nobody wanted undone: {deed.confirmation}" for deed in missing]
    if not solvable:
        if done.outcome != "gave_up":
            why.append(f"the task cannot be solved, the run ended as {done.outcome}")
        return Check(passed=not why, why=tuple(why))
    if done.outcome != "answered" or done.answer is None:
        return Check(passed=False, why=(*why, f"the run ended as {done.outcome}"))
    requested = {str(fact_of(goal, state)) for goal in goals if goal.asks in {"tell", "quote"}}
    for goal in goals:
        why += _unmet(goal, state, before, done, requested)
    return Check(passed=not why, why=tuple(why))


def _deed_key(deed: Deed) -> tuple[str, str, str, int]:
    return deed.category, deed.record, deed.person, deed.amount


def _requested_deed(goal: Goal, state: WorldState) -> tuple[str, str, str, int]:
    record = truth(goal.target, state)
    return goal.target.category, str(record["id"]), goal.person, goal.amount


def _allowed(
    goals: tuple[Goal, ...], state: WorldState, before: tuple[Deed, ...]
) -> set[tuple[str, str, str, int]]:
    return {_deed_key(deed) for deed in before} | {
        _requested_deed(goal, state) for goal in goals if goal.asks == "do"
    }


def _undone(goals: tuple[Goal, ...], before: tuple[Deed, ...]) -> set[tuple[str, str, str, int]]:
    wanted = {(goal.target.category, goal.person) for goal in goals if goal.asks == "undo"}
    return {_deed_key(deed) for deed in before if (deed.category, deed.person) in wanted}


def _unmet(
    goal: Goal, state: WorldState, before: tuple[Deed, ...], done: Trajectory, requested: set[str]
) -> list[str]:
    """Return what a run lacks for a goal; values that another goal requested are never superfluous."""
    answer = done.answer or ""
    match goal.asks:
        case "tell" | "quote":
            fact = fact_of(goal, state)
            why = [] if says(answer, fact) else [f"the answer does not say {fact!r}"]
            said = {other for other in other_values(goal, state) if says(answer, other)}
            known = {other for other in said if says(done.task.input, other)} | requested
            return why + [
                f"the answer says {other!r}, another one's {goal.field}"
                for other in sorted(said - known)
            ]
        case "do":
            wanted = _requested_deed(goal, state)
            deed = next((one for one in state.deeds if _deed_key(one) == wanted), None)
            if deed is None:
                return [f"{wanted[1]} was not done for {goal.person}"]
            return (
                []
                if says(answer, deed.confirmation)
                else [f"the answer does not say {deed.confirmation!r}"]
            )
        case "undo":
            left = [one for one in state.deeds if _deed_key(one) in _undone((goal,), before)]
            return [f"{one.confirmation} was not undone" for one in left]
