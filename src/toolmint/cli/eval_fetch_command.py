"""``toolmint eval fetch``: public benchmark data, by pinned address and digest."""

from pathlib import Path

import click

from toolmint.cli.common import console, say, settings_of
from toolmint.core.errors import ConfigError, InputError


@click.command("fetch")
@click.argument("names", nargs=-1)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The data folder [TOOLMINT_DATA].",
)
@click.option("--mirror", help="An address with the paths of raw.githubusercontent.com.")
@click.option(
    "--accept-digest", is_flag=True, help="Keep files whose digest this version does not know."
)
def eval_fetch_command(
    *, names: tuple[str, ...], folder: Path | None, mirror: str | None, accept_digest: bool
) -> None:
    """Get the data of the benchmarks NAMES; without a name, list what there is.

    The data are their authors' own, under the licence that the list shows.
    """
    from toolmint.evaluation.public_data import DATA_SETS, GITHUB, fetch

    if not names:
        _list()
        return
    unknown = [name for name in names if name not in DATA_SETS]
    if unknown:
        raise InputError(f"no data are known for {unknown[0]!r}; known are {', '.join(DATA_SETS)}")
    target = folder or settings_of().data
    if target is None:
        raise ConfigError("name a folder with --to, or set TOOLMINT_DATA", code="data-missing")
    for name in names:
        fetch(
            DATA_SETS[name],
            target,
            mirror=mirror or GITHUB,
            accept_digest=accept_digest,
            notify=say,
        )
    say(f"benchmarks find the data where TOOLMINT_DATA={target}")


def _list() -> None:
    from rich.table import Table

    from toolmint.evaluation.public_data import DATA_SETS

    table = Table("name", "data", "licence", "files", "digests known", title="Benchmark data")
    for name, one in DATA_SETS.items():
        known = sum(file.sha256 is not None for file in one.files)
        table.add_row(name, one.about, one.licence, str(len(one.files)), str(known))
    console().print(table)
