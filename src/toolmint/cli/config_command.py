"""``toolmint config``: every setting, its value, and where the value comes from."""

import re

import click

from toolmint.assembly.settings import Settings, effective
from toolmint.cli.common import console, say

_PASSWORD = re.compile(r"(://[^:/@]+:)[^@]+@")


@click.group("config")
def config_command() -> None:
    """Show the settings and where each value comes from."""


@config_command.command("check")
def check() -> None:
    """Check the environment and toolmint.toml; show every value or the error."""
    from rich.table import Table

    found = effective()
    table = Table("setting", "value", "from", "description")
    for name, field in Settings.model_fields.items():
        value = getattr(found.settings, name)
        shown = "-" if value is None else _PASSWORD.sub(r"\1***@", str(value))
        about = " ".join((field.description or "").split())
        table.add_row(name, shown, found.origins[name], about)
    console().print(table)
    say("All settings are valid.")
