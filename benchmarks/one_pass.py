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
from toolmint.assembly.settings import load_settings
from toolmint.core.task import Trajectory
from toolmint.embedded import trio_path
from toolmint.training.decoder import load_model, new_model
from toolmint.training.optimizer import has_native_bfloat16
from toolmint.training.readers import read_file
from toolmint.training.recipes import Architecture
from toolmint.training.samples import IGNORED, TRAINED_ROLES, sample_of
from toolmint.training.sft import labelled_loss
from toolmint.training.tokenizer import Tokenizer

STATIC = Path("toolbench/static_out_of_domain_first120.json")
CONTEXT, MOST, VOCABULARY = 8192, 8192, 2048
RANKS = (4, 8, 16)


class Row(NamedTuple):
    """A sequence with its labels."""

    ids: list[int]
    labels: list[int]


def forms(runs: Sequence[Trajectory], words: Tokenizer) -> tuple[list[Row], list[Row], int]:
    """Return the rows of one pass, those of a sample a turn, and how many turns there are."""
    whole: list[Row] = []
    single: list[Row] = []
    count = 0
    for run in runs:
        sample = sample_of(run, words, CONTEXT)
        whole.append(Row(list(sample.ids), sample.labels()))
        for _, prompt, reply in turns(run):
            parsed, said = words.encode(prompt), words.encode(reply)
            ids = (parsed + said)[-CONTEXT:]
            single.append(Row(ids, ([IGNORED] * len(parsed) + said)[-CONTEXT:]))
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
    """Return the seconds of one pass over rows, forward and backward, with the trainer's own loss."""
    started = time.perf_counter()
    for batch in track(list(batches(rows)), title):
        width = max(len(row.ids) for row in batch)
        ids = torch.tensor([row.ids + [0] * (width - len(row.ids)) for row in batch])
        labels = torch.tensor([row.labels + [IGNORED] * (width - len(row.labels)) for row in batch])
        with torch.autocast("cpu", torch.bfloat16, enabled=has_native_bfloat16()):
            loss: Any = labelled_loss(model, ids, labels)
        loss.backward()
        model.zero_grad()
    return time.perf_counter() - started


def storage() -> Table:
    """Return the bytes of three roles as adapters on one trunk, and as copies, beside one backbone."""
    trunk = sum(one.numel() for one in load_model(trio_path()).parameters())
    table = Table("three roles as", "weights", "against one backbone", title="Storage")
    table.add_row("copies (the paper)", f"{3 * trunk:,}", "3.00")
    for rank in RANKS:
        config = LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM")
        model: Any = cast("Any", get_peft_model)(load_model(trio_path()), config)
        added = sum(one.numel() for one in model.parameters() if one.requires_grad)
        whole = trunk + len(TRAINED_ROLES) * added
        table.add_row(f"adapters of rank {rank}", f"{whole:,}", f"{whole / trunk:.2f}")
    return table


def main() -> None:
    given = argparse.ArgumentParser()
    data = load_settings().data
    given.add_argument("--data", type=Path, default=data, required=data is None)
    given.add_argument("--runs", type=int, default=24)
    parsed = given.parse_args()
    path: Path = parsed.data / STATIC
    console = Console(width=120)
    if path.is_file():
        words = Tokenizer.load(trio_path() / "tokenizer.json")
        whole, single, count = forms(list(read_file(path))[: parsed.runs], words)
        shape = Architecture(width=256, layers=6, heads=4, inner=512)
        model = new_model(shape, VOCABULARY, CONTEXT, seed=0).train()
        table = Table(
            "form",
            "tokens a turn",
            "seconds",
            "turns a second",
            title=f"{count} turns of {parsed.runs} runs",
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
