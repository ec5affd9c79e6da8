"""Runs the verification stages in order; the first one that fails ends it."""

from collections.abc import Sequence

from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Evidence
from toolmint.maker import stages
from toolmint.maker.determinism import stage_determinism
from toolmint.maker.doubts import Judge, undecided
from toolmint.maker.verification_input import VerificationInput


def failed_stage(evidence: Sequence[Evidence]) -> Evidence | None:
    """Return the evidence of the last stage if that stage failed."""
    return evidence[-1] if evidence and evidence[-1].verdict == "failed" else None


async def verify(
    inputs: VerificationInput, sandbox: Sandbox, other: Sandbox, judge: Judge = undecided
) -> tuple[Evidence, ...]:
    """Return the evidence of stages 1 to 6, up to and including the first stage that fails.

    Cheap stages come first: a proposal that cannot run costs no near misses. Stage 7, the shadow on live
    traffic, is run by the serving side.

    Args:
        inputs: the tool and the requests it is verified with.
        sandbox: runs the tool.
        other: a sandbox with another hash seed, for stage 5.
        judge: decides of near misses that may ask the same.
    """
    evidence = [await stages.stage_form(inputs, sandbox)]
    if failed_stage(evidence):
        return tuple(evidence)
    labels, runs = await stages.stage_labels(inputs, sandbox)
    evidence.append(labels)
    for stage in (
        lambda: stages.stage_round_trip(inputs, runs, sandbox),
        lambda: stages.stage_near_misses(inputs, runs, sandbox, judge),
        lambda: stage_determinism(inputs, sandbox, other),
        lambda: stages.stage_second(inputs, runs, sandbox),
    ):
        if failed_stage(evidence):
            break
        evidence.append(await stage())
    return tuple(evidence)
