"""A request's way: tools that are proved answer it; else it goes on to the strong model, and is learned
from.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from toolmint.core.errors import SandboxError, StoreError, ToolmintError
from toolmint.core.model import Usage
from toolmint.core.namespace import Namespace
from toolmint.core.traffic import Key
from toolmint.gateway.api.agent import AgentModel, answer_with_agent
from toolmint.gateway.api.fitting import fits
from toolmint.gateway.asgi import Headers, header
from toolmint.gateway.call import EndpointKind, GatewayCall, ParsedRequest
from toolmint.gateway.recording.recorder import Recorder
from toolmint.gateway.recording.request_log import LOG
from toolmint.gateway.upstream.pass_through import PassThrough, UpstreamAnswer
from toolmint.serving.background_maker import BackgroundMaker
from toolmint.serving.lifecycle import bound_status
from toolmint.serving.lookup import LookupResult
from toolmint.serving.records import AnsweredRequest, JoinedClass, hit_record, strong_record
from toolmint.serving.server import ToolServer
from toolmint.serving.servers import ToolServers

NO_TOOL = b"no-tool"
NOTHING = LookupResult("none")
_UNKNOWN = Usage(requests=1, cost=None)
Price = Callable[[str, Usage], Decimal | None]


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
        price: what a model's usage costs; None: nobody knows.
        agent: answers what asks for its name as a model; None: there is none.
    """

    def __init__(
        self,
        servers: ToolServers,
        strong: PassThrough,
        recorder: Recorder,
        *,
        maker: BackgroundMaker | None = None,
        price: Price,
        agent: AgentModel | None = None,
    ) -> None:
        self._servers, self._strong, self.recorder = servers, strong, recorder
        self._maker, self._price, self._agent = maker, price, agent
        self._later: set[asyncio.Task[None]] = set()

    async def serve(self, call: GatewayCall, kind: EndpointKind, body: bytes) -> None:
        """Answer one request.

        Raises:
            HttpError: it is wrong, not allowed, or the strong model cannot be reached.
        """
        parsed = kind.read(body)
        self.recorder.keys.allow(call.key, parsed.model)
        if self._agent is not None and parsed.model == self._agent.name:
            await answer_with_agent(self.recorder, call, kind, parsed, self._agent)
            return
        lookup = await self._look_up(call, parsed)
        found = lookup.found
        if found.mode == "serve" and found.answer is not None:
            await self._hit(call, kind, parsed, lookup)
            return
        keep = parsed.text is not None and (call.key.record or found.entry is not None)
        record = partial(self._record_answer, call, kind, parsed, lookup)
        await self._strong.answer(
            call, kind, parsed, body, _marks(lookup), keep=keep, record=record
        )

    @property
    def own(self) -> tuple[str, ...]:
        """Names of models that the gateway itself answers."""
        return () if self._agent is None else (self._agent.name,)

    async def idle(self) -> None:
        """Wait until everything that follows answers is done."""
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _look_up(self, call: GatewayCall, parsed: ParsedRequest) -> ToolLookup:
        if parsed.text is None:
            return ToolLookup(None, NOTHING, parsed.why)
        control = header(call.scope, b"cache-control") or b""
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
            return ToolLookup(server, NOTHING._replace(attempts=(*found.attempts, why)), why)
        return ToolLookup(server, found, "; ".join(found.attempts) or "no tool has this wording")

    async def _hit(
        self, call: GatewayCall, kind: EndpointKind, parsed: ParsedRequest, lookup: ToolLookup
    ) -> None:
        found, entry = lookup.found, lookup.found.entry
        if entry is None or found.answer is None or lookup.server is None:
            raise RuntimeError("a hit has a server, an entry and an answer")
        used, status = found.usage, bound_status(entry.tally, self._servers.policy.bound)
        texts = self.recorder.texts(call.key, parsed.text, found.answer)
        seconds = time.perf_counter() - call.started
        answered = AnsweredRequest(
            call.caller(parsed), parsed.model, found.tier, used, used.cost, texts, seconds
        )
        record = hit_record(answered, found, self._servers.mean_cost(entry.key))
        saved = None if record.saved is None else float(record.saved)
        name, version = entry.record.request_class, entry.record.version
        facts: dict[str, Any] = {
            "tier": found.tier,
            "class": name,
            "title": lookup.server.classes.title(name),
            "version": version,
            "why": found.why,
            "proof": status._asdict(),
            "tokens": used.tokens,
            "cost_usd": None if used.cost is None else float(used.cost),
            "saved_usd": saved,
            "request_id": call.number,
        }
        headers = [
            (b"x-toolmint-cache", b"hit"),
            (b"x-toolmint-tool", f"{name}@{version}".encode()),
            (b"x-toolmint-proof", str(status).encode()),
        ]
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
        cost = self._cost(model, usage, known=answered.usage is not None)
        texts = self.recorder.texts(key, parsed.text, answered.text)
        joined = JoinedClass()
        if lookup.server is not None and parsed.text is not None and answered.text is not None:
            joined = self._join(lookup.server, lookup.found, key, parsed.text)
        seconds = time.perf_counter() - call.started
        done = AnsweredRequest(call.caller(parsed), model, "strong", usage, cost, texts, seconds)
        why = answered.why or parsed.why or "the strong model answered"
        record = strong_record(done, lookup.found, joined, why, answered.status)
        # First what cannot be interrupted: a paid answer counts even where the task is cancelled here.
        self.recorder.spent(key, kind, record)
        await self.recorder.note(record)
        if lookup.server is None or parsed.text is None or answered.text is None:
            return
        if cost is not None and joined.key is not None:
            self._servers.add_cost(joined.key, float(cost))
        if lookup.found.entry is not None or lookup.found.turns:
            self._soon(self._compare(lookup.server, lookup.found, parsed.text, answered.text, key))
        if self._maker is not None and joined.queue is not None:
            self._maker.offer(lookup.server, joined.queue.name)

    def _cost(self, model: str, usage: Usage, *, known: bool) -> Decimal | None:
        """Return what an answer cost in US dollars; None: its usage or the model's price is not known."""
        if not known:
            return None
        return self._price(model, usage) if usage.requests else Decimal(0)

    def _join(self, server: ToolServer, found: LookupResult, key: Key, text: str) -> JoinedClass:
        """Return a request's class, and whether it is queued for it."""
        name, queued = found.known, False
        if key.record:
            name, queued = server.classes.join(self.recorder.redact(text), found.known)
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
        mine = found.entry is not None and found.entry.key.tenant == key.tenant
        outcome = await server.compare(found, text, theirs, keep=key.record and mine)
        await server.ledger.flush(server.store)
        if outcome is None or found.entry is None:
            return
        # Comparisons of one version run side by side: the store says which of them moved it.
        moved = outcome.state if outcome.reason else None
        if moved is not None:
            title = server.classes.title(found.entry.record.request_class)
            LOG.info("%s v%d is %s: %s", title, found.entry.record.version, moved, outcome.reason)
        self.recorder.metrics.compared(found.mode, agreed=not outcome.disagreed, moved=moved)


def _marks(lookup: ToolLookup) -> Headers:
    """Return the headers that say why the strong model answers."""
    found, why = lookup.found, lookup.why
    word = b"bypass" if found is NOTHING else b"miss"
    if found.mode in {"audit", "shadow"}:
        word = found.mode.encode()
    marks: Headers = [(b"x-toolmint-cache", word), (b"x-toolmint-tier", b"strong")]
    if word == b"bypass":
        marks.append((b"x-toolmint-why", why.encode("latin-1", "replace").replace(b"\n", b" ")))
    return marks
