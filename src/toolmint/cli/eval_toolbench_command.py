"""``toolmint eval toolbench``: the static step metrics, compat and strict, with the floors beside them."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolmint.cli.agent_options import choices_of, limits_of, model_role_options
from toolmint.cli.common import settings_of
from toolmint.cli.eval_options import (
    NamedSolver,
    RunOptions,
    data_file,
    model_settings,
    rows_file,
    run_benchmark,
    run_command,
    run_options,
    settings_shown,
    show_report,
)
from toolmint.core.errors import InputError
from toolmint.core.sync import run_sync
from toolmint.core.task import Trajectory
from toolmint.core.text_files import json_items, read_text

if TYPE_CHECKING:
    from toolmint.evaluation.report import Report
    from toolmint.evaluation.static_steps import StepPair
    from toolmint.evaluation.toolbench import StaticToolBench

_PART = "toolbench/static_out_of_domain_first120.json"
"""The first 120 of the test's 400 trajectories."""


def _items(path: Path) -> list[Any]:
    found = [item for _, item in json_items(read_text(path), str(path))]
    if not found:
        raise InputError(f"{str(path)!r} must hold a list of items, and at least one")
    return found


def read_gold(path: Path, most: int | None = None) -> list[Trajectory]:
    """Return the gold trajectories of a file of alpha-UMi's conversations.

    Raises:
        InputError: it is no such file.
    """
    from toolmint.roles.toolbench import decode_conversation

    return [
        decode_conversation(item, f"{path}, item {number}")
        for number, item in enumerate(_items(path)[:most], 1)
    ]


def read_pairs(path: Path, *, backbone: bool) -> "list[StepPair]":
    """Return the steps of a prediction file.

    Raises:
        InputError: it is no such file; the line is named.
    """
    from toolmint.evaluation.static_steps import read_prediction

    return [
        read_prediction(item, number, backbone=backbone)
        for number, item in enumerate(_items(path), 1)
    ]


@click.command("toolbench")
@click.argument("gold", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--predictions",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Score this file: items with tools, reference, predictions.",
)
@click.option("--backbone", is_flag=True, help="The predictions are a single model's whole steps.")
@click.option("--most", type=click.IntRange(1), help="Only the first trajectories.")
@run_options()
@model_role_options
def eval_toolbench_command(
    *,
    gold: Path | None,
    predictions: Path | None,
    backbone: bool,
    most: int | None,
    **given: Any,  # noqa: ANN401 - options of click
) -> None:
    """Score step by step on the gold history of GOLD, a file of alpha-UMi's conversations.

    Without a model the floors are printed: what predictors that know no language score. With --predictions
    and no GOLD that file alone is scored.
    """
    from toolmint.evaluation.report import merge_reports
    from toolmint.evaluation.toolbench import StaticToolBench, static_report

    options, reports, files = RunOptions.take(given), list["Report"](), list[Path]()
    if gold is not None or predictions is None:
        path = data_file(gold, "toolbench/out_of_domain.json", _PART)
        benchmark = StaticToolBench(read_gold(path, most))
        if given.get("model") or given.get("planner_model"):
            run_command(
                lambda: files.append(_predict(benchmark, path.name, options, given, reports))
            )
        else:
            reports.append(benchmark.summary([]))
    if predictions is not None:
        pairs = read_pairs(predictions, backbone=backbone)
        reports.append(static_report({predictions.name: pairs}))
    show_report(merge_reports(reports), files, options)


def _predict(
    benchmark: "StaticToolBench",
    data: str,
    options: RunOptions,
    given: dict[str, Any],
    reports: "list[Report]",
) -> Path:
    """Let the models predict every step; add the report, and return the file of rows."""
    from toolmint.assembly.agents import RoleModels, agent_policy
    from toolmint.evaluation.toolbench import StepSolver

    limits, choices, settings = limits_of(given), choices_of(given), settings_of(**given)

    async def work() -> Path:
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
        reports.append(benchmark.summary(rows))
        return file

    return run_sync(work())
