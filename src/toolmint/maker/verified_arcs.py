"""Which arcs of a tool its verification exercised: what a version may answer from its first request on."""

from collections.abc import Sequence

from toolmint.core.arcs import Arcs, read_arcs, write_arcs
from toolmint.core.sameness import same_answer
from toolmint.core.sandbox import FunctionCall, Sandbox, SandboxRun
from toolmint.core.tool import Demonstration, Evidence
from toolmint.maker.each import each
from toolmint.maker.program import answer_program, serve_tool, trial_owner

ARCS = "arcs"
"""The name of a set of arcs in the details of a stage."""


async def arc_lines(sandbox: Sandbox, source: str) -> tuple[str, ...] | None:
    """Return what each arc of a tool is, in words; None where it cannot be instrumented."""
    calls = (FunctionCall(function="arc_facts"),)
    told = await sandbox.run(SandboxRun(source=source, calls=calls, describe=True))
    facts = told.value[0] if told.status == "ok" else None
    lines = facts.get("lines") if isinstance(facts, dict) else None
    return tuple(str(one) for one in lines) if isinstance(lines, list) else None


async def verified_arcs(
    source: str,
    labelled: Sequence[Demonstration],
    evidence: Sequence[Evidence],
    sandbox: Sandbox,
) -> Arcs | None:
    """Return a tool's arcs with those that its demonstrations and agreements with a second tool took.

    A demonstration counts whose label the tool meets, and a request without a label on which an
    independent second tool gave the same answer (stage 6).

    Returns:
        None where the tool cannot be instrumented; it then serves without the guard.
    """
    lines = await arc_lines(sandbox, source)
    if lines is None:
        return None
    program, owner = answer_program(source, arcs=True), trial_owner()

    async def taken(demo: Demonstration) -> int | None:
        run = await serve_tool(sandbox, program, demo.input, owner)
        if run.answer is None or same_answer(run.answer, demo.target or "") is None:
            return 0
        return read_arcs(run.arcs) if run.arcs else None

    found = 0
    for one in await each(taken, labelled):
        if one is None:
            return None
        found |= one
    for stage in evidence:
        known = stage.details.get(ARCS)
        found |= read_arcs(known) if isinstance(known, str) else 0
    return Arcs(lines=lines, verified=write_arcs(found))
