"""``toolmint train mix``: trajectories for tool use in English, with a card and held-out parts."""

from pathlib import Path

import click

from toolmint.assembly.settings import load_settings
from toolmint.cli.common import say
from toolmint.core.errors import ConfigError


@click.command("mix")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The folder to write."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The data folder [TOOLMINT_DATA].",
)
@click.option(
    "--never",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file whose requests and tools no part may have, such as a test.",
)
@click.option(
    "--size", type=click.IntRange(1), default=8000, show_default=True, help="Trajectories in all."
)
@click.option("--seed", type=int, default=0, show_default=True)
def train_mix(
    *, output: Path, data: Path | None, never: tuple[Path, ...], size: int, seed: int
) -> None:
    """Mix API-Bank, Seal-Tools, ToolBench's examples and ToolWorld with synthetic tasks over real tools.

    Writes mix.jsonl, which training reads, mix.json (the card: shares, licences, digests), and a file for
    each held-out part, which `toolmint eval calls` reads. Same seed, same bytes.
    """
    from toolmint.assembly.mix import mixed
    from toolmint.training.mix import MIX, MixRecipe
    from toolmint.training.mix_files import MixFiles

    folder = data or load_settings().data
    if folder is None:
        raise ConfigError(
            "name the data folder with --data, or set TOOLMINT_DATA", code="data-missing"
        )
    card = mixed(MixFiles(folder, never), output, MixRecipe(size=size, seed=seed), say)
    for part in card.missing:
        say(f"left out, as its files are not in {folder}: {part}")
    say(f"{card.runs} trajectories in {output / MIX}")
