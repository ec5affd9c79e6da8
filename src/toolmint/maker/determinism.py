"""Verification stage 5: a tool gives the same in every process, whatever came before."""

from collections.abc import Sequence

from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Evidence
from toolmint.maker.each import each
from toolmint.maker.program import ToolRun, answer_program, run_tool, serve_tool, trial_owner
from toolmint.maker.verification_input import VerificationInput, stage_failed, stage_passed


async def _carried(
    inputs: VerificationInput, fresh: Sequence[ToolRun], sandbox: Sandbox
) -> str | None:
    """Return how earlier requests change an answer; None: they do not.

    Every known request goes through one process, in two orders, and must give what a fresh process gave.
    A tool that may not share a process gets one for each call here as in service, and then agrees.
    """
    program, owner = answer_program(inputs.source), trial_owner()
    known = list(zip([demo.input for demo in inputs.labelled], fresh, strict=True))
    for order in (known, known[::-1]):
        for request, alone in order:
            shared = await serve_tool(sandbox, program, request, owner)
            if (shared.status, shared.args, shared.answer) != (
                alone.status,
                alone.args,
                alone.answer,
            ):
                return (
                    f"state is kept between calls: {request!r} gives {shared.answer!r} "
                    f"({shared.why}) after other requests, {alone.answer!r} in a new process"
                )
    return None


async def stage_determinism(
    inputs: VerificationInput, sandbox: Sandbox, other: Sandbox
) -> Evidence:
    """Stage 5: processes with different hash seeds agree, earlier requests have no effect, p99 holds.

    The hash seed decides the order of sets; the host fixes it, so a tool that depends on it would look
    deterministic in one process and change its answer in another.
    """
    stage = "5 determinism"
    requests = [demo.input for demo in inputs.labelled]

    async def pair(request: str) -> tuple[ToolRun, ToolRun]:
        return await run_tool(sandbox, inputs.source, request), await run_tool(
            other, inputs.source, request
        )

    pairs = await each(pair, requests)
    for request, (one, two) in zip(requests, pairs, strict=True):
        if (one.status, one.args, one.answer) != (two.status, two.args, two.answer):
            return stage_failed(
                stage, f"two processes disagree on {request!r}: {one.answer!r} and {two.answer!r}"
            )
    carried = await _carried(inputs, [one for one, _ in pairs], sandbox)
    if carried is not None:
        return stage_failed(stage, carried)
    slow = sorted(one.seconds for one, _ in pairs)
    worst = slow[min(len(slow) - 1, int(0.99 * len(slow)))]
    if worst > inputs.slowest:
        return stage_failed(
            stage, f"too slow: p99 is {worst:.2f} s, {inputs.slowest:g} s are allowed"
        )
    return stage_passed(
        stage, f"{len(pairs)} requests agree, p99 {worst * 1000:.1f} ms", p99_seconds=worst
    )
