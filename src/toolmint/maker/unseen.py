"""Whether a tool answers anything beyond what its maker was shown; a table of answers is no tool."""

from collections.abc import Sequence

from toolmint.core.sandbox import FunctionCall, Sandbox, SandboxRun
from toolmint.core.tool import Demonstration, Evidence
from toolmint.core.values import Value
from toolmint.maker.each import each
from toolmint.maker.generate_requests import generate_requests
from toolmint.maker.program import (
    SERVING_LIMITS,
    answer_program,
    run_tool,
    serve_tool,
    trial_owner,
)
from toolmint.maker.verification_input import stage_failed
from toolmint.maker.versions import LABELS_STAGE

_GENERATED = 40
_TRIED = 8  # shown requests whose values are mixed


async def answers_unseen(
    source: str,
    labelled: Sequence[Demonstration],
    unanswered: Sequence[str],
    prompts: str,
    sandbox: Sandbox,
) -> Evidence | None:
    """Return None where a tool answers a request that its maker has not seen; else the failure.

    A demonstration that stands in no prompt is such a request. Where each has been shown, as the
    failures of a messy file are, the values of known requests are mixed and changed instead.

    Args:
        source: the tool's module.
        labelled: the demonstrations.
        unanswered: those that it does not answer.
        prompts: all that its maker was told.
        sandbox: runs the tool.
    """
    missing = set(unanswered)
    answered = [one.input for one in labelled if one.input not in missing]
    if any(text not in prompts and repr(text)[1:-1] not in prompts for text in answered):
        return None
    known = {one.input for one in labelled}
    spread = answered[:: max(1, len(answered) // _TRIED)][:_TRIED]
    runs = [await run_tool(sandbox, source, text) for text in spread]
    program, owner = answer_program(source), trial_owner()

    async def unparse(args: dict[str, Value]) -> str | None:
        calls = (FunctionCall(function="unparse", arguments=(args,)),)
        made = await sandbox.run(SandboxRun(source=source, calls=calls, limits=SERVING_LIMITS))
        text = made.value[0] if made.status == "ok" else None
        return text if isinstance(text, str) and text not in known else None

    generated = generate_requests([run.args for run in runs], count=_GENERATED)
    for text in {text for text in await each(unparse, generated) if text is not None}:
        if (await serve_tool(sandbox, program, text, owner)).answer is not None:
            return None
    return stage_failed(
        LABELS_STAGE,
        "it answers the very requests that were shown and no other of their kind; a table of known "
        "requests is no tool. Read the values out of the request, and compute with them.",
    )
