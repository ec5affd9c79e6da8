"""``toolmint train trio``: GLPFT on trajectories, from random weights or a pretrained base."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from toolmint.cli.common import say
from toolmint.cli.train_data import (
    files_argument,
    load,
    seal_option,
    show_data_report,
    tokenizer_class,
)
from toolmint.core.base_model import BaseReference, read_base
from toolmint.core.errors import ConfigError

if TYPE_CHECKING:
    from toolmint.training.pretrained import RoleTexts
    from toolmint.training.recipes import Recipe
    from toolmint.training.tokenizer import Tokenizer


class _Base(NamedTuple):
    """What a run begins with.

    Attributes:
        folder: of a model; None: random weights.
        reference: names a pretrained model; None: the model was trained here.
        tokenizer: the base's own; None: it has none yet.
        adapter: folder of the base's adapter that is trained further.
    """

    folder: Path | None = None
    reference: BaseReference | None = None
    tokenizer: "Tokenizer | None" = None
    adapter: Path | None = None


def open_base(name: str | None, roles: "RoleTexts", tokenizer: Path | None) -> _Base:
    """Return a base by its name, with its own tokenizer.

    Raises:
        ConfigError: it cannot be had, or another tokenizer was named for it.
        InputError: its tokenizer cannot carry the roles.
    """
    if name is None:
        return _Base()
    from toolmint.assembly.bases import base_of, base_reference, check_adapter
    from toolmint.training.pretrained import is_trained_here, own_tokenizer

    folder = base_of(name, say)
    if (named := read_base(folder)) is not None:
        there = base_of(named.name, say)
        check_adapter(named, there, folder)
        return _Base(there, named, tokenizer_class().of_adapter(folder, there), folder)
    if is_trained_here(folder):
        return _Base(folder, None, tokenizer_class().load(folder / "tokenizer.json"))
    if tokenizer is not None:
        raise ConfigError(
            f"{name!r} is a pretrained model, which is used with its own tokenizer alone; leave out "
            "--tokenizer",
            code="tokenizer-marks",
        )
    return _Base(folder, base_reference(name, folder), own_tokenizer(folder, roles))


def _recipe(*, pretrained: bool, **given: Any) -> "Recipe":  # noqa: ANN401
    """Return the recipe that the options describe."""
    from toolmint.training import recipes

    kind, rank = given["kind"] or ("pretrained" if pretrained else "small"), given["adapter"]
    if given["activated"] and rank is None and kind != "pretrained":
        raise ConfigError("--activated is a kind of adapter; give its rank with --adapter")
    epochs = given["epochs"]
    if kind == "pretrained":
        rank = None if given["whole"] else rank or recipes.ADAPTER_RANK
        recipe = recipes.pretrained(rank, 2.0 if epochs is None else epochs)
    elif kind == "small":
        recipe = recipes.small(given["width"], given["layers"], 3.0 if epochs is None else epochs)
    else:
        recipe = recipes.paper()
    adapter = recipe.adapter
    if rank is not None:
        everywhere = adapter is not None and adapter.everywhere
        adapter = recipes.Adapter(
            rank=rank, alpha=2 * rank, activated=given["activated"], everywhere=everywhere
        )
    changed = {name: given[name] for name in ("context", "minutes") if given[name] is not None}
    fixed = {name: given[name] for name in ("method", "seed", "reuse")}
    return recipe.model_copy(update={**fixed, "adapter": adapter, **changed})


@click.command("trio")
@files_argument
@seal_option
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The trio's folder."
)
@click.option(
    "--tokenizer",
    "where",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A tokenizer.json [the base's, or one is trained on the files].",
)
@click.option(
    "--base",
    metavar="NAME",
    help="A model to begin with: smollm2-135m, OWNER/MODEL, a folder, a .gguf [random weights].",
)
@click.option(
    "--roles",
    type=click.Choice(["chat", "marks"]),
    default="chat",
    show_default=True,
    help="How a pretrained base is told the roles: turns of its chat template, or added tokens.",
)
@click.option(
    "--method", type=click.Choice(["glpft", "multi", "single"]), default="glpft", show_default=True
)
@click.option(
    "--recipe",
    "kind",
    type=click.Choice(["small", "paper", "pretrained"]),
    help="[pretrained with such a base, else small]",
)
@click.option("--width", type=click.IntRange(16), default=256, show_default=True)
@click.option("--layers", type=click.IntRange(1), default=6, show_default=True)
@click.option(
    "--epochs", type=float, help="Of the global stage [small: 3, pretrained: 2; paper: always 2]."
)
@click.option("--context", type=click.IntRange(16), help="Tokens of the longest sample, or row.")
@click.option("--minutes", type=float, help="Bound on each stage's training time.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--adapter",
    type=click.IntRange(1),
    help="Train LoRA adapters of this rank [pretrained: 16, else whole models].",
)
@click.option("--whole", is_flag=True, help="Train a pretrained base's own weights, no adapters.")
@click.option(
    "--activated",
    is_flag=True,
    help="Adapters that apply to their role's spans alone: one shared cache.",
)
@click.option(
    "--reuse/--no-reuse",
    default=True,
    show_default=True,
    help="Train both stages on all files, or on one half each.",
)
def train_trio(
    *,
    files: tuple[Path, ...],
    seal_tools: Path | None,
    output: Path,
    where: Path | None,
    base: str | None,
    roles: "RoleTexts",
    **given: Any,  # noqa: ANN401
) -> None:
    """Train a trio on the trajectories of FILES: a global stage, then a local one for each role.

    An interrupted run resumes with the same command; a folder of another run is refused. What was left out,
    and why, is printed and written to data.json. The trio plays with --model local:FOLDER.
    """
    tokenizers = tokenizer_class()
    try:
        from toolmint.training.distributed import main_process_first
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "training needs the extra: pip install 'toolmint[train]'", code="extra"
        ) from fault
    if given["whole"] and (given["adapter"] is not None or given["activated"]):
        raise ConfigError("--whole trains no adapters; leave out --adapter and --activated")
    begun = open_base(base, roles, where)
    recipe = _recipe(pretrained=begun.reference is not None, **given)
    found = load(files, seal_tools)
    kept = output / "tokenizer.json"
    with main_process_first():
        if begun.tokenizer is None and where is None and not kept.is_file():
            output.mkdir(parents=True, exist_ok=True)
            tokenizers.train((one.trajectory for one in found), 4096).save(kept)
    tokenizer = tokenizers.load(where or kept) if begun.tokenizer is None else begun.tokenizer
    fit(found, recipe, begun, tokenizer, output)
    folder = output / "backbone" if recipe.method == "single" else output
    say(f"play with: toolmint eval toolworld --model local:{folder}")


def fit(
    found: "Any",  # noqa: ANN401 - located trajectories
    recipe: "Recipe",
    begun: _Base,
    tokenizer: "Tokenizer",
    output: Path,
    *,
    longest: int | None = None,
) -> None:
    """Make the samples of trajectories and train on them; what was left out is shown and written.

    Args:
        found: trajectories with their places.
        recipe: the training's settings.
        begun: what the run begins with.
        tokenizer: makes the samples.
        output: the run's folder.
        longest: tokens of the longest sample that is learnt; longer ones are passed over.
    """
    from toolmint.cli.training_bar import TrainingBar
    from toolmint.training.data_report import DATA_REPORT, check_not_empty, samples_of
    from toolmint.training.distributed import write_once
    from toolmint.training.glpft import train
    from toolmint.training.run_folder import check_folder, run_key

    made, report = samples_of(found, tokenizer, recipe.context)
    show_data_report(report)
    check_not_empty(report)
    samples = [one for _, one in made if longest is None or len(one.ids) <= longest]
    check_folder(output, run_key(samples, recipe, begun.adapter or begun.folder))
    output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(output / "tokenizer.json")
    write_once(output / DATA_REPORT, report.model_dump_json(indent=1))
    say(f"{len(samples)} trajectories, {sum(len(one.ids) for one in samples):,} tokens")
    with TrainingBar() as bar:
        card = train(
            samples,
            recipe,
            output / "tokenizer.json",
            output,
            base=begun.folder,
            reference=begun.reference,
            adapter=begun.adapter,
            callbacks=bar,
        )
    say(f"trained in {card.seconds:.0f} s; the card is {output / 'card.json'}")
