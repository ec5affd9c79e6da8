"""A request's way: tools that are proved answer it; else it goes on to the strong model, and is learned
from.
"""

import asyncio
import time
from collections.abc import Coroutine
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, NamedTuple

from toolmint.core.budgets import Prices
from toolmint.core.errors import SandboxError, StoreError, ToolmintError, boundary
from toolmint.core.model import Usage
from toolmint.core.namespace import Namespace
from toolmint.core.traffic import ComparisonOutcome, Key
from toolmint.gateway.api.agent import AgentModel, answer_with_agent
from toolmint.gateway.api.endpoints import CONVERSATION_FIELDS
from toolmint.gateway.api.fitting import fits
from toolmint.gateway.api.marks import marks_of, shown_of
from toolmint.gateway.asgi import header
from toolmint.gateway.auth.upper_usage import UsageEstimates
from toolmint.gateway.call import EndpointKind, GatewayCall, ParsedRequest
from toolmint.gateway.http_errors import internal_error
from toolmint.gateway.recording.recorder import Recorder
from toolmint.gateway.recording.request_log import LOG
from toolmint.gateway.upstream.disconnect import Lookout, cancel_on_disconnect
from toolmint.gateway.upstream.pass_through import PassThrough, UpstreamAnswer
from toolmint.serving.background_maker import BackgroundMaker
from toolmint.serving.lookup import ActiveVersion, LookupResult
from toolmint.serving.records import (
    AnsweredRequest,
    JoinedClass,
    Texts,
    hit_record,
    strong_record,
)
from toolmint.serving.server import ToolServer
from toolmint.serving.servers import ToolServers

NO_TOOL = b"no-tool"
_SHOWN = 4096  # versions of which is kept what answers show
NOTHING = LookupResult("none")
_UNKNOWN = Usage(requests=1, cost=None)


class ToolLookup(NamedTuple):
    """What the tools have to say, of which server (None: none was asked), and why none answers."""

    server: ToolServer | None
    found: LookupResult
    why: str


