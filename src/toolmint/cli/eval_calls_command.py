"""``toolmint eval calls``: held-out single calls; right tool, exact call, invalid calls."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolmint.cli.agent_options import choices_of, limits_of, model_role_options
from toolmint.cli.common import settings_of
from toolmint.cli.eval_options import (
    NamedSolver,
    RunOptions,
    model_settings,
    rows_file,
    run_benchmark,
    run_command,
    run_options,
    settings_shown,
    show_report,
)
from toolmint.cli.train_data import seal_option
from toolmint.core.sync import run_sync
from toolmint.core.text_files import json_items, read_text

if TYPE_CHECKING:
    from toolmint.evaluation.calls import CallItem


def read_call_items(
    path: Path, seal_tools: Path | None = None, most: int | None = None
) -> "list[CallItem]":
    """Return what a file gives to score: BFCL's questions, or runs in any format that training reads.

    Raises:
        InputError: the file follows no known format.
    """
    from toolmint.evaluation.bfcl import bfcl_items, is_bfcl
    from toolmint.evaluation.calls import call_items
    from toolmint.training.readers import read_file, seal_documents

    items = json_items(read_text(path), str(path))
    if items and is_bfcl(items[0][1]):
        return bfcl_items(path, most)
    documents = seal_documents(seal_tools) if seal_tools is not None else None
    return call_items(path.stem, read_file(path, documents), most)


@click.command("calls")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@seal_option
@click.option("--most", type=click.IntRange(1), help="Only the first calls of each file.")
@run_options()
@model_role_options
def eval_calls_command(
    *,
    files: tuple[Path, ...],
    seal_tools: Path | None,
    most: int | None,
    **given: Any,  # noqa: ANN401 - options of click
) -> None:
    """Score single calls of FILES on the recorded history: right tool, exact call, invalid calls.

    FILES are runs in any format that training reads, such as the held-out parts that `toolmint train mix`
    writes, or BFCL's files with possible_answer/ beside them. Tools are not called.
    """
    from toolmint.assembly.agents import RoleModels, agent_policy
    from toolmint.evaluation.calls import HeldOutCalls
    from toolmint.evaluation.toolbench import StepSolver

    benchmark = HeldOutCalls(
        [one for path in files for one in read_call_items(path, seal_tools, most)]
    )
    options, limits = RunOptions.take(given), limits_of(given)
    choices, settings = choices_of(given), settings_of(**given)
    data = ", ".join(path.name for path in files)

    async def work() -> None:
        async with AsyncExitStack() as stack:
            models = RoleModels(settings)
            stack.push_async_callback(models.close)
            policy = agent_policy(models, choices)
            shown = settings_shown(
                **model_settings(settings), choices=choices, limits=limits, data=data
            )
            one = NamedSolver(policy.name, StepSolver(policy), shown)
            file = rows_file(options, benchmark, one.name, one.settings)
            rows = await run_benchmark(benchmark, one, file, options, limits)
        show_report(benchmark.summary(rows), [file], options)

    run_command(lambda: run_sync(work()))
