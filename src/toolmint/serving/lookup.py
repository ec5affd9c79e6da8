"""What a look-up finds: the version that answers or is compared, its answer, and what was tried before."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

from toolmint.core.arcs import arc_numbers
from toolmint.core.learned import DrawReason
from toolmint.core.model import NO_USAGE, Usage
from toolmint.core.namespace import ClassKey
from toolmint.core.sandbox import Program, Sandbox
from toolmint.core.store import Tally
from toolmint.core.task import Limits, Tier, Turn
from toolmint.core.tool import State, ToolRecord
from toolmint.maker.learned import LearnedAnswer
from toolmint.maker.program import ToolRun, answer_program, serve_tool
from toolmint.maker.slot_words import SlotWords, slots_of
from toolmint.serving.arc_agreements import omitted_arcs, unverified_arcs

Mode = Literal["serve", "audit", "shadow", "none"]
_NO_LIMITS = Limits()
_JUDGED = 4096
"""Sets of arcs whose standing is kept: few paths through a tool answer nearly all requests."""


@dataclass(frozen=True, eq=False)
class ActiveVersion:
    """A version at work: its record, its state, the key of its class, and what comparisons have shown
    of it, as far as this process has heard.

    What each request needs of it is worked out once; a version that moves is a new object.

    Attributes:
        omitted: arcs that its process does not record, before the tally was counted; None: it has none yet.
    """

    record: ToolRecord
    state: State
    key: ClassKey
    tally: Tally = field(default_factory=Tally)
    omitted: str | None = None
    _judged: dict[str, str] = field(default_factory=dict[str, str], init=False, repr=False)

    @cached_property
    def key_text(self) -> str:
        """The class's key as records name it."""
        return str(self.key)

    @cached_property
    def why(self) -> str:
        """Why it answers a request, in words."""
        return f"{self.record.label} understood every word and was rebuilt"

    @cached_property
    def program(self) -> Program:
        """The program that answers requests of the class by code alone."""
        known = self.record.demonstrations[0].input if self.record.demonstrations else None
        arcs = self.record.guarded
        return answer_program(self.record.source, known=known, arcs=arcs, omit=self.omit)

    @cached_property
    def omit(self) -> str:
        """The verified arcs that its process does not record; empty: it records all, or has no guard."""
        known = self.record.arcs if self.record.guarded else None
        return omitted_arcs(known, self.tally, self.omitted) if known is not None else ""

    def moved(self, state: State, tally: Tally) -> "ActiveVersion":
        """Return the version after a comparison."""
        return replace(self, state=state, tally=tally, omitted=self.omit)

    def unverified(self, taken: str) -> str:
        """Return which arcs of an answer are not verified, in words; empty: none, or it has no guard."""
        said = self._judged.get(taken)
        if said is None:
            if len(self._judged) >= _JUDGED:
                self._judged.clear()
            said = self._judged[taken] = self._judge(taken)
        return said

    def _judge(self, taken: str) -> str:
        known = self.record.arcs
        if known is None or not self.record.guarded:
            return ""
        if not taken:
            return "lines that it did not tell"
        return known.said(arc_numbers(unverified_arcs(known, self.tally, taken)))

    @cached_property
    def slots(self) -> SlotWords | None:
        """What its requests' slots may contain; None: its verification has not said."""
        return slots_of(self.record.evidence)

    async def run(self, sandbox: Sandbox, request: str, tenant: str) -> ToolRun:
        """Run the version on a request, in its tenant's worker.

        Raises:
            SandboxError: the sandbox itself is broken.
        """
        return await serve_tool(sandbox, self.program, request, tenant, self.slots)


class LearnedSaid(NamedTuple):
    """What a learned version makes of a request."""

    entry: ActiveVersion
    answer: LearnedAnswer


class LookupResult(NamedTuple):
    """What the tools have to say to a request.

    Attributes:
        mode: ``serve`` the answer; ``audit`` or ``shadow``: the strong model answers and is compared
            (``shadow`` too where a serving tool's answer took an arc that is not verified); ``none``: no
            tool takes the request.
        entry: the version that answers or is compared.
        answer: what it computed; None in shadow where a light model would have to read the request, for
            that is done behind the strong model's answer.
        why: who understood the request, in words.
        attempts: each version that was tried and did not answer, with the reason.
        best: the class with the most alike wording, where one is alike.
        turns: calls of a light model.
        by_light: a light model read the request.
        arcs: those of the tool that its answer took, in hexadecimal.
        learned: what learned versions said where the strong model answers: that at work, and a newer one.
    """

    mode: Mode
    entry: ActiveVersion | None = None
    answer: str | None = None
    why: str = ""
    attempts: tuple[str, ...] = ()
    best: str | None = None
    turns: tuple[Turn, ...] = ()
    by_light: bool = False
    arcs: str = ""
    learned: tuple[LearnedSaid, ...] = ()

    @property
    def tier(self) -> Tier:
        """The tier that answers where a tool does."""
        if self.by_light:
            return "light"
        return "learned" if self.entry is not None and self.entry.record.learned else "code"

    @property
    def drawn(self) -> DrawReason:
        """Why the strong model answers, as demonstrations keep it."""
        if self.mode == "audit":
            return "audit"
        abstained = self.learned and self.learned[0].answer.text is None
        return "abstained" if abstained and self.learned[0].entry.state == "serving" else "all"

    @property
    def usage(self) -> Usage:
        """What light models used."""
        return sum((turn.usage for turn in self.turns), start=NO_USAGE) if self.turns else NO_USAGE

    @property
    def known(self) -> str | None:
        """The class of the request as far as it is known: its tool's, or the most alike one."""
        return self.entry.record.request_class if self.entry else self.best


class LookupAttempts:
    """What was tried for one request, and what that used.

    Args:
        limits: what light models may spend; None: there are none.
        best: the class with the most alike wording.
    """

    def __init__(self, limits: Limits | None, best: str | None = None) -> None:
        self.limits, self.best = limits or _NO_LIMITS, best
        self.said, self.turns = list[str](), list[Turn]()

    @property
    def usage(self) -> Usage:
        """What light models used."""
        return sum((turn.usage for turn in self.turns), start=NO_USAGE)

    def result(
        self,
        mode: Mode,
        entry: ActiveVersion | None = None,
        tried: ToolRun | None = None,
        why: str = "",
    ) -> LookupResult:
        """Return the result of the look-up, with all that was tried before."""
        answer = tried.answer if tried else None
        said, turns = tuple(self.said), tuple(self.turns)
        arcs = tried.arcs if tried else ""
        return LookupResult(mode, entry, answer, why, said, self.best, turns, arcs=arcs)
