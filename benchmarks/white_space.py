"""What the exact round trip costs: requests that fall because of white space that does not matter.

Run: ``python benchmarks/white_space.py [--requests 2000]``. The demo's requests are sent to its tools as they
are, and with white space changed where it means nothing to their classes. A request that no tool answers
falls to the next tier. Where ``TOOLMINT_DATA`` holds public data, it also counts how many real requests have
white space of this kind.
"""

import argparse
import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from toolmint.assembly.settings import load_settings
from toolmint.core.sameness import same_answer
from toolmint.core.values import Value
from toolmint.embedded.stream import Arrival, stream
from toolmint.maker.each import each
from toolmint.maker.program import ToolRun, answer_program, serve_tool
from toolmint.sandbox.forkserver import ForkServer

REPLIES = Path(__file__).parent / "replies" / "embedded"
LAST = {"sorting": 2, "meetings": 2}
CHANGES: dict[str, Callable[[str], str]] = {
    "as they are": lambda text: text,
    "a line end more at the end": lambda text: f"{text}\n",
    "a space more at the end": lambda text: f"{text} ",
    "one space doubled": lambda text: text.replace(" ", "  ", 1),
}
_ODD = re.compile(r"^\s|\s$|[^\S\n]{2}|[^\S\n ]| \n")
"""White space at the ends, two blanks together, a blank that is no space, a blank before a line end."""


async def answered(box: ForkServer, arrivals: list[Arrival], change: Callable[[str], str]) -> str:
    """Return how many requests the tool of their class answers, and how many of them wrongly."""
    sources = {
        kind: (REPLIES / f"{kind}.{LAST.get(kind, 1)}.py").read_text()
        for kind in {one.kind for one in arrivals if one.kind}
    }

    async def ask(one: Arrival) -> ToolRun:
        program = answer_program(sources[one.kind or ""])
        return await serve_tool(box, program, change(one.demonstration.input), "benchmark")

    runs = await each(ask, arrivals)
    found = [
        same_answer(run.answer, one.demonstration.target or "")
        for run, one in zip(runs, arrivals, strict=True)
        if run.answer is not None
    ]
    return f"{len(found)} of {len(arrivals)} answered, {found.count(None)} wrongly"


def texts_of(value: Value) -> Iterator[str]:
    """Yield each request of a data file: what stands under a name that such files give it."""
    if isinstance(value, list):
        for one in value:
            yield from texts_of(one)
    elif isinstance(value, dict):
        for name in ("input", "question", "query"):
            found = value.get(name)
            if isinstance(found, str):
                yield found
        yield from texts_of(value.get("examples"))


def counted(files: list[Path]) -> str:
    """Return how many requests of data files have odd white space."""
    texts: list[str] = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        lines = text.split("\n") if file.suffix == ".jsonl" else [text]
        texts += [found for line in lines if line for found in texts_of(json.loads(line))]
    return f"{sum(_ODD.search(text) is not None for text in texts)} of {len(texts)}"


async def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=2000)
    given = parser.parse_args()
    arrivals = [one for one in stream(given.requests) if one.kind is not None]
    async with ForkServer() as box:
        for name, change in CHANGES.items():
            print(f"{name}: {await answered(box, arrivals, change)}")
    data = load_settings().data
    for name in ("bbh", "gsm8k", "toolbench/solvable_queries"):
        files = [] if data is None else sorted((data / name).rglob("*.json*"))
        if files:
            print(f"{name}: {counted(files)} requests have odd white space")


if __name__ == "__main__":
    asyncio.run(main())
