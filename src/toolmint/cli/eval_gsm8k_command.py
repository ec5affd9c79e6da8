"""``toolmint eval gsm8k``: the caller writes programs, the sandbox runs them, answers are checked."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolmint.cli.agent_options import agent_options, choices_of, limits_of
from toolmint.cli.common import settings_of, without_models
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

if TYPE_CHECKING:
    from toolmint.evaluation.gsm8k import Problem


@click.command("gsm8k")
@click.argument("problems", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--most", type=click.IntRange(1), help="Only the first problems.")
@click.option(
    "--written",
    is_flag=True,
    help="Run the programs that the file's annotations spell out: a check of the path, no result.",
)
@click.option("--bare", is_flag=True, help="Ask the model alone, without tools: a baseline.")
@run_options()
@agent_options
def eval_gsm8k_command(
    *,
    problems: Path | None,
    most: int | None,
    written: bool,
    bare: bool,
    **given: Any,  # noqa: ANN401 - options of click
) -> None:
    """Solve PROBLEMS (JSON lines of question and answer) by programs, and check the last number."""
    from toolmint.evaluation.gsm8k import Gsm8k, read_problems

    path = data_file(problems, "gsm8k/test.jsonl", "gsm8k/test_first200.jsonl")
    chosen = read_problems(path)[:most]
    benchmark, options, limits = Gsm8k(chosen), RunOptions.take(given), limits_of(given)
    kind = "written" if written else "bare model" if bare else "agent"

    async def work() -> None:
        async with AsyncExitStack() as stack:
            one = await _solver(kind, chosen, given, stack)
            one = one.noting(data=path.name, limits=limits)
            file = rows_file(options, benchmark, one.name, one.settings)
            rows = await run_benchmark(benchmark, one, file, options, limits)
        show_report(benchmark.summary(rows), [file], options)

    run_command(lambda: run_sync(work()))


async def _solver(
    kind: str, problems: "list[Problem]", given: dict[str, object], stack: AsyncExitStack
) -> NamedSolver:
    """Return the agent, the bare model, or the annotations as a solver."""
    from toolmint.assembly.agents import AgentSession, RoleModels
    from toolmint.assembly.session import Session
    from toolmint.assembly.toolboxes import toolbox_of
    from toolmint.evaluation.gsm8k import AnnotatedSolver
    from toolmint.evaluation.solvers import ModelSolver

    choices = choices_of(given)
    settings = settings_of(**given)
    named = model_settings(settings)
    match kind:
        case "written":
            session = await stack.enter_async_context(Session.open(without_models(settings)))
            box, _ = await toolbox_of(["program"], stack, session.store, session.sandbox)
            return NamedSolver(kind, AnnotatedSolver(problems, box), {})
        case "bare model":
            models = RoleModels(settings)
            stack.push_async_callback(models.close)
            solver = ModelSolver(models.planner, max_tokens=choices.max_tokens)
            return NamedSolver(
                f"{kind} {models.planner.name}", solver, settings_shown(**named, bare=True)
            )
        case _:
            agents = await stack.enter_async_context(
                AgentSession.open(settings, ["program"], choices)
            )
            shown = settings_shown(**named, choices=choices)
            return NamedSolver(f"{kind} {agents.policy.name}", agents.agent(), shown)
