"""How soon every class of a mixed stream has its tool in shadow, where makings run side by side.

A stream of 1,600 requests of six classes comes from 8 callers. Each call of the making model takes 2 s; the
strong model's answers are labels and take 20 ms. Run: ``python benchmarks/makings.py [at once]`` (default 4).
Prints for each class when its making began and when its tool was in shadow, in seconds since the first
request, and the time of all six as a multiple of the slowest making.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from record_cassettes import Writer
from toolmint.assembly.demo import arrivals_of
from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.core.model import ModelRequest, ModelResponse
from toolmint.embedded.stream import Arrival
from toolmint.models.scripted import AnsweringModel
from toolmint.serving.lifecycle import ServingPolicy

REQUESTS, CALLERS = 1600, 8
MAKING_SECONDS, ANSWER_SECONDS = 2.0, 0.02


class SlowMaker:
    """Answers requests by their labels, and proposals by the recorded replies, at the pace of a model."""

    name = "a model at its pace"

    def __init__(self, arrivals: list[Arrival]) -> None:
        labels = {one.demonstration.input: one.demonstration.target or "" for one in arrivals}
        self._labels, self._writer = labels, Writer(repeat=True)
        self._answering = AnsweringModel(lambda request: labels[request.messages[-1].content])

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return a label, or the reply of the class that a making speaks of."""
        if request.messages[-1].content in self._labels:
            await asyncio.sleep(ANSWER_SECONDS)
            return await self._answering.complete(request)
        await asyncio.sleep(MAKING_SECONDS)
        return await self._writer.complete(request)


class Clock:
    """Notes when the making of each class began and ended."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self.begun: dict[str, float] = {}
        self.shadowing: dict[str, float] = {}

    def observe(self, line: str) -> None:
        """Take a line of a making: ``title: what happened``."""
        title, _, said = line.rpartition(": ")
        now = time.perf_counter() - self._start
        if said.startswith("making a tool of"):
            self.begun.setdefault(title, now)
        elif said.endswith("is shadowing"):
            self.shadowing[title] = now


async def measure(at_once: int) -> Clock:
    """Send the stream; return when each class's tool was made."""
    arrivals = arrivals_of(REQUESTS)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(store=Path(folder) / "tools.db", second="always", makings=at_once)
        clock, left = Clock(), iter(arrivals)
        opened = Session.open(
            settings,
            models=Models(SlowMaker(arrivals)),
            policy=ServingPolicy(shadow=True),
            observe=clock.observe,
        )
        async with opened as session:

            async def caller() -> None:
                for one in left:
                    await session.solve(one.demonstration.input)

            async with asyncio.TaskGroup() as group:
                for _ in range(CALLERS):
                    group.create_task(caller())
            await session.maker.idle()
        return clock


def main() -> None:
    """Print the table and the ratio."""
    at_once = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    clock = asyncio.run(measure(at_once))
    table = Table("class", "making began (s)", "in shadow (s)", "took (s)")
    took = {name: clock.shadowing[name] - clock.begun[name] for name in clock.shadowing}
    for name, end in sorted(clock.shadowing.items(), key=lambda pair: pair[1]):
        table.add_row(name, f"{clock.begun[name]:.1f}", f"{end:.1f}", f"{took[name]:.1f}")
    Console(width=110).print(table)
    whole, slowest = max(clock.shadowing.values()), max(took.values())
    print(
        f"{len(took)} classes in shadow after {whole:.1f} s; slowest making {slowest:.1f} s; "
        f"ratio {whole / slowest:.2f} with {at_once} makings at once"
    )


if __name__ == "__main__":
    main()
