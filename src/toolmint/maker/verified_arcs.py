"""Which arcs of a tool its verification exercised: what a version may answer from its first request on."""

from collections import Counter
from collections.abc import Sequence

from toolmint.core.arcs import Arcs, arc_numbers, read_arcs, write_arcs
from toolmint.core.sameness import same_answer
from toolmint.core.sandbox import FunctionCall, Sandbox, SandboxRun
from toolmint.core.tool import Demonstration, Evidence
from toolmint.maker.each import each
from toolmint.maker.program import answer_program, serve_tool, trial_owner

_CHANCE, _MOST_NEEDED = 0.15, 3
"""How likely a wrong branch may be to meet all its demonstrations by chance, and how many that asks for."""
ARCS = "arcs"
"""The name of a set of arcs in the details of a stage."""


def demonstrations_needed(targets: Sequence[str | None]) -> int:
    """Return how many demonstrations verify an arc: more than one where their answers are often the same.

    A branch that is wrong gives the right yes or no in half of all cases by chance.
    """
    total = len(targets)
    alike = sum((count / total) ** 2 for count in Counter(targets).values()) if total else 0.0
    needed = 1
    while needed < _MOST_NEEDED and alike**needed > _CHANCE:
        needed += 1
    return needed


def often_taken(taken: Sequence[int], needed: int) -> int:
    """Return the arcs that so many of these sets have."""
    counts = Counter(arc for one in taken for arc in arc_numbers(one))
    return sum(1 << arc for arc, count in counts.items() if count >= needed)


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

    A demonstration counts whose label the tool meets (``demonstrations_needed`` of them for an arc), and a
    request without a label on which an independent second tool gave the same answer (stage 6).

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

    took = await each(taken, labelled)
    known = [one for one in took if one is not None]
    if len(known) < len(took):
        return None
    found = often_taken(known, demonstrations_needed([one.target for one in labelled]))
    for stage in evidence:
        known = stage.details.get(ARCS)
        found |= read_arcs(known) if isinstance(known, str) else 0
    return Arcs(lines=lines, verified=write_arcs(found))
