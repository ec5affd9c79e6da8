"""``toolmint serve``: the gateway, until a signal ends it."""

import click

from toolmint.cli.common import model_options, settings_of, store_option
from toolmint.core.errors import ConfigError


@click.command("serve")
@click.option("--host", help="Where it listens [127.0.0.1]; elsewhere it takes keys.")
@click.option("--port", type=int, help="Its port [8080]; 0: any that is free.")
@click.option("--epsilon", type=float, help="Share of answers a tool may get wrong [0.05].")
@click.option("--confidence", type=float, help="Confidence of that bound [0.95].")
@click.option("--audit-rate", type=float, help="Share of a tool's answers that are audited [0.1].")
@click.option("--approval", is_flag=True, default=None, help="A person approves each tool.")
@click.option("--making/--no-making", default=None, help="Make tools in the background [on].")
@click.option(
    "--profile",
    type=click.Choice(["proved", "learned"]),
    help="Make tools of code, and learned ones where none passes; or learned ones alone [proved].",
)
@model_options
@store_option
def serve_command(**given: object) -> None:
    """Serve the OpenAI API: requests go to proved tools, the others to --model, and become tools."""
    settings = settings_of(**given)
    try:
        from toolmint.cli.serve_process import run_gateway
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "the gateway needs the extra: pip install 'toolmint[gateway]'", code="extra"
        ) from fault
    run_gateway(settings)
