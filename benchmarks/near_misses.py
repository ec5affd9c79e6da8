"""Near misses answered, by kind, in slots and out; and right tools that stage 4 refuses.

Run: ``python benchmarks/near_misses.py [--requests 8] [--start 0] [--files 60]``. The near misses are made
here, with phrases of their own, from requests that verification never saw; they are answered as in service.
Tools: the shipped classes' (two each), those of the junction, and those of the BIG-Bench cassette (with
TOOLMINT_DATA). The files are those of ``phrasings.py``; doubtful near misses are decided by a stand-in
for the strong model that knows the right tool, and how often it is asked is counted.
"""

import argparse
import asyncio
import inspect
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from phrasings import request_file
from toolmint.assembly.settings import load_settings
from toolmint.core import demonstrations as read
from toolmint.core.sandbox import Program
from toolmint.core.tool import Demonstration
from toolmint.core.values import Value
from toolmint.embedded.classes import CLASSES
from toolmint.maker import stages
from toolmint.maker.each import each
from toolmint.maker.program import ToolRun, answer_program, serve_tool
from toolmint.maker.verification_input import VerificationInput
from toolmint.sandbox.forkserver import ForkServer

HERE = Path(__file__).parent
REPLIES = HERE / "replies"
INSTRUCTIONS = (
    """
sorted from longest to shortest|in reverse alphabetical order|and leave out the shortest|only those with an a
but skip every second one|with the first letter removed|counting from the right|as if it were yesterday
and then say how many there are|starting from the back|ignoring the vowels|grouped by their first letter
and translate to french|without the middle one|except the last two|in capital letters|each written twice
using only odd ones|rounded up to the nearest ten|reversed and joined|excluding plurals|descending by size
not counting duplicates|plus one more|last one first|from z to a|if there is more than one|please hurry
""".strip()
    .replace("\n", "|")
    .split("|")
)
SHORT = (
    """
reversed|longest word first|uppercase|sort descending|skip apple|remove vowels|count them|double|twice|z to a
translated into german|ignore case|capitalize all|first three only|no duplicates|every second word|top two
reverse order|alphabetically backwards|descending please|largest first|print as csv|join with commas|as json
number them|separated by commas|biggest to smallest|one per line|backwards|numbered|but backwards|in caps
keep only nouns|remove apple first|largest last|sorted by length|reverse sorted|twice over|add kiwi|minus pear
excluding pear|unsorted|leave out pear|last three
""".strip()
    .replace("\n", "|")
    .split("|")
)
TAILS = ("Reply in Spanish.", "Assume it is Sunday.", "Leave out the second.", "Do it twice.")
PRONOUNS = (
    "Nobody",
    "Everybody",
    "Neither",
    "Someone",
    "Both",
    "They",
    "Anyone",
    "Each",
    "Whoever",
    "None",
)
MULTIPLIERS = [
    "dozen",
    "pairs of",
    "hundred",
    "boxes of",
    "thousand",
    "and a half",
    "score of",
    "or so",
]
ADVERBS = ("unfairly", "reluctantly", "almost never", "twice over")
FUNCTION = [
    "with",
    "the",
    "of",
    "and",
    "or",
    "not",
    "except",
    "then",
    "but",
    "only",
    "into",
    "that",
]
INVENTED = ("flimbo", "dratchet", "quorvel", "zimmerly")
WORD = re.compile(r"[^\W\d_]+")
CLOCK = re.compile(r"(\d\d:\d\d)( ?- ?)(\d\d:\d\d)")


