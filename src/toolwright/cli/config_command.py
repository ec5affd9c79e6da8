"""``toolwright config``: every setting, its value, and where that comes from."""

import re

import click

from toolwright.assembly.settings import Settings, effective
from toolwright.cli.common import console, say

PASSWORD = re.compile(r"(://[^:/@]+:)[^@]+@")


@click.group("config")
def command() -> None:
    """Show where each setting comes from."""


@command.command("check")
def check() -> None:
    """Read flags, environment and toolwright.toml; explain every value, or say what is wrong."""
    from rich.table import Table

    found = effective()
    table = Table("setting", "value", "from", "what it is")
    for name, field in Settings.model_fields.items():
        value = getattr(found.settings, name)
        shown = "-" if value is None else PASSWORD.sub(r"\1***@", str(value))
        about = " ".join((field.description or "").split())
        table.add_row(name, shown, found.origins[name], about)
    console().print(table)
    say("All settings are allowed.")
