"""``toolmint solve``: one request, one answer, and why."""

import sys
from collections.abc import Mapping

import click

from toolmint.cli.common import (
    accept_option,
    model_options,
    money,
    opened,
    say,
    settings_of,
    store_option,
)
from toolmint.core.errors import InputError
from toolmint.core.store import ClassInfo
from toolmint.core.sync import run_sync
from toolmint.core.task import Trajectory
from toolmint.serving.titles import class_named, class_title, with_titles


def explain(trajectory: Trajectory, known: Mapping[str, ClassInfo]) -> list[str]:
    """Return the lines that say who answered and why; ``known`` has the titles of the classes."""
    served = trajectory.served
    if served is None:
        return []
    name = served.request_class
    tool = class_title(known, name) or "no class"
    if served.version:
        tool = f"{tool} v{served.version}"
    why = with_titles(served.why, known, name)
    lines = [f"tier: {served.tier}", f"tool: {tool}", f"why: {why}"]
    lines += [f"before: {with_titles(attempt, known, name)}" for attempt in served.attempts]
    usage = served.usage
    lines.append(
        f"used: {usage.requests} model calls, {usage.tokens} tokens, {money(usage.cost)}, "
        f"{served.seconds * 1000:.1f} ms"
    )
    return lines


def _read_input() -> str:
    """Return standard input exactly, but for one line end at its end: shells and editors write that one.

    Raises:
        InputError: it is not UTF-8.
    """
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as fault:
        raise InputError(f"standard input is not UTF-8 (byte {fault.start})") from fault
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


@click.command("solve")
@click.argument("request", required=False)
@click.option("--class", "name", help="Name or title of the request's class, where it is known.")
@click.option("--explain", "explained", is_flag=True, help="Say which tier answered, and why.")
@click.option("--json", "as_json", is_flag=True, help="Give the whole trajectory as JSON.")
@accept_option
@model_options
@store_option
def solve_command(
    *, request: str | None, name: str | None, explained: bool, as_json: bool, **given: object
) -> None:
    """Answer REQUEST (or what stands on standard input, without the line end that closes it)."""
    text = request if request is not None else _read_input()
    if not text.strip():
        raise InputError("the request is empty")
    settings = settings_of(**given)

    async def work() -> None:
        async with opened(settings, lambda line: click.echo(line, err=True)) as session:
            of = await class_named(session.store, name) if name else None
            trajectory = await session.solve(text, request_class=of)
            # Said before the session closes: its end waits for a tool that this request completed.
            if as_json:
                say(trajectory.model_dump_json(indent=1))
                return
            click.echo(trajectory.answer or "", color=True)  # as it stands: nothing is taken out
            if explained:
                for line in explain(trajectory, await session.store.classes()):
                    click.echo(line, err=True)

    run_sync(work())
