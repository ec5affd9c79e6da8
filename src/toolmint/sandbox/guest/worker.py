"""The worker: runs one program inside the confined process and sends one reply.

The reply is one frame: ``u32 length of body, u32 length of print, body, print``. The body is one
byte (``O`` results, ``E`` the code raised, ``B`` a result that is not JSON) and JSON. Names are bound
at import, so that a program that patches modules does not break the reply by accident; on purpose it can
forge only its own reply, and the host trusts none.
"""

import base64
import builtins
import contextlib
import json
import marshal
import os
import struct
import sys
from typing import Any

_MESSAGE_LIMIT = 2000
_dumps, _loads, _write, _read, _exit = json.dumps, json.loads, os.write, os.read, os._exit


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


def _send(descriptor: int, kind: bytes, body: str, printed: str) -> None:
    data = kind + body.encode("utf-8", "backslashreplace")
    out = printed.encode("utf-8", "backslashreplace")
    frame = memoryview(struct.pack("!II", len(data), len(out)) + data + out)
    while frame:
        frame = frame[_write(descriptor, frame) :]


def _frames(fault: BaseException) -> str:
    trace = fault.__traceback__
    lines: list[str] = []
    while trace is not None and len(lines) < 20:
        code = trace.tb_frame.f_code
        if code.co_filename == "<tool>":
            lines.append(f"line {trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return ", ".join(lines[-6:])


def _describe(fault: BaseException) -> str:
    try:
        text = str(fault)[:_MESSAGE_LIMIT]
    except BaseException:
        text = "(its text is not available)"
    return _dumps({"type": type(fault).__name__[:100], "message": text, "trace": _frames(fault)})


def _resolve(value: dict[str, Any], results: list[Any]) -> Any:
    return results[value["ref"]] if "ref" in value else value["value"]


class BadResult(Exception):
    """A result that is not a JSON value."""


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("two keys have one text")
    return found


def _normalised(value: Any) -> Any:
    try:
        return _loads(_dumps(value, allow_nan=False), object_pairs_hook=_no_duplicates)
    except (TypeError, ValueError) as fault:
        raise BadResult(f"{type(value).__name__}: {fault}"[:_MESSAGE_LIMIT]) from None


def execute_program(request: dict[str, Any]) -> list[Any]:
    """Run the program and its calls, and return their results as JSON values.

    A call with ``refuses`` that returns None ends the run. A request to ``compile`` runs nothing and
    returns the bytecode, which the host sends back as ``code`` in later requests of the same program.

    Raises:
        BadResult: a result is not a JSON value.
        Exception: whatever the program raises.
    """
    if "code" in request:
        code = marshal.loads(base64.b64decode(request["code"]))
    else:
        code = compile(request["source"], "<tool>", "exec", dont_inherit=True)
    if request.get("compile"):
        return [base64.b64encode(marshal.dumps(code)).decode()]

    def load() -> dict[str, Any]:
        space: dict[str, Any] = {"__name__": "tool", "__builtins__": builtins}
        exec(code, space)
        return space

    module = load()
    results: list[Any] = []
    for call in request["calls"]:
        space = load() if call["fresh"] else module
        function = space.get(call["function"])
        if not callable(function):
            raise NameError(f"the program defines no function {call['function']!r}")
        arguments = [_resolve(value, results) for value in call["arguments"]]
        keywords: dict[str, Any] = _resolve(call["spread"], results) or {}
        result = _normalised(function(*arguments, **keywords))
        results.append(result)
        if call["refuses"] and result is None:
            break
    return results


def _receive(descriptor: int) -> dict[str, Any]:
    try:
        (size,) = struct.unpack("!I", read_exactly(descriptor, 4))
        return _loads(read_exactly(descriptor, size))
    except EOFError:
        _exit(0)


def serve_worker(descriptor: int) -> None:
    """Read one request, answer it and exit; never returns. A rehearsal may come before the request."""
    request = _receive(descriptor)
    if request.get("rehearse"):
        sys.stdout = sys.stderr = CappedText(0)
        with contextlib.suppress(BaseException):
            execute_program(request)
        request = _receive(descriptor)
    out = CappedText(request["stdout_bytes"])
    sys.stdout = sys.stderr = out
    try:
        results = execute_program(request)
        kind, body = b"O", _dumps(results, allow_nan=False)
    except BadResult as fault:
        kind, body = b"B", _dumps(str(fault))
    except BaseException as fault:
        kind, body = b"E", _describe(fault)
    try:
        _send(descriptor, kind, body, "".join(out.parts))
    except BaseException:
        _exit(3)
    _exit(0)
