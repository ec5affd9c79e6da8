"""The worker: runs one program inside the confined process and sends one reply.

The reply is one frame: ``u32 length of body, u32 length of print, body, print``. The body is one
byte (``O`` results, ``A`` a line with the arcs that were taken and then results, ``E`` the code raised,
``B`` a result that is not JSON) and JSON. Names are bound
at import, so that a program that patches modules does not break the reply by accident; on purpose it can
forge only its own reply, and the host trusts none.
"""

import base64
import builtins
import json
import marshal
import os
import struct
import sys
from types import CodeType
from typing import Any, NamedTuple

from toolmint.sandbox.guest.arcs import Instrumented, arc_facts, instrumented
from toolmint.sandbox.guest.recorder import ArcPlan, ArcRecorder

_MESSAGE_LIMIT = 2000
_dumps, loads, _write, _read, _exit = json.dumps, json.loads, os.write, os.read, os._exit
_PLAIN = frozenset({str, int, float, bool, type(None)})


class CappedText:
    """A text stream that keeps the first characters and drops the rest."""

    encoding = "utf-8"

    def __init__(self, limit: int) -> None:
        self.parts: list[str] = []
        self.left = limit

    def write(self, text: str) -> int:
        """Keep as much of the text as fits."""
        kept = text[: self.left]
        if kept:
            self.parts.append(kept)
            self.left -= len(kept)
        return len(text)

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def isatty(self) -> bool:
        """Return False: a worker has no terminal."""
        return False


