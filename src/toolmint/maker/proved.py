"""The ``proved`` profile: a module with its own parser, repaired with the evidence of verification."""

from toolmint.core.errors import ModelError
from toolmint.core.model import Model
from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Evidence
from toolmint.core.values import Value, clip
from toolmint.maker.doubts import DoubtJudge
from toolmint.maker.making_run import Conversation, MakingRun
from toolmint.maker.report import MakingResult
from toolmint.maker.stages import stage_form, stage_labels
from toolmint.maker.unseen import answers_unseen
from toolmint.maker.verification_input import VerificationInput
from toolmint.maker.verify import failed_stage, verify
from toolmint.maker.versions import LABELS_STAGE, Version, first_prompt, leftover, next_prompt
from toolmint.maker.wrapping import Wrapping
from toolmint.roles import prompts
from toolmint.roles.replies import code_in

# The second tool is sampled hotter, from another prompt: it must not repeat the first one's mistakes.
_TEMPERATURE, _SECOND_TEMPERATURE = 0.2, 0.9
_SECOND_TRIES = 2
_MAX_EVIDENCE = 6000  # characters of evidence in a repair prompt of the second tool
_FIRST_LINE = 400  # characters of a failure in one line


def _inputs(making: MakingRun, source: str, second: str | None) -> VerificationInput:
    request = making.make_request
    return VerificationInput(
        source=source,
        labelled=request.labelled,
        unlabelled=request.unlabelled,
        foreign=request.foreign,
        second=second,
        slowest=request.slowest,
        least_coverage=request.least_coverage,
        neighbours=request.neighbours,
        further=request.further,
    )


async def _second_tool(
    making: MakingRun, model: Model, sandbox: Sandbox
) -> tuple[str, frozenset[str]] | None:
    """Return an independent second tool and the demonstrations that it answers; None: none is usable.

    It comes from another prompt at another temperature and is repaired on its own. A tool that answers
    more than half of the demonstrations is usable although it fails stage 2: where both tools
    contradict a label in the same way, the label is suspect.
    """
    chat = Conversation(making, model, purpose="second", temperature=_SECOND_TEMPERATURE)
    text = prompts.proved_second(making.make_request.shown_first())
    best: tuple[str, frozenset[str]] | None = None
    for _ in range(_SECOND_TRIES):
        source = code_in(await chat.ask(text))
        if source is None:
            continue
        inputs = _inputs(making, source, None)
        evidence = await stage_form(inputs, sandbox)
        if evidence.verdict == "passed":
            evidence, runs = await stage_labels(inputs, sandbox)
            pairs = zip(inputs.labelled, runs, strict=True)
            answered = frozenset(demo.input for demo, run in pairs if run.answer is not None)
            usable = evidence.verdict == "passed" or len(answered) > len(runs) // 2
            if usable and (best is None or len(answered) > len(best[1])):
                best = source, answered
        making.note("second", f"{evidence.stage}: {evidence.verdict}: {evidence.summary}")
        if evidence.verdict == "passed":
            return source, best[1] if best is not None else frozenset[str]()
        text = prompts.fill("proved_repair", evidence=clip(evidence.summary, _MAX_EVIDENCE))
    return best


def _labels_contradict(evidence: tuple[Evidence, ...]) -> bool:
    """Return whether stage 2 failed for an answer: either the tool or a label is wrong."""
    last = evidence[-1]
    failed = last.stage == LABELS_STAGE and last.verdict == "failed"
    return failed and bool(last.details.get("wrong"))


class _Verification:
    """Verifies the proposals of one making; the second tool is made once, when first needed.

    The labels alone cannot tell a wrong tool from a wrong label, and requests without labels prove
    nothing about one tool. An independent second tool decides both: two tools that were written without
    each other rarely make the same mistake.
    """

    def __init__(
        self,
        making: MakingRun,
        model: Model,
        second_model: Model,
        boxes: tuple[Sandbox, Sandbox],
    ) -> None:
        self.making, self.model, self.second_model = making, model, second_model
        self.sandbox, self.other = boxes
        self.second: str | None = None
        self.second_answers: frozenset[str] | None = None
        self._second_tried = False
        self._judge = DoubtJudge(making, model)

    async def run(
        self, source: str, known: tuple[Evidence, ...] | None, *, insists: bool
    ) -> tuple[Evidence, ...]:
        """Return the evidence of a proposal.

        A second tool costs model calls, so it is made only for a proposal that passed all other stages,
        or where the labels contradict one and the maker ``insists``: no repair helped, or can follow. A
        proposal that only refuses is in no doubt. ``known`` is the evidence of the very same proposal.
        """
        request = self.making.make_request
        inputs = _inputs(self.making, source, self.second)
        evidence = known or await verify(inputs, self.sandbox, self.other, self._judge)
        wanted = request.second == "always" or (
            request.second == "auto" and bool(request.unlabelled)
        )
        doubt = request.second != "never" and insists and _labels_contradict(evidence)
        if self._second_tried or not ((wanted and failed_stage(evidence) is None) or doubt):
            return evidence
        self._second_tried = True
        made = await _second_tool(self.making, self.second_model, self.sandbox)
        if made is not None:
            self.second, self.second_answers = made
            inputs = _inputs(self.making, source, self.second)
            return await verify(inputs, self.sandbox, self.other, self._judge)
        if not wanted:
            return evidence
        missing = "no second tool could be made"
        return (
            *evidence[:-1],
            Evidence(stage="6 second tool", verdict="failed", summary=missing),
        )


