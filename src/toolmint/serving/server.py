"""The tool server of one namespace: which tool answers a request, which is compared, and what follows."""

from collections.abc import Callable, Sequence

from toolmint.core.errors import ModelError, SandboxError
from toolmint.core.model import Model
from toolmint.core.namespace import Namespace
from toolmint.core.sameness import AnswerRule, same_answer
from toolmint.core.sandbox import Sandbox
from toolmint.core.spend import check_limits
from toolmint.core.store import Tally, ToolStore
from toolmint.core.task import Limits
from toolmint.core.tool import State
from toolmint.core.traffic import ComparedBy, Comparison, ComparisonOutcome, LiveStore
from toolmint.core.user_report import UserReport
from toolmint.maker.program import ToolRun
from toolmint.serving import tiers
from toolmint.serving.classify import Guess
from toolmint.serving.comparisons import comparison_update
from toolmint.serving.ledger import Ledger
from toolmint.serving.lifecycle import Auditor, ServingPolicy
from toolmint.serving.lookup import ActiveVersion, LookupAttempts, LookupResult, Mode
from toolmint.serving.request_classes import JOIN_SCORE, RequestClasses

ALIVE: frozenset[State] = frozenset({"shadowing", "serving"})
_RANKED = 8  # classes for a request: the serving ones among them are tried before any other
_Scored = tuple[ActiveVersion, float]


