"""What is kept of live traffic: comparisons, leases, keys, and a line for each request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from pydantic import Field, TypeAdapter

from toolwright.core.messages import Frozen
from toolwright.core.store import Lease, Standing, ToolStore
from toolwright.core.task import Tier
from toolwright.core.tool import State

ComparedBy = Literal["shadow", "audit", "feedback"]
Judge = Callable[[Standing, State], tuple[Standing, State | None, str]]
"""Gives a version's new standing, the state it moves to (None: it stays), and why. Pure: may run again."""


class Comparison(Frozen):
    """A disagreement, as evidence: the request, the tool's answer, and the other one.

    The texts are None where the key of the request does not allow them to be kept.
    """

    kind: ComparedBy
    version: int
    input: str | None = None
    ours: str | None = None
    theirs: str | None = None
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Weighed(NamedTuple):
    """A version after a comparison; ``reason`` is not empty where it has moved."""

    standing: Standing
    state: State
    reason: str
    disagreed: bool


class LiveStore(Protocol):
    """Keeps what live traffic shows of tools."""

    async def standing(self, request_class: str, version: int) -> Standing:
        """Give what is known of a version; a new one where nothing is."""
        ...

    async def standings(self, room: str) -> Mapping[tuple[str, int], Standing]:
        """Give what is known of all versions of a room (an empty text: of all rooms)."""
        ...

    async def weigh(
        self, request_class: str, version: int, judge: Judge, kept: Comparison | None = None
    ) -> Weighed:
        """Apply a comparison to a version, all in one transaction. Raises ToolNotFound."""
        ...

    async def disagreements(self, request_class: str) -> Sequence[Comparison]:
        """Give the kept disagreements of a class, newest first."""
        ...

    async def lease(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Take a lease for some seconds; None while another owner holds it."""
        ...

    async def renew(self, lease: Lease, seconds: float) -> bool:
        """Prolong a lease; False where it was lost."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give a lease back."""
        ...


class Key(Frozen):
    """What a gateway's key allows. The secret itself is not kept, only its digest.

    Attributes:
        tenant: whose key it is: demonstrations, tools and traces are the tenant's own.
        record: requests and answers of this key may be kept, and tools made of them.
        models: models that may be asked for; empty: all.
        budget: US dollars that may be spent in a window; None: no limit.
        window: of the budget, in days; None: for good.
        rpm: requests a minute; None: no limit.
        tpm: tokens a minute; None: no limit.
    """

    id: str
    tenant: str
    name: str = ""
    admin: bool = False
    record: bool = False
    models: tuple[str, ...] = ()
    budget: Decimal | None = Field(default=None, ge=0)
    window: int | None = Field(default=None, ge=1)
    rpm: int | None = Field(default=None, ge=1)
    tpm: int | None = Field(default=None, ge=1)
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    expires: datetime | None = None
    revoked: bool = False


class KeyStore(Protocol):
    """Keeps keys by the digests of their secrets."""

    async def keep_key(self, key: Key, digest: str) -> None:
        """Keep a new key, or a changed one."""
        ...

    async def keys(self) -> Mapping[str, Key]:
        """Give all keys by digest."""
        ...

    async def spent(self, key: Key) -> Decimal:
        """Give the US dollars that a key has spent in its window."""
        ...

    async def grant(self, request_class: str, tenant: str) -> None:
        """Let a tenant use a class of another one; ``request_class`` is its full name."""
        ...

    async def withdraw(self, request_class: str, tenant: str) -> None:
        """Take a grant back."""
        ...

    async def granted(self, tenant: str) -> Sequence[str]:
        """Give the full names of the classes that others let a tenant use."""
        ...


@dataclass(frozen=True, kw_only=True)
class Handled:
    """One request as the log keeps it: who asked, who answered, why, what it cost and saved (US dollars).

    ``input`` and ``answer`` are None where the key does not allow them to be kept. ``calls`` are those of the
    strong model; ``queued`` is the class, by its full name, for which they wait as a demonstration, and
    ``input_digest`` then tells equal inputs. A plain dataclass, as it is made for each request.
    """

    id: str
    tenant: str
    key: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    model: str
    tier: Tier
    status: int = 200
    streamed: bool = False
    request_class: str | None = None
    version: int | None = None
    why: str = ""
    attempts: tuple[str, ...] = ()
    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = Decimal(0)
    saved: Decimal | None = Decimal(0)
    seconds: float = 0.0
    input: str | None = None
    answer: str | None = None
    queued: str | None = None
    input_digest: str | None = None

    @cached_property
    def line(self) -> bytes:
        """It as one line of JSON, without the line's end."""
        return _HANDLED.dump_json(self)

    @classmethod
    def read(cls, line: str | bytes) -> "Handled":
        """Read what ``line`` gave.

        Raises:
            ValidationError: it is no such line.
        """
        return _HANDLED.validate_json(line)


_HANDLED = TypeAdapter(Handled)


class Line(NamedTuple):
    """One day's requests of a class that one tier answered: how many, what they cost and saved (US dollars).

    An unknown cost is in no sum; ``unknown`` counts such requests.
    """

    day: str
    request_class: str | None
    tier: str
    requests: int
    cost: float
    saved: float
    unknown: int


class TrafficLog(Protocol):
    """Keeps a line for each request."""

    async def write(self, handled: Sequence[Handled], *, again: bool = False) -> None:
        """Write requests in one transaction, with the ledger's entries and demonstrations that they are.

        ``again``: some may be written already; they stay as they are.
        """
        ...

    async def forget(self, before: str) -> int:
        """Delete requests and comparisons from before a time (ISO 8601, UTC); gives how many requests."""
        ...

    async def request(self, number: str, tenant: str | None = None) -> Handled | None:
        """Give one request by its id, of one tenant or of all."""
        ...

    async def requests(
        self, *, tenant: str | None = None, request_class: str | None = None, most: int = 100
    ) -> Sequence[Handled]:
        """Give the newest requests first."""
        ...

    async def days(self, since: str) -> Sequence[Line]:
        """Give the requests since a day (ISO 8601) by day, class and tier, oldest first."""
        ...

    async def makings(self) -> Mapping[str, float]:
        """Give what makings cost by the classes' full names, in US dollars."""
        ...

    async def mean_costs(self, room: str) -> Mapping[str, float]:
        """Give what the strong model's answers cost on average, by the classes of a room, in US dollars."""
        ...


class Rooms(Protocol):
    """A store that has rooms."""

    def room(self, name: str) -> ToolStore:
        """Give the store of one room, which sees nothing of the others."""
        ...

    async def changes(self) -> str:
        """Give a text that differs once any version of any room has changed its state, or a grant was
        made.
        """
        ...
