"""One pass for all roles against the paper's sample for each step and role; and what three roles store.

    python benchmarks/one_pass.py [--data DIR] [--runs 24]

Both forms train the same decoder of about 5 M weights on the same trajectories, forward and backward, in
batches of alike length and at most 8,192 tokens. A turn is one role's reply, in both.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from peft import LoraConfig, get_peft_model
from rich.console import Console
from rich.progress import track
from rich.table import Table
from transformers import LlamaForCausalLM

from prefill import turns
from toolwright.core.task import Trajectory
from toolwright.embedded import trio_path
from toolwright.training.optimizer import native_half
from toolwright.training.readers import read_file
from toolwright.training.recipes import Architecture
from toolwright.training.samples import IGNORED, ROLES, sample_of
from toolwright.training.sft import labelled_loss, load_model, new_model
from toolwright.training.tokenizer import Words

DATA = Path(__file__).parents[2] / "shared" / "data"
STATIC = Path("toolbench/static_out_of_domain_first120.json")
CONTEXT, MOST, VOCABULARY = 8192, 8192, 2048
RANKS = (4, 8, 16)


class Row(NamedTuple):
    """A sequence with its labels."""

    ids: list[int]
    labels: list[int]


def forms(runs: Sequence[Trajectory], words: Words) -> tuple[list[Row], list[Row], int]:
    """Give the rows of one pass, those of a sample a turn, and how many turns there are."""
    whole: list[Row] = []
    single: list[Row] = []
    count = 0
    for run in runs:
        sample = sample_of(run, words, CONTEXT)
        whole.append(Row(list(sample.ids), sample.labels()))
        for _, prompt, reply in turns(run):
            asked, said = words.encode(prompt), words.encode(reply)
            ids = (asked + said)[-CONTEXT:]
            single.append(Row(ids, ([IGNORED] * len(asked) + said)[-CONTEXT:]))
            count += 1
    return whole, single, count


def batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield batches of alike length, padded to at most ``MOST`` tokens."""
    batch: list[Row] = []
    for row in sorted(rows, key=lambda row: -len(row.ids)):
        if batch and len(batch[0].ids) * (len(batch) + 1) > MOST:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def trained(model: LlamaForCausalLM, rows: Sequence[Row], title: str) -> float:
    """Give the seconds of one pass over rows, forward and backward, with the trainer's own loss."""
    started = time.perf_counter()
    for batch in track(list(batches(rows)), title):
        width = max(len(row.ids) for row in batch)
        ids = torch.tensor([row.ids + [0] * (width - len(row.ids)) for row in batch])
        labels = torch.tensor([row.labels + [IGNORED] * (width - len(row.labels)) for row in batch])
        with torch.autocast("cpu", torch.bfloat16, enabled=native_half()):
            loss: Any = labelled_loss(model, ids, labels)
        loss.backward()
        model.zero_grad()
    return time.perf_counter() - started


def storage() -> Table:
    """Give the bytes of three roles as adapters on one trunk, and as copies, beside one backbone."""
    trunk = sum(one.numel() for one in load_model(trio_path()).parameters())
    table = Table("three roles as", "weights", "against one backbone", title="Storage")
    table.add_row("copies (the paper)", f"{3 * trunk:,}", "3.00")
    for rank in RANKS:
        config = LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM")
        model: Any = cast("Any", get_peft_model)(load_model(trio_path()), config)
        added = sum(one.numel() for one in model.parameters() if one.requires_grad)
        whole = trunk + len(ROLES) * added
        table.add_row(f"adapters of rank {rank}", f"{whole:,}", f"{whole / trunk:.2f}")
    return table


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("--data", type=Path, default=DATA)
    given.add_argument("--runs", type=int, default=24)
    asked = given.parse_args()
    path: Path = asked.data / STATIC
    console = Console(width=120)
    if path.is_file():
        words = Words.load(trio_path() / "tokenizer.json")
        whole, single, count = forms(list(read_file(path))[: asked.runs], words)
        shape = Architecture(width=256, layers=6, heads=4, inner=512)
        model = new_model(shape, VOCABULARY, CONTEXT, seed=0).train()
        table = Table(
            "form",
            "tokens a turn",
            "seconds",
            "turns a second",
            title=f"{count} turns of {asked.runs} runs",
        )
        paces: list[float] = []
        for form, rows in (("one pass", whole), ("a sample a turn", single)):
            seconds = trained(model, rows, form)
            paces.append(count / seconds)
            tokens = sum(len(row.ids) for row in rows)
            table.add_row(form, f"{tokens / count:.0f}", f"{seconds:.1f}", f"{paces[-1]:.1f}")
        console.print(table)
        print(f"one pass trains {paces[0] / paces[1]:.1f} times as many turns a second")
    console.print(storage())


if __name__ == "__main__":
    main()
