"""``toolwright eval toolalpaca``: agents on simulated APIs; executed, and judged where a judge is named."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolwright.cli.agent_options import agent_options, choices_of, limits_of
from toolwright.cli.common import console, money, say, settings_of
from toolwright.cli.figures import interval, write_figures
from toolwright.core.doors import run_sync
from toolwright.core.model import Usage

if TYPE_CHECKING:
    from toolwright.assembly.simulation import Row
    from toolwright.evaluation.toolalpaca import Api


@click.command("toolalpaca")
@click.argument("apis", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--judge", "judge_uri", help="The judge's model; its spend is shown apart.")
@click.option(
    "--golden",
    is_flag=True,
    help="Play the golden calls themselves: what the measure can reach, no result.",
)
@click.option("--most", type=click.IntRange(1), help="Only the first instructions of each API.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write all numbers as JSON.")
@agent_options
def command(
    *, apis: Path, judge_uri: str | None, golden: bool, most: int | None, output: Path | None, **given: object
) -> None:  # fmt: skip
    """Play the instructions of APIS against servers that are simulated from their OpenAPI documents."""
    from toolwright.evaluation.bootstrap import share
    from toolwright.evaluation.toolalpaca import read_apis

    rows, spent = run_sync(_play(read_apis(apis), judge_uri, most, given, golden=golden))
    clusters = [row.instruction.api for row in rows]

    def figure(name: str, values: list[bool]) -> None:
        say(f"{name}: {interval(share(values, clusters))} % of {len(rows)}")

    figure(
        "executed process (golden calls made with success, in order)",
        [row.executed.process for row in rows],
    )
    figure(
        "executed arguments (every literal golden argument)",
        [row.executed.arguments == 1 for row in rows],
    )
    figure(
        "grounded answers (a value of those calls is said)", [row.executed.grounded for row in rows]
    )
    if judge_uri is not None:
        judged = [row.judged for row in rows]
        figure("judged process", [one is not None and one.process == "pass" for one in judged])
        figure("judged answer", [one is not None and one.answer == "pass" for one in judged])
        unsure = sum(one is not None and "unsure" in {one.process, one.answer} for one in judged)
        say(
            f"unsure: {unsure}; the judge: {spent.requests} calls, {spent.tokens} tokens, {money(spent.cost)}"
        )
    used = sum((row.run.run.usage for row in rows), start=Usage())
    say(f"the agent: {used.requests} calls, {used.tokens} tokens, {money(used.cost)}")
    write_figures(
        output,
        [(row.instruction, row.run.answer, row.executed.model_dump(), row.judged) for row in rows],
    )


async def _play(
    apis: "list[Api]",
    judge: str | None,
    most: int | None,
    given: dict[str, object],
    *,
    golden: bool,
) -> "tuple[list[Row], Usage]":
    from rich.progress import Progress

    from toolwright.assembly.simulation import Row, Simulation

    limits, choices = limits_of(given), choices_of(given)
    simulation = Simulation(None if golden else settings_of(**given), choices, limits, judge)
    rows: list[Row] = []
    try:
        with Progress(console=console()) as progress:
            bar = progress.add_task(
                "playing", total=sum(len(api.instructions[:most]) for api in apis)
            )
            for api in apis:
                async for row in simulation.play(api, most):
                    rows.append(row)
                    progress.advance(bar)
    finally:
        await simulation.close()
    return rows, simulation.judge.usage if simulation.judge is not None else Usage()
