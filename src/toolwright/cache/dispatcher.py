"""The dispatcher: each request goes to the cheapest tier that proves able, and every answer says why."""

import asyncio
import time
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from toolwright.cache import tiers
from toolwright.cache.classify import Classifier
from toolwright.cache.ledger import Ledger
from toolwright.cache.queue import Queue
from toolwright.core.errors import LimitExceeded, NoAnswer
from toolwright.core.messages import Frozen
from toolwright.core.model import Model, Usage
from toolwright.core.sandbox import Sandbox
from toolwright.core.store import ToolStore
from toolwright.core.task import Limits, Served, Step, Task, Tier, Trajectory, Turn
from toolwright.core.tool import ToolRecord


class Policy(Frozen):
    """How requests are sent to tiers.

    Attributes:
        candidates: classes whose parser is tried at most.
        least_score: share of wording below which a class is not even tried; a parser decides, so 0
            loses nothing but a sandbox call.
        dispatch: who picks the class for tier 2: ``wording`` (no model) or ``model`` (LATM's
            prompt).
        tool_user_score: share of wording that tier 2 asks for where wording picks.
    """

    candidates: int = Field(default=3, ge=1)
    least_score: float = Field(default=0.0, ge=0, le=1)
    dispatch: Literal["wording", "model"] = "wording"
    tool_user_score: float = Field(default=0.5, ge=0, le=1)


class _Run:
    """One request on its way through the tiers."""

    def __init__(self, task: Task, limits: Limits | None) -> None:
        self.task, self.limits = task, limits or Limits()
        self.started = time.perf_counter()
        self.turns: list[Turn] = []
        self.attempts: list[str] = []
        self.joined = task.request_class

    @property
    def usage(self) -> Usage:
        return sum((turn.usage for turn in self.turns), start=Usage())

    def allow_model(self) -> None:
        """Refuse a model call that the limits do not leave room for."""
        used, limits = self.usage, self.limits
        if limits.model_calls is not None and used.requests >= limits.model_calls:
            raise LimitExceeded(f"{limits.model_calls} model calls are allowed")
        if limits.tokens is not None and used.tokens >= limits.tokens:
            raise LimitExceeded(f"{limits.tokens} tokens are allowed")
        if limits.cost is not None and (used.cost is None or used.cost >= limits.cost):
            raise LimitExceeded(f"${limits.cost} is allowed")

    def answered(self, tier: Tier, answer: str, why: str, record: ToolRecord | None) -> Trajectory:
        """Give the trajectory of an answer; ``record`` is the tool that computed it, if one did."""
        name = record.request_class if record else self.joined
        return self._end(tier, answer, why, name, record.version if record else None)

    def limited(self, why: str) -> Trajectory:
        """Give the trajectory of a request that a limit ended."""
        end = self._end("strong", None, why, self.joined, None)
        return end.model_copy(update={"outcome": "limit"})

    def _end(
        self, tier: Tier, answer: str | None, why: str, name: str | None, version: int | None
    ) -> Trajectory:
        served = Served(
            tier=tier, request_class=name, version=version, why=why,
            attempts=tuple(self.attempts), seconds=time.perf_counter() - self.started,
            usage=self.usage,
        )  # fmt: skip
        step = Step(id=0, turns=tuple(self.turns))
        return Trajectory(task=self.task, steps=(step,), leaf=0, answer=answer, served=served)


