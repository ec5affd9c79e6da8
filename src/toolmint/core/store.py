"""The protocol of the place where made tools, their counts and the ledger are kept."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from pydantic import Field

from toolmint.core.arcs import NO_ARCS
from toolmint.core.learned import DrawnDemonstration
from toolmint.core.messages import Frozen
from toolmint.core.model import Purpose, Usage
from toolmint.core.task import FlagKind, Outcome, Trajectory
from toolmint.core.tool import Demonstration, State, ToolRecord
from toolmint.core.values import Value


class StateChange(Frozen):
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


class ClassInfo(Frozen):
    """What people call a request class, beside the name that the store keeps it under.

    Attributes:
        title: given by the maker with its first reply; until then the first words of ``example``.
        example: the first request of the class; None: it may not be kept.
    """

    title: str
    example: str | None = None


class Tally(Frozen):
    """What comparisons on live traffic have shown of a version.

    Attributes:
        attempt: number of this proof among those of its class, from 1.
        trials: comparisons with a stronger tier, or with a user's word.
        wrong: how many of them disagreed.
        as_json: how many agreed as JSON, where the texts differ (``core.sameness``).
        recheck: comparisons still due before it serves again, after one that disagreed.
        rechecked: comparisons since that one, itself counted.
        rechecked_wrong: how many of these disagreed.
        ready: proved, and waiting for a person's approval.
        approved: a person has approved it.
        verified_arcs: arcs that comparisons have verified beyond those of the record, in hexadecimal.
        arc_agreements: of arcs that are not verified yet, by number: agreements since the last
            disagreement, less what one costs.
        drift: of a learned version that serves, evidence of its audits that it is wrong more often than
            allowed by now (the logarithm of a likelihood ratio, never below 0).
        seen: of a learned version that is compared with the one at work: requests of the class since, each
            weighted by how seldom the like of it is compared.
        answered: how many of them it answered, ``rival`` how many the version at work did.
    """

    attempt: int = Field(default=1, ge=1)
    trials: int = 0
    wrong: int = 0
    as_json: int = 0
    recheck: int = 0
    rechecked: int = 0
    rechecked_wrong: int = 0
    ready: bool = False
    approved: bool = False
    verified_arcs: str = NO_ARCS
    arc_agreements: dict[str, int] = Field(default_factory=dict)
    drift: float = 0.0
    seen: float = 0.0
    answered: float = 0.0
    rival: float = 0.0


class MakingReport(Frozen):
    """All that happened while a tool was made, kept also when it failed."""

    id: int = 0
    request_class: str
    made: bool
    version: int | None = None
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    body: dict[str, Value] = Field(default_factory=dict)


class TrajectorySummary(Frozen):
    """A kept trajectory as a list shows it; ``steps`` counts all branches, ``flags`` mark its answer."""

    id: int
    at: datetime
    input: str
    outcome: Outcome
    steps: int
    flags: tuple[FlagKind, ...] = ()


class MissingTool(Frozen):
    """A tool for want of which an agent gave up, its trajectory, and the class that was made of it."""

    id: int
    at: datetime
    wants: str
    trace: int
    request_class: str | None = None


class TrajectoryLog(Protocol):
    """Keeps trajectories for good, and the missing tools that come out of them."""

    async def log(self, trajectory: Trajectory) -> int:
        """Keep a trajectory; return its number. Giving up for want of a tool leaves a missing tool."""
        ...

    async def trace(self, number: int) -> Trajectory:
        """Return a trajectory by its number. Raises StoreError."""
        ...

    async def traces(self, most: int | None = None) -> Sequence[TrajectorySummary]:
        """Return summaries of the trajectories, newest first."""
        ...

    async def missing_tools(self) -> Sequence[MissingTool]:
        """Return every missing tool, oldest first."""
        ...

    async def made(self, missing_tool: int, request_class: str) -> None:
        """Note the class of the tool that was made for it."""
        ...


class ToolStore(Protocol):
    """Keeps the made tools of one namespace: versions never change, states do.

    The store of a whole database is one too: it shows the classes of every namespace, and names them by
    ``str`` of their keys (see ``core.namespace``).
    """

    async def add(
        self,
        record: ToolRecord,
        state: State,
        reason: str,
        lease: Lease | None = None,
        *,
        weights: bytes | None = None,
    ) -> ToolRecord:
        """Keep a new version, with the weights of a learned one, in one transaction; return it numbered.

        Raises:
            StoreError: the lease under which it was made is lost; another maker has it.
        """
        ...

    async def get(self, request_class: str, version: int | None = None) -> ToolRecord:
        """Return a version (None: the newest). Raises ToolNotFound."""
        ...

    async def weights(self, request_class: str, digest: str) -> bytes:
        """Return the weights that a class's record names. Raises StoreError where they are not there."""
        ...

    async def serving(self) -> Sequence[ToolRecord]:
        """Return the newest serving version of each class."""
        ...

    async def versions(
        self, request_class: str | None = None
    ) -> Sequence[tuple[ToolRecord, State]]:
        """Return all versions, oldest first, with their states."""
        ...

    async def move(self, request_class: str, version: int, state: State, reason: str) -> None:
        """Change a version's state. Raises StoreError where the present state does not allow it."""
        ...

    async def history(self, request_class: str, version: int) -> Sequence[StateChange]:
        """Return every change of state of a version, oldest first."""
        ...

    async def enqueue(self, request_class: str, demonstration: Demonstration) -> int:
        """Queue a request with its answer for making; returns the number of queued ones."""
        ...

    async def join(self, request_class: str, other: str) -> None:
        """Move the queued demonstrations of one class to another one."""
        ...

    async def queued(
        self,
        request_class: str | None = None,
        *,
        since: str | None = None,
        most: int | None = None,
    ) -> dict[str, list[Demonstration]]:
        """Return the queued demonstrations by class, oldest first.

        Args:
            request_class: of this class alone.
            since: a time (ISO 8601, UTC): those alone that came from then on.
            most: of each class the newest so many.
        """
        ...

    async def learnable(self, request_class: str, most: int) -> Sequence[DrawnDemonstration]:
        """Return a class's newest queued demonstrations that have an answer, oldest first."""
        ...

    async def trim(self, request_class: str, most: int) -> int:
        """Drop a class's oldest queued demonstrations beyond some number; return how many."""
        ...

    async def record(self, entries: Sequence[LedgerEntry]) -> None:
        """Write ledger entries, in one transaction."""
        ...

    async def ledger(self) -> Sequence[LedgerEntry]:
        """Return every ledger entry, oldest first."""
        ...

    async def waiting(self) -> Mapping[str, int]:
        """Return how many demonstrations are queued, by class."""
        ...

    async def classes(self) -> Mapping[str, ClassInfo]:
        """Return title and example of every class that has any, by name."""
        ...

    async def set_title(self, request_class: str, title: str) -> None:
        """Set the title of a class; an older one is replaced."""
        ...

    async def report(self, report: MakingReport) -> int:
        """Keep a making report; returns its number."""
        ...

    async def reports(self, request_class: str | None = None) -> Sequence[MakingReport]:
        """Return making reports, oldest first."""
        ...
