"""``toolmint eval judge``: ToolEval-style pass and win rates, where nothing can be executed."""

from pathlib import Path
from typing import Any

import click

from toolmint.cli.eval_options import (
    NamedSolver,
    RunOptions,
    rows_file,
    run_benchmark,
    run_command,
    run_options,
    settings_shown,
    show_report,
)
from toolmint.cli.traces_command import read_trace_file
from toolmint.core.sync import run_sync
from toolmint.core.task import Limits


@click.command("judge")
@click.argument("first", type=click.Path(dir_okay=False))
@click.argument("second", required=False, type=click.Path(dir_okay=False))
@click.option("--judge", "uri", required=True, help="The judge's model, such as openai:gpt-5.")
@run_options()
def eval_judge_command(*, first: str, second: str | None, uri: str, **given: Any) -> None:  # noqa: ANN401
    """Judge the trajectories of FIRST, or compare them with those of SECOND, line by line.

    The files hold trajectories (JSON lines), or rows that were written with --trajectories. Unsure verdicts
    and ties stay in the denominator, and are shown; nothing is decided by a coin. A preference counts only
    where the judge holds to it with the two runs in the other order.
    """
    from toolmint.assembly.judging import judge_of
    from toolmint.evaluation.judge import JudgedRuns
    from toolmint.evaluation.solvers import RecordedSolver

    runs = read_trace_file(first)
    others = read_trace_file(second) if second is not None else None
    options = RunOptions.take(given)
    name = Path(first).name if second is None else f"{Path(first).name} against {Path(second).name}"

    async def work() -> None:
        async with judge_of(uri) as judge:
            benchmark = JudgedRuns(judge, runs, others)
            one = NamedSolver(name, RecordedSolver(runs), settings_shown(judge=uri))
            file = rows_file(options, benchmark, one.name, one.settings)
            rows = await run_benchmark(benchmark, one, file, options, Limits())
        show_report(benchmark.summary(rows), [file], options)

    run_command(lambda: run_sync(work()))