class _Making:
    """One making: proposals until one passes and answers enough, or none gains on the best one."""

    def __init__(self, making: MakingRun, verification: _Verification, chat: Conversation) -> None:
        self.making, self._verification, self._chat = making, verification, chat
        self.request = making.make_request
        self.versions: list[Version] = []
        self.best: Version | None = None
        self.asked = self._gained = 0

    @property
    def left(self) -> int:
        """How many proposals may follow: one that gained on the best one is not counted."""
        return min(self.request.tries + self._gained, 2 * self.request.tries) - self.asked

    async def run(self) -> MakingResult:
        if self.request.base:
            self._take(await self._verified(self.request.base))
            if self.best is not None and self.best.failure is None and self.best.enough:
                return await self._end()
        text = first_prompt(self.request, self.best)
        while self.left > 0:
            self.asked += 1
            try:
                source = code_in(await self._chat.ask(text))
            except ModelError as fault:
                if self.best is None or self.best.failure is not None:
                    raise
                self.making.note("error", f"[{fault.code}] {fault}; the best version is kept")
                break
            if source is None:
                self.making.note("sandbox", "the reply holds no code block")
                text = prompts.fill("proved_repair", evidence="The reply held no code block.")
                continue
            self.making.proposed(source)
            version = await self._verified(source)
            gained = self._take(version)
            best = self.best or version
            if best.failure is None and (not gained or best.enough):
                break
            text = next_prompt(version, best)
        return await self._end()

    async def _verified(self, source: str) -> Version:
        same = next((one for one in self.versions if one.source == source), None)
        if same is not None:
            self.making.note("repeated", "this proposal was made before")
        passed = self.best is not None and self.best.failure is None
        evidence = await self._verification.run(
            source,
            same.evidence if same is not None else None,
            insists=not passed and (same is not None or self.left <= 0),
        )
        version = Version(source, evidence)
        if version.failure is None:
            unseen = await answers_unseen(
                source,
                self.request.labelled,
                version.unanswered,
                self._chat.told,
                self._verification.sandbox,
            )
            version = version._replace(evidence=(*evidence, unseen)) if unseen else version
        self.making.evidence(version.evidence)
        return version

    def _take(self, version: Version) -> bool:
        """Keep a version; return whether it gains on the best one so far."""
        self.versions.append(version)
        gained = self.best is None or version.rank > self.best.rank
        if gained:
            self._gained += self.best is not None
            self.best = version
        return gained

    async def _end(self) -> MakingResult:
        best, making = self.best, self.making
        making.facts["proposals"] = self.asked
        failure = best.failure if best is not None else None
        if best is None or failure is not None:
            why = f"{failure.stage}: {failure.summary}" if failure else "no reply held code"
            head, line, rest = why.partition("\n")
            head = clip(head.rstrip(":"), _FIRST_LINE)
            proposals = f"{self.asked} proposal{'s' * (self.asked != 1)}"
            ended = f"after {proposals}, --tries {self.request.tries}"
            why = f"{head} ({ended}){':' if rest else ''}{line}{rest}"
            if best is not None:
                making.facts["best"] = {"source": best.source, "coverage": best.coverage}
            making.note("end", why)
            return making.result(None, why)
        if best.source == self.request.base:
            return making.result(None, "no proposal gains on the tool at work")
        second = self._verification.second_answers
        left = leftover(self.request.labelled, best, self.versions, second)
        making.facts["coverage"] = best.coverage
        for kind, those, said in (
            ("repair", left.repair, "not answered yet, left to the next tier and to a repair"),
            ("set apart", left.set_apart, "refused by every tool, so probably of another kind"),
        ):
            texts: list[Value] = [one.input for one in those]
            making.facts[kind.replace(" ", "_")] = texts
            if texts:
                making.note(kind, f"{len(texts)} demonstrations are {said}", requests=texts)
        record = await self._wrapping().record(best.source, best.evidence)
        return making.result(record, "made", left.repair)

    def _wrapping(self) -> Wrapping:
        found = self._verification
        second = (found.second, found.second_model.name) if found.second is not None else None
        return Wrapping(self.making, found.model, second, found.sandbox, max(0, self.left))


async def make_proved(
    making: MakingRun, model: Model, second: Model, sandbox: Sandbox, other: Sandbox
) -> MakingResult:
    """Make a tool that answers without a model: propose, verify, repair with the evidence, wrap.

    The maker goes on from its best version as long as one gains on it, within ``tries``; a version that
    passed is kept when a later one is worse.
    """
    chat = Conversation(making, model, purpose="making", temperature=_TEMPERATURE)
    verification = _Verification(making, model, second, (sandbox, other))
    return await _Making(making, verification, chat).run()
