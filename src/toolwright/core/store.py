"""The protocol of the place where made tools, their counts and the ledger are kept."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from pydantic import Field

from toolwright.core.messages import Frozen
from toolwright.core.model import Purpose, Usage
from toolwright.core.task import Outcome, Tier, Trajectory
from toolwright.core.tool import Demonstration, State, ToolRecord
from toolwright.core.values import Value


class Transition(Frozen):
    """A change of a version's state, with the reason for it."""

    state: State
    reason: str
    at: datetime


class Lease(NamedTuple):
    """The right to do one thing, until it lapses; of two holders the one with the larger token is right."""

    name: str
    owner: str
    token: int


class LedgerEntry(Frozen):
    """Model calls, one or more of a kind: what for, what they used, how long they took (seconds)."""

    purpose: Purpose
    request_class: str | None
    model: str
    usage: Usage
    seconds: float
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Count(Frozen):
    """How many requests of a class one tier answered, refused or failed."""

    request_class: str
    version: int
    tier: Tier
    answered: int = 0
    refused: int = 0
    failed: int = 0


class Standing(Frozen):
    """What comparisons on live traffic have shown of a version.

    Attributes:
        attempt: number of this proof among those of its class, from 1.
        trials: comparisons with a stronger tier, or with a user's word.
        wrong: how many of them disagreed.
        probe: comparisons still due before it serves again, after one that disagreed.
        probed: comparisons since that one, itself counted.
        probed_wrong: how many of these disagreed.
        ready: proved, and waiting for a person's approval.
        approved: a person has approved it.
    """

    attempt: int = Field(default=1, ge=1)
    trials: int = 0
    wrong: int = 0
    probe: int = 0
    probed: int = 0
    probed_wrong: int = 0
    ready: bool = False
    approved: bool = False


class MakingReport(Frozen):
    """All that happened while a tool was made, kept also when it failed."""

    id: int = 0
    request_class: str
    made: bool
    version: int | None = None
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    body: dict[str, Value] = Field(default_factory=dict)


class Trace(Frozen):
    """A kept trajectory as a list shows it; ``steps`` counts all branches."""

    id: int
    at: datetime
    input: str
    outcome: Outcome
    steps: int


class Wish(Frozen):
    """A tool for want of which an agent gave up, its trajectory, and the class that was made of it."""

    id: int
    at: datetime
    wants: str
    trace: int
    request_class: str | None = None


class TrajectoryLog(Protocol):
    """Keeps trajectories for good, and the wishes for tools that come out of them."""

    async def log(self, trajectory: Trajectory) -> int:
        """Keep a trajectory; gives its number. One that gave up for want of a tool leaves a wish."""
        ...

    async def trace(self, number: int) -> Trajectory:
        """Give a trajectory by its number. Raises StoreError."""
        ...

    async def traces(self, most: int | None = None) -> Sequence[Trace]:
        """Give what is kept, newest first."""
        ...

    async def wishes(self) -> Sequence[Wish]:
        """Give every wish, oldest first."""
        ...

    async def granted(self, wish: int, request_class: str) -> None:
        """Note the class of the tool that was made of a wish."""
        ...


class ToolStore(Protocol):
    """Keeps made tools for good: versions never change, states do."""

    async def add(
        self, record: ToolRecord, state: State, reason: str, lease: Lease | None = None
    ) -> ToolRecord:
        """Keep a new version; gives it back with its number. All or nothing.

        Raises:
            StoreError: the lease under which it was made is lost; another maker has it.
        """
        ...

    async def get(self, request_class: str, version: int | None = None) -> ToolRecord:
        """Give a version (None: the newest). Raises ToolNotFound."""
        ...

    async def serving(self) -> Sequence[ToolRecord]:
        """Give the newest serving version of each class."""
        ...

    async def versions(
        self, request_class: str | None = None
    ) -> Sequence[tuple[ToolRecord, State]]:
        """Give all versions, oldest first, with their states."""
        ...

    async def move(self, request_class: str, version: int, state: State, reason: str) -> None:
        """Change a version's state. Raises StoreError where life does not allow it."""
        ...

    async def history(self, request_class: str, version: int) -> Sequence[Transition]:
        """Give every change of state of a version, oldest first."""
        ...

    async def enqueue(self, request_class: str, demonstration: Demonstration) -> int:
        """Queue a request with its answer for making; gives the number of queued ones."""
        ...

    async def join(self, request_class: str, other: str) -> None:
        """Move all that is queued under one class to another one."""
        ...

    async def queued(
        self, request_class: str | None = None, since: str | None = None
    ) -> dict[str, list[Demonstration]]:
        """Give the queued demonstrations by class; ``since`` a time (ISO 8601, UTC), those alone that came
        from then on.
        """
        ...

    async def record(self, entries: Sequence[LedgerEntry], counts: Sequence[Count]) -> None:
        """Write ledger entries and add counts, in one transaction."""
        ...

    async def ledger(self) -> Sequence[LedgerEntry]:
        """Give every ledger entry, oldest first."""
        ...

    async def counts(self) -> Sequence[Count]:
        """Give the counts by class, version and tier."""
        ...

    async def report(self, report: MakingReport) -> int:
        """Keep a making report; gives its number."""
        ...

    async def reports(self, request_class: str | None = None) -> Sequence[MakingReport]:
        """Give making reports, oldest first."""
        ...
