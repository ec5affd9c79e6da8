"""The default profile: a module with its own parser, repaired with the gate's evidence."""

from toolwright.core.model import Model
from toolwright.core.sandbox import Sandbox
from toolwright.core.tool import Evidence, ToolRecord
from toolwright.core.values import canonical, clip
from toolwright.maker.case import Case
from toolwright.maker.gate import gate, stage_form, stage_labels
from toolwright.maker.making import Conversation, Making, Outcome
from toolwright.maker.program import attempt
from toolwright.roles import prompts
from toolwright.roles.replies import code_in

TEMPERATURE, SECOND_TEMPERATURE = 0.2, 0.9
SECOND_TRIES = 2
USES = 3
TEMPLATES = ("proved_propose", "proved_repair", "proved_second", "proved_use")


def _case(making: Making, source: str, second: str | None) -> Case:
    order = making.order
    return Case(
        source=source, labelled=order.labelled, unlabelled=order.unlabelled,
        foreign=order.foreign, second=second, slowest=order.slowest,
        clustered=order.clustered,
    )  # fmt: skip


def _failure(evidence: tuple[Evidence, ...]) -> Evidence | None:
    return evidence[-1] if evidence[-1].verdict == "failed" else None


async def _second(making: Making, model: Model, sandbox: Sandbox) -> str | None:
    """Make the independent second tool: another prompt, another temperature, its own repair."""
    chat = Conversation(making, model, purpose="second", temperature=SECOND_TEMPERATURE)
    text = prompts.proved_second(making.order.labelled[: making.order.shown])
    best: str | None = None
    for _ in range(SECOND_TRIES):
        source = code_in(await chat.ask(text))
        if source is None:
            continue
        case = _case(making, source, None)
        found = await stage_form(case, sandbox)
        if found.verdict == "passed":
            found, attempts = await stage_labels(case, sandbox)
            answered = sum(one.answer is not None for one in attempts)
            if answered > len(attempts) // 2:
                best = source
        making.note("second", f"{found.stage}: {found.verdict}: {found.summary}")
        if found.verdict == "passed":
            return source
        text = prompts.fill("proved_repair", evidence=clip(found.summary, 6000))
    return best


def _doubted(evidence: tuple[Evidence, ...]) -> bool:
    """True where labels alone speak against the tool: only a second tool can say who is wrong."""
    return evidence[-1].stage == "2 labels" and evidence[-1].verdict == "failed"


class _Trial:
    """The gate for one making; the second tool is made once, when it is first needed."""

    def __init__(self, making: Making, second: Model, sandbox: Sandbox, other: Sandbox) -> None:
        self.making, self.model = making, second
        self.sandbox, self.other = sandbox, other
        self.source: str | None = None
        self.asked = False

    async def judge(self, source: str, *, last: bool) -> tuple[Evidence, ...]:
        """Take a proposal through the gate."""
        order = self.making.order
        evidence = await gate(_case(self.making, source, self.source), self.sandbox, self.other)
        wanted = order.second == "always" or (order.second == "auto" and bool(order.unlabelled))
        doubt = order.second != "never" and last and _doubted(evidence)
        if not self.asked and ((wanted and _failure(evidence) is None) or doubt):
            self.asked = True
            self.source = await _second(self.making, self.model, self.sandbox)
            if self.source is not None:
                case = _case(self.making, source, self.source)
                evidence = await gate(case, self.sandbox, self.other)
            elif wanted:
                lost = Evidence(
                    stage="6 second tool", verdict="failed", summary="no second tool could be made"
                )
                evidence = (*evidence[:-1], lost)
        return evidence


async def make_proved(
    making: Making, model: Model, second: Model, sandbox: Sandbox, other: Sandbox
) -> Outcome:
    """Make a tool that answers without a model, and take it through the gate."""
    order = making.order
    chat = Conversation(making, model, purpose="making", temperature=TEMPERATURE)
    trial = _Trial(making, second, sandbox, other)
    text = prompts.proved_propose(order.labelled[: order.shown], order.slowest)
    why = "no reply held code"
    for number in range(order.tries):
        source = code_in(await chat.ask(text))
        if source is None:
            making.note("sandbox", "the reply holds no code block")
            text = prompts.fill("proved_repair", evidence="The reply held no code block.")
            continue
        evidence = await trial.judge(source, last=number + 1 == order.tries)
        making.evidence(evidence)
        failure = _failure(evidence)
        if failure is None:
            record = await _record(making, source, evidence, model.name, trial)
            return Outcome(record=record, body=making.body("made"), usage=making.usage)
        why = f"{failure.stage}: {failure.summary}"
        text = prompts.fill("proved_repair", evidence=clip(why, 6000))
    making.note("end", why)
    return Outcome(record=None, body=making.body(why), usage=making.usage)


async def _record(
    making: Making, source: str, evidence: tuple[Evidence, ...], name: str, trial: _Trial
) -> ToolRecord:
    """Wrap: keep the tool with uses that show a light model how requests become arguments."""
    order = making.order
    tried = [(one, await attempt(trial.sandbox, source, one.input)) for one in order.labelled]
    mine = [(one, found.args) for one, found in tried if found.status == "answered"]
    uses = [[one.input, args] for one, args in mine[:USES]]
    second = trial.model.name if trial.source is not None else None
    return ToolRecord(
        request_class=order.request_class, source=source, profile="proved", compiled=True,
        wrap=canonical(uses), demonstrations=tuple(one for one, _ in mine), evidence=evidence,
        provenance=making.provenance(name, second, prompts.template_digest(*TEMPLATES)),
        usage=making.usage,
    )  # fmt: skip
