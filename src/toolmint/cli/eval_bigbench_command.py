"""``toolmint eval bigbench``: LATM's tables over BIG-Bench-style files."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from toolmint.assembly.settings import Settings
from toolmint.cli.common import console, engine_options, model_options, opened, say, settings_of
from toolmint.cli.eval_options import (
    NamedSolver,
    RunOptions,
    check_rows_file,
    data_file,
    model_settings,
    rows_file,
    run_benchmark,
    run_command,
    run_options,
    settings_shown,
    show_report,
)
from toolmint.core.errors import ConfigError, MakerError
from toolmint.core.model import Usage
from toolmint.core.sync import run_sync
from toolmint.core.task import Limits
from toolmint.core.tool import Demonstration

if TYPE_CHECKING:
    from toolmint.assembly.session import Session
    from toolmint.evaluation.benchmark import Row
    from toolmint.evaluation.bigbench import TaskMaking

_Tasks = Mapping[str, list[Demonstration]]


class _How(NamedTuple):
    """How tools are made and measured."""

    first: int
    seeds: int
    profile: str
    fallback: bool
    settings: Settings
    options: RunOptions


async def make_tool(
    client: "Session", task: str, shown: list[Demonstration], profile: str, seeds: int
) -> "TaskMaking":
    """Make a task's tool once a seed; the last one that passed serves.

    Seeds whose making report the store keeps already are not made again, so a run that was interrupted
    pays for no making twice.
    """
    from toolmint.assembly.session import make_request_of
    from toolmint.evaluation.bigbench import TaskMaking

    reports = (await client.store.reports(task))[:seeds]
    made = [one.made for one in reports]
    why = str(reports[-1].body.get("ending", "")) if reports else ""
    for seed in range(len(made), seeds):
        order = make_request_of(task, shown, client.settings, profile=profile, seed=seed or None)
        try:
            await client.make(order)
            made.append(True)
        except MakerError as fault:
            made.append(False)
            why = str(fault)
    await client.flush()
    entries = [one for one in await client.store.ledger() if one.request_class == task]
    usage = sum((one.usage for one in entries if one.purpose in _MAKING), start=Usage())
    return TaskMaking(
        made=any(made), why="made" if any(made) else why, usage=usage, seeds=tuple(made)
    )


_MAKING = frozenset({"making", "second"})
"""The purposes of ledger entries that pay for makings."""


@click.command("bigbench")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--task", "only", multiple=True, help="Only this task (can be repeated).")
@click.option(
    "--first", type=click.IntRange(6), default=10, show_default=True, help="Shown examples."
)
@click.option("--seeds", type=click.IntRange(1, 20), default=1, show_default=True)
@click.option(
    "--profile", type=click.Choice(["proved", "latm"]), default="proved", show_default=True
)
@click.option("--fallback", is_flag=True, help="Let the strong model answer what no tool does.")
@click.option("--bare", is_flag=True, help="Make no tool: the strong model answers all (baseline).")
@click.option("--wrong", is_flag=True, help="List the wrong answers.")
@run_options(concurrency=1)
@model_options
@engine_options
def eval_bigbench_command(
    *,
    folder: Path | None,
    only: tuple[str, ...],
    bare: bool,
    wrong: bool,
    **given: Any,  # noqa: ANN401
) -> None:
    """Make a tool from the first examples of each file in FOLDER, and measure on the others.

    The tools stand beside the rows, in a store of their own: a run that is taken up makes none twice.
    Latencies are those of --concurrency 1.
    """
    from toolmint.evaluation.bigbench import read_bigbench_tasks

    tasks = read_bigbench_tasks(data_file(folder, "bbh"), only)
    first, seeds = given.pop("first"), given.pop("seeds")
    profile, fallback = given.pop("profile"), given.pop("fallback")
    options = RunOptions.take(given)
    # The tools themselves are measured, as the paper does: also where no demonstration has been.
    settings = settings_of(**given).model_copy(update={"accept_unverified": True})
    how = _How(first, seeds, profile, fallback, settings, options)

    async def work() -> "list[Row]":
        return await (_measure_bare(tasks, how) if bare else _measure_tools(tasks, how))

    def whole() -> None:
        rows = run_sync(work())
        for row in rows if wrong else ():
            if row.details.get("answer") is not None and not row.passed("right"):
                say(f"{row.id}: {json.dumps(row.details, ensure_ascii=False)}")

    run_command(whole)


async def _measure_bare(tasks: _Tasks, how: _How) -> "list[Row]":
    from toolmint.assembly.session import Models
    from toolmint.evaluation.bigbench import BigBench
    from toolmint.evaluation.solvers import ModelSolver

    async with AsyncExitStack() as stack:
        models = Models.named(how.settings)
        stack.push_async_callback(models.close)
        if models.strong is None:
            raise ConfigError("a bare model needs --model", code="no-model")
        shown = settings_shown(**model_settings(how.settings), bare=True)
        one = NamedSolver(f"bare model {models.strong.name}", ModelSolver(models.strong), shown)
        benchmark = BigBench(tasks, how.first)
        file = rows_file(how.options, benchmark, one.name, one.settings)
        rows = await run_benchmark(benchmark, one, file, how.options, Limits())
    show_report(benchmark.summary(rows), [file], how.options)
    return rows


async def _measure_tools(tasks: _Tasks, how: _How) -> "list[Row]":
    """Make the tools, then send every request through the tool server."""
    from rich.progress import track

    from toolmint.evaluation.bigbench import BigBench
    from toolmint.evaluation.solvers import AbstainingSolver

    shown = settings_shown(
        **model_settings(how.settings),
        seeds=how.seeds,
        profile=how.profile,
        fallback=how.fallback,
        tasks=" ".join(tasks),
    )
    name = "tool server with fallback" if how.fallback else "tool server"
    unmade = BigBench(tasks, how.first)
    file = rows_file(how.options, unmade, name, shown)
    store = file.with_suffix(".tools.db")
    if how.options.restart:
        for old in file.parent.glob(store.name + "*"):
            old.unlink(missing_ok=True)
    check_rows_file(file, unmade, name, shown)
    async with opened(how.settings.model_copy(update={"store": store})) as client:
        makings = {
            task: await make_tool(client, task, examples[: how.first], how.profile, how.seeds)
            for task, examples in track(tasks.items(), "making tools", console=console())
        }
        if not how.fallback:
            client.solver.without_strong()
        benchmark = BigBench(tasks, how.first, makings)
        one = NamedSolver(name, AbstainingSolver(client.solver), shown)
        rows = await run_benchmark(benchmark, one, file, how.options, Limits())
    show_report(benchmark.summary(rows), [file], how.options)
    return rows
