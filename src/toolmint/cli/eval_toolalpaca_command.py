"""``toolmint eval toolalpaca``: agents on simulated APIs; executed, and judged where a judge is named."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click

from toolmint.cli.agent_options import agent_options, choices_of, limits_of
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
from toolmint.core.sync import run_sync


@click.command("toolalpaca")
@click.argument("apis", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--judge", "judge_uri", help="The judge's model; its spend is shown apart.")
@click.option(
    "--golden",
    is_flag=True,
    help="Play the golden calls themselves: what the measure can reach, no result.",
)
@click.option("--most", type=click.IntRange(1), help="Only the first instructions of each API.")
@run_options()
@agent_options
def eval_toolalpaca_command(
    *,
    apis: Path | None,
    judge_uri: str | None,
    golden: bool,
    most: int | None,
    **given: Any,  # noqa: ANN401 - options of click
) -> None:
    """Play the instructions of APIS against servers that are simulated from their OpenAPI documents."""
    from toolmint.assembly.agents import RoleModels, agent_policy
    from toolmint.assembly.judging import judge_of
    from toolmint.assembly.simulation import SimulatedApiSolver
    from toolmint.evaluation.toolalpaca import ToolAlpaca, read_apis

    path = data_file(apis, "toolalpaca/eval_simulated.json")
    found = read_apis(path)
    options, limits = RunOptions.take(given), limits_of(given)
    choices, settings = choices_of(given), settings_of(**given)

    async def work() -> None:
        async with AsyncExitStack() as stack:
            models, name, shown = None, "golden calls", settings_shown(data=path.name)
            if not golden:
                models = RoleModels(settings)
                stack.push_async_callback(models.close)
                name = agent_policy(models, choices).name
                shown |= settings_shown(**model_settings(settings), choices=choices, limits=limits)
            judge = None
            if judge_uri is not None:
                judge = await stack.enter_async_context(judge_of(judge_uri))
            benchmark = ToolAlpaca(found, most, judge)
            one = NamedSolver(name, SimulatedApiSolver(found, models, choices), shown)
            file = rows_file(options, benchmark, one.name, one.settings)
            rows = await run_benchmark(benchmark, one, file, options, limits)
        show_report(benchmark.summary(rows), [file], options)

    run_command(lambda: run_sync(work()))