def strings(value: Value) -> Iterator[str]:
    """Yield the strings of arguments, without keys."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from strings(item)
        case dict():
            for item in value.values():
                yield from strings(item)
        case _:
            return


def value_changes(
    request: str, values: set[str], known: frozenset[str], rng: random.Random
) -> Iterator[tuple[str, str, str]]:
    """Yield the near misses of some values of one word."""
    placed = [found for found in WORD.finditer(request) if found[0] in values]
    for found in rng.sample(placed, min(4, len(placed))):
        before, after = request[: found.start()], request[found.end() :]
        order = rng.choice(INSTRUCTIONS)
        yield "slot", "instruction", f"{before}{found[0]} {order}{after}"
        if "not" not in known:
            yield "slot", "negated value", f"{before}not {found[0]}{after}"
        if found[0].istitle():
            other = rng.choice(PRONOUNS)
            yield "slot", "pronoun", before + other + after
            yield "slot", "pronoun", re.sub(rf"\b{found[0]}\b", other, request)
        elif found[0].islower():
            other = rng.choice([word for word in FUNCTION if word not in known])
            yield "slot", "function word", before + other + after
            beside = (*WORD.findall(before)[-1:], *WORD.findall(after)[:1])
            if values.isdisjoint(beside):
                yield "slot", "adverb", f"{before}{found[0]} {rng.choice(ADVERBS)}{after}"


def changes(
    request: str, args: Value, known: frozenset[str], rng: random.Random
) -> Iterator[tuple[str, str, str]]:
    """Yield where, the kind and the text of each near miss of a request.

    ``known`` are the words of the class, of which a changed request may be a right one.
    """
    values = {text for text in strings(args) if WORD.fullmatch(text)}
    inside = set(WORD.findall(" ".join(strings(args)).lower()))
    words = [found for found in WORD.finditer(request) if found[0].lower() not in inside]
    for found in rng.sample(words, min(5, len(words))):
        before, after = request[: found.start()], request[found.end() :]
        yield "wording", "deleted", before + after.removeprefix(" ")
        yield "wording", "invented", before + rng.choice(INVENTED) + after
        if "not" not in known:
            yield "wording", "negated", f"{before}not {found[0]}{after}"
    yield "wording", "extended", f"{request} {rng.choice(TAILS)}"
    body = request.rstrip(" .?!")
    for order in rng.sample(INSTRUCTIONS, 4):
        yield "slot", "instruction at the end", f"{body} {order}{request[len(body) :]}"
    for order in rng.sample(SHORT, 4):
        yield "slot", "one to three words at the end", f"{body} {order}{request[len(body) :]}"
    yield from value_changes(request, values, known, rng)
    for found in re.finditer(r"\b\d+(?= [a-z]{3,})", request):
        more = f"{request[: found.end()]} {rng.choice(MULTIPLIERS)}{request[found.end() :]}"
        yield "slot", "multiplier", more
    for found in list(CLOCK.finditer(request))[:2]:
        turned = found[3] + found[2] + found[1]
        yield (
            "slot",
            "ends before it starts",
            request[: found.start()] + turned + request[found.end() :],
        )
        late = f"{found[1]}{found[2]}28:10"
        yield "slot", "impossible", request[: found.start()] + late + request[found.end() :]


def tools() -> Iterator[tuple[str, str, list[Demonstration]]]:
    """Yield the name, the source and 60 demonstrations of each right tool."""
    for name, generate in CLASSES.items():
        rng = random.Random(17)
        demos = [generate(rng) for _ in range(60)]
        last = max((REPLIES / "embedded").glob(f"{name}.[0-9].py"))
        yield name, last.read_text(), demos
        yield f"{name} 2", (REPLIES / "embedded" / f"{name}.second.py").read_text(), demos
    numbers = [
        Demonstration(input=f"Write {n} as a Roman numeral.", target="") for n in range(7, 367, 6)
    ]
    for path in sorted((REPLIES / "junction").glob("roman*.py")):
        yield path.stem, path.read_text(), numbers
    data = load_settings().data
    for file in sorted((data / "bbh").glob("*.json")) if data else ():
        base = file.stem.replace("_five_objects", "").replace("_seven_objects", "")
        path = REPLIES / "bbh" / f"{base}.py"
        if path.exists():
            demos = read.parse_demonstrations(file.read_text(encoding="utf-8"), file.name)
            yield file.stem, path.read_text(), demos[:60]


async def _serve(
    sandbox: ForkServer, program: Program, options: dict[str, Any], text: str
) -> ToolRun:
    return await serve_tool(sandbox, program, text, "bench", **options)


async def answered(sandbox: ForkServer, requests: int) -> dict[tuple[str, str], Counter[str]]:
    """Return, by place and kind, how many near misses were tried and answered; and known requests lost."""
    found = defaultdict[tuple[str, str], Counter[str]](Counter)
    for name, source, demos in tools():
        labelled, fresh = tuple(demos[:10]), [one.input for one in demos[10 : 10 + requests]]
        inputs = VerificationInput(source=source, labelled=labelled)
        _, runs = await stages.stage_labels(inputs, sandbox)
        evidence = await stages.stage_near_misses(inputs, runs, sandbox)
        if evidence.verdict == "failed":
            print(f"{name}: {evidence.summary[:300]}")
        program, options = answer_program(source), dict[str, Any]()
        if "slots" in inspect.signature(serve_tool).parameters:
            options["slots"] = import_module("toolmint.maker.slot_words").slots_of([evidence])

        serve = partial(_serve, sandbox, program, options)
        later = [one.input for one in demos[10:]]
        right = await each(serve, later)
        found["", "requests of the class"].update(
            tried=len(right), answered=sum(one.status == "answered" for one in right)
        )
        rng, known = random.Random(name), {one.input for one in demos}
        words = frozenset(WORD.findall(" ".join(known).lower()))
        tried = await each(serve, fresh)
        for text, run in zip(fresh, tried, strict=True):
            made = [one for one in changes(text, run.args, words, rng) if one[2] not in known]
            results = await each(serve, [one[2] for one in made])
            for (where, kind, miss), result in zip(made, results, strict=True):
                hit = result.status == "answered"
                found[where, kind].update(tried=1, answered=int(hit))
                if hit and found[where, kind]["answered"] <= 8:
                    print(f"{name}: {kind}: {miss[-160:]!r} -> {(result.answer or '')[:60]!r}")
    return found


async def refused(sandbox: ForkServer, start: int, files: int) -> tuple[int, int, Counter[str]]:
    """Return how many right tools stage 4 refuses, how often a model decides, and the reasons."""
    lost, asked, reasons = 0, 0, Counter[str]()

    async def decide(doubts: Sequence[Any]) -> list[Any]:
        nonlocal asked
        asked += 1
        decided = import_module("toolmint.maker.doubts").Decided
        return [decided(one, "same", "stand-in") for one in doubts]

    options: dict[str, Any] = (
        {"judge": decide}
        if "judge" in inspect.signature(stages.stage_near_misses).parameters
        else {}
    )
    for seed in range(start, start + files):
        one = request_file(seed)
        inputs = VerificationInput(source=one.source, labelled=one.labelled, near_misses=150)
        labels, runs = await stages.stage_labels(inputs, sandbox)
        if labels.verdict != "passed":
            raise SystemExit(f"{one.topic}: the tool is not right: {labels.summary}")
        evidence = await stages.stage_near_misses(inputs, runs, sandbox, **options)
        if evidence.verdict == "failed":
            lost += 1
            reasons[one.topic] += 1
            if reasons[one.topic] <= 2:
                print(
                    f"file {seed} ({one.topic}, {one.phrasings}, {one.style}): {evidence.summary[:500]}"
                )
    return lost, asked, reasons


async def main(start: int, files: int, requests: int) -> None:
    async with ForkServer() as sandbox:
        found = await answered(sandbox, requests)
        lost, asked, reasons = await refused(sandbox, start, files)
    table = Table("where", "near miss", "tried", "answered", "share")
    sums = defaultdict[str, Counter[str]](Counter)
    for (where, kind), count in sorted(found.items()):
        sums[where].update(count)
        table.add_row(where, kind, str(count["tried"]), str(count["answered"]), _share(count))
    for where in ("wording", "slot"):
        table.add_row(
            where,
            "all",
            str(sums[where]["tried"]),
            str(sums[where]["answered"]),
            _share(sums[where]),
        )
    console = Console(width=110)
    console.print(table)
    console.print(
        f"right tools refused: {lost} of {files} files ({100 * lost / max(1, files):.1f} %) {dict(reasons)}; "
        f"a model decided in {asked} of them"
    )


def _share(count: Counter[str]) -> str:
    return f"{100 * count['answered'] / max(1, count['tried']):.2f} %"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--start", type=int, default=0, help="the first file's number")
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--requests", type=int, default=8)
    given = parser.parse_args()
    asyncio.run(main(given.start, given.files, given.requests))
