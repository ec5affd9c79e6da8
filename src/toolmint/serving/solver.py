"""The functional cache as a solver: tools answer what they are proved for, the strong model the rest.

This is the command line's way to the tool server; the gateway's is ``gateway.api.completions``. Both look
up, record, compare and make with the same parts.
"""

import asyncio
import time
from uuid import uuid4

from toolmint.core.errors import LimitExceeded, NoAnswer
from toolmint.core.model import NO_USAGE, Model, Usage
from toolmint.core.namespace import Namespace
from toolmint.core.spend import check_limits
from toolmint.core.task import Limits, Served, Step, Task, Tier, Trajectory, Turn
from toolmint.core.traffic import RequestRecord
from toolmint.serving import tiers
from toolmint.serving.background_maker import BackgroundMaker
from toolmint.serving.lookup import LookupResult
from toolmint.serving.records import (
    AnsweredRequest,
    Caller,
    JoinedClass,
    Texts,
    hit_record,
    strong_record,
)
from toolmint.serving.server import ToolServer
from toolmint.serving.servers import ToolServers

LOCAL_KEY = "command-line"
"""Stands for the key in the records of requests that came through no gateway."""
_FLUSH_AT = 256
"""Records of tools' answers that wait at most: a transaction for each would cost more than the answer."""
_NO_LIMITS = Limits()
_NO_TURNS = (Step(id=0),)


