"""``toolmint missing-tools``: the tools for want of which agents gave up, and their making."""

from collections.abc import Mapping, Sequence

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
from toolmint.core.store import ClassInfo, MissingTool
from toolmint.core.sync import run_sync
from toolmint.serving.titles import class_title


@click.group("missing-tools")
def missing_tools_command() -> None:
    """List the tools for want of which agents gave up, and make them."""


@missing_tools_command.command("list")
@store_option
def list_missing_tools(**given: object) -> None:
    """List every missing tool with the trajectory that asked for it, and the tool made for it."""
    from rich.table import Table

    settings = without_models(settings_of(**given))

    async def work() -> tuple[Sequence[MissingTool], Mapping[str, ClassInfo]]:
        async with opened(settings) as client:
            return await client.store.traces.missing_tools(), await client.store.classes()

    found, known = run_sync(work())
    table = Table("number", "missing tool", "trajectory", "made", title="Missing tools")
    for one in found:
        made = class_title(known, one.request_class) or "-"
        table.add_row(str(one.id), one.wants, str(one.trace), made)
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
            record = await make_missing_tool(client, missing_tools[number])
            title = class_title(await client.store.classes(), record.request_class)
            return f"{title} v{record.version}"

    say(f"made {run_sync(work())}")
