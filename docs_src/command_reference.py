"""Write docs/commands.md from the help texts of the command line.

python docs_src/command_reference.py            # writes the page
python docs_src/command_reference.py --check    # fails where the page is out of date
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from toolmint.cli.main import toolmint as program

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Commands

`toolmint COMMAND --help` prints the same. This page is written by
`python docs_src/command_reference.py`.
"""


def sections(command: click.Command, parent: click.Context | None, name: str) -> Iterator[str]:
    """Yield the help of a command and of all its subcommands, as Markdown."""
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=92, **command.context_settings
    )
    depth = "#" * min(4, len(context.command_path.split()))
    if parent is not None:
        yield f"\n{depth} {context.command_path}\n"
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield f"\n```\n{text}\n```\n"
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            child = command.get_command(context, word)
            if child is not None and not child.hidden:
                yield from sections(child, context, word)


def page() -> str:
    """Return the whole page."""
    return HEAD + "".join(sections(program, None, "toolmint"))


def main() -> None:
    """Write the page, or compare it."""
    options = argparse.ArgumentParser(description="Write the command reference.")
    options.add_argument("--check", action="store_true", help="compare, and write nothing")
    if not options.parse_args().check:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        sys.exit(f"{PAGE.name} is out of date: run python docs_src/command_reference.py")


if __name__ == "__main__":
    main()