def read_exactly(descriptor: int, size: int) -> bytes:
    """Read ``size`` bytes.

    Raises:
        EOFError: the other side is gone.
    """
    parts: list[bytes] = []
    while size:
        part = _read(descriptor, min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def write_frame(descriptor: int, data: bytes) -> None:
    """Write all bytes."""
    frame = memoryview(data)
    while frame:
        frame = frame[_write(descriptor, frame) :]


def _send(descriptor: int, kind: bytes, body: str, printed: str) -> None:
    data = kind + body.encode("utf-8", "backslashreplace")
    out = printed.encode("utf-8", "backslashreplace")
    write_frame(descriptor, struct.pack("!II", len(data), len(out)) + data + out)


def _frames(fault: BaseException) -> str:
    trace = fault.__traceback__
    lines: list[str] = []
    while trace is not None and len(lines) < 20:
        code = trace.tb_frame.f_code
        if code.co_filename == "<tool>":
            lines.append(f"line {trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return ", ".join(lines[-6:])


def describe(fault: BaseException) -> str:
    """Return an exception as JSON: its type, its text, and the lines of the program that it passed."""
    try:
        text = str(fault)[:_MESSAGE_LIMIT]
    except BaseException:
        text = "(its text is not available)"
    return _dumps({"type": type(fault).__name__[:100], "message": text, "trace": _frames(fault)})


class BadResult(Exception):
    """A result that is not a JSON value."""


class GuestCall(NamedTuple):
    """One call. A source is ``(kind, value)``: a value, the index of an earlier result, or the input."""

    function: str
    arguments: tuple[tuple[str, Any], ...]
    spread: tuple[str, Any]
    fresh: bool
    refuses: bool

    @classmethod
    def read(cls, call: dict[str, Any]) -> "GuestCall":
        """Return the call that a frame describes."""
        arguments = tuple(next(iter(one.items())) for one in call["arguments"])
        spread = next(iter(call["spread"].items()))
        return cls(call["function"], arguments, spread, call["fresh"], call["refuses"])


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("two keys have one text")
    return found


# Built once: ``json.dumps`` and ``json.loads`` with options build one at each call.
_encode = json.JSONEncoder(allow_nan=False).encode
_decode = json.JSONDecoder(object_pairs_hook=_no_duplicates).decode


def _normalised(value: Any) -> tuple[str, Any]:
    """Return a result as JSON text and as the value that this text means."""
    try:
        text = _encode(value)
        return text, value if type(value) in _PLAIN else _decode(text)
    except (TypeError, ValueError) as fault:
        raise BadResult(f"{type(value).__name__}: {fault}"[:_MESSAGE_LIMIT]) from None


def _resolve(source: tuple[str, Any], results: list[Any], given: object) -> Any:
    kind, value = source
    if kind == "value":
        return value
    return results[value] if kind == "ref" else given


Spaces = list[dict[str, Any]]


def run_calls(
    code: CodeType,
    calls: list[GuestCall],
    given: object,
    spaces: Spaces,
    recorder: ArcRecorder | None = None,
) -> str:
    """Execute the module and make its calls; return the JSON list of their results.

    A call with ``refuses`` that returns None ends the run. The copies of the module are added to ``spaces``.
    With a recorder, a line before the list has the arcs that were taken.

    Raises:
        BadResult: a result is not a JSON value.
        Exception: whatever the program raises.
    """

    def load() -> dict[str, Any]:
        space: dict[str, Any] = {"__name__": "tool", "__builtins__": builtins}
        spaces.append(space)
        if recorder is None or recorder.quiet_load:
            exec(code, space)
        else:
            recorder.load(code, space)
        return space

    if recorder is not None:
        recorder.begin()
    results: list[Any] = []
    texts: list[str] = []
    module = load()
    for call in calls:
        space = load() if call.fresh else module
        function = space.get(call.function)
        if not callable(function):
            raise NameError(f"the program defines no function {call.function!r}")
        arguments = [_resolve(one, results, given) for one in call.arguments]
        keywords: dict[str, Any] = _resolve(call.spread, results, given) or {}
        text, result = _normalised(function(*arguments, **keywords))
        results.append(result)
        texts.append(text)
        if call.refuses and result is None:
            break
    arcs = "" if recorder is None else f"{recorder.bitmap()}\n"
    return f"{arcs}[{','.join(texts)}]"


def compiled(request: dict[str, Any]) -> tuple[CodeType, ArcRecorder | None]:
    """Return the program's code: from its bytecode, where the host has it, or from its source.

    Where the request asks for ``arcs``, it is instrumented, and the recorder is returned with it; of those
    that it omits none is recorded, and where no other is left there is no recorder.

    Raises:
        SyntaxError: the source is not Python.
    """
    if "code" in request:
        code, plan = marshal.loads(base64.b64decode(request["code"]))
        return _bound(Instrumented(code, ArcPlan(*plan))) if plan is not None else (code, None)
    made = _made(request)
    return _bound(made) if isinstance(made, Instrumented) else (made, None)


def _bound(made: Instrumented) -> tuple[CodeType, ArcRecorder]:
    recorder = made.recorder()
    return recorder.bind(made.code), recorder


def _made(request: dict[str, Any]) -> CodeType | Instrumented:
    if request.get("arcs"):
        made = instrumented(request["source"], int(request.get("omit") or "0", 16))
        if made.records or not request.get("omit"):
            return made
    return compile(request["source"], "<tool>", "exec", dont_inherit=True)


def _bytecode(request: dict[str, Any]) -> str:
    """Return a program's bytecode, with the plan of its recorder, as ``compiled`` reads it."""
    made = _made(request)
    pair = (made.code, tuple(made.plan)) if isinstance(made, Instrumented) else (made, None)
    return base64.b64encode(marshal.dumps(pair)).decode()


def run_program(request: dict[str, Any]) -> str:
    """Run the program and its calls, and return the JSON list of their results.

    A request to ``compile`` runs nothing and returns the bytecode, which the host sends back as ``code``
    in later requests of the same program. One to ``describe`` returns ``arc_facts``.
    """
    if request.get("describe"):
        return _dumps([arc_facts(request["source"])])
    if request.get("compile"):
        return _dumps([_bytecode(request)])
    code, recorder = compiled(request)
    return run_calls(code, [GuestCall.read(one) for one in request["calls"]], None, [], recorder)


def receive(descriptor: int) -> dict[str, Any]:
    """Read one frame: ``u32`` length and JSON. Where the other side is gone, exit."""
    try:
        (size,) = struct.unpack("!I", read_exactly(descriptor, 4))
        return loads(read_exactly(descriptor, size))
    except EOFError:
        _exit(0)


def serve_worker(descriptor: int) -> None:
    """Read one frame, answer it and exit; never returns."""
    answer_once(descriptor, receive(descriptor))


def answer_once(descriptor: int, request: dict[str, Any]) -> None:
    """Answer a request and exit; never returns."""
    out = CappedText(request["stdout_bytes"])
    # Modules are read-only in the fork server, so the name is bound in the module's own dictionary.
    sys.__dict__["stdout"] = sys.__dict__["stderr"] = out
    try:
        kind, body = b"A" if request.get("arcs") else b"O", run_program(request)
    except BadResult as fault:
        kind, body = b"B", _dumps(str(fault))
    except BaseException as fault:
        kind, body = b"E", describe(fault)
    try:
        _send(descriptor, kind, body, "".join(out.parts))
    except BaseException:
        _exit(3)
    _exit(0)
