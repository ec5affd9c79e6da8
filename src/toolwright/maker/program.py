"""How a made tool is run: one pass through its four functions, and what the pass means."""

from importlib import resources
from typing import Literal

from toolwright.core.messages import Frozen
from toolwright.core.sandbox import FunctionCall, Ref, RunLimits, Sandbox, SandboxResult, SandboxRun
from toolwright.core.values import Value, fold

AttemptStatus = Literal["answered", "refused", "failed"]
SERVING_LIMITS = RunLimits(seconds=2.0)


class Attempt(Frozen):
    """What one request came to: answered, refused (by parser or round trip), or failed.

    A refusal is honest: the request is not this tool's. A failure is the tool's own fault or limit.
    """

    status: AttemptStatus
    why: str
    args: Value = None
    result: Value = None
    answer: str | None = None
    seconds: float = 0.0


def guest_source(name: str) -> str:
    """Give the source of one of our own guest programs."""
    return resources.files("toolwright.maker.guest").joinpath(f"{name}.py").read_text("utf-8")


def _pass(request: str) -> tuple[FunctionCall, ...]:
    return (
        FunctionCall(function="parse", arguments=(request,), refuses=True),
        FunctionCall(function="unparse", arguments=(Ref(ref=0),), fresh=True),
        FunctionCall(function="solve", spread=Ref(ref=0)),
        FunctionCall(function="render", arguments=(Ref(ref=0), Ref(ref=2))),
    )


def answer_run(
    source: str, request: str, limits: RunLimits = SERVING_LIMITS, rehearse: str | None = None
) -> SandboxRun:
    """Give the run that answers a request: parse, unparse in a fresh module, solve, render.

    ``rehearse`` is a demonstration's request that a waiting worker may be warmed with.
    """
    rehearsal = _pass(rehearse) if rehearse is not None else ()
    return SandboxRun(source=source, calls=_pass(request), limits=limits, rehearsal=rehearsal)


def read_attempt(request: str, result: SandboxResult) -> Attempt:
    """Say what a run of ``answer_run`` means; the round trip is judged here, outside the sandbox."""
    seconds = result.seconds
    if result.status != "ok":
        why = f"{result.status}: {result.error}: {result.message}"
        return Attempt(status="failed", why=why[:600], seconds=seconds)
    if len(result.value) < 4:
        return Attempt(status="refused", why="the parser says: not mine", seconds=seconds)
    args, rebuilt, computed, answer = result.value
    if not isinstance(args, dict):
        return Attempt(status="failed", why="parse gave no object", args=args, seconds=seconds)
    if not isinstance(rebuilt, str) or fold(rebuilt) != fold(request):
        return Attempt(
            status="refused", why=f"the rebuilt request differs: {str(rebuilt)[:300]!r}",
            args=args, seconds=seconds,
        )  # fmt: skip
    if not isinstance(answer, str):
        return Attempt(status="failed", why="render gave no text", args=args, seconds=seconds)
    return Attempt(
        status="answered", why="parsed, rebuilt and solved", args=args, result=computed,
        answer=answer, seconds=seconds,
    )  # fmt: skip


async def attempt(
    sandbox: Sandbox,
    source: str,
    request: str,
    limits: RunLimits = SERVING_LIMITS,
    rehearse: str | None = None,
) -> Attempt:
    """Try a tool on one request."""
    run = answer_run(source, request, limits, rehearse)
    return read_attempt(request, await sandbox.run(run))


async def compute(sandbox: Sandbox, source: str, args: dict[str, Value]) -> Attempt:
    """Run ``solve`` and ``render`` on arguments that somebody else read (tier 2)."""
    run = SandboxRun(
        source=source,
        calls=(
            FunctionCall(function="solve", spread=args),
            FunctionCall(function="render", arguments=(args, Ref(ref=0))),
        ),
        limits=SERVING_LIMITS,
    )
    result = await sandbox.run(run)
    if result.status != "ok" or not isinstance(result.value[1], str):
        why = f"{result.status}: {result.error}: {result.message}"[:600]
        return Attempt(status="failed", why=why, args=args, seconds=result.seconds)
    return Attempt(
        status="answered", why="solved from a model's arguments", args=args,
        result=result.value[0], answer=result.value[1], seconds=result.seconds,
    )  # fmt: skip
