"""One room's tools at live work: which may answer, which are compared, and what each comparison leads to."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from toolwright.cache import tiers
from toolwright.cache.classify import Classifier
from toolwright.cache.dispatcher import Policy
from toolwright.cache.ledger import Ledger
from toolwright.cache.lifecycle import Auditor, Judged, Rules, compared
from toolwright.cache.queue import JOIN_SCORE, name_for
from toolwright.core.errors import ModelError
from toolwright.core.model import Model, Usage
from toolwright.core.sandbox import Sandbox
from toolwright.core.store import Standing, ToolStore
from toolwright.core.task import Tier
from toolwright.core.tool import State, ToolRecord
from toolwright.core.traffic import ComparedBy, Comparison, LiveStore, Weighed
from toolwright.core.values import fold
from toolwright.maker.program import Attempt

MOST_CLASSES, MOST_EXAMPLES = 2000, 200
"""Classes that wait for a tool in memory, and demonstrations of one."""
ALIVE: frozenset[State] = frozenset({"shadowing", "serving"})
Mode = Literal["serve", "audit", "shadow", "none"]


class Entry(NamedTuple):
    """A version at work: its record, its state, the full name of its class, and what live traffic has
    shown of it, as far as this process has heard.
    """

    record: ToolRecord
    state: State
    full: str
    standing: Standing = Standing()


class Found(NamedTuple):
    """What the tools have to say to a request.

    Attributes:
        mode: ``serve`` the answer; ``audit`` or ``shadow``: a stronger tier answers and is compared;
            ``none``.
        entry: the version that answers or is compared.
        answer: what it computed; None in shadow, where it computes after the stronger tier has answered.
        why: in words.
        attempts: each version that was tried and did not answer, with the reason.
        best: the class with the most alike wording, where one is alike.
        usage: what a light model used to read the request for the answer (tier 2).
    """

    mode: Mode
    entry: Entry | None = None
    answer: str | None = None
    why: str = ""
    attempts: tuple[str, ...] = ()
    best: str | None = None
    usage: Usage = Usage()

    @property
    def tier(self) -> Tier:
        """The tier that answers where a tool does."""
        return "compiled" if self.entry is None or self.entry.record.compiled else "tooluser"

    @property
    def known(self) -> str | None:
        """The class that the request is of, as far as that is known: its tool's, or the most alike one."""
        return self.entry.record.request_class if self.entry else self.best


