"""``toolmint train``: tokenizer, samples, a trio (GLPFT), and the bundled model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolmint.cli.common import console, say
from toolmint.cli.train_deploy import export_model, train_cluster, train_serve
from toolmint.core.errors import ConfigError, InputError

if TYPE_CHECKING:
    from toolmint.core.task import Trajectory
    from toolmint.training.samples import Sample
    from toolmint.training.tokenizer import Tokenizer

files_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
seal_option = click.option(
    "--seal-tools",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Seal-Tools' documents, for its queries.",
)


@click.group("train")
def train_command() -> None:
    """Train planner, caller and summarizer on trajectories: one pass with a mask for each role."""


def load(files: Sequence[Path], seal_tools: Path | None) -> "list[Trajectory]":
    """Return the trajectories of all files."""
    from toolmint.training.readers import read_file, seal_documents

    tools = seal_documents(seal_tools) if seal_tools is not None else None
    return [one for path in files for one in read_file(path, tools)]


def _tokenizer_class() -> "type[Tokenizer]":
    """Return the class, or raise a ConfigError that names the missing extra."""
    try:
        from toolmint.training.tokenizer import Tokenizer
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "training needs the extra: pip install 'toolmint[train]'", code="extra"
        ) from fault
    return Tokenizer


@train_command.command("tokenizer")
@files_argument
@seal_option
@click.option("--size", type=int, default=4096, show_default=True, help="Tokens in the vocabulary.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The tokenizer.json."
)
def train_tokenizer(
    *, files: tuple[Path, ...], seal_tools: Path | None, size: int, output: Path
) -> None:
    """Train a byte-level BPE with the role marks on the trajectories of FILES."""
    tokenizer = _tokenizer_class().train(load(files, seal_tools), size)
    tokenizer.save(output)
    say(f"{tokenizer.size} tokens in {output}")


@train_command.command("samples")
@files_argument
@seal_option
@click.option(
    "--tokenizer", "where", type=click.Path(path_type=Path, dir_okay=False), required=True
)
@click.option(
    "--context", type=click.IntRange(16), default=4096, show_default=True, help="Tokens of a row."
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="Write JSON lines of ids and role masks.",
)
def train_samples(
    *,
    files: tuple[Path, ...],
    seal_tools: Path | None,
    where: Path,
    context: int,
    output: Path | None,
) -> None:
    """Tokenise each trajectory of FILES once; print what truncation removed and what one pass saves."""
    from rich.progress import track

    from toolmint.training.samples import sample_of

    tokenizer = _tokenizer_class().load(where)
    runs = load(files, seal_tools)
    made: list[tuple[Trajectory, Sample]] = []
    left_out: list[str] = []
    for run in track(runs, "tokenising", console=console()):
        try:
            made.append((run, sample_of(run, tokenizer, context)))
        except InputError as fault:
            left_out.append(str(fault))
    _show(made, tokenizer, len(left_out))
    for reason in left_out[:3]:
        say(f"left out: {reason}")
    if output is not None:
        _write(output, [sample for _, sample in made])


@train_command.command("trio")
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

    An interrupted run resumes with the same command. The trio plays with --family marked.
    """
    tokenizers = _tokenizer_class()
    try:
        from toolmint.training.distributed import main_process_first
        from toolmint.training.glpft import train
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "training needs the extra: pip install 'toolmint[train]'", code="extra"
        ) from fault
    from toolmint.cli.training_bar import TrainingBar
    from toolmint.training import recipes
    from toolmint.training.samples import sample_of

    recipe = recipes.paper()
    if given["kind"] == "small":
        recipe = recipes.small(given["width"], given["layers"], given["epochs"])
    if given["activated"] and given["adapter"] is None:
        raise ConfigError("--activated is a kind of adapter; give its rank with --adapter")
    adapter = None
    if given["adapter"] is not None:
        rank: int = given["adapter"]
        adapter = recipes.Adapter(rank=rank, alpha=2 * rank, activated=given["activated"])
    recipe = recipe.model_copy(
        update={
            "method": given["method"],
            "seed": given["seed"],
            "adapter": adapter,
            "reuse": given["reuse"],
        }
    )
    runs = load(files, seal_tools)
    output.mkdir(parents=True, exist_ok=True)
    vocabulary = where or output / "tokenizer.json"
    with main_process_first():
        if where is None and not vocabulary.is_file():
            tokenizers.train(runs, 4096).save(vocabulary)
        tokenizer = tokenizers.load(vocabulary)
        if vocabulary != output / "tokenizer.json":
            tokenizer.save(output / "tokenizer.json")
    made = [sample_of(run, tokenizer, recipe.context) for run in runs]
    say(f"{len(made)} trajectories, {sum(len(one.ids) for one in made):,} tokens")
    with TrainingBar() as bar:
        card = train(made, recipe, vocabulary, output, base=base, callbacks=bar)
    say(f"trained in {card.seconds:.0f} s; the card is {output / 'card.json'}")
    folder = output / "backbone" if recipe.method == "single" else output
    say(f"play with: toolmint eval toolworld --model local:{folder}")


