"""``toolwright queue``: what waits for a tool."""

import click

from toolwright.cli.common import console, opened, settings_of, store_option, without_models
from toolwright.core.doors import run_sync
from toolwright.core.tool import Demonstration
from toolwright.core.values import clip


@click.command("queue")
@store_option
def command(**given: object) -> None:
    """Show the queued requests by class, with how many a making needs."""
    from rich.table import Table

    settings = settings_of(**given)

    async def work() -> dict[str, list[Demonstration]]:
        async with opened(without_models(settings)) as workshop:
            return await workshop.store.queued()

    table = Table(
        "class", "queued", "needed", "first request", title="Requests that wait for a tool"
    )
    for name, waiting in sorted(run_sync(work()).items(), key=lambda pair: -len(pair[1])):
        table.add_row(name, str(len(waiting)), str(settings.needed), clip(waiting[0].input, 70))
    console().print(table)
