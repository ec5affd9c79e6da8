"""``toolwright solve``: one request, one answer, and why."""

import sys

import click

from toolwright.cli.common import model_options, money, opened, say, settings_of, store_option
from toolwright.core.doors import run_sync
from toolwright.core.errors import InputError
from toolwright.core.task import Trajectory


def explain(trajectory: Trajectory) -> list[str]:
    """Give the lines that say who answered and why."""
    served = trajectory.served
    if served is None:
        return []
    tool = f"{served.request_class or 'no class'}" + (
        f" v{served.version}" if served.version else ""
    )
    lines = [f"tier: {served.tier}", f"tool: {tool}", f"why: {served.why}"]
    lines += [f"before: {attempt}" for attempt in served.attempts]
    usage = served.usage
    lines.append(
        f"used: {usage.requests} model calls, {usage.tokens} tokens, {money(usage.cost)}, "
        f"{served.seconds * 1000:.1f} ms"
    )
    return lines


@click.command("solve")
@click.argument("request", required=False)
@click.option("--class", "name", help="The request's class, where it is known.")
@click.option("--explain", "explained", is_flag=True, help="Say which tier answered, and why.")
@click.option("--json", "as_json", is_flag=True, help="Give the whole trajectory as JSON.")
@model_options
@store_option
def command(
    *, request: str | None, name: str | None, explained: bool, as_json: bool, **given: object
) -> None:
    """Answer REQUEST (or what stands on standard input)."""
    text = request if request is not None else sys.stdin.read()
    if not text.strip():
        raise InputError("the request is empty")
    settings = settings_of(**given)

    async def work() -> Trajectory:
        async with opened(settings) as workshop:
            return await workshop.solve(text, request_class=name)

    trajectory = run_sync(work())
    if as_json:
        say(trajectory.model_dump_json(indent=1))
        return
    say(trajectory.answer or "")
    if explained:
        for line in explain(trajectory):
            click.echo(line, err=True)