class Desk:
    """Answers and compares for one room.

    Args:
        store: the room's store.
        live: what live traffic shows, of the whole store, by full names.
        sandbox: where tools run.
        rules: how tools are proved.
        room: what the full names of the room's classes begin with.
        user: the light model that reads requests for tools without a parser (tier 2); None: such tools rest.
    """

    def __init__(
        self,
        store: ToolStore,
        live: LiveStore,
        sandbox: Sandbox,
        rules: Rules,
        *,
        room: str = "",
        policy: Policy | None = None,
        user: Model | None = None,
    ) -> None:
        self.store, self.room, self._live, self._sandbox = store, room, live, sandbox
        self._rules, self._policy = rules, policy or Policy()
        self.classifier = Classifier()
        self.entries: dict[str, Entry] = {}
        self.waiting: dict[str, int] = {}
        self._auditor = Auditor(rules.audit_rate)
        self._user, self._ledger = user, Ledger()

    async def start(self, granted: Sequence[Entry] = ()) -> None:
        """Load the versions that are at work, those that others grant, and the classes that wait for a
        tool.
        """
        self.entries, self.classifier, self.waiting = {}, Classifier(), {}
        standings = await self._live.standings(self.room)
        for record, state in await self.store.versions():
            if state in ALIVE:
                full = self.room + record.request_class
                known = standings.get((full, record.version), Standing())
                self.adopt(Entry(record, state, full, known))
        for entry in granted:
            if entry.state == "serving" and entry.record.request_class not in self.entries:
                self.adopt(entry)
        for name, waiting in (await self.store.queued()).items():
            self.waiting[name] = len(waiting)
            if name not in self.entries:
                for one in waiting[:MOST_EXAMPLES]:
                    self.classifier.learn(name, one.input)
        self._trim()

    def adopt(self, entry: Entry) -> None:
        """Take a version to work; it replaces an older one of its class."""
        name = entry.record.request_class
        self.entries[name] = entry
        self.classifier.forget(name)
        for one in entry.record.demonstrations:
            self.classifier.learn(name, one.input)

    async def ask(self, text: str) -> Found:
        """Give what the tools have to say to a request."""
        attempts: list[str] = []
        policy = self._policy
        ranked = self.classifier.rank(text, most=policy.candidates, least=policy.least_score)
        best = ranked[0].request_class if ranked and ranked[0].score >= JOIN_SCORE else None
        for name, score in ranked:
            entry = self.entries.get(name)
            if entry is None or not self._able(entry, score):
                continue
            if entry.state == "shadowing":
                return Found("shadow", entry, attempts=tuple(attempts), best=best)
            tried, usage, how = await self._try(entry, text)
            label = entry.record.label
            if tried.answer is not None:
                mode: Mode = "audit" if self._auditor.due(entry.full) else "serve"
                return Found(
                    mode, entry, tried.answer, f"{label} {how}", tuple(attempts), best, usage
                )
            attempts.append(f"{label} {tried.status}: {tried.why}")
        return Found("none", attempts=tuple(attempts), best=best)

    def _able(self, entry: Entry, score: float) -> bool:
        """Say whether a version can be asked: a parser decides itself, a light model needs a class alike."""
        if entry.record.compiled:
            return True
        return self._user is not None and score >= self._policy.tool_user_score

    async def _try(self, entry: Entry, text: str) -> tuple[Attempt, Usage, str]:
        """Let a version answer; gives what it came to, what a light model used, and how it was done."""
        record = entry.record
        if record.compiled or self._user is None:
            tried = await tiers.compiled(self._sandbox, record, text)
            return tried, Usage(), "understood every word and was rebuilt"
        model = self._ledger.metered(self._user, "use", record.request_class)
        try:
            tried, turn = await tiers.tool_user(self._sandbox, model, record, text)
        except ModelError as fault:
            return Attempt(status="failed", why=str(fault)), Usage(), ""
        return tried, turn.usage, f"computed what {self._user.name} read"

    async def entered(self) -> None:
        """Enter what light models have used in the ledger."""
        await self._ledger.flush(self.store)

    def join(self, text: str, found: Found) -> tuple[str, bool]:
        """Give the class of an answered request, and whether to queue it; the next one alike joins the same.

        A class that has no tool after many demonstrations gets no more of them.
        """
        name = found.known
        if name is None or name not in self.waiting:
            guesses = self.classifier.rank(text, most=1, least=JOIN_SCORE)
            name = found.known or (guesses[0].request_class if guesses else name_for(text))
        count = self.waiting.pop(name, 0) + 1
        self.waiting[name] = count
        if name in self.entries:
            return name, True
        if count <= MOST_EXAMPLES:
            self.classifier.learn(name, text)
        self._trim()
        return name, count <= MOST_EXAMPLES

    def _trim(self) -> None:
        """Forget the classes that were joined longest ago, so that requests without a class cost no
        memory.
        """
        while len(self.waiting) > MOST_CLASSES:
            oldest = next(iter(self.waiting))
            del self.waiting[oldest]
            if oldest not in self.entries:
                self.classifier.forget(oldest)

    def merge(self, name: str, other: str, texts: Sequence[str]) -> None:
        """Follow a class that turned out to be another one."""
        self.classifier.forget(name)
        self.waiting[other] = self.waiting.get(other, 0) + self.waiting.pop(name, 0)
        if other not in self.entries:
            for text in texts:
                self.classifier.learn(other, text)

    async def settle(self, found: Found, text: str, theirs: str, *, keep: bool) -> Weighed | None:
        """Compare a stronger tier's answer with the tool's.

        Gives None where there is nothing to compare: the parser refused, or no tool was in question.
        """
        if found.entry is None or found.mode not in {"audit", "shadow"}:
            return None
        ours = found.answer
        if ours is None:
            tried, _, _ = await self._try(found.entry, text)
            ours = tried.answer
        if ours is None:
            return None
        by: ComparedBy = "audit" if found.mode == "audit" else "shadow"
        agreed = fold(ours) == fold(theirs)
        texts = (text, ours, theirs) if keep else (None, None, None)
        return await self.weigh(found.entry, by, texts, agreed=agreed)

    async def weigh(
        self,
        entry: Entry,
        by: ComparedBy,
        texts: tuple[str | None, str | None, str | None],
        *,
        agreed: bool,
    ) -> Weighed:
        """Let a comparison count, and follow where the version moves."""
        record = entry.record

        def judge(standing: Standing, state: State) -> tuple[Standing, State | None, str]:
            judged: Judged = compared(standing, state, agreed=agreed, rules=self._rules)
            return judged.standing, judged.state, judged.reason

        asked, ours, theirs = texts
        kept = Comparison(kind=by, version=record.version, input=asked, ours=ours, theirs=theirs)
        weighed = await self._live.weigh(
            entry.full, record.version, judge, None if agreed else kept
        )
        self._follow(entry, weighed)
        return weighed

    def _follow(self, entry: Entry, weighed: Weighed) -> None:
        """Take note of where a version stands; one that is no longer at work is left out."""
        name = entry.record.request_class
        if weighed.state in ALIVE:
            self.entries[name] = entry._replace(state=weighed.state, standing=weighed.standing)
        else:
            self.entries.pop(name, None)
