"""Makes a learned tool: fitted in a process of its own, without any model call."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from toolmint.core.errors import MakerError
from toolmint.core.learned import DrawnDemonstration, weights_digest
from toolmint.core.tool import Demonstration, Evidence, Provenance, ToolRecord, Verdict
from toolmint.core.values import Value, clip, digest
from toolmint.maker.making_run import Learning, MakingRun
from toolmint.maker.report import MAX_TITLE, HeldOut, MakingResult

_WORKER = "toolmint.maker.fit_worker"
_KEPT, _TITLED = 60, 2
"""Demonstrations that the record keeps: its class is known by their wording."""
NO_MODEL = "no model (fitted)"
"""What stands for the model that made a learned tool."""


async def fit_apart(
    examples: Sequence[DrawnDemonstration], order: Learning, seed: int = 0
) -> tuple[dict[str, Any], bytes]:
    """Fit a model in a process of its own; return what it says of the fit, and the weights.

    Raises:
        ToolmintError: it failed; such as for want of the extra ``toolmint[learned]``.
    """
    head = order.model_dump(exclude={"previous"}) | {"seed": seed, "previous": len(order.previous)}
    lines = b"".join(one.model_dump_json().encode() + b"\n" for one in examples)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _WORKER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        given = json.dumps(head).encode() + b"\n" + order.previous + lines
        out, errors = await process.communicate(given)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    line, _, weights = out.partition(b"\n")
    if process.returncode != 0 or not line:
        last = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise MakerError(f"the fit ended with status {process.returncode}: {clip(last, 300)}")
    said: dict[str, Any] = json.loads(line)
    if "error" in said:
        raise MakerError(said["error"], code=said["code"])
    return said, weights


def _examples(making: MakingRun) -> list[DrawnDemonstration]:
    """Return the demonstrations that have an answer."""
    request = making.make_request
    return [
        one
        if isinstance(one, DrawnDemonstration)
        else DrawnDemonstration(input=one.input, target=one.target)
        for one in (*request.labelled, *request.further)
        if one.target is not None
    ]


def title_of_labels(labels: Sequence[str], count: int) -> str:
    """Return the title of a class of labels, such as ``12 labels, such as billing, refund``."""
    shown = ", ".join(" ".join(one.split()) for one in labels[:_TITLED])
    title = f"{count} labels, such as {shown}"
    return title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1] + "…"


async def make_learned(making: MakingRun) -> MakingResult:
    """Fit a tool on all demonstrations of a class.

    The record's evidence is the report of the fit, and what it makes of the newest demonstrations, which
    the fit did not see. Whether that is enough to serve is the asker's to say.

    Raises:
        MakerError: the fit failed.
    """
    request = making.make_request
    examples = _examples(making)
    order = request.learning or Learning()
    labels = [label for label, _ in Counter(one.target or "" for one in examples).most_common()]
    making.title = title_of_labels(labels[:5], len(labels))
    making.note("fit", f"fitting on {len(examples)} demonstrations; no model is called")
    said, weights = await fit_apart(examples, order, request.seed or 0)
    report = cast("dict[str, Value]", said["report"])
    held_out = HeldOut.model_validate(said["counts"])
    making.facts |= {"learned": {**report, "since": said["since"], "examples": said["examples"]}}
    if not weights:
        reason = str(report.get("why") or "the answers cannot be told from the requests")
        making.note("fit", reason)
        return making.result(None, reason)
    evidence = (
        Evidence(
            stage="fit",
            verdict="passed",
            summary=f"{said['label_count']} labels, from {said['examples']} demonstrations",
            details={**report, "since": said["since"], "examples": said["examples"]},
        ),
        _held_out(held_out),
    )
    making.evidence(evidence)
    record = ToolRecord(
        request_class=request.request_class,
        weights=weights_digest(weights),
        profile="learned",
        demonstrations=_kept(examples),
        evidence=evidence,
        provenance=Provenance(
            model=NO_MODEL,
            demonstrations_digest=digest([[one.input, one.target] for one in examples]),
            prompts_digest="",
        ),
    )
    made = making.result(record, "made")
    return made.model_copy(update={"weights": weights, "held_out": held_out})


def _held_out(found: HeldOut) -> Evidence:
    verdict: Verdict = "passed" if found.trials else "skipped"
    summary = f"{found.wrong} of {found.trials} answers to held-out demonstrations were wrong"
    share = found.answered / found.seen if found.seen else 0.0
    return Evidence(
        stage="held out",
        verdict=verdict,
        summary=f"{summary}; it answers {share:.0%} of them",
        details=found.model_dump(),
    )


def _kept(examples: Sequence[DrawnDemonstration]) -> tuple[Demonstration, ...]:
    """Return a few demonstrations, spread over all."""
    step = max(1, len(examples) // _KEPT)
    some = examples[::step][:_KEPT]
    return tuple(Demonstration(input=one.input, target=one.target) for one in some)
