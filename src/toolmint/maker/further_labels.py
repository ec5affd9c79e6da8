"""The demonstrations of a long file beyond those that every stage uses: none may be answered wrongly."""

from toolmint.core.sameness import same_answer
from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Demonstration, Evidence
from toolmint.maker.each import each
from toolmint.maker.program import answer_program, serve_tool, trial_owner
from toolmint.maker.verification_input import VerificationInput, bullet_list

_SUSPECT_SHARE = 0.2


async def check_further(
    evidence: Evidence, inputs: VerificationInput, sandbox: Sandbox
) -> Evidence:
    """Return the evidence of stage 2, with what the further demonstrations show.

    They run in a resident worker, which costs far less than a process each. A wrong answer fails the
    stage, unless the second tool gives it too; then the label is suspect, and few may be.
    """
    owner = trial_owner()
    mine = answer_program(inputs.source)
    second = answer_program(inputs.second) if inputs.second is not None else None

    async def wrong(demo: Demonstration) -> tuple[bool, str | None, bool]:
        run = await serve_tool(sandbox, mine, demo.input, owner)
        if run.answer is None or same_answer(run.answer, demo.target or "") is not None:
            return run.answer is not None, None, False
        fault = f"request {demo.input!r}\n  expected {demo.target!r}\n  got {run.answer!r}"
        other = await serve_tool(sandbox, second, demo.input, owner) if second else None
        theirs = other.answer if other is not None else None
        return True, fault, theirs is not None and same_answer(run.answer, theirs) is not None

    found = await each(wrong, inputs.further)
    faults = [fault for _, fault, suspect in found if fault is not None and not suspect]
    suspects = sum(suspect for *_, suspect in found)
    answered, count = sum(one for one, *_ in found), len(found)
    details = evidence.details | {"further": count, "further_answered": answered}
    if faults or suspects > _SUSPECT_SHARE * count:
        summary = (
            f"{len(faults) + suspects} of {count} further demonstrations are answered wrongly:"
        )
        summary += bullet_list(faults)
        return evidence.model_copy(
            update={"verdict": "failed", "summary": summary, "details": details}
        )
    head, line, rest = evidence.summary.partition("\n")
    told = f"{answered} of {count} further ones answered, {suspects} of them suspect"
    summary = f"{told}; {head}{line}{rest}"
    return evidence.model_copy(update={"summary": summary, "details": details})
