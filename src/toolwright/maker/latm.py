"""LATM as the paper has it (section 3.1): propose, verify, wrap, with the maker's own tests.

Beyond the paper, what the tests computed is compared with the labels themselves, and the report
says where the two do not meet.
"""

from typing import cast

from toolwright.core.model import Model
from toolwright.core.sandbox import FunctionCall, RunLimits, Sandbox, SandboxRun
from toolwright.core.tool import Demonstration, Evidence, ToolRecord
from toolwright.core.values import Value, clip
from toolwright.maker.making import Conversation, Making, Outcome
from toolwright.maker.program import guest_source
from toolwright.roles import prompts
from toolwright.roles.replies import code_in, first_block

SHOWN = 3
TEMPERATURE = 0.3
LIMITS = RunLimits(seconds=20.0)
TEMPLATES = (
    "latm_propose", "latm_fault", "latm_verify", "latm_verify_fault", "latm_wrap", "latm_use",
)  # fmt: skip


def meets(answer: Value, label: str) -> str:
    """Say how a computed answer meets its label: ``exact``, ``converted`` or ``contradicts``.

    Converted: an option's letter or its number counted from 1 for ``(C)``, or a value whose text
    is the label. These are the conversions that LATM's own harness makes; nothing else is forgiven.
    """
    if answer == label:
        return "exact"
    text = str(answer)
    letter = label[1] if len(label) == 3 and label[0] == "(" and label[2] == ")" else None
    options = {letter, label, str(ord(letter) - ord("A") + 1)} if letter else {label}
    return "converted" if text in options else "contradicts"


async def _propose(making: Making, chat: Conversation, sandbox: Sandbox) -> tuple[str, str] | None:
    """Give source and entry of a tool that loads; None after the last try."""
    text = prompts.latm_propose(making.order.labelled[:SHOWN])
    for _ in range(making.order.tries):
        code = code_in(await chat.ask(text))
        if code is None:
            fault = "the reply holds no code block"
        else:
            named = await sandbox.run(
                SandboxRun(
                    source=guest_source("analyse"),
                    calls=(FunctionCall(function="last_function", arguments=(code,)),),
                )
            )
            entry = named.value[0] if named.status == "ok" else None
            ran = await sandbox.run(SandboxRun(source=code, limits=LIMITS))
            if isinstance(entry, str) and ran.status == "ok":
                making.note("sandbox", f"the proposal runs; it is called by {entry!r}")
                return code, entry
            fault = (
                f"{ran.error}: {ran.message}" if ran.status != "ok" else "no function is defined"
            )
        making.note("sandbox", f"proposal refused: {fault}")
        text = prompts.fill("latm_fault", fault=clip(fault, 1500))
    return None


async def _verify(
    making: Making,
    chat: Conversation,
    sandbox: Sandbox,
    source: str,
    held_out: tuple[Demonstration, ...],
) -> Evidence | None:
    """Run the maker's own tests; only the tests are mended. None after the last try."""
    text = prompts.latm_verify(held_out)
    for _ in range(making.order.tries):
        tests = code_in(await chat.ask(text))
        if tests is None:
            fault = "the reply holds no code block"
        else:
            call = FunctionCall(function="trial", arguments=(source, tests))
            run = SandboxRun(source=guest_source("trial"), calls=(call,), limits=LIMITS)
            result = await sandbox.run(run)
            found = cast("dict[str, Value]", result.value[0]) if result.status == "ok" else {}
            faults = [str(one) for one in cast("list[Value]", found.get("faults", []))]
            if result.status == "ok" and not faults and found.get("asserts"):
                return _meeting(cast("list[dict[str, Value]]", found["answers"]), held_out)
            fault = "\n".join(faults) or f"{result.error}: {result.message}"
            if result.status == "ok" and not faults:
                fault = "the code asserts nothing"
        making.note("sandbox", f"tests refused: {fault}")
        text = prompts.fill("latm_verify_fault", fault=clip(fault, 1500))
    return None


def _meeting(answers: list[dict[str, Value]], held_out: tuple[Demonstration, ...]) -> Evidence:
    """Compare what the maker's tests computed with the labels."""
    rows: list[Value] = []
    for demo, found in zip(held_out, answers, strict=False):
        how = meets(found["ans"], demo.target or "")
        rows.append(
            {"label": demo.target, "answer": found["ans"], "ret": found["ret"], "meets": how}
        )
    words = [cast("dict[str, Value]", row)["meets"] for row in rows]
    contradicted = words.count("contradicts")
    missing = len(held_out) - len(rows)
    summary = (
        f"the maker's own tests pass; of {len(held_out)} labels {words.count('exact')} met exactly, "
        f"{words.count('converted')} after conversion, {contradicted} not met by the answer tested"
        + (f", {missing} not tested" if missing else "")
    )
    return Evidence(
        stage="latm verify", verdict="passed", summary=summary, details={"labels": rows}
    )


async def make_latm(making: Making, model: Model, sandbox: Sandbox) -> Outcome:
    """Make a tool by the paper's steps."""
    order = making.order
    chat = Conversation(making, model, purpose="making", temperature=TEMPERATURE)
    proposed = await _propose(making, chat, sandbox)
    if proposed is None:
        return _ended(making, "no proposal ran")
    source, entry = proposed
    held_out = order.labelled[SHOWN : 2 * SHOWN]
    evidence = await _verify(making, chat, sandbox, source, held_out)
    if evidence is None:
        return _ended(making, "the maker's tests never passed")
    making.evidence([evidence])
    wrap = await chat.ask(prompts.fill("latm_wrap"))
    record = ToolRecord(
        request_class=order.request_class, source=first_block(wrap) or source, entry=entry,
        profile="latm", wrap=wrap, demonstrations=order.labelled, evidence=(evidence,),
        provenance=making.provenance(model.name, None, prompts.template_digest(*TEMPLATES)),
        usage=making.usage,
    )  # fmt: skip
    return Outcome(record=record, body=making.body("made"), usage=making.usage)


def _ended(making: Making, why: str) -> Outcome:
    making.note("end", why)
    return Outcome(record=None, body=making.body(why), usage=making.usage)
