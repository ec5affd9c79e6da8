"""The tool server of one namespace: which tool answers a request, which is compared, and what follows."""

from collections.abc import Sequence

from toolmint.core.errors import SandboxError
from toolmint.core.model import Model
from toolmint.core.namespace import Namespace
from toolmint.core.sameness import AnswerRule, same_answer
from toolmint.core.sandbox import Sandbox
from toolmint.core.store import ToolStore
from toolmint.core.task import Limits
from toolmint.core.traffic import ComparedBy, Comparison, ComparisonOutcome, LiveStore
from toolmint.core.user_report import UserReport
from toolmint.maker.program import ToolRun
from toolmint.serving.classify import Guess
from toolmint.serving.comparisons import KeptTexts, Redact, comparison_update, kept_texts
from toolmint.serving.learned_models import LearnedModels
from toolmint.serving.learned_tier import LearnedTier
from toolmint.serving.ledger import Ledger
from toolmint.serving.lifecycle import Auditor, ServingPolicy
from toolmint.serving.light_tier import LightTier, ScoredVersion
from toolmint.serving.lookup import ActiveVersion, LookupAttempts, LookupResult, Mode
from toolmint.serving.request_classes import JOIN_SCORE, RequestClasses
from toolmint.serving.versions_at_work import VersionsAtWork

_RANKED = 8  # classes for a request: the serving ones among them are tried before any other


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
        models: the learned models; None: those of this server's own store.
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
        models: LearnedModels | None = None,
    ) -> None:
        self.namespace, self.store, self.policy = namespace, store, policy
        self._live, self._sandbox = live, sandbox
        self.classes = RequestClasses(store, namespace.scope)
        self.ledger = Ledger()
        if models is None:
            models = LearnedModels(lambda key, digest: store.weights(key.name, digest))
        self.learned = LearnedTier(models, policy.audit_rate)
        self.versions = VersionsAtWork(namespace, store, live, self.classes, self.learned)
        where = (policy, sandbox, namespace.tenant, self.ledger)
        self._light = None if light is None else LightTier(light, *where)
        self._auditor = (auditor or Auditor(policy.audit_rate)) if policy.shadow else None

    async def start(self, granted: Sequence[ActiveVersion] = ()) -> None:
        """Load the classes that wait for a tool, the versions at work, and those that others grant."""
        await self.classes.load()
        await self.load_versions(granted)

    @property
    def entries(self) -> dict[str, ActiveVersion]:
        """The version at work of each class."""
        return self.versions.entries

    async def load_versions(self, granted: Sequence[ActiveVersion] = ()) -> None:
        """Load the versions at work anew, such as after another process moved one."""
        await self.versions.load(granted)

    def adopt(self, entry: ActiveVersion) -> None:
        """Take a version to work; it replaces an older one of its class, but for a learned one that is
        compared beside that.
        """
        self.versions.adopt(entry)

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
        serving, shadowing = list[ScoredVersion](), list[ScoredVersion]()
        for name, score in guesses:
            entry = self.entries.get(name)
            if entry is not None and not entry.record.learned:
                (serving if entry.state == "serving" else shadowing).append((entry, score))
        most = self.policy.candidates
        try:
            found = await self._code(tried, serving[:most], text)
            if found is not None:
                return found
            heard = await self._look_learned(tried, guesses, text, request_class)
            if heard is not None and heard.mode in {"serve", "audit"}:
                return heard
            found = (
                await self._read_by_light(tried, serving, text, request_class)
                or await self._shadow(tried, shadowing[:most], text)
                or heard
                or tried.result("none")
            )
            return found if heard is None else found._replace(learned=heard.learned)
        except SandboxError as fault:
            if not tried.turns:
                raise
            tried.said.append(f"the sandbox failed: {fault}")
            return tried.result("none")  # with what a light model was paid

    async def _code(
        self, tried: LookupAttempts, serving: Sequence[ScoredVersion], text: str
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
        said = unverified and f"its answer took what no verified request took: {unverified}"
        if not unverified or self.policy.accept_unverified:
            mode: Mode = "audit" if self._is_due(entry) else "serve"
            return tried.result(mode, entry, run, f"{why}; {said}" if unverified else why)
        tried.said.append(f"{entry.record.label} is compared, {said}")
        return tried.result("shadow", entry, run, said)

    def _is_due(self, entry: ActiveVersion) -> bool:
        return self._auditor is not None and self._auditor.due(entry.key)

    async def _look_learned(
        self,
        tried: LookupAttempts,
        guesses: Sequence[Guess],
        text: str,
        request_class: str | None,
    ) -> LookupResult | None:
        """Ask the learned version of the class: of one alike, or of one that takes any wording."""
        if not len(self.learned):
            return None
        alike = [one.request_class for one in guesses if one.score >= JOIN_SCORE]
        everywhere = self.classes.any_wording if request_class is None else ()
        names = self.learned.named(alike, everywhere)
        return await self.learned.look(tried, names, text, self._is_due)

    async def _read_by_light(
        self,
        tried: LookupAttempts,
        serving: Sequence[ScoredVersion],
        text: str,
        request_class: str | None,
    ) -> LookupResult | None:
        """Let a light model read the request for the class that is chosen, and the tool compute."""
        if self._light is None:
            return None
        by_model = self.policy.dispatch == "model" and request_class is None
        found = await self._light.read(tried, serving, text, self.entries if by_model else None)
        return found and self._answered(tried, *found)._replace(by_light=True)

    async def _shadow(
        self, tried: LookupAttempts, shadowing: Sequence[ScoredVersion], text: str
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
        redact: Redact | None = None,
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
            run, _ = await self._light.use(LookupAttempts(None), found.entry, text)
            ours, arcs = run.answer, run.arcs
        if ours is None:
            return None
        by: ComparedBy = "audit" if found.mode == "audit" else "shadow"
        texts = kept_texts((text, ours, theirs), redact, keep=keep)
        rule = same_answer(ours, theirs)
        return await self.record_comparison(
            found.entry, by, texts, agreed=rule is not None, rule=rule, arcs=arcs
        )

    async def compare_learned(
        self,
        found: LookupResult,
        text: str,
        theirs: str,
        *,
        keep: bool,
        redact: Redact | None = None,
    ) -> list[tuple[ActiveVersion, ComparisonOutcome]]:
        """Compare a stronger tier's answer with what learned versions beside ``found.entry`` said, and with
        the best guess of one that abstained; return the versions that were compared. See ``compare``.
        """
        if not found.learned:
            return []
        self.learned.note(found.learned, theirs, audited=found.mode == "audit")
        compared: list[tuple[ActiveVersion, ComparisonOutcome]] = []
        for entry, answer in found.learned:
            ours = answer.text
            if ours is None or entry is found.entry:
                continue
            texts = kept_texts((text, ours, theirs), redact, keep=keep)
            rule = same_answer(ours, theirs)
            outcome = await self.record_comparison(
                entry, "shadow", texts, agreed=rule is not None, rule=rule
            )
            compared.append((entry, outcome))
        return compared

    async def record_comparison(
        self,
        entry: ActiveVersion,
        by: ComparedBy,
        texts: KeptTexts,
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
        update = comparison_update(
            entry,
            arcs,
            self.policy,
            agreed=agreed,
            rule=rule,
            challenge=self.learned.challenge_of(entry),
        )
        kept = Comparison(kind=by, version=record.version, input=asked, ours=ours, theirs=theirs)
        outcome = await self._live.record_comparison(
            entry.key, record.version, update, None if agreed else kept, report=report
        )
        await self.versions.follow(entry, outcome)
        return outcome._replace(rule=rule)
