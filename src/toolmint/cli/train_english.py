"""``toolmint train english``: the adapters that ship, on a pretrained base, from the mix to the package."""

import json
from pathlib import Path
from typing import Any

import click

from toolmint.assembly.settings import load_settings
from toolmint.cli.common import say
from toolmint.cli.train_data import load, tokenizer_class
from toolmint.cli.train_trio import fit, open_base
from toolmint.core.errors import ConfigError

BASE = "smollm2-135m"


@click.command("english")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The run's folder."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The data folder of the mix [TOOLMINT_DATA].",
)
@click.option(
    "--never",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file whose requests and tools the mix may not have.",
)
@click.option("--base", default=BASE, show_default=True, help="As --base of train trio.")
@click.option(
    "--minutes", type=float, help="Bound on the training time; the rate falls to 0 by then."
)
@click.option(
    "--longest",
    type=click.IntRange(16),
    default=450,
    show_default=True,
    help="Tokens of the longest run that is learnt.",
)
@click.option("--size", type=click.IntRange(1), default=8000, show_default=True)
def train_english(
    *,
    output: Path,
    data: Path | None,
    never: tuple[Path, ...],
    base: str,
    minutes: float | None,
    longest: int,
    size: int,
) -> None:
    """Train the English trio: one adapter for all roles, on the mix, over a pretrained base.

    Makes the mix, fetches the base, trains, and writes the packed adapter to the folder `trio` of OUTPUT. An
    interrupted run resumes with the same command.
    """
    tokenizer_class()
    from toolmint.training.adapter_bundle import bundle_adapter
    from toolmint.training.mix import MIX, MIX_CARD
    from toolmint.training.recipes import english

    mix = output / "mix"
    if not (mix / MIX_CARD).is_file():
        _make_mix(mix, data, never, size)
    begun = open_base(base, "chat", None)
    if begun.reference is None or begun.tokenizer is None:
        raise ConfigError(f"{base!r} was trained here; name a pretrained base", code="base")
    fit(load((mix / MIX,), None), english(minutes), begun, begun.tokenizer, output, longest=longest)
    card: dict[str, Any] = json.loads((mix / MIX_CARD).read_text(encoding="utf-8"))
    shares = [{key: one[key] for key in _SHOWN} for one in card["parts"]]
    held_out = [{key: one[key] for key in ("name", "runs", "sha256")} for one in card["held_out"]]
    told = {"sha256": card["sha256"], "parts": shares, "held_out": held_out, "longest": longest}
    bundle_adapter(output / "backbone", output / "trio", base=begun.reference.name, data=told)
    say(f"packed in {output / 'trio'}; play with --model local:{output / 'trio'}")


_SHOWN = ("name", "runs", "share", "source", "licence", "about", "files")
"""What the adapter's card says of each part of the mix."""


def _make_mix(mix: Path, data: Path | None, never: tuple[Path, ...], size: int) -> None:
    from toolmint.assembly.mix import mixed
    from toolmint.training.mix import MixRecipe
    from toolmint.training.mix_sources import MixFiles

    folder = data or load_settings().data
    if folder is None:
        raise ConfigError(
            "name the data folder with --data, or set TOOLMINT_DATA", code="data-missing"
        )
    mixed(MixFiles(folder, never), mix, MixRecipe(size=size), say)
