"""The gate between a proposed tool and its first answer: stages 1 to 6, each with its evidence."""

from collections.abc import Sequence

from toolwright.core.guest_modules import GUEST_MODULES
from toolwright.core.sandbox import FunctionCall, RunLimits, Sandbox, SandboxRun
from toolwright.core.tool import Demonstration, Evidence
from toolwright.core.values import Value, clip, fold
from toolwright.maker.breed import breed
from toolwright.maker.case import Case, failed, listed, passed
from toolwright.maker.each import each
from toolwright.maker.labels import judge_labels
from toolwright.maker.near_miss import leaves, near_misses
from toolwright.maker.program import SERVING_LIMITS, Attempt, attempt, guest_source

FUNCTIONS = ("parse", "unparse", "solve", "render")
BRED = 60
SLOT_SHARE = 0.5
UNLABELLED_SHARE = 0.8


async def stage_form(case: Case, sandbox: Sandbox) -> Evidence:
    """Stage 1: it runs, has the four functions, imports what is allowed, keeps no state."""
    stage = "1 form"
    read = await sandbox.run(
        SandboxRun(
            source=guest_source("analyse"),
            calls=(FunctionCall(function="analyse", arguments=(case.source, list(GUEST_MODULES))),),
        )
    )
    if read.status != "ok" or not isinstance(read.value[0], dict):
        return failed(stage, f"the source cannot be read: {read.error}: {read.message}")
    facts = {
        name: [str(item) for item in found]
        for name, found in read.value[0].items()
        if isinstance(found, list)
    }
    missing = [name for name in FUNCTIONS if name not in facts["functions"]]
    if missing:
        return failed(stage, f"missing at the top level: {', '.join(missing)}")
    if facts["imports"]:
        return failed(stage, f"forbidden imports: {'; '.join(facts['imports'])}")
    if facts["state"]:
        return failed(stage, f"state is kept between calls: {'; '.join(facts['state'])}")
    loaded = await sandbox.run(SandboxRun(source=case.source, limits=RunLimits(seconds=2.0)))
    if loaded.status != "ok":
        return failed(stage, f"loading it fails: {loaded.error}: {loaded.message}")
    return passed(stage, "four functions, allowed imports, no state")


async def stage_labels(case: Case, sandbox: Sandbox) -> tuple[Evidence, list[Attempt]]:
    """Stage 2, run: gives the attempts too, for the stages after it."""
    limits = RunLimits(seconds=max(2.0, 2 * case.slowest))

    async def mine(demo: Demonstration) -> Attempt:
        return await attempt(sandbox, case.source, demo.input, limits)

    async def second(demo: Demonstration) -> Attempt | None:
        return await attempt(sandbox, case.second, demo.input, limits) if case.second else None

    attempts = await each(mine, case.labelled)
    seconds = await each(second, case.labelled)
    return judge_labels(case, attempts, seconds), attempts


def smuggled(request: str, args: Value) -> str | None:
    """Give the slot that carries most of a request's text, or None."""
    total = len("".join(request.split()))
    for leaf in leaves(args):
        size = len("".join(leaf.split()))
        if size > SLOT_SHARE * total and len(leaf.split()) > 2:
            return leaf
    return None


async def stage_round_trip(case: Case, attempts: Sequence[Attempt], sandbox: Sandbox) -> Evidence:
    """Stage 3: each known request is rebuilt, by a worker that never saw it; nothing is smuggled."""
    stage = "3 round trip"

    async def rebuild(pair: tuple[str, Value]) -> str | None:
        request, args = pair
        run = SandboxRun(
            source=case.source,
            calls=(FunctionCall(function="unparse", arguments=(args,)),),
            limits=SERVING_LIMITS,
        )
        result = await sandbox.run(run)
        rebuilt = result.value[0] if result.status == "ok" else None
        same = isinstance(rebuilt, str) and fold(rebuilt) == fold(request)
        return None if same else f"{request!r} was rebuilt as {rebuilt!r} {result.message}"

    async def read(request: str) -> Attempt:
        return await attempt(sandbox, case.source, request)

    more = await each(read, case.unlabelled)
    both = zip(
        [d.input for d in case.labelled] + list(case.unlabelled), [*attempts, *more], strict=True
    )
    answered = [(text, tried.args) for text, tried in both if tried.status == "answered"]
    for text, args in answered:
        slot = smuggled(text, args)
        if slot is not None:
            return failed(
                stage, f"one value carries most of the request through: {clip(slot, 300)!r}"
            )
    wrong = [fault for fault in await each(rebuild, answered) if fault is not None]
    if wrong:
        return failed(
            stage, f"{len(wrong)} requests are not rebuilt from their values:{listed(wrong)}"
        )
    read_more = sum(tried.status == "answered" for tried in more)
    if more and read_more < UNLABELLED_SHARE * len(more):
        lost = [
            f"{t!r}: {a.why}"
            for t, a in zip(case.unlabelled, more, strict=True)
            if a.answer is None
        ]
        return failed(
            stage, f"{len(lost)} of {len(more)} other requests are not understood:{listed(lost)}"
        )
    return passed(
        stage,
        f"{len(answered)} requests rebuilt",
        answered=len(answered),
        unlabelled_answered=read_more,
    )


