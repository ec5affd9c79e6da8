"""Command groups that import a command's module only when it runs, so that ``--help`` is quick."""

from collections.abc import Mapping
from importlib import import_module

import click


class LazyGroup(click.Group):
    """A command group that imports its commands lazily.

    The command ``name`` is the function ``<prefix><name>_command`` in the module of that name.

    Args:
        found: name and one line of help of each command.
        prefix: prefix of the modules' names.
        named: the group's own ``name`` and ``help``.
    """

    def __init__(self, found: Mapping[str, str], prefix: str = "", **named: str) -> None:
        super().__init__(name=named.get("name"), help=named.get("help"))
        self._found, self._prefix = found, prefix

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return list(self._found)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; None if the name is unknown."""
        del ctx
        if cmd_name not in self._found:
            return None
        name = f"{self._prefix}{cmd_name.replace('-', '_')}_command"
        return getattr(import_module(f"toolmint.cli.{name}"), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self._found.items()))
