"""``toolwright train``: tokenizer, samples, and the trio (GLPFT)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolwright.cli.common import console, say
from toolwright.cli.train_beyond import cluster, export, serve
from toolwright.core.errors import ConfigError, InputError

if TYPE_CHECKING:
    from toolwright.core.task import Trajectory
    from toolwright.training.samples import Sample
    from toolwright.training.tokenizer import Words

files_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
seal_option = click.option(
    "--seal-tools",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Seal-Tools' documents, for its queries.",
)


@click.group("train")
def command() -> None:
    """Train planner, caller and summarizer on trajectories: one pass with a mask for each role."""


def load(files: Sequence[Path], seal_tools: Path | None) -> "list[Trajectory]":
    """Read every trajectory of the files."""
    from toolwright.training.readers import read_file, seal_documents

    tools = seal_documents(seal_tools) if seal_tools is not None else None
    return [one for path in files for one in read_file(path, tools)]


def _words() -> "type[Words]":
    try:
        from toolwright.training.tokenizer import Words
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "training needs the extra: pip install 'toolwright[train]'", code="extra"
        ) from fault
    return Words


@command.command("tokenizer")
@files_argument
@seal_option
@click.option("--size", type=int, default=4096, show_default=True, help="Tokens in the vocabulary.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The tokenizer.json."
)
def tokenizer(*, files: tuple[Path, ...], seal_tools: Path | None, size: int, output: Path) -> None:
    """Train a byte-level BPE with the role marks on the trajectories of FILES."""
    words = _words().train(load(files, seal_tools), size)
    words.save(output)
    say(f"{words.size} tokens in {output}")


@command.command("samples")
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
def samples(
    *, files: tuple[Path, ...], seal_tools: Path | None, where: Path, context: int, output: Path | None
) -> None:  # fmt: skip
    """Tokenise each trajectory of FILES once, and say what truncation cut and what one pass saves."""
    from rich.progress import track

    from toolwright.training.samples import sample_of

    words = _words().load(where)
    runs = load(files, seal_tools)
    made: list[tuple[Trajectory, Sample]] = []
    left_out: list[str] = []
    for run in track(runs, "tokenising", console=console()):
        try:
            made.append((run, sample_of(run, words, context)))
        except InputError as fault:
            left_out.append(str(fault))
    _show(made, words, len(left_out))
    for reason in left_out[:3]:
        say(f"left out: {reason}")
    if output is not None:
        _write(output, [sample for _, sample in made])


@command.command("trio")
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
    "--activated", is_flag=True, help="Adapters that read their role's words alone: one cache."
)
@click.option(
    "--reuse/--no-reuse",
    default=True,
    show_default=True,
    help="Both stages learn from all files, or half each.",
)
def trio(
    *, files: tuple[Path, ...], seal_tools: Path | None, output: Path, where: Path | None, base: Path | None,
    **given: Any,  # noqa: ANN401
) -> None:  # fmt: skip
    """Train a trio on the trajectories of FILES: a global stage, then a local one for each role.

    A run that was broken off goes on with the same command. The trio plays with --family marked.
    """
    words = _words()
    try:
        from toolwright.training.glpft import train
        from toolwright.training.sft import one_first
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "training needs the extra: pip install 'toolwright[train]'", code="extra"
        ) from fault
    from toolwright.cli.training_bar import TrainingBar
    from toolwright.training import recipes
    from toolwright.training.samples import sample_of

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
    with one_first():
        if where is None and not vocabulary.is_file():
            words.train(runs, 4096).save(vocabulary)
        tokens = words.load(vocabulary)
        if vocabulary != output / "tokenizer.json":
            tokens.save(output / "tokenizer.json")
    made = [sample_of(run, tokens, recipe.context) for run in runs]
    say(f"{len(made)} trajectories, {sum(len(one.ids) for one in made):,} tokens")
    with TrainingBar() as bar:
        card = train(made, recipe, vocabulary, output, base=base, watcher=bar)
    say(f"trained in {card.seconds:.0f} s; the card is {output / 'card.json'}")
    folder = output / "backbone" if recipe.method == "single" else output
    say(f"play with: toolwright eval toolworld --model local:{folder}")


@command.command("shipped")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The trio's folder."
)
@click.option(
    "--base",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with such a trio, which learns the lessons further.",
)
@click.option(
    "--single", type=click.IntRange(0), help="Lessons of one call among few tools, first."
)
@click.option("--short", type=click.IntRange(0), help="Lessons of one or two calls, after them.")
@click.option("--usual", type=click.IntRange(0), help="Lessons of the usual shape, then.")
@click.option("--home", type=click.IntRange(0), help="Such lessons, most in own words, last.")
def shipped(*, output: Path, base: Path | None, **given: int | None) -> None:
    """Make a trio as the package ships one: lessons, tokenizer, training, export.

    An hour and a half on two cores that compute bfloat16 (AVX-512), by reckoning six hours with AVX2 alone,
    where fewer lessons make a weaker trio sooner. A run that was broken off goes on with the same command.
    """
    _words()
    from toolwright.cli.training_bar import TrainingBar
    from toolwright.training.lessons import Course
    from toolwright.training.shipped import make

    course = Course()._replace(**{name: one for name, one in given.items() if one is not None})
    with TrainingBar() as bar:
        card = make(output, course, base=base, watcher=bar)
    say(f"made in {card.seconds:.0f} s of training; play with --model onnx:{output / 'trio'}")


def _show(made: "Sequence[tuple[Trajectory, Sample]]", words: "Words", left_out: int) -> None:
    from rich.table import Table

    from toolwright.roles.paper import Paper
    from toolwright.training.paper_samples import step_samples
    from toolwright.training.samples import ROLES

    paper = Paper.default()
    table = Table("role", "spans", "tokens learnt", "tokens read, a sample a step", title="Samples")
    stepped = 0
    for role in ROLES:
        learnt = sum(owner == role for _, sample in made for owner in sample.owners)
        spans = sum(sample.spans(role) for _, sample in made)
        texts = [
            one.prompt + one.target for run, _ in made for one in step_samples(run, role, paper)
        ]
        read = sum(len(words.encode(text)) for text in texts)
        stepped += read
        table.add_row(role, str(spans), str(learnt), str(read))
    console().print(table)
    once = sum(len(sample.ids) for _, sample in made)
    steps = max(1, sum(step.decision is not None for run, _ in made for step in run.path()))
    cut = [sample.cut for _, sample in made if sample.cut.tokens]
    lost = sum(one.tokens for one in cut)
    say(f"{len(made)} trajectories, {left_out} left out; {len(cut)} cut by {lost} tokens")
    ratio = f", {stepped / once:.1f} times as many" if once else ""
    say(f"one pass for all roles: {once / steps:.0f} tokens a step")
    say(f"a sample a step and role: {stepped / steps:.0f} tokens a step{ratio}")


def _write(output: Path, made: "Sequence[Sample]") -> None:
    import json

    with output.open("w", encoding="utf-8") as file:
        for sample in made:
            file.write(json.dumps({"input_ids": sample.ids, "owners": sample.owners}) + "\n")
    say(f"{len(made)} samples in {output}")


command.add_command(cluster)
command.add_command(export)
command.add_command(serve)
