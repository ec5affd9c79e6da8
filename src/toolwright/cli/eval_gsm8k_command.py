"""``toolwright eval gsm8k``: the caller writes programs, the sandbox runs them, answers are checked."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolwright.cli.agent_options import agent_options, choices_of, limits_of
from toolwright.cli.common import console, money, say, settings_of, without_models
from toolwright.cli.figures import interval, write_figures
from toolwright.core.doors import run_sync
from toolwright.core.model import Usage
from toolwright.core.task import Task, Trajectory

if TYPE_CHECKING:
    from toolwright.evaluation.gsm8k import Problem


@click.command("gsm8k")
@click.argument("problems", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--most", type=click.IntRange(1), help="Only the first problems.")
@click.option(
    "--written",
    is_flag=True,
    help="Run the programs that the file's annotations spell out: a check of the path, no result.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write all numbers as JSON.")
@agent_options
def command(
    *, problems: Path, most: int | None, written: bool, output: Path | None, **given: object
) -> None:  # fmt: skip
    """Solve PROBLEMS (JSON lines of question and answer) by programs, and check the last number."""
    from toolwright.evaluation.bootstrap import share
    from toolwright.evaluation.gsm8k import is_right, read_problems

    chosen = read_problems(problems)[:most]
    done = run_sync(_written(chosen, given) if written else _solve(chosen, given))
    right = [
        is_right(one.answer, problem.answer) for one, problem in zip(done, chosen, strict=True)
    ]
    used = sum((one.run.usage for one in done), start=Usage())
    failed = sum(one.outcome != "answered" for one in done)
    say(
        f"{sum(right)} of {len(right)} right: {interval(share(right))} %; {failed} without an answer"
    )
    say(f"{used.requests} model calls, {used.tokens} tokens, {money(used.cost)}")
    write_figures(output, {"right": right, "answers": [one.answer for one in done]})


async def _solve(problems: "list[Problem]", given: dict[str, object]) -> list[Trajectory]:
    from rich.progress import track

    from toolwright.assembly.agents import AgentSession

    limits, choices = limits_of(given), choices_of(given)
    async with AgentSession.open(settings_of(**given), ["program"], choices) as session:
        agent = session.agent(limits)
        return [
            await agent.solve(await session.task(one.question))
            for one in track(problems, "solving", console=console())
        ]


async def _written(problems: "list[Problem]", given: dict[str, object]) -> list[Trajectory]:
    from rich.progress import track

    from toolwright.agent.agent import Agent
    from toolwright.assembly.toolboxes import toolbox_of
    from toolwright.assembly.workshop import Workshop
    from toolwright.evaluation.gsm8k import Written

    limits_of(given)
    choices_of(given)
    async with AsyncExitStack() as stack:
        workshop = await stack.enter_async_context(
            Workshop.open(without_models(settings_of(**given)))
        )
        box, _ = await toolbox_of(["program"], stack, workshop.store, workshop.sandbox)
        return [
            await Agent(Written(one), box).solve(Task(input=one.question))
            for one in track(problems, "running", console=console())
        ]
