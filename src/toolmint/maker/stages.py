"""The verification stages 1 to 6, each of which returns its evidence; ``verify`` runs them in order."""

from collections import Counter
from collections.abc import Sequence

from toolmint.core.arcs import read_arcs, write_arcs
from toolmint.core.guest_modules import GUEST_MODULES
from toolmint.core.sameness import same_answer
from toolmint.core.sandbox import FunctionCall, RunLimits, Sandbox, SandboxRun
from toolmint.core.tool import Demonstration, Evidence
from toolmint.core.values import Value, clip
from toolmint.maker.arc_requests import generated_requests, unparse
from toolmint.maker.doubts import DOUBTFUL_DETAIL, Judge, undecided
from toolmint.maker.each import each
from toolmint.maker.further_labels import check_further
from toolmint.maker.labels import compare_labels
from toolmint.maker.near_miss_trial import NearMissTrials
from toolmint.maker.program import (
    ToolRun,
    answer_program,
    guest_source,
    rebuilt_differently,
    run_tool,
    serve_tool,
    trial_owner,
)
from toolmint.maker.slot_words import SLOTS_DETAIL
from toolmint.maker.slots import leaves
from toolmint.maker.verification_input import (
    VerificationInput,
    bullet_list,
    stage_failed,
    stage_passed,
)

_FUNCTIONS = ("parse", "unparse", "solve", "render")
_SLOT_SHARE = 0.5  # largest share of a request's characters that one argument may carry


async def stage_form(inputs: VerificationInput, sandbox: Sandbox) -> Evidence:
    """Stage 1: the source loads, defines the four functions, imports allowed modules, keeps no state.

    The source is read by our own program inside the sandbox, as parsing hostile text is a risk too.
    """
    stage = "1 form"
    read = await sandbox.run(
        SandboxRun(
            source=guest_source("analyse"),
            calls=(
                FunctionCall(function="analyse", arguments=(inputs.source, list(GUEST_MODULES))),
            ),
        )
    )
    if read.status != "ok" or not isinstance(read.value[0], dict):
        return stage_failed(stage, f"the source cannot be read: {read.error}: {read.message}")
    facts = {
        name: [str(item) for item in found]
        for name, found in read.value[0].items()
        if isinstance(found, list)
    }
    missing = [name for name in _FUNCTIONS if name not in facts["functions"]]
    if missing:
        return stage_failed(stage, f"missing at the top level: {', '.join(missing)}")
    if facts["imports"]:
        return stage_failed(stage, f"forbidden imports: {'; '.join(facts['imports'])}")
    if facts["state"]:
        return stage_failed(stage, f"state is kept between calls: {'; '.join(facts['state'])}")
    loaded = await sandbox.run(SandboxRun(source=inputs.source, limits=RunLimits(seconds=2.0)))
    if loaded.status != "ok":
        return stage_failed(stage, f"loading it fails: {loaded.error}: {loaded.message}")
    return stage_passed(stage, "four functions, allowed imports, no state")


async def stage_labels(
    inputs: VerificationInput, sandbox: Sandbox
) -> tuple[Evidence, list[ToolRun]]:
    """Stage 2: the answers to the demonstrations; also returns the runs, which later stages use."""
    limits = RunLimits(seconds=max(2.0, 2 * inputs.slowest))

    async def mine(demo: Demonstration) -> ToolRun:
        return await run_tool(sandbox, inputs.source, demo.input, limits)

    async def second(demo: Demonstration) -> ToolRun | None:
        return await run_tool(sandbox, inputs.second, demo.input, limits) if inputs.second else None

    runs = await each(mine, inputs.labelled)
    seconds = await each(second, inputs.labelled)
    evidence = compare_labels(inputs, runs, seconds)
    if inputs.further and evidence.verdict == "passed":
        evidence = await check_further(evidence, inputs, sandbox)
    return evidence, runs


def smuggled(request: str, args: Value) -> str | None:
    """Return the argument that carries most of a request's text; None if there is none.

    A parser that passes the text through an argument would survive every round trip and understand
    nothing. Arguments of one or two words are names or numbers, whatever their share.
    """
    total = len("".join(request.split()))
    for leaf in leaves(args):
        size = len("".join(leaf.split()))
        if size > _SLOT_SHARE * total and len(leaf.split()) > 2:
            return leaf
    return None


async def _rebuild(sandbox: Sandbox, source: str, request: str, args: Value) -> str | None:
    """Return how ``unparse(args)`` differs from the request, or None."""
    rebuilt, fault = await unparse(sandbox, source, args)
    if rebuilt == request:
        return None
    how = fault or rebuilt_differently(request, rebuilt)
    return f"{request!r} was rebuilt as {rebuilt!r} ({how})"