async def stage_near_misses(case: Case, attempts: Sequence[Attempt], sandbox: Sandbox) -> Evidence:
    """Stage 4: near misses and requests of other classes are all refused."""
    stage = "4 near misses"
    parsed = [
        (demo.input, tried.args)
        for demo, tried in zip(case.labelled, attempts, strict=True)
        if tried.status == "answered"
    ]
    made = near_misses(parsed, count=case.near_misses)
    texts = [miss.text for miss in made] + list(case.foreign)

    async def answered(text: str) -> str | None:
        tried = await attempt(sandbox, case.source, text)
        return f"{text!r} is answered with {tried.answer!r}" if tried.status == "answered" else None

    wrong = [fault for fault in await each(answered, texts) if fault is not None]
    if wrong:
        summary = (
            f"{len(wrong)} of {len(texts)} requests of another meaning are answered:{listed(wrong)}"
        )
        return failed(stage, summary, tried=len(texts), answered=len(wrong))
    return passed(stage, f"{len(texts)} refused", tried=len(texts), answered=0)


async def stage_determinism(case: Case, sandbox: Sandbox, other: Sandbox) -> Evidence:
    """Stage 5: fresh processes with other hash seeds agree, order of requests has no effect, p99 holds."""
    stage = "5 determinism"
    requests = [demo.input for demo in case.labelled]

    async def pair(request: str) -> tuple[Attempt, Attempt]:
        return await attempt(sandbox, case.source, request), await attempt(
            other, case.source, request
        )

    pairs = await each(pair, requests)
    for request, (one, two) in zip(requests, pairs, strict=True):
        if (one.status, one.args, one.answer) != (two.status, two.args, two.answer):
            return failed(
                stage, f"two processes disagree on {request!r}: {one.answer!r} and {two.answer!r}"
            )
    calls = tuple(
        FunctionCall(function="parse", arguments=(text,)) for text in [*requests, requests[0]]
    )
    after = await sandbox.run(SandboxRun(source=case.source, calls=calls))
    if after.status == "ok" and after.value[0] != after.value[-1]:
        return failed(stage, f"parse gives another result for {requests[0]!r} after other requests")
    slow = sorted(one.seconds for one, _ in pairs)
    worst = slow[min(len(slow) - 1, int(0.99 * len(slow)))]
    if worst > case.slowest:
        return failed(stage, f"too slow: p99 is {worst:.2f} s, {case.slowest:g} s are allowed")
    return passed(
        stage, f"{len(pairs)} requests agree, p99 {worst * 1000:.1f} ms", p99_seconds=worst
    )


async def stage_second(case: Case, attempts: Sequence[Attempt], sandbox: Sandbox) -> Evidence:
    """Stage 6: an independent second tool gives the same answers on requests without labels."""
    stage = "6 second tool"
    if case.second is None:
        return Evidence(stage=stage, verdict="skipped", summary="no second tool was made")
    second = case.second

    async def unparse(args: dict[str, Value]) -> str | None:
        call = FunctionCall(function="unparse", arguments=(args,))
        result = await sandbox.run(
            SandboxRun(source=case.source, calls=(call,), limits=SERVING_LIMITS)
        )
        return (
            result.value[0] if result.status == "ok" and isinstance(result.value[0], str) else None
        )

    bred = breed([tried.args for tried in attempts if tried.status == "answered"], count=BRED)
    texts = [*case.unlabelled, *[text for text in await each(unparse, bred) if text is not None]]

    async def compare(text: str) -> tuple[str, Attempt, Attempt]:
        one = await attempt(sandbox, case.source, text)
        return text, one, await attempt(sandbox, second, text)

    tried = await each(compare, sorted(set(texts)))
    agreed = sum(one.answer is not None and one.answer == two.answer for _, one, two in tried)
    split = [
        f"{text!r}: one tool says {one.answer!r}, another {two.answer!r}"
        for text, one, two in tried
        if one.answer is not None and two.answer is not None and one.answer != two.answer
    ]
    if split:
        summary = f"{len(split)} of {len(tried)} answers are contradicted:{listed(split)}"
        return failed(stage, summary, split=len(split))
    if not agreed:
        return Evidence(
            stage=stage, verdict="skipped", summary="the second tool answers none of them"
        )
    return passed(stage, f"{agreed} of {len(tried)} answers agree, none contradicts", agreed=agreed)


def fails(evidence: Sequence[Evidence]) -> bool:
    """Say whether the last stage so far was not passed."""
    return bool(evidence) and evidence[-1].verdict == "failed"


async def gate(case: Case, sandbox: Sandbox, other: Sandbox) -> tuple[Evidence, ...]:
    """Take a tool through stages 1 to 6; ends with the first stage that fails.

    ``other`` is a sandbox with another hash seed, for stage 5.
    """
    evidence = [await stage_form(case, sandbox)]
    if fails(evidence):
        return tuple(evidence)
    labels, attempts = await stage_labels(case, sandbox)
    evidence.append(labels)
    for stage in (
        lambda: stage_round_trip(case, attempts, sandbox),
        lambda: stage_near_misses(case, attempts, sandbox),
        lambda: stage_determinism(case, sandbox, other),
        lambda: stage_second(case, attempts, sandbox),
    ):
        if fails(evidence):
            break
        evidence.append(await stage())
    return tuple(evidence)
