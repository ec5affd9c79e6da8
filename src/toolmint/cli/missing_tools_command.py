"""``toolmint missing-tools``: the tools for want of which agents gave up, and their making."""

from collections.abc import Sequence

import click

from toolmint.cli.common import (
    console,
    model_options,
    opened,
    say,
    settings_of,
    store_option,
    without_models,
)
from toolmint.core.errors import InputError
from toolmint.core.store import MissingTool
from toolmint.core.sync import run_sync


@click.group("missing-tools")
def missing_tools_command() -> None:
    """List the tools for want of which agents gave up, and make them."""


@missing_tools_command.command("list")
@store_option
def list_missing_tools(**given: object) -> None:
    """List every missing tool with the trajectory that asked for it, and the tool made for it."""
    from rich.table import Table

    settings = without_models(settings_of(**given))

    async def work() -> Sequence[MissingTool]:
        async with opened(settings) as client:
            return await client.store.traces.missing_tools()

    table = Table("number", "missing tool", "trajectory", "made", title="Missing tools")
    for one in run_sync(work()):
        table.add_row(str(one.id), one.wants, str(one.trace), one.request_class or "-")
    console().print(table)


@missing_tools_command.command("make")
@click.argument("number", type=int)
@model_options
@store_option
def make_missing(*, number: int, **given: object) -> None:
    """Make missing tool NUMBER: the strong model writes demonstrations, then a tool is made and verified.

    Agents with `--tools made` can call it from then on.
    """
    settings = settings_of(**given)

    async def work() -> str:
        from toolmint.assembly.missing_tools import make_missing_tool

        async with opened(settings, say) as client:
            missing_tools = {one.id: one for one in await client.store.traces.missing_tools()}
            if number not in missing_tools:
                raise InputError(
                    f"there is no missing tool {number}; `toolmint missing-tools list` names all"
                )
            return (await make_missing_tool(client, missing_tools[number])).label

    say(f"made {run_sync(work())}")
