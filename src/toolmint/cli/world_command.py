"""``toolmint world``: generate ToolWorld tasks, prove them, and solve them with the reference."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolmint.cli.common import console, say
from toolmint.core.errors import InputError
from toolmint.core.sync import run_sync
from toolmint.core.text_files import escaped_line_ends, lines_of, read_text

if TYPE_CHECKING:
    from toolmint.core.task import Trajectory
    from toolmint.world.task import WorldTask
    from toolmint.world.tools import Split

split_option = click.option(
    "--split",
    type=click.Choice(["train", "unseen"]),
    default="train",
    show_default=True,
    help="Tools to train on, or tools that training never shows.",
)
seed_option = click.option(
    "--seed", type=int, default=0, show_default=True, help="The first task's seed."
)


@click.group("world")
def world_command() -> None:
    """A deterministic offline world of tools: success is executed, not judged."""


@world_command.command("generate")
@split_option
@seed_option
@click.option("--count", "-n", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--shortest", type=int, help="Fewest calls that a task needs [1].")
@click.option("--longest", type=int, help="Most calls that a task needs [6].")
@click.option("--impossible", type=float, help="Share of tasks that cannot be solved [0.18].")
@click.option(
    "--broken", type=float, help="Share of tasks with a dead tool and an alternative [0.18]."
)
@click.option("--flaky", type=float, help="Share of tasks with a tool that fails at first [0.14].")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="JSON lines of tasks."
)
def generate(*, split: "Split", seed: int, count: int, output: Path, **given: object) -> None:
    """Generate tasks, one a seed; each is proved solvable or impossible."""
    from rich.progress import track

    from toolmint.world.generate import make_tasks
    from toolmint.world.shape import Shape

    shape = Shape.of(**given)
    calls: Counter[int] = Counter()
    with output.open("w", encoding="utf-8") as file:
        for task in track(
            make_tasks(split, count, seed, shape),
            "generating tasks",
            total=count,
            console=console(),
        ):
            file.write(escaped_line_ends(task.model_dump_json()) + "\n")
            calls[task.calls] += 1
    impossible = calls.pop(0, 0)
    lengths = ", ".join(f"{length}: {calls[length]}" for length in sorted(calls))
    say(f"{count} tasks in {output}; calls needed {lengths}; impossible: {impossible}")


def read_tasks(path: Path) -> "Iterator[WorldTask]":
    """Yield the tasks of a JSON-lines file.

    Raises:
        InputError: the file cannot be read, or is empty.
        ToolError: a line is no task; the message names it.
    """
    from toolmint.world.task import read_task

    lines = list(lines_of(read_text(path)))
    if not lines:
        raise InputError(f"{str(path)!r} holds no task")
    for number, line in lines:
        yield read_task(line, f"{path}:{number}")


@world_command.command("solve")
@click.argument("tasks", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Write the reference trajectories."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["trajectory", "openai", "toolbench"]),
    default="trajectory",
)
@click.option(
    "--argument-errors",
    type=click.FloatRange(0, 0.9),
    default=0.0,
    show_default=True,
    help="Share of calls that the reference first writes wrongly and then corrects.",
)
def solve_tasks(*, tasks: Path, output: Path | None, form: str, argument_errors: float) -> None:
    """Prove each task of TASKS again, solve it with the reference, and check the final state."""
    from rich.progress import track

    from toolmint.cli.traces_command import encoded, write_all

    items: list[object] = []
    solved = impossible = 0
    wrong: list[str] = []
    for task in track(list(read_tasks(tasks)), "solving", console=console()):
        proof, passed, done = run_sync(_solve_and_prove(task, argument_errors))
        solved += proof and task.solvable
        impossible += proof and not task.solvable
        if not proof or not passed:
            wrong.append(task.id)
        if output is not None:
            items.append(encoded(done, form))
    say(
        f"{solved} solvable, {impossible} impossible, each proved again; the reference failed {len(wrong)}"
    )
    if output is not None:
        write_all(items, form, output)
    if wrong:
        raise InputError(
            f"these tasks are not what they claim to be: {', '.join(wrong[:5])}", code="world-proof"
        )


async def _solve_and_prove(
    task: "WorldTask", argument_errors: float
) -> "tuple[bool, bool, Trajectory]":
    """Return whether the task's claim is proved again, whether the reference passed, and its run."""
    from toolmint.world.players import Reference, play_task
    from toolmint.world.prover import certificate, prove
    from toolmint.world.state import WorldState

    tools = task.world_tools()
    proof = prove(task.goals, tools, WorldState(task.records, task.deeds), task.dead)
    claim = (
        proof.calls is not None
        if task.solvable
        else any(certificate(goal, tools, task.dead) for goal in task.goals)
    )
    run, toolbox = await play_task(task, Reference(task, argument_errors))
    return claim, toolbox.check(run).passed, run


@world_command.command("tools")
@split_option
@click.option("--category", help="Only this category.")
def list_world_tools(*, split: "Split", category: str | None) -> None:
    """List the tools with their descriptions."""
    from rich.table import Table

    from toolmint.world.tools import inventory

    table = Table("tool", "category", "does", "document", title=f"Tools of the split {split!r}")
    found = [one for one in inventory(split) if category in {None, one.operation.category}]
    for one in found:
        table.add_row(
            one.spec.name, one.operation.category, one.operation.does, one.spec.description
        )
    console().print(table)
    say(f"{len(found)} tools")
