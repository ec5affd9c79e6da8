"""``toolmint mcp``: the store's serving tools as an MCP server over standard input and output."""

from importlib.metadata import version
from typing import Any

import click

from toolmint.cli.common import opened, settings_of, store_option, without_models
from toolmint.core.errors import ConfigError
from toolmint.core.sync import run_sync
from toolmint.core.toolbox import Toolbox


@click.command("mcp")
@click.option("--tenant", help="Serve this tenant's tools alone [all].")
@store_option
def mcp_command(*, tenant: str | None, store: object) -> None:
    """Serve made tools to an MCP client that starts this program (stdio)."""
    settings = without_models(settings_of(store=store))
    try:
        from toolmint.assembly.gateway import toolbox_factory
        from toolmint.gateway.mcp import over_stdio, server_of
        from toolmint.gateway.mcp_tools import serving_tools
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "MCP needs the extras: pip install 'toolmint[gateway,mcp]'", code="extra"
        ) from fault

    async def work() -> None:
        async with opened(settings) as client:

            async def tools(context: Any) -> Toolbox:  # noqa: ANN401 - the SDK's own
                del context
                records = await serving_tools(client.store, tenant)
                return toolbox_factory(client.sandbox)(records, [], tenant)

            await over_stdio(server_of(tools, version("toolmint")))

    run_sync(work())
