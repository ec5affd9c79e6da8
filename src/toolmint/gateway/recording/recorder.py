"""What the gateway itself answers, and the writing down and counting of every answer."""

from collections.abc import Callable
from typing import Any

from toolmint.core.errors import ToolmintError, boundary
from toolmint.core.traffic import Key, RequestRecord
from toolmint.gateway.asgi import EVENTS, JSON, Headers, send_response
from toolmint.gateway.auth.keys import KeyRing
from toolmint.gateway.call import EndpointKind, GatewayCall, ParsedRequest
from toolmint.gateway.http_errors import internal_error
from toolmint.gateway.observability.metrics import Metrics
from toolmint.gateway.recording.request_log import LOG, RequestLog
from toolmint.serving.records import Texts


class Recorder:
    """Writes down, counts, and answers in the gateway's own name.

    Args:
        request_log: where everything is written.
        keys: what may be spent.
        metrics: what is counted.
        redact: applied to each text before it is kept; where it fails, the text is not kept.
        spans: is told of each request that is over; None: nobody is.
    """

    def __init__(
        self,
        request_log: RequestLog,
        keys: KeyRing,
        metrics: Metrics,
        *,
        redact: Callable[[str], str] = str,
        spans: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self.keys, self.metrics, self._redact = keys, metrics, redact
        self._request_log, self.spans = request_log, spans

    async def note(self, record: RequestRecord) -> None:
        """Charge a request to its key, and write it down; it must not end before."""
        record = self.keys.charge(record)
        await self._request_log.add(record)
        if self.spans is not None:
            self.spans(record)

    def texts(self, key: Key, asked: str | None, answer: str | None) -> Texts:
        """Return the texts of a request as far as its key lets them be kept; all of them, or none."""
        if not key.record or asked is None:
            return Texts()
        kept = self.kept_together(asked, *([answer] if answer else []))
        return Texts() if kept is None else Texts(kept[0], kept[1] if answer else answer)

    def kept_together(self, *texts: str) -> tuple[str, ...] | None:
        """Return texts as they may be kept; None where ``redact`` fails on one: then none is kept."""
        try:
            return boundary(lambda: tuple(map(self._kept, texts)), internal_error)
        except ToolmintError as fault:
            # The fault's own words may hold the text that must not be kept.
            cause = type(fault.__cause__ or fault).__name__
            LOG.error("texts are not kept, as the function of 'redact' failed: %s", cause)
            return None

    def _kept(self, text: str) -> str:
        # PostgreSQL takes no NUL in a text.
        return str.replace(self._redact(text), "\0", "\ufffd")

    async def say(
        self,
        call: GatewayCall,
        kind: EndpointKind,
        parsed: ParsedRequest,
        record: RequestRecord,
        said: tuple[str, dict[str, Any], Headers],
    ) -> None:
        """Write down what no endpoint but the gateway itself answers, and answer: text, facts, headers."""
        text, facts, more = said
        if kind.written is None:
            raise RuntimeError(f"only the endpoint answers {kind.path}")
        await self.note(record)
        headers = [
            *call.named(record.seconds),
            (b"x-toolmint-tier", record.tier.encode()),
            *_money(record),
            *more,
        ]
        if parsed.stream:
            events = b"".join(kind.written.events(parsed, text, facts))
            heads = [EVENTS, (b"cache-control", b"no-cache"), *headers]
            await send_response(call.send, 200, events, heads)
        else:
            body = kind.written.whole(parsed, text, facts)
            await send_response(call.send, 200, body, [JSON, *headers])
        self.metrics.request(kind.name, record.tier, 200, record.seconds)

    def spent(self, kind: EndpointKind, record: RequestRecord) -> None:
        """Count what the strong model's answer used in the metrics."""
        cost = None if record.cost is None else float(record.cost)
        self.metrics.spent(record.input_tokens, record.output_tokens, cost)
        self.metrics.request(kind.name, "strong", record.status, record.seconds)


def _money(record: RequestRecord) -> Headers:
    """Return the headers that say what an answer cost and saved, as far as that is known."""
    found: Headers = []
    if record.cost is not None:
        said = f"{record.cost:.8f}" if record.cost else "0"
        found.append((b"x-toolmint-cost-usd", said.encode()))
    if record.tier != "agent" and record.saved is not None:
        found.append((b"x-toolmint-saved-usd", f"{record.saved:.8f}".encode()))
    return found
