"""``toolmint train trio``: GLPFT on the trajectories of some files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolmint.cli.common import say
from toolmint.cli.train_data import (
    files_argument,
    load,
    seal_option,
    show_data_report,
    tokenizer_class,
)
from toolmint.core.errors import ConfigError

if TYPE_CHECKING:
    from toolmint.training.recipes import Recipe


def _recipe(**given: Any) -> "Recipe":  # noqa: ANN401
    """Return the recipe that the options describe."""
    from toolmint.training import recipes

    recipe = recipes.paper()
    if given["kind"] == "small":
        recipe = recipes.small(given["width"], given["layers"], given["epochs"])
    if given["activated"] and given["adapter"] is None:
        raise ConfigError("--activated is a kind of adapter; give its rank with --adapter")
    adapter = None
    if given["adapter"] is not None:
        rank: int = given["adapter"]
        adapter = recipes.Adapter(rank=rank, alpha=2 * rank, activated=given["activated"])
    return recipe.model_copy(
        update={
            "method": given["method"],
            "seed": given["seed"],
            "adapter": adapter,
            "reuse": given["reuse"],
        }
    )


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
    help="A tokenizer.json [one is trained on the files].",
)
@click.option(
    "--base",
    type=click.Path(path_type=Path, file_okay=False),
    help="A model to begin with [random weights].",
)
@click.option(
    "--method", type=click.Choice(["glpft", "multi", "single"]), default="glpft", show_default=True
)
@click.option(
    "--recipe", "kind", type=click.Choice(["small", "paper"]), default="small", show_default=True
)
@click.option("--width", type=click.IntRange(16), default=256, show_default=True)
@click.option("--layers", type=click.IntRange(1), default=6, show_default=True)
@click.option(
    "--epochs", type=float, default=3.0, show_default=True, help="Of the global stage of 'small'."
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--adapter", type=click.IntRange(1), help="Train LoRA adapters of this rank, not whole copies."
)
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
    base: Path | None,
    **given: Any,  # noqa: ANN401
) -> None:
    """Train a trio on the trajectories of FILES: a global stage, then a local one for each role.

    An interrupted run resumes with the same command; a folder of another run is refused. What was left out,
    and why, is printed and written to data.json. The trio plays with --family marked.
    """
    tokenizers = tokenizer_class()
    try:
        from toolmint.training.distributed import main_process_first, write_once
        from toolmint.training.glpft import train
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "training needs the extra: pip install 'toolmint[train]'", code="extra"
        ) from fault
    from toolmint.cli.training_bar import TrainingBar
    from toolmint.training.data_report import DATA_REPORT, check_not_empty, samples_of
    from toolmint.training.run_folder import check_folder, run_key

    recipe = _recipe(**given)
    found = load(files, seal_tools)
    kept = output / "tokenizer.json"
    with main_process_first():
        if where is None and not kept.is_file():
            output.mkdir(parents=True, exist_ok=True)
            tokenizers.train((one.trajectory for one in found), 4096).save(kept)
    tokenizer = tokenizers.load(where or kept)
    made, report = samples_of(found, tokenizer, recipe.context)
    show_data_report(report)
    check_not_empty(report)
    samples = [sample for _, sample in made]
    check_folder(output, run_key(samples, recipe, base))
    output.mkdir(parents=True, exist_ok=True)
    write_once(kept, tokenizer.text)
    write_once(output / DATA_REPORT, report.model_dump_json(indent=1))
    say(f"{len(samples)} trajectories, {sum(len(one.ids) for one in samples):,} tokens")
    with TrainingBar() as bar:
        card = train(samples, recipe, kept, output, base=base, callbacks=bar)
    say(f"trained in {card.seconds:.0f} s; the card is {output / 'card.json'}")
    folder = output / "backbone" if recipe.method == "single" else output
    say(f"play with: toolmint eval toolworld --model local:{folder}")
