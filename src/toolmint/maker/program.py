"""Runs a made tool: one pass through its four functions in the sandbox, and what the result means."""

from functools import lru_cache
from importlib import resources
from typing import Literal, NamedTuple
from uuid import uuid4

from toolmint.core.sandbox import (
    FunctionCall,
    Given,
    Program,
    Ref,
    RunLimits,
    Sandbox,
    SandboxResult,
)
from toolmint.core.values import Value
from toolmint.maker.slot_words import SlotWords

ToolRunStatus = Literal["answered", "refused", "failed"]
SERVING_LIMITS = RunLimits(seconds=2.0)
_KEPT_PROGRAMS = 4096
_ANSWER = (
    FunctionCall(function="parse", arguments=(Given(),), refuses=True),
    # A fresh copy of the module: a parser cannot leave the request in a global for it.
    FunctionCall(function="unparse", arguments=(Ref(ref=0),), fresh=True),
    FunctionCall(function="solve", spread=Ref(ref=0)),
    FunctionCall(function="render", arguments=(Ref(ref=0), Ref(ref=2))),
)


class ToolRun(NamedTuple):
    """The result of one request: answered, refused (by the parser or the round trip), or failed.

    *Refused* means that the request is not of the tool's class, which speaks for the tool. *Failed*
    means that the tool raised an error, exceeded a limit or returned a wrong type.

    Attributes:
        why: the reason in words.
        args: what ``parse`` returned.
        result: what ``solve`` returned.
        answer: what ``render`` returned; None unless answered.
        seconds: wall time of the run.
        arcs: those that were taken, in hexadecimal; empty where they were not asked for.
    """

    status: ToolRunStatus
    why: str
    args: Value = None
    result: Value = None
    answer: str | None = None
    seconds: float = 0.0
    arcs: str = ""


def guest_source(name: str) -> str:
    """Return the source of one of this package's own programs that run in the sandbox."""
    return resources.files("toolmint.maker.guest").joinpath(f"{name}.py").read_text("utf-8")


def trial_owner() -> str:
    """Return an owner of resident workers for a tool in verification, shared with nobody."""
    return f"verification {uuid4()}"


@lru_cache(_KEPT_PROGRAMS)
def answer_program(
    source: str,
    seconds: float = SERVING_LIMITS.seconds,
    known: str | None = None,
    *,
    arcs: bool = False,
    omit: str = "",
) -> Program:
    """Return the program that answers a request: parse, unparse in a fresh module, solve, render.

    Args:
        source: the tool's module.
        seconds: of wall time, of a run.
        known: a demonstration's request, whose answer must not change from call to call.
        arcs: its runs tell which arcs they took.
        omit: those that they need not tell, in hexadecimal.
    """
    limits = RunLimits(seconds=seconds)
    return Program(source=source, calls=_ANSWER, limits=limits, known=known, arcs=arcs, omit=omit)


@lru_cache(_KEPT_PROGRAMS)
def compute_program(source: str, entry: str = "solve", *, arcs: bool = False) -> Program:
    """Return the program that computes from arguments: an object to spread over ``entry``; then render."""
    calls = (
        FunctionCall(function=entry, spread=Given()),
        FunctionCall(function="render", arguments=(Given(), Ref(ref=0))),
    )
    return Program(source=source, calls=calls, limits=SERVING_LIMITS, arcs=arcs)


def read_run(request: str, result: SandboxResult) -> ToolRun:
    """Return what the result of an ``answer_program`` means.

    The round trip is compared here, in the host: code inside the sandbox may change any comparison made
    there. It is checked at every request, not only in verification, and it is exact: each character counts,
    white space, line ends and Unicode normalisation forms too. A request is then answered only if each
    character of it is in the arguments or in the fixed text that the tool itself wrote, so nothing in it
    can be overlooked.
    """
    seconds = result.seconds
    if result.status != "ok":
        why = f"{result.status}: {result.error}: {result.message}"
        return ToolRun(status="failed", why=why[:600], seconds=seconds)
    if len(result.value) < 4:
        why = "the parser says: not mine"
        return ToolRun(status="refused", why=why, seconds=seconds, arcs=result.arcs)
    args, rebuilt, computed, answer = result.value
    if not isinstance(args, dict):
        return ToolRun(status="failed", why="parse gave no object", args=args, seconds=seconds)
    if rebuilt != request:
        return ToolRun(
            status="refused",
            why=rebuilt_differently(request, rebuilt),
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
        arcs=result.arcs,
    )


def rebuilt_differently(request: str, rebuilt: Value) -> str:
    """Return in words how a rebuilt request differs, and whether in white space alone.

    The reason is kept with the request's record, also where its text may not be: it shows two characters.
    """
    if not isinstance(rebuilt, str):
        return "the rebuilt request is no text"
    pairs = enumerate(zip(request, rebuilt, strict=False))
    shorter = min(len(request), len(rebuilt))
    at = next((place for place, (one, other) in pairs if one != other), shorter)
    alone = ", in white space alone" if request.split() == rebuilt.split() else ""
    mine, theirs = (repr(text[at]) if at < len(text) else "the end" for text in (rebuilt, request))
    return f"the rebuilt request differs{alone}: {mine} for {theirs} at character {at + 1}"


async def run_tool(
    sandbox: Sandbox, source: str, request: str, limits: RunLimits = SERVING_LIMITS
) -> ToolRun:
    """Run a tool that is not verified on one request, in a process of its own.

    Raises:
        SandboxError: the sandbox itself is broken; a failing tool is a result.
    """
    run = answer_program(source, limits.seconds).run(request)
    return read_run(request, await sandbox.run(run))


async def serve_tool(
    sandbox: Sandbox, program: Program, request: str, owner: str, slots: SlotWords | None = None
) -> ToolRun:
    """Run a tool (an ``answer_program``) on one request, in its owner's resident worker.

    Args:
        sandbox: runs it.
        program: the tool's.
        request: what is asked.
        owner: of the worker.
        slots: what the class's slots may contain; None: anything.

    Raises:
        SandboxError: the sandbox itself is broken; a failing tool is a result.
    """
    run = read_run(request, await sandbox.call(program, request, owner))
    word = slots.suspect(request, run.args) if slots and run.status == "answered" else None
    if word is None:
        return run
    why = f"the word {word!r} stands in a value, where no demonstration has it"
    return ToolRun(status="refused", why=why, args=run.args, seconds=run.seconds)


async def compute(
    sandbox: Sandbox, source: str, args: dict[str, Value], owner: str, *, arcs: bool = False
) -> ToolRun:
    """Run ``solve`` and ``render`` on the arguments that a light model read (LATM section 3.2)."""
    result = await sandbox.call(compute_program(source, arcs=arcs), args, owner)
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
        arcs=result.arcs,
    )
