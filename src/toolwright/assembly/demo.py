"""The demo without its looks: a mixed stream through a real workshop, with stand-ins for the
models.

What is real: the classes, the queue, the maker, the gate, the sandbox, the store, the ledger. What
stands
in: the replies that make tools come from the shipped tape, and the strong model's answers are the
generators' own labels, as LATM allows a person's label on a miss. Tokens are characters / 4,
priced as ``PRICE_AS``.
"""

import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from toolwright.assembly.settings import Settings
from toolwright.assembly.workshop import Models, Workshop
from toolwright.core.model import Model, ModelRequest, ModelResponse
from toolwright.core.task import Trajectory
from toolwright.embedded.stream import Arrival, stream
from toolwright.maker.making import Observer
from toolwright.models.replay import Replay
from toolwright.models.scripted import AnsweringModel
from toolwright.models.wrap import PricedAs

PRICE_AS = "gpt-5"
SEED = 7
REQUESTS = 2000


class StandIn:
    """Answers requests of the stream by their labels, and everything else by another model."""

    name = "stand-in for a strong model"

    def __init__(self, arrivals: list[Arrival], maker: Model) -> None:
        labels = {one.demonstration.input: one.demonstration.target or "" for one in arrivals}
        self._labels, self._maker = labels, maker
        self._answering = AnsweringModel(
            lambda request: labels[request.messages[-1].content], name=self.name
        )

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Give the label, or the maker's reply."""
        if request.messages[-1].content in self._labels:
            return await self._answering.complete(request)
        return await self._maker.complete(request)


class Answered(NamedTuple):
    """One request of the demo: what arrived, how it was answered, whether rightly, seconds."""

    arrival: Arrival
    trajectory: Trajectory
    right: bool
    seconds: float


@asynccontextmanager
async def demo_workshop(
    arrivals: list[Arrival], maker: Model, observe: Observer, store: Path | None = None
) -> AsyncGenerator[Workshop]:
    """Open a workshop over a new store, with the stand-ins as its models."""
    strong = PricedAs(StandIn(arrivals, maker), PRICE_AS)
    with tempfile.TemporaryDirectory(prefix="toolwright-demo-") as folder:
        settings = Settings(store=store or Path(folder) / "tools.db", second="always")
        async with Workshop.open(settings, models=Models(strong), observe=observe) as workshop:
            yield workshop


async def run_stream(workshop: Workshop, arrivals: list[Arrival]) -> AsyncIterator[Answered]:
    """Answer a stream in order, one request at a time."""
    for arrival in arrivals:
        started = time.perf_counter()
        trajectory = await workshop.solve(arrival.demonstration.input)
        seconds = time.perf_counter() - started
        right = trajectory.answer == arrival.demonstration.target
        yield Answered(arrival, trajectory, right, seconds)


def arrivals_of(count: int = REQUESTS, seed: int = SEED) -> list[Arrival]:
    """Give the demo's requests."""
    return list(stream(count, seed=seed))


def shipped_maker(tape: Path) -> Model:
    """Give the model that replays the shipped making replies."""
    return Replay.load(tape)
