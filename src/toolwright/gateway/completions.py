"""A request's way: tools that are proved answer it; else it goes on to the strong model, and is learned
from.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, NamedTuple

from toolwright.cache.crew import Crew
from toolwright.cache.desk import Desk, Found
from toolwright.cache.lifecycle import proof
from toolwright.core.errors import SandboxError, StoreError, ToolwrightError
from toolwright.core.model import Usage
from toolwright.core.traffic import Handled, Key
from toolwright.core.values import digest
from toolwright.gateway.agent import Agent, play
from toolwright.gateway.asgi import Headers, header
from toolwright.gateway.call import Call, Kind
from toolwright.gateway.clerk import Clerk
from toolwright.gateway.desks import Desks
from toolwright.gateway.fitting import fits
from toolwright.gateway.journal import LOG
from toolwright.gateway.strong import Answered, Strong
from toolwright.gateway.wire import Asked

NO_TOOL = b"no-tool"
NOTHING = Found("none")


class Looked(NamedTuple):
    """What the tools have to say, at which desk, and why none answers."""

    desk: Desk | None
    found: Found
    why: str


Price = Callable[[str, Usage], Decimal | None]


class Completions:
    """Answers chat completions and responses.

    Args:
        desks: the tools, by tenant and scope.
        strong: the strong model's endpoint.
        clerk: writes down and counts.
        crew: makes tools; None: none are made.
        price: what a model's usage costs; None: nobody knows.
        agent: answers what asks for its name as a model; None: there is none.
    """

    def __init__(
        self, desks: Desks, strong: Strong, clerk: Clerk, *, crew: Crew | None = None, price: Price,
        agent: Agent | None = None,
    ) -> None:  # fmt: skip
        self._desks, self._strong, self.clerk, self._crew = desks, strong, clerk, crew
        self._price, self._agent = price, agent
        self._later: set[asyncio.Task[None]] = set()

    async def serve(self, call: Call, kind: Kind, body: bytes) -> None:
        """Answer one request.

        Raises:
            Refusal: it is wrong, not allowed, or the strong model cannot be reached.
        """
        asked = kind.read(body)
        self.clerk.keys.allow(call.key, asked.model)
        if self._agent is not None and asked.model == self._agent.name:
            await play(self.clerk, call, kind, asked, self._agent)
            return
        looked = await self._ask(call, asked)
        found = looked.found
        if found.mode == "serve" and found.answer is not None:
            await self._hit(call, kind, asked, found)
            return
        keep = asked.text is not None and (call.key.record or found.entry is not None)
        answered = await self._strong.answer(call, kind, asked, body, _marks(looked), keep=keep)
        await self._settle(call, kind, asked, answered, looked)

    @property
    def own(self) -> tuple[str, ...]:
        """Names of models that the gateway itself answers."""
        return () if self._agent is None else (self._agent.name,)

    async def idle(self) -> None:
        """Wait until everything that follows answers is done."""
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _ask(self, call: Call, asked: Asked) -> Looked:
        if asked.text is None:
            return Looked(None, NOTHING, asked.why)
        control = header(call.scope, b"cache-control") or b""
        if b"no-store" in control:
            return Looked(None, NOTHING, "the request says no-store")
        try:
            desk = await self._desks.of(call.key.tenant, asked.scope)
            if b"no-cache" in control or header(call.scope, b"x-toolwright-control") == NO_TOOL:
                return Looked(desk, NOTHING, "the request wants no tool")
            found = await desk.ask(asked.text)
        except (StoreError, SandboxError) as fault:
            LOG.warning("%s goes to the strong model, tools rest: %s", call.number, fault)
            return Looked(None, NOTHING, "the tools rest")
        if found.mode == "serve" and not fits(asked, found.answer or ""):
            label = found.entry.record.label if found.entry else ""
            why = f"the answer of {label} does not fit what the request allows"
            return Looked(desk, NOTHING._replace(attempts=(*found.attempts, why)), why)
        return Looked(desk, found, "; ".join(found.attempts) or "no tool has this wording")

    async def _hit(self, call: Call, kind: Kind, asked: Asked, found: Found) -> None:
        entry, text = found.entry, found.answer or ""
        if entry is None:
            raise RuntimeError("a hit has an entry")
        mean, used = self._desks.mean_cost(entry.full), found.usage
        cost = None if used.cost is None else float(used.cost)
        saved = None if mean is None or cost is None else mean - cost
        tool = f"{entry.record.request_class}@{entry.record.version}"
        shown = proof(entry.standing, self._desks.rules.bound)
        facts: dict[str, Any] = {
            "tier": found.tier, "class": entry.record.request_class, "version": entry.record.version,
            "why": found.why, "proof": shown._asdict(), "tokens": used.tokens, "cost_usd": cost,
            "saved_usd": saved, "request_id": call.number,
        }  # fmt: skip
        handled = Handled(
            id=call.number, tenant=call.key.tenant, key=call.key.id, model=asked.model, tier=found.tier,
            input_tokens=used.input_tokens, cached_tokens=used.cached_tokens, cost=used.cost,
            output_tokens=used.output_tokens, streamed=asked.stream, request_class=entry.full,
            version=entry.record.version, why=found.why, attempts=found.attempts,
            saved=None if saved is None else Decimal(f"{saved:.8f}"),
            seconds=time.perf_counter() - call.started, **self.clerk.texts(call.key, asked.text, text),
        )  # fmt: skip
        headers = [
            (b"x-toolwright-cache", b"hit"), (b"x-toolwright-tool", tool.encode()),
            (b"x-toolwright-proof", str(shown).encode()),
        ]  # fmt: skip
        await self.clerk.say(call, kind, asked, handled, (text, facts, headers))
        self.clerk.meters.saved(saved)
        if used.requests:
            desk = await self._desks.of(call.key.tenant, asked.scope)
            self._soon(desk.entered())

    async def _settle(
        self, call: Call, kind: Kind, asked: Asked, answered: Answered, looked: Looked
    ) -> None:
        """Enter what the strong model's answer cost, queue it as a demonstration, and end the reply."""
        usage, key = answered.usage, call.key
        desk, found = looked.desk, looked.found
        cost = self._price(answered.model or asked.model, usage)
        full: str | None = None
        queued: str | None = None
        if desk is not None and asked.text is not None and answered.text is not None:
            full, queued = self._class(desk, found, key, asked.text)
        seconds = time.perf_counter() - call.started
        texts = self.clerk.texts(key, asked.text, answered.text)
        if queued is not None:
            texts["input_digest"] = digest(texts["input"])
        await self.clerk.note(
            Handled(
                id=call.number, tenant=key.tenant, key=key.id, model=answered.model or asked.model,
                tier="strong", status=answered.status, streamed=asked.stream, request_class=full,
                why=asked.why or "the strong model answered", attempts=found.attempts,
                calls=usage.requests, input_tokens=usage.input_tokens, cached_tokens=usage.cached_tokens,
                output_tokens=usage.output_tokens, cost=cost, seconds=seconds, queued=queued,
                **texts,
            )
        )  # fmt: skip
        self.clerk.keys.used(key, usage.tokens, cost)
        self.clerk.meters.spent(
            usage.input_tokens, usage.output_tokens, None if cost is None else float(cost)
        )
        self.clerk.meters.request(kind.name, "strong", answered.status, seconds)
        await answered.finish()
        if desk is None or asked.text is None or answered.text is None:
            return
        if cost is not None and full is not None:
            self._desks.cost(full, float(cost))
        if found.entry is not None or found.attempts:
            self._soon(self._compare(desk, found, asked.text, answered.text, record=key.record))
        if self._crew is not None and key.record and full is not None:
            self._crew.offer(desk, full.removeprefix(desk.room))

    def _class(
        self, desk: Desk, found: Found, key: Key, text: str
    ) -> tuple[str | None, str | None]:
        """Give the full names of a request's class, and of the class that it is queued for."""
        name, wanted = found.known, False
        if key.record:
            name, wanted = desk.join(self.clerk.redact(text), found)
        if name is None:
            return None, None
        full = found.entry.full if found.entry else desk.room + name
        return full, desk.room + name if wanted else None

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something behind the answer; what goes wrong is logged, the answer stands."""

        async def logged() -> None:
            try:
                await work
            except ToolwrightError as fault:
                LOG.warning("a comparison or an entry is lost: %s", fault)

        task = asyncio.create_task(logged())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _compare(
        self, desk: Desk, found: Found, text: str, theirs: str, *, record: bool
    ) -> None:
        before = found.entry.state if found.entry else None
        weighed = await desk.settle(found, text, theirs, keep=record)
        await desk.entered()
        if weighed is not None:
            moved = weighed.state if weighed.state != before else None
            if moved is not None and found.entry is not None:
                label = f"{found.entry.full} v{found.entry.record.version}"
                LOG.info("%s is %s: %s", label, moved, weighed.reason)
            self.clerk.meters.compared(found.mode, agreed=not weighed.disagreed, moved=moved)


def _marks(looked: Looked) -> Headers:
    """Give the headers that say why the strong model answers."""
    found, why = looked.found, looked.why
    word = b"bypass" if found is NOTHING else b"miss"
    if found.mode in {"audit", "shadow"}:
        word = found.mode.encode()
    marks: Headers = [(b"x-toolwright-cache", word), (b"x-toolwright-tier", b"strong")]
    if word == b"bypass":
        marks.append((b"x-toolwright-why", why.encode("latin-1", "replace").replace(b"\n", b" ")))
    return marks
