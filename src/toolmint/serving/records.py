"""A request as the log keeps it: the same fields whether the command line or the gateway answered it."""

from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from toolmint.core.model import Usage
from toolmint.core.namespace import ClassKey
from toolmint.core.task import Tier
from toolmint.core.traffic import RequestRecord
from toolmint.core.values import digest, sound
from toolmint.serving.lookup import LookupResult


class Caller(NamedTuple):
    """Who asked: the request's id, the tenant, the id of the key, and whether events were wanted."""

    id: str
    tenant: str
    key: str
    streamed: bool = False


class Texts(NamedTuple):
    """The texts of a request as far as they may be kept; None: they may not."""

    input: str | None = None
    answer: str | None = None


class JoinedClass(NamedTuple):
    """The class of a request, and where it waits as a demonstration.

    Attributes:
        key: its class; of a tool that another tenant granted, that tenant's. None: not known.
        queue: the class of the asker's own namespace that it waits for; None: for none.
    """

    key: ClassKey | None = None
    queue: ClassKey | None = None


def saved_by(found: LookupResult, mean: float | None) -> Decimal | None:
    """Return what a tool's answer saved in US dollars; None: a price is unknown.

    Args:
        found: the answer.
        mean: what the strong model's answers to the class cost on average.
    """
    used = found.usage.cost
    return None if mean is None or used is None else _dollars(mean) - used


@lru_cache(4096)
def _dollars(mean: float) -> Decimal:
    return Decimal(f"{mean:.8f}")


class AnsweredRequest(NamedTuple):
    """What the record of each answered request has: who asked, who answered, and what that used.

    Attributes:
        cost: US dollars; None: not known.
        seconds: from the request's start to its answer.
    """

    caller: Caller
    model: str
    tier: Tier
    usage: Usage
    cost: Decimal | None
    texts: Texts
    seconds: float

    def fields(self) -> dict[str, Any]:
        """Return the fields of its record. A record is built once: copies of frozen dataclasses are slow."""
        caller, usage, texts = self.caller, self.usage, self.texts
        return {
            "id": caller.id,
            "tenant": caller.tenant,
            "key": caller.key,
            "model": self.model,
            "tier": self.tier,
            "streamed": caller.streamed,
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.cached_tokens,
            "output_tokens": usage.output_tokens,
            "cost": self.cost,
            "seconds": self.seconds,
            "input": None if texts.input is None else sound(texts.input),
            "answer": None if texts.answer is None else sound(texts.answer),
        }


def agent_record(answered: AnsweredRequest, status: int, why: str) -> RequestRecord:
    """Return the record of the agent's answer."""
    return RequestRecord(**answered.fields(), status=status, why=why)


def hit_record(answered: AnsweredRequest, found: LookupResult, mean: float | None) -> RequestRecord:
    """Return the record of a tool's answer, with its class, version, reason and saving."""
    entry = found.entry
    return RequestRecord(
        **answered.fields(),
        request_class=entry.key_text if entry else None,
        version=entry.record.version if entry else None,
        why=found.why,
        attempts=tuple(map(sound, found.attempts)),
        saved=saved_by(found, mean),
    )


def strong_record(
    answered: AnsweredRequest,
    found: LookupResult,
    joined: JoinedClass,
    why: str,
    status: int = 200,
) -> RequestRecord:
    """Return the record of the strong model's answer, which may wait as a demonstration of its class.

    What light models used before stands beside the answer's own usage: the ledger has it from them.
    """
    fields = answered.fields()
    text = fields["input"]
    waits = joined.queue is not None and text is not None
    return RequestRecord(
        **fields,
        status=status,
        calls=answered.usage.requests,
        request_class=str(joined.key) if joined.key else None,
        attempts=tuple(map(sound, found.attempts)),
        light=found.usage if found.turns else None,
        why=why,
        queued=str(joined.queue) if waits else None,
        input_digest=digest(text) if waits else None,
        drawn=found.drawn if waits else None,
    )
