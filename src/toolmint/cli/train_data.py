"""The files of a training command: options, reading, and the report of what was left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolmint.cli.common import console
from toolmint.core.errors import ConfigError

if TYPE_CHECKING:
    from toolmint.training.data_report import DataReport
    from toolmint.training.readers import Located
    from toolmint.training.tokenizer import Tokenizer

files_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
seal_option = click.option(
    "--seal-tools",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Seal-Tools' documents, for its queries.",
)


def load(files: Sequence[Path], seal_tools: Path | None) -> "list[Located]":
    """Return the trajectories of all files, with their places."""
    from toolmint.training.readers import read_located, seal_documents

    tools = seal_documents(seal_tools) if seal_tools is not None else None
    return [one for path in files for one in read_located(path, tools)]


def tokenizer_class() -> "type[Tokenizer]":
    """Return the class, or raise a ConfigError that names the missing extra."""
    try:
        from toolmint.training.tokenizer import Tokenizer
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "training needs the extra: pip install 'toolmint[train]'", code="extra"
        ) from fault
    return Tokenizer


def show_data_report(report: "DataReport") -> None:
    """Print what was read, left out, kept as context, shortened and learnt."""
    from rich.table import Table
    from rich.text import Text

    table = Table("", "trajectories", "why", title="Data")
    for what, count, why in report.lines():
        table.add_row(what, f"{count:,}", Text(why))
    console().print(table)