@train_command.command("bundled")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The trio's folder."
)
@click.option(
    "--base",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with such a model, to train further.",
)
@click.option("--single", type=click.IntRange(0), help="Phase 1: runs of one call among few tools.")
@click.option("--short", type=click.IntRange(0), help="Phase 2: runs of one or two calls.")
@click.option("--usual", type=click.IntRange(0), help="Phase 3: runs of the usual shape.")
@click.option(
    "--in-domain", type=click.IntRange(0), help="Phase 4: such runs, more in the world's words."
)
def train_bundled(*, output: Path, base: Path | None, **given: int | None) -> None:
    """Make the bundled model: curriculum, tokenizer, training, export.

    It takes an hour and a half on two cores with native bfloat16 (AVX-512), an estimated six hours with AVX2
    alone; fewer runs make a weaker model sooner. An interrupted run resumes with the same command.
    """
    _tokenizer_class()
    from toolmint.cli.training_bar import TrainingBar
    from toolmint.training.bundled_model import make_bundled_model
    from toolmint.training.curriculum import Curriculum

    curriculum = Curriculum()._replace(
        **{name: one for name, one in given.items() if one is not None}
    )
    with TrainingBar() as bar:
        card = make_bundled_model(output, curriculum, base=base, callbacks=bar)
    say(f"made in {card.seconds:.0f} s of training; play with --model onnx:{output / 'trio'}")


def _show(
    made: "Sequence[tuple[Trajectory, Sample]]", tokenizer: "Tokenizer", left_out: int
) -> None:
    from rich.table import Table

    from toolmint.roles.paper import Paper
    from toolmint.training.paper_samples import step_samples
    from toolmint.training.samples import TRAINED_ROLES

    paper = Paper.default()
    table = Table("role", "spans", "tokens learnt", "tokens read, a sample a step", title="Samples")
    stepped = 0
    for role in TRAINED_ROLES:
        learnt = sum(one == role for _, sample in made for one in sample.role_mask)
        spans = sum(sample.span_count(role) for _, sample in made)
        texts = [
            one.prompt + one.target for run, _ in made for one in step_samples(run, role, paper)
        ]
        read = sum(len(tokenizer.encode(text)) for text in texts)
        stepped += read
        table.add_row(role, str(spans), str(learnt), str(read))
    console().print(table)
    once = sum(len(sample.ids) for _, sample in made)
    steps = max(1, sum(step.decision is not None for run, _ in made for step in run.path()))
    cut = [sample.truncation for _, sample in made if sample.truncation.tokens]
    lost = sum(one.tokens for one in cut)
    say(f"{len(made)} trajectories, {left_out} left out; {len(cut)} cut by {lost} tokens")
    ratio = f", {stepped / once:.1f} times as many" if once else ""
    say(f"one pass for all roles: {once / steps:.0f} tokens a step")
    say(f"a sample a step and role: {stepped / steps:.0f} tokens a step{ratio}")


def _write(output: Path, made: "Sequence[Sample]") -> None:
    import json

    with output.open("w", encoding="utf-8") as file:
        for sample in made:
            file.write(json.dumps({"input_ids": sample.ids, "role_mask": sample.role_mask}) + "\n")
    say(f"{len(made)} samples in {output}")


train_command.add_command(train_cluster)
train_command.add_command(export_model)
train_command.add_command(train_serve)
