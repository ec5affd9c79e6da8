"""``toolwright mcp``: the store's serving tools as an MCP server over standard input and output."""

from importlib.metadata import version
from typing import Any

import click

from toolwright.cli.common import opened, settings_of, store_option, without_models
from toolwright.core.doors import run_sync
from toolwright.core.errors import ConfigError
from toolwright.core.toolbox import Toolbox


@click.command("mcp")
@click.option("--tenant", help="Serve this tenant's tools alone [all].")
@store_option
def command(*, tenant: str | None, store: object) -> None:
    """Serve made tools to an MCP client that starts this program (stdio)."""
    settings = without_models(settings_of(store=store))
    try:
        from toolwright.assembly.serving import box_of
        from toolwright.gateway.catalogue import made
        from toolwright.gateway.mcp import over_stdio, server_of
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "MCP needs the extras: pip install 'toolwright[gateway,mcp]'", code="extra"
        ) from fault

    async def work() -> None:
        async with opened(settings) as workshop:
            room = workshop.store.room(f"{tenant}/") if tenant else workshop.store

            async def tools(context: Any) -> Toolbox:  # noqa: ANN401 - the SDK's own
                del context
                return box_of(workshop.sandbox)(await made(room), [])

            await over_stdio(server_of(tools, version("toolwright")))

    run_sync(work())
