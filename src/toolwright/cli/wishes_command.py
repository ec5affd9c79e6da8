"""``toolwright wishes``: the tools for want of which agents gave up, and their making."""

from collections.abc import Sequence

import click

from toolwright.cli.common import (
    console,
    model_options,
    opened,
    say,
    settings_of,
    store_option,
    without_models,
)
from toolwright.core.doors import run_sync
from toolwright.core.errors import InputError
from toolwright.core.store import Wish


@click.group("wishes")
def command() -> None:
    """List the tools that agents missed, and make them."""


@command.command("list")
@store_option
def list_wishes(**given: object) -> None:
    """List every wish, its trajectory, and the class of the tool that was made of it."""
    from rich.table import Table

    settings = without_models(settings_of(**given))

    async def work() -> Sequence[Wish]:
        async with opened(settings) as workshop:
            return await workshop.store.traces.wishes()

    table = Table("number", "missing tool", "trajectory", "made", title="Wishes")
    for one in run_sync(work()):
        table.add_row(str(one.id), one.wants, str(one.trace), one.request_class or "-")
    console().print(table)


@command.command("grant")
@click.argument("number", type=int)
@model_options
@store_option
def grant_wish(*, number: int, **given: object) -> None:
    """Make the tool of wish NUMBER, through the whole gate; agents with --tools made then have it."""
    settings = settings_of(**given)

    async def work() -> str:
        from toolwright.assembly.wishes import grant

        async with opened(settings, say) as workshop:
            wishes = {one.id: one for one in await workshop.store.traces.wishes()}
            if number not in wishes:
                raise InputError(f"there is no wish {number}; `toolwright wishes list` names all")
            return (await grant(workshop, wishes[number])).label

    say(f"made {run_sync(work())}")
