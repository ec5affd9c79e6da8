"""Encodes runs and decodes replies: pure functions, strict in what they accept.

A reply is untrusted: the code in the worker can write any bytes to the socket. JSON is read without
extensions, so that host and guest cannot disagree about a value.
"""

import json
import struct
from collections.abc import Sequence

from toolmint.core.arcs import NO_ARCS
from toolmint.core.sandbox import FunctionCall, Given, Program, Ref, SandboxResult, SandboxRun
from toolmint.core.values import MAX_DEPTH, Value, canonical, too_deep

HEADER = struct.Struct("!II")
ARCS_BYTES = 1 << 14
"""Bytes that the arcs of a reply may have, beside its result."""
_HEXADECIMAL = frozenset("0123456789abcdef")


def _plain(value: Value | Ref | Given | None) -> object:
    if isinstance(value, Given):
        return {"given": None}
    return {"ref": value.ref} if isinstance(value, Ref) else {"value": value}


def _call(call: FunctionCall) -> dict[str, object]:
    return {
        "function": call.function,
        "arguments": [_plain(value) for value in call.arguments],
        "spread": _plain(call.spread),
        "fresh": call.fresh,
        "refuses": call.refuses,
    }


def _frame(fields: dict[str, object]) -> bytes:
    body = json.dumps(fields).encode()
    return struct.pack("!I", len(body)) + body


def encode_run(run: SandboxRun, code: str | None = None) -> bytes:
    """Return the request frame: ``u32`` length and JSON; ``code`` (bytecode, base64) replaces the source."""
    program: dict[str, object] = {"source": run.source} if code is None else {"code": code}
    calls = [_call(call) for call in run.calls]
    more = {"calls": calls, "stdout_bytes": run.limits.stdout_bytes, "arcs": run.arcs}
    return _frame(program | more | ({"describe": True} if run.describe else {}))


def encode_setup(program: Program) -> bytes:
    """Return the frame that makes a waiting worker the resident worker of a program."""
    calls = [_call(call) for call in program.calls]
    limit = program.limits.stdout_bytes
    setup: dict[str, object] = {
        "resident": True,
        "source": program.source,
        "calls": calls,
        "stdout_bytes": limit,
    }
    return _frame(setup | {"arcs": program.arcs, "omit": program.omit})


def encode_compile(source: str, *, arcs: bool = False) -> bytes:
    """Return the frame that makes a worker compile a program without running it."""
    return _frame({"source": source, "compile": True, "calls": [], "stdout_bytes": 0, "arcs": arcs})


class StrictnessError(ValueError):
    """A reply that the protocol does not allow."""


def _no_constant(text: str) -> None:
    raise StrictnessError(f"{text} is no JSON value")


def _no_duplicates(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StrictnessError("an object has the same key twice")
    return found


_DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_no_duplicates)


def strict_json(data: bytes) -> Value:
    """Read JSON without NaN and without repeated keys, in valid Unicode.

    Raises:
        StrictnessError: the bytes are anything else.
    """
    try:
        value: Value = _DECODER.decode(data.decode("utf-8"))
        # Brackets are counted first, as few results have so many.
        if data.count(b"[") + data.count(b"{") > MAX_DEPTH and too_deep(value):
            raise StrictnessError(f"a result is nested deeper than {MAX_DEPTH} levels")
        if b"\\ud" in data or b"\\uD" in data:
            canonical(value).encode("utf-8")
    except (ValueError, RecursionError) as fault:
        raise StrictnessError(str(fault)[:300]) from fault
    return value


def decode_reply(kind: bytes, body: bytes, printed: bytes, run: SandboxRun) -> SandboxResult:
    """Return the result of a worker's frame; a frame that cannot be read is a result of status ``output``."""
    return decode_results(kind, body, printed, run.calls)


def decode_results(
    kind: bytes, body: bytes, printed: bytes, calls: Sequence[FunctionCall]
) -> SandboxResult:
    """Return the result of a frame that answers these calls."""
    out = printed.decode("utf-8", "replace") if printed else ""
    arcs = ""
    if kind == b"A":
        taken, _, body = body.partition(b"\n")
        arcs, kind = NO_ARCS if taken == b"0" else taken.decode("ascii", "replace"), b"O"
    try:
        value = strict_json(body)
        if kind == b"O":
            return _results(value, calls, out, arcs)
        if kind == b"E":
            return _raised(value, out)
        return SandboxResult(status="output", error="bad result", message=str(value), stdout=out)
    except StrictnessError as fault:
        return SandboxResult(status="output", error="bad result", message=str(fault), stdout=out)


def _results(value: Value, calls: Sequence[FunctionCall], out: str, arcs: str) -> SandboxResult:
    if not isinstance(value, list):
        raise StrictnessError("the results are no list")
    refused = 0 < len(value) <= len(calls) and value[-1] is None and calls[len(value) - 1].refuses
    if len(value) != len(calls) and not refused:
        raise StrictnessError(f"{len(calls)} results were due, {len(value)} came")
    if arcs and arcs is not NO_ARCS and not _is_hexadecimal(arcs):
        raise StrictnessError("the arcs are no number")
    return SandboxResult(status="ok", value=tuple(value), stdout=out, arcs=arcs)


def _is_hexadecimal(text: str) -> bool:
    return len(text) <= ARCS_BYTES and _HEXADECIMAL.issuperset(text)


def _raised(value: Value, out: str) -> SandboxResult:
    if not isinstance(value, dict):
        raise StrictnessError("the fault is no object")
    fields = {name: str(value.get(name, ""))[:2000] for name in ("type", "message", "trace")}
    trace = f" ({fields['trace']})" if fields["trace"] else ""
    return SandboxResult(
        status="memory" if fields["type"] == "MemoryError" else "error",
        error=fields["type"],
        message=fields["message"] + trace,
        stdout=out,
    )