async def stage_round_trip(
    inputs: VerificationInput, runs: Sequence[ToolRun], sandbox: Sandbox
) -> Evidence:
    """Stage 3: each known request is rebuilt from its arguments, and no argument smuggles the text.

    ``unparse`` runs in a worker that never saw the request, so nothing that ``parse`` left behind in
    the process can help it. Requests are compared exactly, as they are at each later request: a character
    that is not in the arguments is one that the parser overlooked, and a tool that overlooks a part of a
    request answers another question.
    """
    stage = "3 round trip"

    async def rebuild(pair: tuple[str, Value]) -> str | None:
        return await _rebuild(sandbox, inputs.source, *pair)

    async def read(request: str) -> ToolRun:
        return await run_tool(sandbox, inputs.source, request)

    unlabelled_runs = await each(read, inputs.unlabelled)
    both = zip(
        [d.input for d in inputs.labelled] + list(inputs.unlabelled),
        [*runs, *unlabelled_runs],
        strict=True,
    )
    answered = [(text, tried.args) for text, tried in both if tried.status == "answered"]
    for text, args in answered:
        slot = smuggled(text, args)
        if slot is not None:
            return stage_failed(
                stage, f"one value carries most of the request through: {clip(slot, 300)!r}"
            )
    wrong = [fault for fault in await each(rebuild, answered) if fault is not None]
    if wrong:
        return stage_failed(
            stage, f"{len(wrong)} requests are not rebuilt from their values:{bullet_list(wrong)}"
        )
    read_more = sum(tried.status == "answered" for tried in unlabelled_runs)
    others = (
        f", {read_more} of {len(unlabelled_runs)} without labels read" if unlabelled_runs else ""
    )
    return stage_passed(
        stage,
        f"{len(answered)} requests rebuilt{others}",
        answered=len(answered),
        unlabelled_answered=read_more,
    )


async def stage_near_misses(
    inputs: VerificationInput,
    runs: Sequence[ToolRun],
    sandbox: Sandbox,
    judge: Judge = undecided,
) -> Evidence:
    """Stage 4: near misses and requests of other classes are all refused.

    The demonstrations say what a tool must answer, never what it must refuse. Near misses are the
    missing counter-examples: requests with nearly the same wording and another meaning. ``judge`` decides
    of those that may ask the same; undecided, they count as another meaning.
    """
    stage = "4 near misses"
    trials = NearMissTrials(inputs.source, inputs.second, sandbox, judge)
    known = list(zip(inputs.labelled, runs, strict=True))
    found = await trials.run(known, inputs.foreign, inputs.near_misses)
    details: dict[str, Value] = {
        "tried": found.tried,
        "answered": len(found.wrong),
        DOUBTFUL_DETAIL: [one.fact() for one in found.decided],
        SLOTS_DETAIL: found.slots.model_dump(mode="json"),
    }
    if found.wrong:
        summary = f"{len(found.wrong)} of {found.tried} requests of another meaning are answered:"
        return stage_failed(stage, summary + bullet_list(found.wrong), **details)
    same = f", {len(found.decided)} ask the same and are answered" if found.decided else ""
    return stage_passed(stage, f"{found.tried - len(found.decided)} refused{same}", **details)


async def stage_second(
    inputs: VerificationInput, runs: Sequence[ToolRun], sandbox: Sandbox
) -> Evidence:
    """Stage 6: an independent second tool gives the same answers to requests without labels.

    Two tools written without each other rarely agree on a wrong answer, so their agreement is evidence
    where no label is. The unlabelled requests are extended by generated ones.
    """
    stage = "6 second tool"
    if inputs.second is None:
        return Evidence(stage=stage, verdict="skipped", summary="no second tool was made")
    second = inputs.second
    mine, theirs = answer_program(inputs.source, arcs=True), answer_program(second)
    owner = trial_owner()

    pairs = zip(inputs.labelled, runs, strict=True)
    known = [(one.input, run.args) for one, run in pairs if run.status == "answered"]
    generated = await generated_requests(inputs.source, known, sandbox)
    texts = [*inputs.unlabelled, *(one.text for one in generated)]

    async def compare(text: str) -> tuple[str, ToolRun, ToolRun]:
        one = await serve_tool(sandbox, mine, text, owner)
        return text, one, await serve_tool(sandbox, theirs, text, owner)

    tried = await each(compare, sorted(set(texts)))
    both = [
        (text, one.answer, two.answer)
        for text, one, two in tried
        if one.answer is not None and two.answer is not None
    ]
    rules = Counter(rule for _, one, two in both if (rule := same_answer(one, two)))
    agreed = rules.total()
    split = [
        f"{text!r}: one tool says {one!r}, another {two!r}"
        for text, one, two in both
        if same_answer(one, two) is None
    ]
    if split:
        summary = f"{len(split)} of {len(tried)} answers are contradicted:{bullet_list(split)}"
        return stage_failed(stage, summary, split=len(split))
    if not agreed:
        return Evidence(
            stage=stage, verdict="skipped", summary="the second tool answers none of them"
        )
    taken = 0
    for _, one, two in tried:
        taken |= read_arcs(one.arcs) if _agree(one, two) else 0
    return stage_passed(
        stage,
        f"{agreed} of {len(tried)} answers agree, none contradicts",
        agreed=agreed,
        rules=dict(rules),
        arcs=write_arcs(taken),
    )


def _agree(one: ToolRun, other: ToolRun) -> bool:
    return None not in (one.answer, other.answer) and (
        same_answer(one.answer or "", other.answer or "") is not None
    )
