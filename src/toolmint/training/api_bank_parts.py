"""API-Bank's level-3 samples as whole runs: split by tool, and told without the search for tools."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from toolmint.core.messages import ToolSpec
from toolmint.core.task import Trajectory
from toolmint.synthesis.tool_tasks import Nearest
from toolmint.training.retold import SEARCHER, retold_run

_MOST_SHOWN = 6


def whole_runs(samples: Sequence[Trajectory]) -> list[Trajectory]:
    """Return the longest sample of each request; the others are beginnings of it."""
    found: dict[str, Trajectory] = {}
    for run in samples:
        before = found.get(run.task.input)
        if before is None or len(run.steps) > len(before.steps):
            found[run.task.input] = run
    return list(found.values())


def called_tools(run: Trajectory) -> set[str]:
    """Return the tools that a run calls, without the searcher."""
    return {call.name for step in run.path() for call in step.calls} - {SEARCHER}


def split_api_bank(
    samples: Sequence[Trajectory], calls: int, random: Random
) -> tuple[list[Trajectory], list[Trajectory]]:
    """Split whole runs: those that are learnt, and those held out, which share no tool with them.

    Runs of rare tools are held out first, as a tool takes all runs with it that call it.

    Args:
        samples: of API-Bank.
        calls: that the held-out runs have at least, the searcher's not counted.
        random: draws the order of runs of equal rank.
    """
    runs = [run for run in whole_runs(samples) if called_tools(run)]
    uses = Counter(name for run in runs for name in called_tools(run))
    random.shuffle(runs)
    runs.sort(key=lambda run: max(uses[name] for name in called_tools(run)))
    held, names, count = list[Trajectory](), set[str](), 0
    for run in runs:
        if count >= calls:
            break
        held.append(run)
        names |= called_tools(run)
        count += sum(call.name != SEARCHER for step in run.path() for call in step.calls)
    learnt = [run for run in runs if run not in held and not called_tools(run) & names]
    return learnt, held


def api_bank_runs(
    runs: Sequence[Trajectory], nearest: Callable[[Sequence[ToolSpec]], Nearest], random: Random
) -> list[Trajectory]:
    """Return runs whose tools are shown from the start, among others, so that no search is needed."""
    documents = {
        spec.name: spec for run in runs for spec in run.task.tools if spec.name != SEARCHER
    }
    near = nearest(list(documents.values()))
    found: list[Trajectory] = []
    for run in runs:
        own = {spec.name: spec for spec in run.task.tools if spec.name != SEARCHER}
        for spec in near(run.task.input, _MOST_SHOWN):
            if len(own) < _MOST_SHOWN:
                own.setdefault(spec.name, spec)
        listed = list(own.values())
        random.shuffle(listed)
        told = retold_run(run, random, tools=listed)
        if told is not None and called_tools(told):
            found.append(told)
    return found
