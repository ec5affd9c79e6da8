"""Tokens a second of the shipped trio on transformers: replies one after the other, and written together.

    python benchmarks/batching.py [--prompts 24] [--rounds 3]

Prompts are what ToolWorld's tasks ask of the planner, replies are free and all of one length. Rounds take
turns, and the prompts' caches are there already in all of them: what is compared is the writing.
"""

import argparse
import asyncio
import statistics
import time
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from toolmint.core.model import ModelRequest
from toolmint.embedded import trio_path
from toolmint.models.codec import TokenizerFile
from toolmint.models.decoding import PrefixCache, Writer
from toolmint.models.local import load_decoder
from toolmint.models.text_model import DecoderModel
from toolmint.models.torch_decoder import TorchDecoder
from toolmint.roles.marked import Marked
from toolmint.roles.view import View
from toolmint.world.generate import make_tasks

ROWS = (1, 2, 4, 8)
TOKENS = 48
NEVER = -1
"""No token ends a reply, so all of them have the same length."""


def model_of(folder: Path, rows: int, prompts: int) -> DecoderModel:
    decoder = TorchDecoder(load_decoder(folder))
    writer = Writer(decoder, NEVER, PrefixCache(decoder, prompts))
    return DecoderModel(f"{rows} rows", writer, TokenizerFile(folder), batch=rows)


def requests(count: int) -> list[ModelRequest]:
    family = Marked()
    return [
        ModelRequest(
            messages=family.prompt("planner", View(task.task())).messages, max_tokens=TOKENS
        )
        for task in make_tasks("unseen", count, 4000)
    ]


async def measured(count: int, rounds: int) -> dict[int, list[float]]:
    parsed = requests(count)
    models = {rows: model_of(trio_path(), rows, count) for rows in ROWS}
    seconds: dict[int, list[float]] = {rows: [] for rows in ROWS}
    texts: set[tuple[str, ...]] = set()
    for turn in track(range(rounds + 1), "rounds", transient=True):
        for rows, model in models.items():
            start = time.perf_counter()
            replies = await asyncio.gather(*(model.complete(one) for one in parsed))
            if turn:
                seconds[rows].append(time.perf_counter() - start)
            texts.add(tuple(reply.content for reply in replies))
    Console().print(
        f"{len(texts)} different outcome(s) of {4 * (rounds + 1)} (1: batches change nothing)"
    )
    return seconds


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--prompts", type=int, default=16)
    words.add_argument("--rounds", type=int, default=3)
    given = words.parse_args()
    found = asyncio.run(measured(given.prompts, given.rounds))
    table = Table("replies at once", "tokens a second", "times one")
    one = statistics.median(found[1])
    for rows, seconds in found.items():
        middle = statistics.median(seconds)
        table.add_row(str(rows), f"{given.prompts * TOKENS / middle:.0f}", f"{one / middle:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
