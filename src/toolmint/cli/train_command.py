"""``toolmint train``: tokenizer, samples, a trio (GLPFT), and the bundled model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolmint.cli.common import console, say
from toolmint.cli.train_data import (
    files_argument,
    load,
    seal_option,
    show_data_report,
    tokenizer_class,
)
from toolmint.cli.train_deploy import export_model, train_cluster, train_serve
from toolmint.cli.train_english import train_english
from toolmint.cli.train_for import train_for
from toolmint.cli.train_mix import train_mix
from toolmint.cli.train_trio import train_trio

if TYPE_CHECKING:
    from toolmint.core.task import Trajectory
    from toolmint.training.samples import Sample
    from toolmint.training.tokenizer import Tokenizer


@click.group("train")
def train_command() -> None:
    """Train planner, caller and summarizer on trajectories: one pass with a mask for each role."""


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
    tokenizer = tokenizer_class().train((one.trajectory for one in load(files, seal_tools)), size)
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

    from toolmint.training.data_report import samples_of

    tokenizer = tokenizer_class().load(where)
    found = load(files, seal_tools)
    made, report = samples_of(track(found, "tokenising", console=console()), tokenizer, context)
    _show(made, tokenizer, len(report.left_out))
    show_data_report(report)
    for one in report.left_out[:3]:
        say(f"left out: {one.where}: {one.message}")
    if output is not None:
        _write(output, [sample for _, sample in made])


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
    tokenizer_class()
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
train_command.add_command(train_for)
train_command.add_command(train_mix)
train_command.add_command(train_trio)
train_command.add_command(train_english)
