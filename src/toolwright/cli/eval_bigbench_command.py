"""``toolwright eval bigbench``: LATM's tables over BIG-Bench-style files."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolwright.cli.common import (
    console,
    engine_options,
    model_options,
    money,
    opened,
    say,
    settings_of,
)
from toolwright.core import demonstrations as read
from toolwright.core.doors import run_sync
from toolwright.core.errors import InputError, MakerError
from toolwright.core.model import Usage
from toolwright.core.tool import Demonstration

if TYPE_CHECKING:
    from toolwright.assembly.workshop import Workshop
    from toolwright.evaluation.bigbench import DispatchScore, Making, TaskScore

Files = dict[str, list[Demonstration]]


def read_tasks(folder: Path, only: tuple[str, ...]) -> Files:
    """Read every task file of a folder.

    Raises:
        InputError: there is none, or one cannot be read.
    """
    files = sorted(folder.glob("*.json")) + sorted(folder.glob("*.jsonl"))
    chosen = [file for file in files if not only or file.stem in only]
    if not chosen:
        raise InputError(f"{str(folder)!r} holds no task file (*.json, *.jsonl) of that name")
    return {file.stem: read.parse(read.read_text(file), file.name) for file in chosen}


async def make_tool(
    workshop: "Workshop", task: str, shown: list[Demonstration], profile: str, seeds: int
) -> "Making":
    """Make a task's tool once a seed; the last one that passed serves."""
    from toolwright.assembly.workshop import order_of
    from toolwright.cache.ledger import MAKING
    from toolwright.evaluation.bigbench import Making

    why = "made"
    made: list[bool] = []
    for seed in range(seeds):
        order = order_of(task, shown, workshop.settings, profile=profile, seed=seed or None)
        try:
            await workshop.make(order)
            made.append(True)
        except MakerError as fault:
            made.append(False)
            why = str(fault)
    entries = [one for one in await workshop.store.ledger() if one.request_class == task]
    usage = sum((one.usage for one in entries if one.purpose in MAKING), start=Usage())
    return Making(made=any(made), why="made" if any(made) else why, usage=usage, seeds=tuple(made))


def _table(scores: "list[TaskScore]") -> None:
    from rich.table import Table

    from toolwright.evaluation.bigbench import PAPER

    table = Table(title="BIG-Bench tasks: tools made from the first examples, measured on the rest")
    for name in (
        "task", "made", "n", "right", "0 tokens", "precision", "user", "strong", "foreign",
        "tok/req", "p50 ms", "p99 ms", "LATM",
    ):  # fmt: skip
        table.add_column(name)
    for one in scores:
        compiled = one.tiers.get("compiled")
        precision = compiled.precision if compiled else None
        counts = {tier: score.answered for tier, score in one.tiers.items()}
        paper = PAPER.get(one.task)
        table.add_row(
            one.task, f"{sum(one.made_seeds)}/{len(one.made_seeds)}", str(one.requests),
            f"{one.accuracy:.1%}", f"{one.zero_token_share:.1%}",
            "-" if precision is None else f"{precision:.1%}", str(counts.get("tooluser", 0)),
            str(counts.get("strong", 0)), str(one.foreign), f"{one.tokens:.0f}",
            f"{one.p50_seconds * 1000:.1f}", f"{one.p99_seconds * 1000:.1f}",
            "-" if paper is None else f"{paper}%",
        )  # fmt: skip
    console().print(table)
    say(
        "0 tokens: share answered by a tool alone, precision: share of those that is right; user, strong: "
        "answers of those tiers; foreign: answers by a tool of another family; LATM: accuracy with GPT-4 "
        "as tool user, arXiv 2305.17126 v2, table 2"
    )


@click.command("bigbench")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--task", "only", multiple=True, help="Only this task (can be repeated).")
@click.option(
    "--first", type=click.IntRange(6), default=10, show_default=True, help="Shown examples."
)
@click.option("--seeds", type=click.IntRange(1, 20), default=1, show_default=True)
@click.option(
    "--profile", type=click.Choice(["proved", "latm"]), default="proved", show_default=True
)
@click.option("--fallback", is_flag=True, help="Let the strong model answer what no tool does.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write all numbers as JSON.")
@click.option("--wrong", is_flag=True, help="List the wrong answers.")
@model_options
@engine_options
def command(
    *, folder: Path, only: tuple[str, ...], first: int, seeds: int, profile: str, fallback: bool,
    output: Path | None, wrong: bool, **given: object,
) -> None:  # fmt: skip
    """Make a tool from the first examples of each file in FOLDER, and measure on the others."""
    tasks = read_tasks(folder, only)
    scores, dispatch = run_sync(
        _measure(tasks, first, seeds, profile, fallback=fallback, given=given)
    )
    _table(scores)
    tests = sum(one.requests for one in scores)
    spent = sum((one.making for one in scores), start=Usage())
    say(
        f"all: {sum(one.accuracy * one.requests for one in scores) / max(1, tests):.2%} right of {tests}"
    )
    say(f"making: {spent.requests} model calls, {spent.tokens} tokens, {money(spent.cost)}")
    say(
        f"dispatch by wording: closed set {dispatch.closed:.1%}; half the tasks unknown: "
        f"{dispatch.open_accept:.1%} of unknown accepted, {dispatch.open_reject:.1%} of known rejected "
        "(LATM with GPT-3.5: 95% closed, 96% open; arXiv 2305.17126)"
    )
    for score in scores if wrong else ():
        for one in score.wrong:
            say(f"{score.task}: {json.dumps(one, ensure_ascii=False)}")
    if output is not None:
        body = {
            "tasks": [one.model_dump(mode="json") for one in scores],
            "dispatch": dispatch.model_dump(mode="json"),
        }
        output.write_text(json.dumps(body, indent=1, ensure_ascii=False), encoding="utf-8")
        say(f"all numbers stand in {output}")


async def _measure(
    tasks: Files, first: int, seeds: int, profile: str, *, fallback: bool, given: dict[str, object]
) -> "tuple[list[TaskScore], DispatchScore]":
    import tempfile

    from rich.progress import Progress

    from toolwright.evaluation.bigbench import score_dispatch, score_task

    total = sum(max(0, len(examples) - first) for examples in tasks.values())
    with tempfile.TemporaryDirectory() as folder, Progress(console=console()) as progress:
        settings = settings_of(store=Path(folder) / "tools.db", **given)
        bar = progress.add_task("making", total=len(tasks))
        async with opened(settings) as workshop:
            makings: dict[str, Making] = {}
            for task, examples in tasks.items():
                makings[task] = await make_tool(workshop, task, examples[:first], profile, seeds)
                progress.update(bar, advance=1, description=f"making {task}")
            bar = progress.add_task("measuring", total=total)
            dispatcher = workshop.dispatcher
            if not fallback:
                dispatcher.without_strong()
            scores = [
                await score_task(
                    dispatcher, task, examples[first:], makings[task], lambda: progress.advance(bar)
                )
                for task, examples in tasks.items()
            ]
    shown = {task: examples[:first] for task, examples in tasks.items()}
    tests = {task: examples[first:] for task, examples in tasks.items()}
    return scores, score_dispatch(shown, tests)
