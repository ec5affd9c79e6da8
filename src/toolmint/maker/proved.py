"""The ``proved`` profile: a module with its own parser, repaired with the evidence of verification."""

from toolmint.core.arcs import coverage_said
from toolmint.core.model import Model
from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Evidence, ToolRecord
from toolmint.core.values import canonical, clip
from toolmint.maker.doubts import DoubtJudge
from toolmint.maker.making_run import Conversation, MakingRun
from toolmint.maker.program import run_tool
from toolmint.maker.report import MakingResult
from toolmint.maker.stages import stage_form, stage_labels
from toolmint.maker.verification_input import VerificationInput
from toolmint.maker.verified_arcs import verified_arcs
from toolmint.maker.verify import failed_stage, verify
from toolmint.roles import prompts
from toolmint.roles.replies import code_in

# The second tool is sampled hotter, from another prompt: it must not repeat the first one's mistakes.
_TEMPERATURE, _SECOND_TEMPERATURE = 0.2, 0.9
_SECOND_TRIES = 2
_USES = 3
_MAX_EVIDENCE = 6000  # characters of evidence in a repair prompt
_TEMPLATES = ("proved_propose", "proved_repair", "proved_second", "proved_same", "proved_use")


def _inputs(making: MakingRun, source: str, second: str | None) -> VerificationInput:
    request = making.make_request
    return VerificationInput(
        source=source,
        labelled=request.labelled,
        unlabelled=request.unlabelled,
        foreign=request.foreign,
        second=second,
        slowest=request.slowest,
        clustered=request.clustered,
    )


async def _second_tool(making: MakingRun, model: Model, sandbox: Sandbox) -> str | None:
    """Return the source of an independent second tool; None if no usable one was made.

    It comes from another prompt at another temperature and is repaired on its own. A tool that answers
    more than half of the demonstrations is usable although it fails stage 2: where both tools
    contradict a label in the same way, the label is suspect.
    """
    chat = Conversation(making, model, purpose="second", temperature=_SECOND_TEMPERATURE)
    text = prompts.proved_second(making.make_request.labelled[: making.make_request.shown])
    best: str | None = None
    for _ in range(_SECOND_TRIES):
        source = code_in(await chat.ask(text))
        if source is None:
            continue
        inputs = _inputs(making, source, None)
        evidence = await stage_form(inputs, sandbox)
        if evidence.verdict == "passed":
            evidence, runs = await stage_labels(inputs, sandbox)
            answered = sum(one.answer is not None for one in runs)
            if answered > len(runs) // 2:
                best = source
        making.note("second", f"{evidence.stage}: {evidence.verdict}: {evidence.summary}")
        if evidence.verdict == "passed":
            return source
        text = prompts.fill("proved_repair", evidence=clip(evidence.summary, _MAX_EVIDENCE))
    return best


def _labels_contradict(evidence: tuple[Evidence, ...]) -> bool:
    """Return whether stage 2 failed: either the tool or a label is wrong."""
    return evidence[-1].stage == "2 labels" and evidence[-1].verdict == "failed"


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
        self.making, self.second_model = making, second_model
        self.sandbox, self.other = boxes
        self.second: str | None = None
        self._second_tried = False
        self._judge = DoubtJudge(making, model)

    async def run(self, source: str, *, last: bool) -> tuple[Evidence, ...]:
        """Return the evidence of a proposal; ``last`` says that no repair can follow.

        A second tool costs model calls, so it is made only for a proposal that passed all other stages,
        or for the last one if the labels contradict it.
        """
        request = self.making.make_request
        inputs = _inputs(self.making, source, self.second)
        evidence = await verify(inputs, self.sandbox, self.other, self._judge)
        wanted = request.second == "always" or (
            request.second == "auto" and bool(request.unlabelled)
        )
        doubt = request.second != "never" and last and _labels_contradict(evidence)
        if self._second_tried or not ((wanted and failed_stage(evidence) is None) or doubt):
            return evidence
        self._second_tried = True
        self.second = await _second_tool(self.making, self.second_model, self.sandbox)
        if self.second is not None:
            inputs = _inputs(self.making, source, self.second)
            return await verify(inputs, self.sandbox, self.other, self._judge)
        if not wanted:
            return evidence
        missing = "no second tool could be made"
        return (
            *evidence[:-1],
            Evidence(stage="6 second tool", verdict="failed", summary=missing),
        )


async def make_proved(
    making: MakingRun, model: Model, second: Model, sandbox: Sandbox, other: Sandbox
) -> MakingResult:
    """Make a tool that answers without a model: propose, verify, repair with the evidence, wrap."""
    request = making.make_request
    chat = Conversation(making, model, purpose="making", temperature=_TEMPERATURE)
    verification = _Verification(making, model, second, (sandbox, other))
    text = prompts.proved_propose(request.labelled[: request.shown], request.slowest)
    why = "no reply held code"
    for number in range(request.tries):
        source = code_in(await chat.ask(text))
        if source is None:
            making.note("sandbox", "the reply holds no code block")
            text = prompts.fill("proved_repair", evidence="The reply held no code block.")
            continue
        making.proposed(source)
        evidence = await verification.run(source, last=number + 1 == request.tries)
        making.evidence(evidence)
        failure = failed_stage(evidence)
        if failure is None:
            return making.result(
                await _wrap(making, source, evidence, model.name, verification), "made"
            )
        why = f"{failure.stage}: {failure.summary}"
        text = prompts.fill("proved_repair", evidence=clip(why, _MAX_EVIDENCE))
    making.note("end", why)
    return making.result(None, why)


async def _wrap(
    making: MakingRun,
    source: str,
    evidence: tuple[Evidence, ...],
    name: str,
    verification: _Verification,
) -> ToolRecord:
    """Return the tool's record, with requests and their arguments as examples for a light model."""
    request = making.make_request
    runs = [
        (one, await run_tool(verification.sandbox, source, one.input)) for one in request.labelled
    ]
    answered = [(one, run.args) for one, run in runs if run.status == "answered"]
    uses = [[one.input, args] for one, args in answered[:_USES]]
    second = verification.second_model.name if verification.second is not None else None
    arcs = await verified_arcs(source, request.labelled, evidence, verification.sandbox)
    if arcs is not None:
        making.note("arcs", coverage_said(arcs))
    return ToolRecord(
        request_class=request.request_class,
        source=source,
        profile="proved",
        has_parser=True,
        wrap=canonical(uses),
        demonstrations=tuple(one for one, _ in answered),
        evidence=evidence,
        provenance=making.provenance(name, second, prompts.template_digest(*_TEMPLATES)),
        usage=making.usage,
        arcs=arcs,
    )
