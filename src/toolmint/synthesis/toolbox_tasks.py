"""Tasks for one toolbox: learnt ones and held-out ones, synthetic and from recorded runs."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolSpec
from toolmint.core.task import Trajectory, Turn
from toolmint.core.values import clip
from toolmint.synthesis.argument_values import arguments_for
from toolmint.synthesis.tool_tasks import Nearest, TaskShares, TaskSynthesis

FEWEST_HELD_OUT = 20
"""Held-out tasks that an interval needs at least."""
_HELD_OUT_EVERY = 5  # of recorded runs, one in so many is held out
_TRIES = 12
_NAMED = 3  # tools or files that a line names


class Recorded(NamedTuple):
    """A recorded run and where it was read."""

    where: str
    run: Trajectory


class TaskPlan(NamedTuple):
    """How many tasks are made.

    Attributes:
        learnt: synthetic tasks to learn.
        held_out: synthetic tasks that are never learnt.
        shown: tools that a task shows at most.
        seed: decides everything.
    """

    learnt: int = 400
    held_out: int = 100
    shown: int = 8
    seed: int = 0


class ToolboxTasks(NamedTuple):
    """The tasks of a toolbox.

    Attributes:
        learnt: runs to train on.
        held_out: runs that are never learnt; their sentences are none of the learnt ones'.
        notes: what was left out, in words.
    """

    learnt: list[Trajectory]
    held_out: list[Trajectory]
    notes: list[str]


def toolbox_tasks(
    specs: Sequence[ToolSpec],
    nearest: Nearest,
    others: Sequence[ToolSpec],
    plan: TaskPlan = TaskPlan(),  # noqa: B008 - immutable
    recorded: Sequence[Recorded] = (),
) -> ToolboxTasks:
    """Make the tasks of a toolbox, the same for the same arguments.

    Args:
        specs: its tools.
        nearest: finds the nearest of them to a text.
        others: tools outside, for requests that no tool fits.
        plan: how many.
        recorded: runs of these tools; those that ended in failure, or call other tools, are left out.

    Raises:
        InputError: the toolbox is empty; no tool has a description and there is no recorded run; all
            recorded runs are unusable; or there are too few held-out tasks.
    """
    notes: list[str] = []
    usable = usable_runs(specs, recorded, notes)
    made = _described(specs, bool(usable), notes)
    learnt = [one for number, one in enumerate(usable) if number % _HELD_OUT_EVERY]
    held = usable[::_HELD_OUT_EVERY]
    if made:
        shares = TaskShares(fewest=min(2, len(made)), most=min(plan.shown, len(specs)))
        tasks = TaskSynthesis(made, nearest, shares, others=others, wordings="learnt")
        learnt += _filled(tasks, made, plan.learnt, Random(f"{plan.seed}/learnt"), set())
        seen = {one.task.input for one in learnt}
        single = shares.model_copy(
            update={"calls": 0.0, "retry": 0.0, "broken": 0.0, "talk": 0.0, "requests": 1}
        )
        unseen = TaskSynthesis(made, nearest, single, others=others, wordings="held_out")
        held += _filled(unseen, made, plan.held_out, Random(f"{plan.seed}/held out"), seen)
    if len(held) < FEWEST_HELD_OUT:
        raise InputError(
            f"only {len(held)} held-out tasks could be made of {len(specs)} tools; an interval needs at "
            f"least {FEWEST_HELD_OUT}: ask for more with --held-out, or give recorded runs with --traces",
            code="held-out",
        )
    return ToolboxTasks(learnt, held, notes)


def _described(specs: Sequence[ToolSpec], recorded: bool, notes: list[str]) -> list[ToolSpec]:  # noqa: FBT001
    """Return the tools that requests can be worded for, and note the others."""
    if not specs:
        raise InputError("the toolbox is empty: it has no tool to train for", code="no-tools")
    described = [spec for spec in specs if spec.description.strip()]
    if not described and not recorded:
        raise InputError(
            f"none of the {len(specs)} tools has a description, so no request can be worded; describe them, "
            "or give recorded runs with --traces",
            code="no-descriptions",
        )
    _note(notes, "without a description, no requests are made of them", specs, described)
    made = [spec for spec in described if arguments_for(spec, Random(0), optional=0) is not None]
    _note(notes, "with a required argument that no value is known for", described, made)
    return made


def _note(notes: list[str], what: str, specs: Sequence[ToolSpec], kept: Sequence[ToolSpec]) -> None:
    left = [spec.name for spec in specs if spec not in kept]
    if left:
        more = ", ..." if len(left) > _NAMED else ""
        notes.append(f"{len(left)} tools {what}: {', '.join(left[:_NAMED])}{more}")


def usable_runs(
    specs: Sequence[ToolSpec], recorded: Sequence[Recorded], notes: list[str]
) -> list[Trajectory]:
    """Return the recorded runs that can be learnt: answered, with calls of these tools alone.

    Turns of models get the roles' names, and the calls that failed are context.

    Args:
        specs: the toolbox.
        recorded: runs with their places.
        notes: receives a line for each kind of run that is left out.

    Raises:
        InputError: there are runs, and none can be learnt.
    """
    names = {spec.name for spec in specs}
    why: dict[str, list[str]] = {}
    found: list[Trajectory] = []
    for where, run in recorded:
        fault = _unusable(run, names)
        if fault is None:
            found.append(_as_learnt(run))
        else:
            why.setdefault(fault, []).append(where)
    for fault, places in why.items():
        notes.append(f"{len(places)} recorded runs left out, {fault}; first {places[0]}")
    if recorded and not found:
        raise InputError(
            f"none of the {len(recorded)} recorded runs can be learnt: {'; '.join(notes)}",
            code="no-data",
        )
    return found


def _unusable(run: Trajectory, names: set[str]) -> str | None:
    path = run.path()
    calls = [call for step in path for call in step.calls]
    if run.outcome not in {"answered", "gave_up"} or (run.outcome == "answered" and not run.answer):
        return "they ended in failure"
    unknown = next((call.name for call in calls if call.name not in names), None)
    if unknown is not None:
        return f"they call other tools, such as {clip(unknown, 60)!r}"
    failed = [one for step in path for one in step.results if one.failure is not None]
    if calls and len(failed) == len(calls):
        return "all of their calls failed"
    if not calls and run.outcome == "answered":
        return "they call no tool"
    return None


def _as_learnt(run: Trajectory) -> Trajectory:
    """Return a run whose steps have turns of the three roles; a step whose call failed is context."""
    steps = run.path()
    found = list(steps)
    for place, step in enumerate(steps):
        failed = any(one.failure is not None for one in step.results)
        turns = [Turn.from_file("planner", step.thought, weight=0 if failed else 1)]
        if step.calls:
            turns.append(Turn.from_file("caller", calls=step.calls, weight=0 if failed else 1))
        if step.answer is not None:
            turns.append(Turn.from_file("summarizer", step.answer))
        found[place] = step.model_copy(update={"turns": tuple(turns)})
    return run.model_copy(update={"steps": tuple(found)})


def _filled(
    tasks: TaskSynthesis,
    specs: Sequence[ToolSpec],
    count: int,
    random: Random,
    seen: set[str],
) -> list[Trajectory]:
    """Return runs over all tools in turn; each request occurs once."""
    found: list[Trajectory] = []
    known = set(seen)
    for number in range(_TRIES * count):
        if len(found) >= count:
            break
        for run in tasks.runs(specs[number % len(specs)], random):
            if run.task.input not in known and len(found) < count:
                known.add(run.task.input)
                found.append(run)
    return found
