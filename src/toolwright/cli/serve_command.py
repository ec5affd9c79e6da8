"""``toolwright serve``: the gateway, until it is told to end."""

import click

from toolwright.cli.common import model_options, settings_of, store_option
from toolwright.core.errors import ConfigError


@click.command("serve")
@click.option("--host", help="Where it listens [127.0.0.1]; elsewhere it takes keys.")
@click.option("--port", type=int, help="Its port [8080]; 0: any that is free.")
@click.option("--epsilon", type=float, help="Share of answers a tool may get wrong [0.05].")
@click.option("--confidence", type=float, help="Confidence of that bound [0.95].")
@click.option("--audit-rate", type=float, help="Share of a tool's answers that are audited [0.1].")
@click.option("--approval", is_flag=True, default=None, help="A person approves each tool.")
@click.option("--making/--no-making", default=None, help="Make tools in the background [on].")
@model_options
@store_option
def command(**given: object) -> None:
    """Serve the OpenAI API: requests go to proved tools, the others to --model, and become tools."""
    settings = settings_of(**given)
    try:
        from toolwright.cli.serving import run
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "the gateway needs the extra: pip install 'toolwright[gateway]'", code="extra"
        ) from fault
    run(settings)