class CachedSolver:
    """Solves tasks by the tools of one namespace, and by a strong model where none is able.

    Args:
        servers: the tools.
        strong: the strong model; None: what no tool answers has no answer.
        maker: makes tools of what the strong model answered; None: none are made.
        namespace: whose tools are used.
    """

    def __init__(
        self,
        servers: ToolServers,
        strong: Model | None = None,
        maker: BackgroundMaker | None = None,
        namespace: Namespace | None = None,
    ) -> None:
        self._servers, self._strong, self._maker = servers, strong, maker
        self._namespace = namespace or Namespace()
        self._records: list[RequestRecord] = []
        self._server: ToolServer | None = None

    async def server(self) -> ToolServer:
        """Return the tool server, opened the first time."""
        if self._server is None:
            self._server = await self._servers.of(self._namespace)
        return self._server

    def without_strong(self) -> None:
        """Leave what no tool answers unanswered."""
        self._strong = None

    async def flush(self) -> None:
        """Write the records that wait, and what light models used.

        Raises:
            StoreError: the store cannot be written; what could not be written waits on.
        """
        if self._server is not None:
            await self._server.ledger.flush(self._server.store)
        records, self._records = self._records, []
        if not records:
            return
        written = False
        try:
            await self._servers.storage.log.write(records)
            written = True
        finally:
            if not written:
                self._records = [*records, *self._records]

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Answer one request.

        Raises:
            NoAnswer: no tool answers it and there is no strong model.
            ModelError: the strong model gave no usable reply.
        """
        one = _Request(task, limits or _NO_LIMITS)
        try:
            async with asyncio.timeout(one.limits.seconds):
                return await self._answer(one)
        except TimeoutError:
            return one.limited("the time limit was reached")
        except LimitExceeded as fault:
            return one.limited(f"limit: {fault}")

    async def _answer(self, one: "_Request") -> Trajectory:
        server = await self.server()
        found = await server.lookup(one.task.input, one.task.request_class, one.limits)
        if found.mode != "serve" and await self._made_meanwhile(server, one, found):
            found = await server.lookup(one.task.input, one.task.request_class, one.limits)
        one.turns += found.turns
        if found.mode == "serve" and found.answer is not None and found.entry is not None:
            mean = self._servers.mean_cost(found.entry.key)
            done = one.answered(found.entry.record.label, found.tier, found.usage, found.answer)
            self._records.append(hit_record(done, found, mean))
            if found.turns or len(self._records) >= _FLUSH_AT:
                await self.flush()
            return one.trajectory(found, found.tier, found.answer, found.why, found.known)
        return await self._ask_strong(one, server, found)

    async def _made_meanwhile(
        self, server: ToolServer, one: "_Request", found: LookupResult
    ) -> bool:
        """Wait where the request's tool is being made: each strong answer until then would be wasted.

        A tool that is compared before it serves needs those answers, so nobody waits for it.
        """
        name = one.task.request_class or found.best
        if self._maker is None or self._strong is None or name is None or server.policy.shadow:
            return False
        key = server.namespace.key(name)
        if not self._maker.at_work(key):
            return False
        await self._maker.wait_for(key)
        return name in server.entries

    async def _ask_strong(
        self, one: "_Request", server: ToolServer, found: LookupResult
    ) -> Trajectory:
        if self._strong is None:
            tried = "; ".join(found.attempts) or _in_shadow(found) or "no class has this wording"
            raise NoAnswer(
                f"no tool answers this request ({tried}) and no strong model is configured; "
                + _next_step(found)
            )
        check_limits(self._strong.name, one.usage, one.limits)
        answer, turn = await tiers.strong_tier(self._strong, one.task.input)
        one.turns.append(turn)
        joined = self._join(server, one, found, answer)
        why = "no tool proved able; the strong model answered"
        done = one.answered(self._strong.name, "strong", turn.usage, answer)
        self._records.append(strong_record(done, found, joined, why))
        await self.flush()
        if joined.key is not None and turn.usage.cost is not None:
            self._servers.add_cost(joined.key, float(turn.usage.cost))
        await server.compare(found, one.task.input, answer, keep=True)
        await server.compare_learned(found, one.task.input, answer, keep=True)
        if self._maker is not None and joined.key is not None:
            self._maker.offer(server, joined.key.name)
        name = joined.key.name if joined.key else None
        return one.trajectory(found._replace(entry=None), "strong", answer, why, name)

    def _join(
        self, server: ToolServer, one: "_Request", found: LookupResult, answer: str
    ) -> JoinedClass:
        named = one.task.request_class
        if self._maker is None:
            name = named or found.known
            return JoinedClass(server.namespace.key(name) if name else None)
        name, queued = server.classes.join(
            one.task.input, named or found.known, None if named else answer
        )
        key = server.namespace.key(name)
        return JoinedClass(key, key if queued else None)


def _next_step(found: LookupResult) -> str:
    """Return what a person can do where nothing answers."""
    if found.mode == "shadow" and found.entry is not None and found.entry.state == "serving":
        return (
            "set one with --model to verify that part, or take the answer with --accept-unverified"
        )
    return "set one with --model or make a tool for it"


def _in_shadow(found: LookupResult) -> str:
    return f"{found.entry.record.label} is in shadow" if found.entry else ""


class _Request:
    """One request on its way through the tiers."""

    def __init__(self, task: Task, limits: Limits) -> None:
        self.task, self.limits = task, limits
        self.turns: list[Turn] = []
        self._started = time.perf_counter()

    @property
    def usage(self) -> Usage:
        return sum((turn.usage for turn in self.turns), start=NO_USAGE)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def answered(self, model: str, tier: Tier, usage: Usage, answer: str) -> AnsweredRequest:
        """Return who answered, and what that used."""
        caller = Caller(f"req_{uuid4().hex}", Namespace().tenant, LOCAL_KEY)
        texts = Texts(self.task.input, answer)
        return AnsweredRequest(caller, model, tier, usage, usage.cost, texts, self.seconds)

    def trajectory(
        self, found: LookupResult, tier: Tier, answer: str | None, why: str, name: str | None
    ) -> Trajectory:
        """Return the trajectory of an answer, which says which tier gave it and why."""
        served = Served(
            tier=tier,
            request_class=name,
            version=found.entry.record.version if found.entry else None,
            why=why,
            attempts=found.attempts,
            seconds=self.seconds,
            usage=self.usage,
        )
        steps = (Step(id=0, turns=tuple(self.turns)),) if self.turns else _NO_TURNS
        return Trajectory(task=self.task, steps=steps, leaf=0, answer=answer, served=served)

    def limited(self, why: str) -> Trajectory:
        """Return the trajectory of a request that a limit ended."""
        nothing = LookupResult("none")
        ended = self.trajectory(nothing, "strong", None, why, self.task.request_class)
        return ended.model_copy(update={"outcome": "limit"})
