"""Training a trio for a toolbox: its tools, recorded runs of them, tasks, and the lead."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from toolmint.assembly.mix import nearest_tools
from toolmint.assembly.session import Session
from toolmint.assembly.settings import Settings
from toolmint.assembly.toolboxes import ToolSource, toolbox_of
from toolmint.core.messages import ToolSpec
from toolmint.core.model import Usage
from toolmint.evaluation.benchmark import Row
from toolmint.evaluation.compare import PairedDifference, compare
from toolmint.evaluation.rows import Header, RowSet
from toolmint.synthesis.toolbox_tasks import Recorded, TaskPlan, ToolboxTasks, toolbox_tasks
from toolmint.world.tools import categories_of, world_tools

_MOST_STORED = 2_000


async def toolbox_specs(
    settings: Settings, sources: Sequence[ToolSource]
) -> tuple[list[ToolSpec], list[str]]:
    """Return the tools of some sources, and what could not be read, in words."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Session.open(settings))
        box, problems = await toolbox_of(sources, stack, client.store, client.sandbox)
        return list(box.specs), problems


async def stored_runs(settings: Settings) -> list[Recorded]:
    """Return the agent's runs that the store keeps, those of the gateway's agent among them, oldest first."""
    async with Session.open(settings) as client:
        traces = client.store.traces
        listed = await traces.traces(_MOST_STORED)
        numbers = [one.id for one in reversed(listed)]
        return [Recorded(f"trajectory {number}", await traces.trace(number)) for number in numbers]


def foreign_tools() -> list[ToolSpec]:
    """Return ToolWorld's training tools, which no toolbox of a user has: for requests that no tool fits."""
    return [tool.spec for name in categories_of("train") for tool in world_tools("train", name)]


def tasks_for(
    specs: Sequence[ToolSpec], plan: TaskPlan, recorded: Sequence[Recorded]
) -> ToolboxTasks:
    """Return the tasks of a toolbox; see ``synthesis.toolbox_tasks``."""
    return toolbox_tasks(specs, nearest_tools(specs), foreign_tools(), plan, recorded)


def lead(trained: Sequence[Row], other: Sequence[Row]) -> PairedDifference:
    """Return the difference of exact calls, trained minus another one, with its interval."""
    header = Header.of("calls", "", {})
    found = compare(RowSet(header, tuple(trained)), RowSet(header, tuple(other)))
    return next(one for one in found.differences if one.measure == "exact")


def used_by(rows: Sequence[Row]) -> Usage:
    """Return what a solver used over some rows."""
    return sum((row.usage for row in rows), start=Usage())
