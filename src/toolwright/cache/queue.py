"""Requests that no tool could answer, queued by class with the strong model's answers until one is made."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from toolwright.cache.classify import Classifier
from toolwright.cache.ledger import Ledger
from toolwright.core.store import MakingReport, ToolStore
from toolwright.core.tool import Demonstration, ToolRecord
from toolwright.maker.making import Order, Outcome

JOIN_SCORE = 0.3
CERTAIN_SCORE = 0.4
UNLABELLED = 30

Make = Callable[[Order, Ledger], Awaitable[Outcome]]


def name_for(text: str) -> str:
    """Give a new class a name that people can read: its first words, and a digest."""
    words = re.findall(r"[^\W\d_]+", text.lower())[:4]
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:6]
    return "-".join([*(word[:16] for word in words), mark])


class Host(Protocol):
    """What the queue needs of the dispatcher that it feeds."""

    store: ToolStore
    classifier: Classifier
    ledger: Ledger
    tools: dict[str, ToolRecord]

    def serve(self, record: ToolRecord) -> None:
        """Begin to answer with a tool."""
        ...


class Queue:
    """Collects demonstrations; a class with enough of them gets its tool made.

    Args:
        make: makes a tool of an order, its model calls entered in the given ledger.
        needed: demonstrations that a making takes.
        settings: an order whose profile, tries and limits every making shares.

    Attributes:
        coming: requests that will be asked later, where they are known, such as the rest of a file: the
            gate tries tools on them, without labels.
    """

    def __init__(self, make: Make, *, needed: int = 10, settings: Order | None = None) -> None:
        self._make, self.needed = make, needed
        self._settings = settings
        self._next_at: dict[str, int] = {}
        self.coming: Sequence[str] = ()
        self._making = asyncio.Lock()
        self._host: Host | None = None

    def attach(self, host: Host) -> None:
        """Work for a dispatcher."""
        self._host = host

    @property
    def host(self) -> Host:
        """The dispatcher that is fed."""
        if self._host is None:
            raise RuntimeError("the queue is not attached")
        return self._host

    def class_of(self, text: str) -> str:
        """Give the class that a request joins: the one with the most alike wording, or a new one."""
        for guess in self.host.classifier.rank(text, most=1, least=JOIN_SCORE):
            return guess.request_class
        return name_for(text)

    async def add(self, request_class: str, text: str, answer: str) -> None:
        """Queue an answered request; makes the class's tool when it is the one that completes it."""
        host = self.host
        waiting = await host.store.enqueue(request_class, Demonstration(input=text, target=answer))
        if request_class in host.tools:
            return
        host.classifier.learn(request_class, text)
        if waiting >= self._next_at.get(request_class, self.needed):
            async with self._making:
                if request_class not in host.tools:
                    await self._complete(request_class)

    async def _complete(self, request_class: str) -> None:
        host = self.host
        queued = await host.store.queued()
        labelled = tuple(queued.get(request_class, ()))
        if len(labelled) < self._next_at.get(request_class, self.needed):
            return
        foreign = tuple(
            one.input
            for name, others in queued.items()
            if name != request_class
            for one in others[:3]
        )
        base = self._settings or Order(request_class=request_class, labelled=())
        order = base.model_copy(
            update={
                "unlabelled": self._unlabelled(request_class, labelled),
                "request_class": request_class,
                "labelled": labelled,
                "foreign": foreign,
                "clustered": True,
            }
        )
        await self.make(order)
        if request_class not in host.tools:
            self._next_at[request_class] = 2 * len(labelled)

    def _unlabelled(self, name: str, labelled: Sequence[Demonstration]) -> tuple[str, ...]:
        """Give requests of the class that wait for an answer, from those known to be coming."""
        known = {one.input for one in labelled}
        found: list[str] = []
        for text in self.coming:
            guesses = self.host.classifier.rank(text, most=1, least=CERTAIN_SCORE)
            if guesses and guesses[0].request_class == name and text not in known:
                found.append(text)
                if len(found) == UNLABELLED:
                    break
        return tuple(found)

    async def make(self, order: Order) -> ToolRecord | None:
        """Make a tool now, keep its report, and serve it; None where it failed."""
        host = self.host
        outcome = await self._make(order, host.ledger)
        kept: ToolRecord | None = None
        if outcome.record is not None:
            kept = await host.store.add(outcome.record, "serving", "passed the gate")
            host.serve(kept)
        report = MakingReport(
            request_class=order.request_class, made=kept is not None,
            version=kept.version if kept else None, body=outcome.body,
        )  # fmt: skip
        await host.store.report(report)
        await host.ledger.flush(host.store)
        return kept
