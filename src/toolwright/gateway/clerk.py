"""What the gateway itself answers, and the writing down and counting of every answer."""

from collections.abc import Callable
from typing import Any

from toolwright.core.traffic import Handled, Key
from toolwright.gateway.asgi import EVENTS, JSON, Headers, answer
from toolwright.gateway.call import Call, Kind
from toolwright.gateway.journal import Journal
from toolwright.gateway.keys import KeyRing
from toolwright.gateway.meters import Meters
from toolwright.gateway.wire import Asked


class Clerk:
    """Writes down, counts, and answers in the gateway's own name.

    Args:
        journal: where everything is written.
        keys: what may be spent.
        meters: what is counted.
        redact: applied to each text before it is kept.
        spans: hears of each request that is over; None: nobody does.
    """

    def __init__(
        self, journal: Journal, keys: KeyRing, meters: Meters, *, redact: Callable[[str], str] = str,
        spans: Callable[[Handled], None] | None = None,
    ) -> None:  # fmt: skip
        self.keys, self.meters, self.redact = keys, meters, redact
        self._journal, self.spans = journal, spans

    async def note(self, handled: Handled) -> None:
        """Write a request down; it must not end before."""
        await self._journal.add(handled)
        if self.spans is not None:
            self.spans(handled)

    def texts(self, key: Key, asked: str | None, text: str | None) -> dict[str, Any]:
        """Give the texts of a request as far as its key lets them be kept."""
        if not key.record or asked is None:
            return {}
        kept = {"input": self.redact(asked), "answer": text and self.redact(text)}
        return {name: value and value.replace("\0", "\ufffd") for name, value in kept.items()}

    async def say(
        self, call: Call, kind: Kind, asked: Asked, handled: Handled,
        said: tuple[str, dict[str, Any], Headers],
    ) -> None:  # fmt: skip
        """Write down what no endpoint but the gateway itself answers, and answer: text, facts, headers."""
        text, facts, more = said
        if kind.written is None:
            raise RuntimeError(f"only the endpoint answers {kind.path}")
        await self.note(handled)
        headers = [
            *call.named(handled.seconds),
            (b"x-toolwright-tier", handled.tier.encode()),
            *more,
        ]
        if handled.cost is not None:
            headers.append(
                (b"x-toolwright-cost-usd", f"{handled.cost:.8f}".encode() if handled.cost else b"0")
            )
        if handled.tier != "agent" and handled.saved is not None:
            headers.append((b"x-toolwright-saved-usd", f"{handled.saved:.8f}".encode()))
        if asked.stream:
            events = b"".join(kind.written.events(asked, text, facts))
            heads = [EVENTS, (b"cache-control", b"no-cache"), *headers]
            await answer(call.send, 200, events, heads)
        else:
            await answer(call.send, 200, kind.written.whole(asked, text, facts), [JSON, *headers])
        self.keys.used(call.key, handled.input_tokens + handled.output_tokens, handled.cost)
        self.meters.request(kind.name, handled.tier, 200, handled.seconds)