class Completions:
    """Answers chat completions and responses.

    Args:
        servers: the tools, by tenant and scope.
        strong: the strong model's endpoint.
        recorder: writes requests down and counts them.
        maker: makes tools; None: none are made.
        prices: what models cost.
        agent: answers what asks for its name as a model; None: there is none.
    """

    def __init__(
        self,
        servers: ToolServers,
        strong: PassThrough,
        recorder: Recorder,
        *,
        maker: BackgroundMaker | None = None,
        prices: Prices,
        agent: AgentModel | None = None,
    ) -> None:
        self._servers, self._strong, self.recorder = servers, strong, recorder
        self._maker, self._prices, self._agent = maker, prices, agent
        self._estimates = UsageEstimates(prices, CONVERSATION_FIELDS)
        self._later, self._lookout = set[asyncio.Task[None]](), Lookout()
        # A version at work is a new object once its tally moves, so what is shown of it can be kept.
        self._shown = lru_cache(_SHOWN)(partial(shown_of, servers.policy.bound))

    async def serve(self, call: GatewayCall, kind: EndpointKind, body: bytes) -> None:
        """Answer one request.

        Raises:
            HttpError: it is wrong, not allowed, or the strong model cannot be reached.
        """
        parsed, keys = kind.read(body), self.recorder.keys
        await keys.allow(call.key, parsed.model)
        try:
            await self._answer(call, kind, parsed, body)
        finally:
            keys.release(call.number)  # what no record has charged

    async def _answer(
        self, call: GatewayCall, kind: EndpointKind, parsed: ParsedRequest, body: bytes
    ) -> None:
        if self._agent is not None and parsed.model == self._agent.name:
            await answer_with_agent(self.recorder, call, kind, parsed, self._agent)
            return
        if self._servers.light:  # a light model that reads the request costs something too
            await self._reserve(call, kind, parsed, body)
        lookup = await self._look_up(call, parsed)
        found = lookup.found
        if found.mode == "serve" and found.answer is not None:
            await self._hit(call, kind, parsed, lookup)
            return
        await self._reserve(call, kind, parsed, body)
        keep = parsed.text is not None and (call.key.record or found.entry is not None)
        record = partial(self._record_answer, call, kind, parsed, lookup)
        await self._strong.answer(
            call,
            kind,
            parsed,
            body,
            marks_of(lookup.found, lookup.why, NOTHING),
            keep=keep,
            record=record,
        )

    async def _reserve(
        self, call: GatewayCall, kind: EndpointKind, parsed: ParsedRequest, body: bytes
    ) -> None:
        """Reserve the most that a request may cost.

        Raises:
            HttpError: its key has too little left.
            ClientLeft: the client went away while it waited; nothing was sent for it.
        """
        if not call.key.is_limited:
            return
        with cancel_on_disconnect(call.receive, lookout=self._lookout):
            await self.recorder.keys.reserve(
                call.number,
                call.key,
                lambda: self._estimates.upper(kind.name, parsed.body, body, self._servers.light),
            )

    @property
    def own(self) -> tuple[str, ...]:
        """Names of models that the gateway itself answers."""
        return () if self._agent is None else (self._agent.name,)

    async def idle(self) -> None:
        """Wait until everything that follows answers is done."""
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _look_up(self, call: GatewayCall, parsed: ParsedRequest) -> ToolLookup:
        if parsed.text is None or parsed.why:
            return ToolLookup(None, NOTHING, parsed.why)
        control = (header(call.scope, b"cache-control") or b"").lower()
        if b"no-store" in control:
            return ToolLookup(None, NOTHING, "the request says no-store")
        try:
            server = await self._servers.of(Namespace(call.key.tenant, parsed.scope))
            if b"no-cache" in control or header(call.scope, b"x-toolmint-control") == NO_TOOL:
                return ToolLookup(server, NOTHING, "the request wants no tool")
            found = await server.lookup(parsed.text)
        except (StoreError, SandboxError) as fault:
            LOG.warning("%s goes to the strong model, tools rest: %s", call.number, fault)
            return ToolLookup(None, NOTHING, "the tools rest")
        if found.mode == "serve" and not fits(parsed, found.answer or ""):
            label = found.entry.record.label if found.entry else ""
            why = f"the answer of {label} does not fit what the request allows"
            # Its class is not said, as it answers nothing; what a light model was paid stays.
            nothing = LookupResult("none", attempts=(*found.attempts, why), turns=found.turns)
            return ToolLookup(server, nothing, why)
        return ToolLookup(server, found, "; ".join(found.attempts) or "no tool has this wording")

    async def _hit(
        self, call: GatewayCall, kind: EndpointKind, parsed: ParsedRequest, lookup: ToolLookup
    ) -> None:
        found, entry = lookup.found, lookup.found.entry
        if entry is None or found.answer is None or lookup.server is None:
            raise RuntimeError("a hit has a server, an entry and an answer")
        used, tier = found.usage, found.tier
        texts = self.recorder.texts(call.key, parsed.text, found.answer)
        seconds = time.perf_counter() - call.started
        answered = AnsweredRequest(
            call.caller(parsed), parsed.model, tier, used, used.cost, texts, seconds
        )
        record = hit_record(answered, found, self._servers.mean_cost(entry.key))
        saved = None if record.saved is None else float(record.saved)
        facts, headers = self._shown(entry, lookup.server.classes.title(entry.key.name))
        facts = facts | {
            "tier": tier,
            "why": found.why,
            "tokens": used.tokens if found.turns else 0,
            "cost_usd": None if used.cost is None else float(used.cost),
            "saved_usd": saved,
            "request_id": call.number,
        }
        await self.recorder.say(call, kind, parsed, record, (found.answer, facts, headers))
        self.recorder.metrics.saved(saved)
        if used.requests:
            self._soon(lookup.server.ledger.flush(lookup.server.store))

    async def _record_answer(
        self,
        call: GatewayCall,
        kind: EndpointKind,
        parsed: ParsedRequest,
        lookup: ToolLookup,
        answered: UpstreamAnswer,
    ) -> None:
        """Enter what the strong model's answer cost, and queue it as a demonstration."""
        key, model = call.key, answered.model or parsed.model
        usage = answered.usage or _UNKNOWN
        cost = self._cost(model, parsed.model, answered.usage)
        texts = self.recorder.texts(key, parsed.text, answered.text)
        joined = JoinedClass()
        if lookup.server is not None and parsed.text is not None and answered.text is not None:
            joined = self._join(lookup.server, lookup.found, texts, call.number)
        seconds = time.perf_counter() - call.started
        done = AnsweredRequest(call.caller(parsed), model, "strong", usage, cost, texts, seconds)
        why = answered.why or parsed.why or "the strong model answered"
        record = strong_record(done, lookup.found, joined, why, answered.status)
        # First what cannot be interrupted: a paid answer counts even where the task is cancelled here.
        self.recorder.spent(kind, record)
        await self.recorder.note(record)
        if lookup.server is not None and lookup.server.ledger.waiting:
            self._soon(lookup.server.ledger.flush(lookup.server.store))
        if lookup.server is None or parsed.text is None or answered.text is None:
            return
        if cost is not None and joined.key is not None:
            self._servers.add_cost(joined.key, float(cost))
        if lookup.found.entry is not None or lookup.found.learned:
            self._soon(self._compare(lookup.server, lookup.found, parsed.text, answered.text, key))
        if self._maker is not None and joined.queue is not None:
            self._maker.offer(lookup.server, joined.queue.name)

    def _cost(self, model: str, asked: str, usage: Usage | None) -> Decimal | None:
        """Return what an answer cost in US dollars; None: its usage or the model's price is not known."""
        if usage is None:
            return None
        return self._prices.cost(model, usage, asked) if usage.requests else Decimal(0)

    def _join(
        self, server: ToolServer, found: LookupResult, texts: Texts, number: str
    ) -> JoinedClass:
        """Return the class of a request, and whether its text, where it is kept, is queued for it."""
        name, queued, kept = found.known, False, texts.input
        if kept is not None:
            try:
                name, queued = boundary(
                    lambda: server.classes.join(kept, found.known, texts.answer), internal_error
                )
            except ToolmintError as fault:  # a paid answer is written down all the same
                LOG.error("%s joins no class: %r", number, fault.__cause__)
        if name is None:
            return JoinedClass()
        mine = server.namespace.key(name)
        return JoinedClass(found.entry.key if found.entry else mine, mine if queued else None)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something behind the answer; what goes wrong is logged, the answer stands."""

        async def logged() -> None:
            try:
                await work
            except ToolmintError as fault:
                LOG.warning("a comparison or an entry is lost: %s", fault)

        task = asyncio.create_task(logged())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _compare(
        self, server: ToolServer, found: LookupResult, text: str, theirs: str, key: Key
    ) -> None:
        # Texts of one tenant must not be kept with a class that another one granted.
        entries = [one.entry for one in found.learned] or [found.entry]
        mine = all(one is not None and one.key.tenant == key.tenant for one in entries)
        keep, redact = key.record and mine, self.recorder.kept_together
        outcome = await server.compare(found, text, theirs, keep=keep, redact=redact)
        await server.ledger.flush(server.store)
        if outcome is not None and found.entry is not None:
            self._told(server, found.entry, found.mode, outcome)
        for entry, moved in await server.compare_learned(
            found, text, theirs, keep=keep, redact=redact
        ):
            self._told(server, entry, "shadow", moved)

    def _told(
        self, server: ToolServer, entry: ActiveVersion, mode: str, outcome: ComparisonOutcome
    ) -> None:
        """Count a comparison, and log where it has moved the version."""
        # Comparisons of one version run side by side: the store says which of them moved it.
        moved = outcome.state if outcome.reason else None
        if moved is not None:
            title = server.classes.title(entry.record.request_class)
            LOG.info("%s v%d is %s: %s", title, entry.record.version, moved, outcome.reason)
        self.recorder.metrics.compared(mode, agreed=not outcome.disagreed, moved=moved)
