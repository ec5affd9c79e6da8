"""``toolmint queue``: what waits for a tool."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from toolmint.cli.common import console, opened, settings_of, store_option, without_models
from toolmint.core.sync import run_sync
from toolmint.core.values import clip

if TYPE_CHECKING:
    from toolmint.core.store import ClassInfo


@click.command("queue")
@store_option
def queue_command(**given: object) -> None:
    """Show the queued requests by class, with how many a making needs."""
    from rich.table import Table

    from toolmint.serving.titles import class_title

    settings = settings_of(**given)

    async def work() -> "tuple[Mapping[str, int], Mapping[str, ClassInfo]]":
        async with opened(without_models(settings)) as session:
            return await session.store.waiting(), await session.store.classes()

    waiting, known = run_sync(work())
    table = Table("class", "queued", "needed", "an example", title="Requests that wait for a tool")
    for name, count in sorted(waiting.items(), key=lambda pair: -pair[1]):
        info = known.get(name)
        example = clip(info.example, 60) if info and info.example else "-"
        table.add_row(class_title(known, name), str(count), str(settings.needed), example)
    console().print(table)
