"""The demo without its screen: a mixed stream through a real session, with stand-ins for the models.

Real are the classes, the queue, the maker, verification, the sandbox, the store and the bill. Two things
stand in: the replies that make tools come from the bundled cassette, and the strong model's answers are the
generators' own labels, as LATM allows a person's label on a miss. Tokens are characters / 4, priced as
``PRICE_AS``.
"""

import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.core.model import Model, ModelRequest, ModelResponse
from toolmint.core.sameness import same_answer
from toolmint.core.task import Trajectory
from toolmint.embedded.stream import Arrival, stream
from toolmint.maker.making_run import Observer
from toolmint.models.cassette import CassetteModel
from toolmint.models.scripted import AnsweringModel
from toolmint.models.wrap import PricedAs

PRICE_AS = "gpt-5"
SEED = 7
DEMO_REQUESTS = 2000


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
        """Return the label, or the maker's reply."""
        if request.messages[-1].content in self._labels:
            return await self._answering.complete(request)
        return await self._maker.complete(request)


class DemoAnswer(NamedTuple):
    """One request of the demo: what arrived, how it was answered, whether rightly, seconds."""

    arrival: Arrival
    trajectory: Trajectory
    right: bool
    seconds: float


@asynccontextmanager
async def demo_session(
    arrivals: list[Arrival], maker: Model, observe: Observer, store: Path | None = None
) -> AsyncGenerator[Session]:
    """Open a session over a new store, with the stand-ins as its models."""
    strong = PricedAs(StandIn(arrivals, maker), PRICE_AS)
    with tempfile.TemporaryDirectory(prefix="toolmint-demo-") as folder:
        settings = Settings(store=store or Path(folder) / "tools.db", second="always")
        async with Session.open(settings, models=Models(strong), observe=observe) as session:
            yield session


async def run_stream(session: Session, arrivals: list[Arrival]) -> AsyncIterator[DemoAnswer]:
    """Answer a stream in order, one request at a time."""
    for arrival in arrivals:
        started = time.perf_counter()
        trajectory = await session.solve(arrival.demonstration.input)
        seconds = time.perf_counter() - started
        answer, target = trajectory.answer, arrival.demonstration.target
        right = answer is not None and same_answer(answer, target or "") is not None
        yield DemoAnswer(arrival, trajectory, right, seconds)


def arrivals_of(count: int = DEMO_REQUESTS, seed: int = SEED) -> list[Arrival]:
    """Return the demo's requests."""
    return list(stream(count, seed=seed))


def recorded_maker(cassette: Path) -> Model:
    """Return the model that gives the recorded making replies again."""
    return CassetteModel.load(cassette)
