"""What is kept of live traffic: comparisons, leases, keys, and a line for each request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, Protocol

from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic_core import to_json

from toolmint.core.budgets import BudgetStore
from toolmint.core.grants import GrantStore, StoreChanges
from toolmint.core.learned import DrawReason
from toolmint.core.messages import Frozen
from toolmint.core.model import Usage
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.rates import RateStore
from toolmint.core.sameness import AnswerRule
from toolmint.core.store import Lease, Tally, ToolStore
from toolmint.core.task import Tier, current_word
from toolmint.core.tool import State
from toolmint.core.totals import DailyTotal, MakingCost
from toolmint.core.user_report import ReportStore, UserReport

ComparedBy = Literal["shadow", "audit", "feedback"]
TallyUpdate = Callable[[Tally, State], tuple[Tally, State | None, str]]
"""Returns a version's new tally, the state it moves to (None: it stays), and why. Pure: may run again."""


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


class ComparisonOutcome(NamedTuple):
    """A version after a comparison.

    Attributes:
        reason: why the version has moved; empty where it has not.
        rule: by which rule of ``core.sameness`` the answers agreed; None where they disagreed, or where a
            person's word was taken in place of a comparison.
        counted: False for a user's report on a request that the same key has reported on before.
    """

    tally: Tally
    state: State
    reason: str
    disagreed: bool
    rule: AnswerRule | None = None
    counted: bool = True


class LiveStore(ReportStore, Protocol):
    """Keeps what live traffic shows of tools, in every namespace."""

    async def tally(self, key: ClassKey, version: int) -> Tally:
        """Return what is known of a version; a new one where nothing is."""
        ...

    async def tallies(
        self, namespace: Namespace | None = None
    ) -> Mapping[ClassKey, dict[int, Tally]]:
        """Return what is known of all versions of a namespace (None: of all), by class and version."""
        ...

    async def record_comparison(
        self,
        key: ClassKey,
        version: int,
        update: TallyUpdate,
        kept: Comparison | None = None,
        *,
        report: UserReport | None = None,
    ) -> ComparisonOutcome:
        """Apply a comparison to a version, all in one transaction; a user's ``report`` once. Raises
        ToolNotFound.
        """
        ...

    async def disagreements(self, key: ClassKey) -> Sequence[Comparison]:
        """Return the kept disagreements of a class, newest first."""
        ...

    async def lease(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Take a lease for some seconds; None while another owner holds it."""
        ...

    async def renew(self, lease: Lease, seconds: float) -> bool:
        """Prolong a lease; False where it was lost."""
        ...

    async def release(self, lease: Lease) -> None:
        """Release a lease."""
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

    @property
    def is_limited(self) -> bool:
        """Whether what a request uses is reserved before it is sent."""
        return self.budget is not None or self.tpm is not None


class KeyStore(BudgetStore, RateStore, GrantStore, Protocol):
    """Keeps keys by the digests of their secrets, their budgets and rates, and grants."""

    async def keep_key(self, key: Key, digest: str) -> None:
        """Keep a new key, or a changed one."""
        ...

    async def keys(self) -> Mapping[str, Key]:
        """Return all keys by digest."""
        ...


@dataclass(frozen=True, kw_only=True)
class RequestRecord:
    """One request as the log keeps it: who asked, who answered, why, what it cost and saved (US dollars).

    ``input`` and ``answer`` are None where the key does not allow them to be kept. ``calls`` are those of the
    strong model; ``light`` is what light models used that read the request and did not answer it, beside
    ``cost`` and tokens. ``queued`` is the class, by its full name, for which they wait as a demonstration,
    ``input_digest`` then tells equal inputs, and ``drawn`` why the strong model answered it. ``estimated`` is
    the most that it was taken to cost, where its key has a budget; the budget is charged with it where the
    cost is unknown. A plain dataclass, as it is made for each request.
    """

    id: str
    tenant: str
    key: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    model: str
    tier: Annotated[Tier, BeforeValidator(current_word)]
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
    drawn: DrawReason | None = None
    light: Usage | None = None
    estimated: Decimal | None = None

    @property
    def charged(self) -> Decimal:
        """US dollars that count against the key's budget; what is known of them where no more is."""
        light = Decimal(0) if self.light is None else self.light.cost
        if self.cost is not None and light is not None:
            return self.cost + light
        known = (self.cost or Decimal(0)) + (light or Decimal(0))
        return known if self.estimated is None else max(known, self.estimated)

    @property
    def used(self) -> Usage:
        """All that was paid for the request, whoever answered it."""
        mine = Usage(
            input_tokens=self.input_tokens,
            cached_tokens=self.cached_tokens,
            output_tokens=self.output_tokens,
            cost=self.cost,
        )
        return mine if self.light is None else mine + self.light

    @cached_property
    def line(self) -> bytes:
        """The record as one line of JSON, without the line's end."""
        return to_json(vars(self))  # which has no "line" before it is made

    @classmethod
    def read(cls, line: str | bytes) -> "RequestRecord":
        """Return the record of a line that ``line`` wrote.

        Raises:
            ValidationError: it is no such line.
        """
        return _RECORD.validate_json(line)


_RECORD = TypeAdapter(RequestRecord)


class TrafficLog(Protocol):
    """Keeps a line for each request."""

    async def write(self, request_record: Sequence[RequestRecord], *, again: bool = False) -> None:
        """Write requests in one transaction, with the ledger's entries and demonstrations that they are.

        ``again``: some may be written already; they stay as they are.
        """
        ...

    async def forget(self, before: str) -> int:
        """Delete requests and comparisons from before a time (ISO 8601, UTC); returns how many requests."""
        ...

    async def request(self, number: str, tenant: str | None = None) -> RequestRecord | None:
        """Return one request by its id, of one tenant or of all."""
        ...

    async def requests(
        self, *, tenant: str | None = None, request_class: str | None = None, most: int = 100
    ) -> Sequence[RequestRecord]:
        """Return the newest requests first."""
        ...

    async def days(self, since: str) -> Sequence[DailyTotal]:
        """Return the requests since a day (ISO 8601) by day, class and tier, oldest first."""
        ...

    async def makings(self) -> Mapping[str, MakingCost]:
        """Return what makings used, by ``str`` of the classes' keys."""
        ...

    async def mean_costs(self, namespace: Namespace) -> Mapping[str, float]:
        """Return what the strong model's answers cost on average (US dollars), by the names of a
        namespace's classes; a class of which no price is known is left out.
        """
        ...


class TenantStores(Protocol):
    """A store that holds the namespaces of many tenants."""

    def namespace(self, namespace: Namespace) -> ToolStore:
        """Return the store of one namespace, which sees nothing of the others."""
        ...

    async def changes(self, since: int | None) -> StoreChanges:
        """Return where versions have moved after a change of some number (None: only the last number)."""
        ...
