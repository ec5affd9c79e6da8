"""The door of the command line: finds the command, and turns every error into one line."""

import sys
from importlib import import_module

import click

from toolwright.core.errors import ToolwrightError, boundary

COMMANDS = {
    "apply": "Answer a whole JSONL file; can be stopped and taken up again.",
    "bill": "Show what each class cost, what it saved, and its break-even point.",
    "demo": "Show the loop on a mixed stream, with no key and no network.",
    "doctor": "Show what the sandbox contains on this machine, and what it does not.",
    "eval": "Measure: LATM's tables over BIG-Bench-style files.",
    "make": "Make, prove and store a tool from a file of demonstrations.",
    "queue": "Show the requests that wait for a tool.",
    "solve": "Answer one request.",
    "tools": "List, show, export, import, roll back and retire tools.",
}


class Commands(click.Group):
    """Loads a command's file only when it is called, so that ``--help`` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands' names."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"toolwright.cli.{cmd_name}_command").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands without loading them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="toolwright")
def toolwright() -> None:
    """A strong model makes a tool once; the tool is proved, and answers for ever."""


def _unexpected(fault: Exception) -> ToolwrightError:
    """Give the error that a fault nobody planned for becomes; where it stood is said, for a report."""
    if isinstance(fault, OSError):
        return ToolwrightError(f"{fault.strerror or fault}: {fault.filename or ''}", code="system")
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
    return ToolwrightError(
        f"a fault of toolwright itself, please report it: {fault!r} at {where}", code="bug"
    )


def main() -> None:
    """Run the command line; every error is one line with a stable code."""
    try:
        boundary(toolwright, _unexpected)
    except ToolwrightError as fault:
        click.echo(f"error [{fault.code}]: {fault}", err=True)
        sys.exit(1)
