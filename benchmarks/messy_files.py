"""What makings of messy files end with: files of 30 requests in one to twenty phrasings, and mixed kinds.

The maker is scripted and handles exactly the phrasings that it has been shown (``messy_topics``), so that the
numbers are about what the making shows, keeps and refuses, not about a model. Coverage and wrong answers are
counted on 120 fresh requests in the file's own phrasings. Tokens are characters / 4.

Run: ``python benchmarks/messy_files.py [--phrasings 1 5 10 15 20] [--seeds 1] [--mixed]``. With ``--mixed``
also 90 requests of three kinds, one after the other, through a session: how many classes they make, and how
many of them the strong model answers. With ``--classes`` nothing is made: how often the look at a file finds
the classes of files of one kind, and of three kinds together.
"""

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from messy_topics import TOPICS, StrongModel, Topic, literal_maker, messy_file
from toolmint.assembly.sandboxes import sandbox_of
from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Demonstration
from toolmint.maker.class_groups import class_groups
from toolmint.maker.make import Maker
from toolmint.maker.making_run import MakeRequest
from toolmint.maker.program import answer_program, serve_tool
from toolmint.models.scripted import AnsweringModel

REQUESTS, FRESH = 30, 120


class Made(NamedTuple):
    """How one making ended.

    Attributes:
        made: whether a tool passed.
        right: fresh requests that it answers rightly.
        wrong: those that it answers wrongly.
        calls: of the maker's model.
        tokens: of these calls.
    """

    made: bool
    right: int
    wrong: int
    calls: int
    tokens: int


async def making(topic: Topic, phrasings: int, seed: int, boxes: tuple[Sandbox, Sandbox]) -> Made:
    """Make a tool of one file, and try it on fresh requests."""
    every = messy_file(topic, phrasings=phrasings, count=REQUESTS, seed=seed)
    fresh = fresh_requests(topic, phrasings, seed, every)
    asked = MakeRequest(request_class=topic.name, labelled=tuple(every))
    result = await Maker(AnsweringModel(literal_maker), *boxes).make(asked)
    right = wrong = 0
    if result.record is not None:
        program = answer_program(result.record.source)
        for one in fresh:
            answer = (await serve_tool(boxes[0], program, one.input, "fresh")).answer
            right += answer == one.target
            wrong += answer not in {None, one.target}
    usage = result.usage
    return Made(result.record is not None, right, wrong, usage.requests, usage.tokens)


def fresh_requests(
    topic: Topic, phrasings: int, seed: int, known: Sequence[Demonstration]
) -> list[Demonstration]:
    """Return fresh requests in the phrasings of a file, none of which the file has."""
    seen = {one.input for one in known}
    many = messy_file(topic, phrasings=phrasings, count=REQUESTS + 2 * FRESH, seed=seed)
    return [one for one in many if one.input not in seen][:FRESH]


async def files(phrasings: Sequence[int], seeds: int) -> None:
    """Print a row for each number of phrasings."""
    table = Table("phrasings", "makings", "tools", "coverage", "wrong", "calls", "tokens")
    boxes = sandbox_of(Settings()), sandbox_of(Settings(), hash_seed=1)
    try:
        for count in phrasings:
            found = [
                await making(topic, count, seed, boxes) for topic in TOPICS for seed in range(seeds)
            ]
            tools = [one for one in found if one.made]
            asked = FRESH * len(tools)
            coverage = f"{sum(one.right for one in tools) / asked:.1%}" if tools else "-"
            wrong = f"{sum(one.wrong for one in tools)} of {asked}"
            calls, tokens = [one.calls for one in found], [one.tokens for one in found]
            table.add_row(
                str(count),
                str(len(found)),
                str(len(tools)),
                coverage,
                wrong,
                f"{median(calls):g}, at most {max(calls)}",
                f"{median(tokens):,.0f}, at most {max(tokens):,}",
            )
    finally:
        for box in boxes:
            box.close()
    Console(width=110).print(table)


async def mixed(seed: int) -> None:
    """Print what 90 requests of three kinds, in 16 phrasings each, come to."""
    every = [one for topic in TOPICS for one in messy_file(topic, phrasings=16, seed=seed)]
    Random(seed).shuffle(every)
    strong = StrongModel(every)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(store=Path(folder) / "tools.db", second="never")
        async with Session.open(settings, models=Models(strong)) as session:
            answers = [(await session.solve(one.input)).answer for one in every]
            if hasattr(session, "sort_rest"):  # to be run with older versions too
                await session.sort_rest()
            await session.maker.idle()
            made = {record.request_class for record, _ in await session.store.versions()}
            classes = made | set(await session.store.waiting())
    wrong = sum(mine != one.target for mine, one in zip(answers, every, strict=True))
    print(
        f"{len(every)} requests of {len(TOPICS)} kinds: {len(classes)} classes, {len(made)} with a tool, "
        f"{wrong} wrong; calls of the strong model: {dict(strong.calls)}"
    )


def looks(phrasings: Sequence[int], seeds: int) -> None:
    """Print how often a look finds the classes of a file."""
    table = Table("phrasings", "one kind is one class", "three kinds are three", "in a wrong class")
    for count in phrasings:
        alone = together = strays = 0
        for seed in range(seeds):
            files = [messy_file(topic, phrasings=count, seed=seed) for topic in TOPICS]
            alone += sum(len(class_groups(file)) == 1 for file in files)
            every = [(one, topic) for topic, file in enumerate(files) for one in file]
            Random(seed).shuffle(every)
            groups = class_groups([one for one, _ in every])
            kinds = [Counter(every[place][1] for place in group) for group in groups]
            strays += sum(kind.total() - max(kind.values()) for kind in kinds)
            together += len(groups) == len(TOPICS) == sum(len(kind) for kind in kinds)
        requests = seeds * REQUESTS * len(TOPICS)
        table.add_row(
            str(count),
            f"{alone} of {seeds * len(TOPICS)}",
            f"{together} of {seeds}",
            f"{strays / requests:.1%} of requests",
        )
    Console(width=110).print(table)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phrasings", type=int, nargs="+", default=[1, 2, 5, 10, 15, 20])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--classes", action="store_true")
    chosen = parser.parse_args()
    if chosen.classes:
        looks(chosen.phrasings, chosen.seeds)
        return
    asyncio.run(files(chosen.phrasings, chosen.seeds))
    if chosen.mixed:
        for seed in range(chosen.seeds):
            asyncio.run(mixed(seed))


if __name__ == "__main__":
    main()
