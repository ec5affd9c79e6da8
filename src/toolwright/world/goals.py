"""What a task of the world asks for, the truth about it, and whether a run got there, executed."""

import re
from typing import Literal, cast

from toolwright.core.errors import InputError
from toolwright.core.messages import Frozen
from toolwright.core.task import Trajectory
from toolwright.core.values import Value
from toolwright.world.operations import total
from toolwright.world.state import Deed, Record, State

How = Literal["id", "name", "field", "extreme", "link"]
Asks = Literal["tell", "quote", "do", "undo"]


class Target(Frozen):
    """A record as a query points at it.

    ``id`` and ``name``: by ``value``. ``field``: the one whose ``field`` is ``value``. ``extreme``: the one
    with the lowest or highest (``value``) ``field``. ``link``: the one whose ``field`` equals the
    ``source_field`` of ``source``.
    """

    category: str
    how: How
    field: str = ""
    value: Value = None
    source: "Target | None" = None
    source_field: str = ""


class Goal(Frozen):
    """One thing that a task asks for.

    ``tell``: the ``field`` of a record. ``quote``: the total of ``amount`` at its ``field``. ``do``: the deed
    for ``person``, ``amount``. ``undo``: that person's deed of the category is cancelled.
    """

    asks: Asks
    target: Target
    field: str = ""
    amount: int = 0
    person: str = ""


def truth(target: Target, state: State) -> Record:
    """Give the one record that a target points at.

    Raises:
        InputError: none or several fit, so the target is no target.
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


def fact_of(goal: Goal, state: State) -> Value:
    """Give what the answer must say of a goal that tells or quotes."""
    record = truth(goal.target, state)
    value = record[goal.field]
    return total(record, goal.field, goal.amount) if goal.asks == "quote" else value


def others_of(goal: Goal, state: State) -> set[str]:
    """Give the same field's values in other records, which the answer must not say."""
    if goal.asks != "tell":
        return set()
    fact = fact_of(goal, state)
    return {str(one[goal.field]) for one in state.records[goal.target.category]} - {str(fact)}


def says(answer: str, value: Value) -> bool:
    """Tell whether an answer holds a value: as a whole word, numbers also with other decimals."""
    if isinstance(value, float):
        digits = f"{value:.2f}".rstrip("0").rstrip(".")
        decimals = "0*" if "." in digits else r"(?:\.0+)?"
        pattern = rf"(?<![\w.,]){re.escape(digits)}{decimals}(?![\w]|[.,]\d)"
        plain = answer.replace(",", "") if value >= 1000 else answer
        return re.search(pattern, plain) is not None
    text = re.escape(str(value))
    return re.search(rf"(?<![\w.,-]){text}(?![\w]|[.,]\d)", answer, re.IGNORECASE) is not None


class Check(Frozen):
    """Whether a run passed, and what was missing, wrong or too much."""

    passed: bool
    why: tuple[str, ...] = ()


def check(
    goals: tuple[Goal, ...],
    state: State,
    before: tuple[Deed, ...],
    done: Trajectory,
    *,
    solvable: bool,
) -> Check:
    """Judge a run by the world's state and by the facts in its answer.

    Args:
        goals: what was asked for.
        state: the world after the run.
        before: the deeds that the world began with.
        done: the run.
        solvable: where False, giving up is right and nothing else is.
    """
    allowed = _allowed(goals, state, before)
    extra = [deed for deed in state.deeds if _key(deed) not in allowed]
    missing = [
        deed
        for deed in before
        if deed not in state.deeds and _key(deed) not in _undone(goals, before)
    ]
    why = [f"a deed that nobody asked for: {deed.record} for {deed.person}" for deed in extra]
    why += [f"a deed that nobody wanted undone: {deed.confirmation}" for deed in missing]
    if not solvable:
        if done.outcome != "gave_up":
            why.append(f"the task cannot be solved, the run ended as {done.outcome}")
        return Check(passed=not why, why=tuple(why))
    if done.outcome != "answered" or done.answer is None:
        return Check(passed=False, why=(*why, f"the run ended as {done.outcome}"))
    asked = {str(fact_of(goal, state)) for goal in goals if goal.asks in {"tell", "quote"}}
    for goal in goals:
        why += _lacks(goal, state, before, done, asked)
    return Check(passed=not why, why=tuple(why))


def _key(deed: Deed) -> tuple[str, str, str, int]:
    return deed.category, deed.record, deed.person, deed.amount


def _wanted(goal: Goal, state: State) -> tuple[str, str, str, int]:
    record = truth(goal.target, state)
    return goal.target.category, str(record["id"]), goal.person, goal.amount


def _allowed(
    goals: tuple[Goal, ...], state: State, before: tuple[Deed, ...]
) -> set[tuple[str, str, str, int]]:
    return {_key(deed) for deed in before} | {
        _wanted(goal, state) for goal in goals if goal.asks == "do"
    }


def _undone(goals: tuple[Goal, ...], before: tuple[Deed, ...]) -> set[tuple[str, str, str, int]]:
    wanted = {(goal.target.category, goal.person) for goal in goals if goal.asks == "undo"}
    return {_key(deed) for deed in before if (deed.category, deed.person) in wanted}


def _lacks(
    goal: Goal, state: State, before: tuple[Deed, ...], done: Trajectory, asked: set[str]
) -> list[str]:
    """Say what a run lacks of a goal; a value that another goal asked for (``asked``) is never too much."""
    answer = done.answer or ""
    match goal.asks:
        case "tell" | "quote":
            fact = fact_of(goal, state)
            why = [] if says(answer, fact) else [f"the answer does not say {fact!r}"]
            said = {other for other in others_of(goal, state) if says(answer, other)}
            known = {other for other in said if says(done.task.input, other)} | asked
            return why + [
                f"the answer says {other!r}, another one's {goal.field}"
                for other in sorted(said - known)
            ]
        case "do":
            wanted = _wanted(goal, state)
            deed = next((one for one in state.deeds if _key(one) == wanted), None)
            if deed is None:
                return [f"{wanted[1]} was not done for {goal.person}"]
            return (
                []
                if says(answer, deed.confirmation)
                else [f"the answer does not say {deed.confirmation!r}"]
            )
        case "undo":
            left = [one for one in state.deeds if _key(one) in _undone((goal,), before)]
            return [f"{one.confirmation} was not undone" for one in left]