class Dispatcher:
    """A solver over the tiers: compiled, tool user, strong model."""

    def __init__(
        self,
        store: ToolStore,
        sandbox: Sandbox,
        *,
        strong: Model | None = None,
        user: Model | None = None,
        policy: Policy | None = None,
        queue: Queue | None = None,
    ) -> None:
        self.store, self._sandbox = store, sandbox
        self._strong, self._user = strong, user
        self.policy = policy or Policy()
        self.ledger = Ledger()
        self.classifier = Classifier()
        self.tools: dict[str, ToolRecord] = {}
        self._queue = queue
        if queue is not None:
            queue.attach(self)

    async def start(self) -> None:
        """Load the serving tools and what waits in the queue."""
        for record in await self.store.serving():
            self.serve(record)
        for name, demonstrations in (await self.store.queued()).items():
            if name not in self.tools:
                for demonstration in demonstrations:
                    self.classifier.learn(name, demonstration.input)

    def serve(self, record: ToolRecord) -> None:
        """Begin to answer with a tool."""
        self.tools[record.request_class] = record
        self.classifier.forget(record.request_class)
        for demonstration in record.demonstrations:
            self.classifier.learn(record.request_class, demonstration.input)

    def without_strong(self) -> None:
        """Leave what no tool answers unanswered."""
        self._strong = None

    async def close(self) -> None:
        """Write what waits in the ledger."""
        await self.ledger.flush(self.store)

    async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
        """Answer one request.

        Raises:
            NoAnswer: no tool serves it and no model is configured.
            ModelError: the strong model gave no usable reply.
        """
        run = _Run(task, limits)
        try:
            async with asyncio.timeout(run.limits.seconds):
                trajectory = await self._climb(run)
        except TimeoutError:
            trajectory = run.limited("the time limit was reached")
        except LimitExceeded as fault:
            trajectory = run.limited(f"limit: {fault}")
        if self.ledger.due:
            await self.ledger.flush(self.store)
        return trajectory

    async def _climb(self, run: _Run) -> Trajectory:
        candidates = self._candidates(run.task)
        found = await self._compiled(run, candidates)
        if found is None and self._user is not None:
            found = await self._tool_user(run, self._user)
        if found is not None:
            return found
        return await self._ask_strong(run)

    def _candidates(self, task: Task) -> Sequence[tuple[str, float]]:
        if task.request_class is not None:
            return [(task.request_class, 1.0)]
        policy = self.policy
        return self.classifier.rank(task.input, most=policy.candidates, least=policy.least_score)

    async def _compiled(
        self, run: _Run, candidates: Sequence[tuple[str, float]]
    ) -> Trajectory | None:
        for name, score in candidates:
            record = self.tools.get(name)
            if record is None or not record.compiled:
                continue
            tried = await tiers.compiled(self._sandbox, record, run.task.input)
            self.ledger.count(name, record.version, "compiled", tried.status)
            if tried.answer is not None:
                why = f"{record.label} understood every word (wording {score:.2f}) and was rebuilt"
                return run.answered("compiled", tried.answer, why, record)
            run.attempts.append(f"{record.label} {tried.status}: {tried.why}")
        return None

    async def _tool_user(self, run: _Run, user: Model) -> Trajectory | None:
        name = await self._choose(run, user)
        record = self.tools.get(name) if name is not None else None
        if record is None:
            return None
        run.allow_model()
        model = self.ledger.metered(user, "use", record.request_class)
        tried, turn = await tiers.tool_user(self._sandbox, model, record, run.task.input)
        run.turns.append(turn)
        self.ledger.count(record.request_class, record.version, "tooluser", tried.status)
        if tried.answer is not None:
            why = f"{user.name} read the request, {record.label} computed"
            return run.answered("tooluser", tried.answer, why, record)
        run.attempts.append(f"{record.label} with {user.name} {tried.status}: {tried.why}")
        return None

    async def _choose(self, run: _Run, user: Model) -> str | None:
        if run.task.request_class is not None:
            return run.task.request_class
        if self.policy.dispatch == "model":
            if not self.tools:
                return None
            run.allow_model()
            examples = {
                name: record.demonstrations[0].input
                for name, record in sorted(self.tools.items())
                if record.demonstrations
            }
            model = self.ledger.metered(user, "dispatch", None)
            name, turn = await tiers.choose(model, examples, run.task.input)
            run.turns.append(turn)
            return name
        least = self.policy.tool_user_score
        guesses = self.classifier.rank(run.task.input, most=1, least=least)
        return guesses[0].request_class if guesses else None

    async def _ask_strong(self, run: _Run) -> Trajectory:
        if self._strong is None:
            tried = "; ".join(run.attempts) or "no class has this wording"
            raise NoAnswer(
                f"no tool answers this request ({tried}) and no strong model is configured; "
                "set one with --model or make a tool for it"
            )
        run.allow_model()
        if self._queue is not None and run.joined is None:
            run.joined = self._queue.class_of(run.task.input)
        name = run.joined
        answer, turn = await tiers.strong(
            self.ledger.metered(self._strong, "strong", name), run.task.input
        )
        run.turns.append(turn)
        self.ledger.count(name or "(unknown)", 0, "strong", "answered")
        why = "no tool proved able; the strong model answered"
        trajectory = run.answered("strong", answer, why, None)
        if self._queue is not None and name is not None:
            await self._queue.add(name, run.task.input, answer)
        return trajectory
