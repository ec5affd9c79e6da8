"""The ``latm`` profile: propose, verify and wrap as in the paper (Cai et al., section 3.1).

Verification runs the maker's own unit tests. Beyond the paper, the answers that the tests computed
are compared with the labels, and the report says where they differ.
"""

import json
from typing import cast

from toolmint.core.model import Model
from toolmint.core.sameness import same_answer
from toolmint.core.sandbox import FunctionCall, RunLimits, Sandbox, SandboxRun
from toolmint.core.tool import Demonstration, Evidence, ToolRecord
from toolmint.core.values import Value, clip
from toolmint.maker.making_run import Conversation, MakingRun
from toolmint.maker.program import guest_source
from toolmint.maker.report import MakingResult
from toolmint.roles import prompts
from toolmint.roles.replies import code_in, first_block

_SHOWN = 3
_TEMPERATURE = 0.3
_LIMITS = RunLimits(seconds=20.0)
_TEMPLATES = (
    "latm_propose",
    "latm_fault",
    "latm_verify",
    "latm_verify_fault",
    "latm_wrap",
    "latm_use",
)


def meets_demonstrations(answer: Value, label: str) -> str:
    """Return how a computed answer matches its label: ``text`` or ``json``, ``converted``, ``contradicts``.

    ``text`` and ``json`` are the rules of ``core.sameness``. ``converted`` accepts the letter of an option,
    or its number counted from 1, for ``(C)``, and a value whose text equals the label. These are the
    conversions of LATM's own evaluation code.
    """
    rule = same_answer(answer if isinstance(answer, str) else json.dumps(answer), label)
    if rule is not None and isinstance(answer, str | list | dict):
        return rule
    text = str(answer)
    letter = label[1] if len(label) == 3 and label[0] == "(" and label[2] == ")" else None
    options = {letter, label, str(ord(letter) - ord("A") + 1)} if letter else {label}
    return "converted" if text in options else "contradicts"


async def _propose(
    making: MakingRun, chat: Conversation, sandbox: Sandbox
) -> tuple[str, str] | None:
    """Return the source and the entry function of a proposal that loads; None after the last try."""
    text = prompts.latm_propose(making.make_request.labelled[:_SHOWN])
    for _ in range(making.make_request.tries):
        code = code_in(await chat.ask(text))
        if code is None:
            fault = "the reply holds no code block"
        else:
            making.proposed(code)
            named = await sandbox.run(
                SandboxRun(
                    source=guest_source("analyse"),
                    calls=(FunctionCall(function="last_function", arguments=(code,)),),
                )
            )
            entry = named.value[0] if named.status == "ok" else None
            ran = await sandbox.run(SandboxRun(source=code, limits=_LIMITS))
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
    making: MakingRun,
    chat: Conversation,
    sandbox: Sandbox,
    source: str,
    held_out: tuple[Demonstration, ...],
) -> Evidence | None:
    """Run the maker's own tests and return their evidence; None after the last try.

    Only the tests are repaired, never the tool, as in the paper.
    """
    text = prompts.latm_verify(held_out)
    for _ in range(making.make_request.tries):
        tests = code_in(await chat.ask(text))
        if tests is None:
            fault = "the reply holds no code block"
        else:
            call = FunctionCall(function="trial", arguments=(source, tests))
            run = SandboxRun(source=guest_source("trial"), calls=(call,), limits=_LIMITS)
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
    """Return the evidence: the answers that the maker's tests computed beside the labels."""
    rows: list[Value] = []
    for demo, found in zip(held_out, answers, strict=False):
        how = meets_demonstrations(found["ans"], demo.target or "")
        rows.append(
            {"label": demo.target, "answer": found["ans"], "ret": found["ret"], "meets": how}
        )
    words = [cast("dict[str, Value]", row)["meets"] for row in rows]
    contradicted = words.count("contradicts")
    missing = len(held_out) - len(rows)
    summary = (
        f"the maker's own tests pass; of {len(held_out)} labels "
        f"{words.count('text') + words.count('json')} met by the answer itself, "
        f"{words.count('converted')} after conversion, {contradicted} not met by the answer tested"
        + (f", {missing} not tested" if missing else "")
    )
    return Evidence(
        stage="latm verify", verdict="passed", summary=summary, details={"labels": rows}
    )


async def make_latm(making: MakingRun, model: Model, sandbox: Sandbox) -> MakingResult:
    """Make a tool by the steps of the paper; the last reply (the wrapping) is kept for the user model."""
    request = making.make_request
    chat = Conversation(making, model, purpose="making", temperature=_TEMPERATURE)
    proposed = await _propose(making, chat, sandbox)
    if proposed is None:
        return _failed(making, "no proposal ran")
    source, entry = proposed
    held_out = request.labelled[_SHOWN : 2 * _SHOWN]
    evidence = await _verify(making, chat, sandbox, source, held_out)
    if evidence is None:
        return _failed(making, "the maker's tests never passed")
    making.evidence([evidence])
    wrap = await chat.ask(prompts.fill("latm_wrap"))
    record = ToolRecord(
        request_class=request.request_class,
        source=first_block(wrap) or source,
        entry=entry,
        profile="latm",
        wrap=wrap,
        demonstrations=request.labelled,
        evidence=(evidence,),
        provenance=making.provenance(model.name, None, prompts.template_digest(*_TEMPLATES)),
        usage=making.usage,
    )
    return making.result(record, "made")


def _failed(making: MakingRun, why: str) -> MakingResult:
    making.note("end", why)
    return making.result(None, why)
