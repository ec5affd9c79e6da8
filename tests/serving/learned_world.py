"""Requests that people word freely, with the label that a strong model gives each, and a session for them."""

import itertools
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from toolmint.assembly.gateway import serving_policy_of
from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.core.model import ModelRequest
from toolmint.core.task import Task, Trajectory
from toolmint.models.scripted import AnsweringModel
from toolmint.serving.lifecycle import Auditor

SAID = {
    "refund": ("money back", "a refund", "reimbursed", "what I paid returned"),
    "delivery": ("my parcel", "the package", "the courier", "shipping"),
    "password": ("my password", "the login", "signing in", "a reset link"),
    "invoice": ("the invoice", "a receipt", "the billing statement", "my VAT number"),
}
_OPENINGS = ("Hello", "Hi there", "Sorry", "Good morning", "Listen", "Honestly", "Well", "Please")
_VERBS = ("asked about", "am waiting for", "have trouble with", "need", "never got", "wrote about")
_WHO = ("I", "my wife and I", "our office", "we both", "my neighbour and I")
_WHEN = ("yesterday", "last Monday", "since June", "twice", "for weeks", "this morning", "again")
_ENDS = ("", "Can you help?", "What now?", "Thanks a lot", "It is urgent", "I am annoyed")


def worded(label: str, rng: Random) -> str:
    """Return a request of a label."""
    parts = [
        f"{rng.choice(_WHO)} {rng.choice(_VERBS)} {rng.choice(SAID[label])}",
        rng.choice(_WHEN),
        f"number {rng.randrange(10_000)}",
    ]
    rng.shuffle(parts)
    return f"{rng.choice(_OPENINGS)}, {', '.join(parts)}. {rng.choice(_ENDS)}".strip()


def stream(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Return requests with their labels, each request once."""
    rng = Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        label = rng.choice(list(SAID))
        found[worded(label, rng)] = label
    return list(found.items())


class LabelWorld:
    """A session whose strong model knows the label of each request.

    Attributes:
        labels: the strong model's answers by request.
        calls: how often it was asked.
        said: what makings have told.
    """

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.calls = 0
        self.said: list[str] = []
        self.session: Session

    def answer(self, request: ModelRequest) -> str:
        """Answer as the strong model."""
        self.calls += 1
        last = request.messages[-1].content
        assert isinstance(last, str)
        return self.labels[last]

    async def ask(self, text: str, label: str) -> Trajectory:
        """Ask one request, and wait for the making that it may start."""
        self.labels[text] = label
        found = await self.session.solver.solve(Task(input=text))
        await self.session.maker.idle()
        return found

    async def play(self, requests: Iterator[tuple[str, str]], most: int) -> dict[str, int]:
        """Ask requests until a learned tool serves; return how many each tier answered."""
        seen: dict[str, int] = {}
        for text, label in itertools.islice(requests, most):
            served = (await self.ask(text, label)).served
            assert served is not None
            seen[served.tier] = seen.get(served.tier, 0) + 1
            if any(one.state == "serving" for one in (await self.server()).entries.values()):
                break
        return seen

    async def server(self):
        """Return the tool server."""
        return await self.session.solver.server()


@asynccontextmanager
async def label_world(folder: Path, **changes: object) -> AsyncGenerator[LabelWorld]:
    """Open a session that proves tools as the gateway does, and makes learned ones alone."""
    world = LabelWorld()
    plain: dict[str, object] = {"store": folder / "tools.db", "profile": "learned"}
    settings = Settings.model_validate(plain | changes)
    async with Session.open(
        settings,
        models=Models(AnsweringModel(world.answer)),
        policy=serving_policy_of(settings),
        auditor=Auditor(settings.audit_rate, Random(3)),
        observe=world.said.append,
    ) as session:
        world.session = session
        yield world
