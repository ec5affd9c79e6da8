"""``toolwright eval judge``: ToolEval-style pass and win rates, where nothing can be executed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolwright.cli.common import console, money, say
from toolwright.cli.figures import interval, write_figures
from toolwright.cli.traces_command import read_file
from toolwright.core.doors import run_sync
from toolwright.core.errors import InputError
from toolwright.core.task import Trajectory

if TYPE_CHECKING:
    from toolwright.core.model import Usage


@click.command("judge")
@click.argument("first", type=click.Path(dir_okay=False))
@click.argument("second", required=False, type=click.Path(dir_okay=False))
@click.option("--judge", "uri", required=True, help="The judge's model, such as openai:gpt-5.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write all verdicts as JSON.")
def command(*, first: str, second: str | None, uri: str, output: Path | None) -> None:
    """Judge the trajectories of FIRST (JSON lines), or compare them with those of SECOND, line by line.

    Unsure verdicts and ties stay in the denominator, and are shown; nothing is decided by a coin. A
    preference counts only where the judge holds to it with the two runs in the other order.
    """
    from toolwright.evaluation.bootstrap import share

    runs = read_file(first)
    others = read_file(second) if second is not None else None
    if others is not None:
        _same_tasks(runs, others)
    words, spent = run_sync(_judge(runs, others, uri))
    labels = ("pass", "fail", "unsure") if others is None else ("first", "second", "tie")
    for label in labels:
        say(f"{label}: {interval(share([word == label for word in words]))} % of {len(words)}")
    say(f"the judge: {spent.requests} calls, {spent.tokens} tokens, {money(spent.cost)}")
    write_figures(output, words)


def _same_tasks(runs: Sequence[Trajectory], others: Sequence[Trajectory]) -> None:
    if [one.task.input for one in runs] != [one.task.input for one in others]:
        raise InputError("the two files must hold runs of the same tasks, in the same order")


async def _judge(
    runs: Sequence[Trajectory], others: Sequence[Trajectory] | None, uri: str
) -> "tuple[list[str], Usage]":
    from rich.progress import track

    from toolwright.assembly.judging import judge_of

    async with judge_of(uri) as judge:
        places = track(range(len(runs)), "judging", console=console())
        if others is None:
            words = [(await judge.passes(runs[place])).verdict for place in places]
            return list(words), judge.usage
        votes = [(await judge.prefers(runs[place], others[place])).preference for place in places]
        return list(votes), judge.usage
