"""``toolmint traces``: list, show, export and import trajectories."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from toolmint.cli.common import (
    console,
    opened,
    printable,
    say,
    settings_of,
    store_option,
    without_models,
)
from toolmint.core.errors import InputError
from toolmint.core.store import TrajectorySummary
from toolmint.core.sync import run_sync
from toolmint.core.task import Trajectory, read_trajectory
from toolmint.core.text_files import escaped_line_ends, json_line, lines_of, read_text
from toolmint.core.values import clip

_FORMATS = ("trajectory", "openai", "toolbench")


@click.group("traces")
def traces_command() -> None:
    """List, show, export and import trajectories."""


@traces_command.command("list")
@click.option("--most", type=click.IntRange(1), default=30, show_default=True)
@store_option
def list_traces(*, most: int, **given: object) -> None:
    """List the stored trajectories, newest first."""
    from rich.table import Table

    settings = without_models(settings_of(**given))

    async def work() -> Sequence[TrajectorySummary]:
        async with opened(settings) as client:
            return await client.store.traces.traces(most)

    table = Table("number", "when", "ended", "steps", "task", title="Trajectories")
    for one in run_sync(work()):
        when = f"{one.at:%Y-%m-%d %H:%M}"
        ended = ", ".join((one.outcome, *one.flags))
        table.add_row(str(one.id), when, ended, str(one.steps), clip(printable(one.input), 90))
    console().print(table)


def read_trajectories(names: Sequence[str], given: dict[str, object]) -> list[Trajectory]:
    """Return trajectories by their numbers in the store, or by ``FILE.jsonl`` or ``FILE.jsonl:LINE``.

    Raises:
        InputError: a name is neither, or a line cannot be read; the message names the line.
    """
    numbers = [int(name) for name in names if name.isdigit()]
    settings = without_models(settings_of(**given))

    async def work() -> dict[int, Trajectory]:
        async with opened(settings) as client:
            traces = client.store.traces
            wanted = numbers if names else [one.id for one in reversed(await traces.traces())]
            return {number: await traces.trace(number) for number in wanted}

    kept = run_sync(work()) if numbers or not names else {}
    if not names:
        return list(kept.values())
    found: list[Trajectory] = []
    for name in names:
        found += [kept[int(name)]] if name.isdigit() else read_trace_file(name)
    return found


def read_trace_file(name: str) -> list[Trajectory]:
    """Return the trajectories of a JSONL file, or of rows that keep them; ``FILE:LINE`` names one of them.

    Raises:
        InputError: the file or the line cannot be read.
    """
    where, colon, line = name.rpartition(":")
    path, only = (Path(where), int(line)) if colon and line.isdigit() else (Path(name), None)
    from toolmint.evaluation.rows import trajectories_in

    try:
        kept = trajectories_in(path)
        lines = list(lines_of(read_text(path)) if kept is None else enumerate(kept, 1))
    except InputError as fault:
        if fault.code != "file":
            raise
        raise InputError(
            f"{name!r} is neither the number of a trajectory nor a readable file: {fault}"
        ) from fault
    chosen = [(number, text) for number, text in lines if only in {None, number}]
    if not chosen:
        raise InputError(f"{name!r} contains no trajectory there")
    return [read_trajectory(text, f"{path}:{number}") for number, text in chosen]


@traces_command.command("show")
@click.argument("name")
@click.option("--html", type=click.Path(path_type=Path), help="Write a self-contained HTML file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@store_option
def show_trace(*, name: str, html: Path | None, as_json: bool, **given: object) -> None:
    """Show a trajectory as a tree: NAME is its number, or FILE.jsonl:LINE."""
    from toolmint.cli.trace_html import html_of
    from toolmint.cli.tree_view import ending_lines, tree_of

    for one in read_trajectories([name], given):
        if as_json:
            say(escaped_line_ends(one.model_dump_json(indent=1)))
            continue
        console().print(tree_of(one.task.input, one.steps))
        for line in ending_lines(one):
            console().print(line)
        if html is not None:
            html.write_text(html_of(one), encoding="utf-8")
            say(f"written to {html}")


def encoded(trajectory: Trajectory, form: str) -> dict[str, Any]:
    """Return a trajectory in one of the export formats."""
    from toolmint.roles import openai_messages, toolbench

    match form:
        case "openai":
            return openai_messages.encode_messages(trajectory)
        case "toolbench":
            return toolbench.encode_conversation(trajectory)
        case _:
            return trajectory.model_dump(mode="json")


@traces_command.command("export")
@click.argument("names", nargs=-1)
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), default="trajectory", show_default=True
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="The file [standard output].")
@store_option
def export_traces(
    *, names: tuple[str, ...], form: str, output: Path | None, **given: object
) -> None:
    """Export trajectories: all of the store, or NAMES (numbers, FILE.jsonl, FILE.jsonl:LINE).

    ``trajectory`` and ``openai`` are JSON lines; ``toolbench`` is the one JSON list of alpha-UMi's files.
    """
    write_all([encoded(one, form) for one in read_trajectories(names, given)], form, output)


def write_all(items: Sequence[object], form: str, output: Path | None) -> None:
    """Write encoded trajectories: one JSON list for ``toolbench``, else JSON lines."""
    lines = [json_line(items, indent=1)] if form == "toolbench" else map(json_line, items)
    text = "".join(lines)
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    say(f"{len(items)} trajectories written to {output}")


@traces_command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@store_option
def import_files(*, files: tuple[Path, ...], **given: object) -> None:
    """Store the trajectories of FILES; the format is recognised by its fields.

    Formats: this project's, OpenAI messages, alpha-UMi's conversations, ToolBench's search trees, API-Bank.
    """
    from toolmint.training.readers import read_file as read_any

    settings = without_models(settings_of(**given))
    found = [one for path in files for one in read_any(path)]

    async def work() -> list[int]:
        async with opened(settings) as client:
            return [await client.store.traces.log(one) for one in found]

    numbers = run_sync(work())
    say(
        f"{len(numbers)} trajectories stored, as {numbers[0]} to {numbers[-1]}"
        if numbers
        else "nothing to store"
    )
