"""Groups of commands whose files are loaded only when they are called, so that ``--help`` is quick."""

from collections.abc import Mapping
from importlib import import_module

import click


class LazyGroup(click.Group):
    """A group that finds ``<prefix><name>_command.command``, and lists names without loading anything.

    Args:
        found: name and one line of help for each command.
        prefix: what stands before the name in the module's name.
        named: the group's own name, and its help, for click.
    """

    def __init__(self, found: Mapping[str, str], prefix: str = "", **named: str) -> None:
        super().__init__(name=named.get("name"), help=named.get("help"))
        self._found, self._prefix = found, prefix

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands' names."""
        del ctx
        return list(self._found)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        del ctx
        if cmd_name not in self._found:
            return None
        return import_module(f"toolwright.cli.{self._prefix}{cmd_name}_command").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands without loading them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self._found.items()))