class ToolServer:
    """Answers and compares for one namespace.

    Args:
        namespace: whose tools these are.
        store: the namespace's store.
        live: tallies and comparisons, of the whole store.
        sandbox: where tools run.
        policy: whether a verified tool serves at once or is compared first, and how tiers are chosen.
        light: the light model that reads requests (LATM's tool user); None: there is no light tier.
        auditor: picks the requests to be audited; None: one of this server's own.
    """

    def __init__(
        self,
        namespace: Namespace,
        store: ToolStore,
        live: LiveStore,
        sandbox: Sandbox,
        *,
        policy: ServingPolicy,
        light: Model | None = None,
        auditor: Auditor | None = None,
    ) -> None:
        self.namespace, self.store, self.policy = namespace, store, policy
        self._live, self._sandbox, self._light = live, sandbox, light
        self.classes = RequestClasses(store)
        self.entries: dict[str, ActiveVersion] = {}
        self.ledger = Ledger()
        self._auditor = (auditor or Auditor(policy.audit_rate)) if policy.shadow else None

    async def start(self, granted: Sequence[ActiveVersion] = ()) -> None:
        """Load the classes that wait for a tool, the versions at work, and those that others grant."""
        await self.classes.load()
        await self.load_versions(granted)

    async def load_versions(self, granted: Sequence[ActiveVersion] = ()) -> None:
        """Load the versions at work anew, such as after another process moved one."""
        tallies = await self._live.tallies(self.namespace)
        before, self.entries = self.entries, {}
        for record, state in await self.store.versions():
            if state in ALIVE:
                key = self.namespace.key(record.request_class)
                known = tallies.get(key, {}).get(record.version, Tally())
                self.adopt(ActiveVersion(record, state, key, known))
        for entry in granted:
            if entry.state == "serving" and entry.record.request_class not in self.entries:
                self.adopt(entry)
        for name in before.keys() - self.entries.keys():
            self.classes.without_tool(name)

    def adopt(self, entry: ActiveVersion) -> None:
        """Take a version to work; it replaces an older one of its class."""
        name = entry.record.request_class
        self.entries[name] = entry
        self.classes.with_tool(name, [one.input for one in entry.record.demonstrations])

    async def lookup(
        self, text: str, request_class: str | None = None, limits: Limits | None = None
    ) -> LookupResult:
        """Return what the tools have to say to a request.

        Every serving tool that may understand it is tried before a shadowing one, however alike the
        other's wording is: a class in shadow must not take requests from one that is proved.

        Args:
            text: the request.
            request_class: the class that the asker names; None: the most alike ones are tried.
            limits: what a light model may spend.

        Raises:
            LimitExceeded: a light model would pass the limits.
            SandboxError: the sandbox is broken, and nothing was paid for yet.
        """
        if request_class is not None:
            guesses = [Guess(request_class, 1.0)]
        else:
            guesses = self.classes.rank(text, most=_RANKED, least=self.policy.least_score)
        alike = guesses[0].request_class if guesses and guesses[0].score >= JOIN_SCORE else None
        tried = LookupAttempts(limits, alike)
        serving, shadowing = list[_Scored](), list[_Scored]()
        for name, score in guesses:
            entry = self.entries.get(name)
            if entry is not None:
                (serving if entry.state == "serving" else shadowing).append((entry, score))
        most = self.policy.candidates
        try:
            return (
                await self._code(tried, serving[:most], text)
                or await self._read_by_light(tried, serving, text, request_class)
                or await self._shadow(tried, shadowing[:most], text)
                or tried.result("none")
            )
        except SandboxError as fault:
            if not tried.turns:
                raise
            tried.said.append(f"the sandbox failed: {fault}")
            return tried.result("none")  # with what a light model was paid

    async def _code(
        self, tried: LookupAttempts, serving: Sequence[_Scored], text: str
    ) -> LookupResult | None:
        for entry, _ in serving:
            if not entry.record.has_parser:
                continue
            run = await self.run(entry, text)
            if run.answer is not None:
                return self._answered(tried, entry, run, entry.why)
            tried.said.append(f"{entry.record.label} {run.status}: {run.why}")
        return None

    async def run(self, entry: ActiveVersion, text: str) -> ToolRun:
        """Return what a version, in whatever state, makes of a request."""
        return await entry.run(self._sandbox, text, self.namespace.tenant)

    def _answered(
        self, tried: LookupAttempts, entry: ActiveVersion, run: ToolRun, why: str
    ) -> LookupResult:
        """Return a serving tool's answer; one that took an arc which is not verified is compared."""
        unverified = entry.unverified(run.arcs)
        if not unverified:
            return tried.result(self._mode(entry), entry, run, why)
        said = f"its answer took what no verified request took: {unverified}"
        if self.policy.accept_unverified:
            return tried.result(self._mode(entry), entry, run, f"{why}; {said}")
        tried.said.append(f"{entry.record.label} is compared, {said}")
        return tried.result("shadow", entry, run, said)

    def _mode(self, entry: ActiveVersion) -> Mode:
        due = self._auditor is not None and self._auditor.due(entry.key)
        return "audit" if due else "serve"

    async def _read_by_light(
        self,
        tried: LookupAttempts,
        serving: Sequence[_Scored],
        text: str,
        request_class: str | None,
    ) -> LookupResult | None:
        """Let a light model read the request for the class that is chosen, and the tool compute."""
        if self._light is None:
            return None
        if self.policy.dispatch == "model" and request_class is None:
            entry = await self._chosen(tried, self._light, text)
        else:
            least = self.policy.light_score
            alike = (one for one, score in serving if score >= least and self._may_read(one))
            entry = next(alike, None)
        if entry is None or not self._may_read(entry):
            return None
        run, said = await self._use(tried, entry, self._light, text)
        if run.answer is None:
            tried.said.append(
                f"{entry.record.label} with {self._light.name} {run.status}: {run.why}"
            )
            return None
        return self._answered(tried, entry, run, said)._replace(by_light=True)

    def _may_read(self, entry: ActiveVersion) -> bool:
        """Return whether a light model may read requests for a version."""
        return not entry.record.has_parser or self.policy.light_after_unparsed

    async def _chosen(self, tried: LookupAttempts, light: Model, text: str) -> ActiveVersion | None:
        """Return the class that a light model names (LATM's dispatcher, section 3.2)."""
        examples = {
            name: entry.record.demonstrations[0].input
            for name, entry in sorted(self.entries.items())
            if entry.state == "serving" and entry.record.demonstrations
        }
        if not examples:
            return None
        check_limits(light.name, tried.usage, tried.limits)
        model = self.ledger.metered(light, "dispatch", None)
        try:
            name, turn = await tiers.choose_class(model, examples, text)
        except ModelError as fault:
            tried.said.append(f"{light.name} names no class: {fault}")
            return None
        tried.turns.append(turn)
        return self.entries.get(name) if name is not None else None

    async def _use(
        self, tried: LookupAttempts, entry: ActiveVersion, light: Model, text: str
    ) -> tuple[ToolRun, str]:
        check_limits(light.name, tried.usage, tried.limits)
        model = self.ledger.metered(light, "use", entry.record.request_class)
        where = (self._sandbox, model, entry.record, text, self.namespace.tenant)
        try:
            run = await tiers.light_tier(*where, turns=tried.turns)
        except ModelError as fault:
            return ToolRun(status="failed", why=str(fault)), ""
        return run, f"{light.name} read the request, {entry.record.label} computed"

    async def _shadow(
        self, tried: LookupAttempts, shadowing: Sequence[_Scored], text: str
    ) -> LookupResult | None:
        """Return the shadowing tool that takes the request: its parser does, or a light model would."""
        for entry, score in shadowing:
            if entry.record.has_parser:
                run = await self.run(entry, text)
                if run.answer is not None:
                    return tried.result("shadow", entry, run)
            elif self._light is not None and score >= self.policy.light_score:
                return tried.result("shadow", entry)
        return None

    async def compare(
        self,
        found: LookupResult,
        text: str,
        theirs: str,
        *,
        keep: bool,
        redact: Callable[..., Sequence[str] | None] | None = None,
    ) -> ComparisonOutcome | None:
        """Compare a stronger tier's answer with the tool's; None where no tool was in question.

        Args:
            found: what ``lookup`` returned.
            text: the request.
            theirs: the stronger tier's answer.
            keep: whether the texts of a disagreement may be kept.
            redact: returns texts as they may be kept (None: none of them); None: as they are.
        """
        if found.entry is None or found.mode not in {"audit", "shadow"}:
            return None
        ours, arcs = found.answer, found.arcs
        if ours is None and self._light is not None:
            run, _ = await self._use(LookupAttempts(None), found.entry, self._light, text)
            ours, arcs = run.answer, run.arcs
        if ours is None:
            return None
        by: ComparedBy = "audit" if found.mode == "audit" else "shadow"
        kept = (redact(text, ours, theirs) if redact else (text, ours, theirs)) if keep else None
        texts = (None, None, None) if kept is None else (kept[0], kept[1], kept[2])
        rule = same_answer(ours, theirs)
        return await self.record_comparison(
            found.entry, by, texts, agreed=rule is not None, rule=rule, arcs=arcs
        )

    async def record_comparison(
        self,
        entry: ActiveVersion,
        by: ComparedBy,
        texts: tuple[str | None, str | None, str | None],
        *,
        agreed: bool,
        rule: AnswerRule | None = None,
        report: UserReport | None = None,
        arcs: str = "",
    ) -> ComparisonOutcome:
        """Let a comparison (request, our answer, theirs) count, and follow where the version moves.

        ``rule``: the one by which they agreed, where compared; a user's ``report`` counts once.
        """
        record, (asked, ours, theirs) = entry.record, texts
        update = comparison_update(entry, arcs, self.policy, agreed=agreed, rule=rule)
        kept = Comparison(kind=by, version=record.version, input=asked, ours=ours, theirs=theirs)
        outcome = await self._live.record_comparison(
            entry.key, record.version, update, None if agreed else kept, report=report
        )
        current = self.entries.get(record.request_class)
        if current is not None and current.record.version == record.version:
            if outcome.state in ALIVE:
                self.entries[record.request_class] = current.moved(outcome.state, outcome.tally)
            else:
                del self.entries[record.request_class]
                self.classes.without_tool(record.request_class)
        return outcome._replace(rule=rule)
