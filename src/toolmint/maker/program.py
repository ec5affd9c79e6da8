"""Runs a made tool: one pass through its four functions in the sandbox, and what the result means."""

from importlib import resources
from typing import Literal

from toolmint.core.messages import Frozen
from toolmint.core.sandbox import FunctionCall, Ref, RunLimits, Sandbox, SandboxResult, SandboxRun
from toolmint.core.values import Value, fold

ToolRunStatus = Literal["answered", "refused", "failed"]
SERVING_LIMITS = RunLimits(seconds=2.0)


class ToolRun(Frozen):
    """The result of one request: answered, refused (by the parser or the round trip), or failed.

    *Refused* means that the request is not of the tool's class, which speaks for the tool. *Failed*
    means that the tool raised an error, exceeded a limit or returned a wrong type.

    Attributes:
        why: the reason in words.
        args: what ``parse`` returned.
        result: what ``solve`` returned.
        answer: what ``render`` returned; None unless answered.
        seconds: wall time of the run.
    """

    status: ToolRunStatus
    why: str
    args: Value = None
    result: Value = None
    answer: str | None = None
    seconds: float = 0.0


def guest_source(name: str) -> str:
    """Return the source of one of this package's own programs that run in the sandbox."""
    return resources.files("toolmint.maker.guest").joinpath(f"{name}.py").read_text("utf-8")


def _calls(request: str) -> tuple[FunctionCall, ...]:
    return (
        FunctionCall(function="parse", arguments=(request,), refuses=True),
        FunctionCall(function="unparse", arguments=(Ref(ref=0),), fresh=True),
        FunctionCall(function="solve", spread=Ref(ref=0)),
        FunctionCall(function="render", arguments=(Ref(ref=0), Ref(ref=2))),
    )


def answer_run(
    source: str, request: str, limits: RunLimits = SERVING_LIMITS, rehearse: str | None = None
) -> SandboxRun:
    """Return the run that answers a request: parse, unparse in a fresh module, solve, render.

    ``unparse`` gets a fresh copy of the module: a parser cannot leave the request in a global for it.

    Args:
        source: the tool's module.
        request: the request.
        limits: of the run.
        rehearse: a demonstration's request with which a waiting worker may be warmed up.
    """
    rehearsal = _calls(rehearse) if rehearse is not None else ()
    return SandboxRun(source=source, calls=_calls(request), limits=limits, rehearsal=rehearsal)


def read_run(request: str, result: SandboxResult) -> ToolRun:
    """Return what the result of an ``answer_run`` means.

    The round trip is compared here, in the host: code inside the sandbox may change any comparison made
    there. It is exact apart from white space, and checked at every request, not only in verification.
    A request is then answered only if each of its words is in the arguments or in the fixed text
    that the tool itself wrote, so no word of it can be overlooked.
    """
    seconds = result.seconds
    if result.status != "ok":
        why = f"{result.status}: {result.error}: {result.message}"
        return ToolRun(status="failed", why=why[:600], seconds=seconds)
    if len(result.value) < 4:
        return ToolRun(status="refused", why="the parser says: not mine", seconds=seconds)
    args, rebuilt, computed, answer = result.value
    if not isinstance(args, dict):
        return ToolRun(status="failed", why="parse gave no object", args=args, seconds=seconds)
    if not isinstance(rebuilt, str) or fold(rebuilt) != fold(request):
        return ToolRun(
            status="refused",
            why=f"the rebuilt request differs: {str(rebuilt)[:300]!r}",
            args=args,
            seconds=seconds,
        )
    if not isinstance(answer, str):
        return ToolRun(status="failed", why="render gave no text", args=args, seconds=seconds)
    return ToolRun(
        status="answered",
        why="parsed, rebuilt and solved",
        args=args,
        result=computed,
        answer=answer,
        seconds=seconds,
    )


async def run_tool(
    sandbox: Sandbox,
    source: str,
    request: str,
    limits: RunLimits = SERVING_LIMITS,
    rehearse: str | None = None,
) -> ToolRun:
    """Run a tool on one request.

    Raises:
        SandboxError: the sandbox itself is broken; a failing tool is a result.
    """
    run = answer_run(source, request, limits, rehearse)
    return read_run(request, await sandbox.run(run))


async def compute(sandbox: Sandbox, source: str, args: dict[str, Value]) -> ToolRun:
    """Run ``solve`` and ``render`` on the arguments that a light model read (LATM section 3.2)."""
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
        return ToolRun(status="failed", why=why, args=args, seconds=result.seconds)
    return ToolRun(
        status="answered",
        why="solved from a model's arguments",
        args=args,
        result=result.value[0],
        answer=result.value[1],
        seconds=result.seconds,
    )
