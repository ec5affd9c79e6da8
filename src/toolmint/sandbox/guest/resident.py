"""The resident worker: answers many inputs of one verified program, each in fresh copies of its module.

It begins with a setup frame (the program and its calls). Then each request is one frame, and each reply is
one: ``8 bytes token, u32 length of body, u32 length of print, u32 processor time in microseconds, u32
largest memory in kB``, body, print. The token is new for each request, so that a reply which was written
early, or twice, is not taken for a later one.
"""

import contextvars
import os
import resource
import struct
import sys
import time
from types import CodeType
from typing import Any

from toolmint.core.guest_modules import GUEST_MODULES
from toolmint.sandbox.guest.leftovers import Leftovers
from toolmint.sandbox.guest.recorder import ArcRecorder
from toolmint.sandbox.guest.residence import reason_against
from toolmint.sandbox.guest.worker import (
    BadResult,
    CappedText,
    GuestCall,
    Spaces,
    compiled,
    describe,
    loads,
    read_exactly,
    run_calls,
    write_frame,
)

REQUEST, REPLY = struct.Struct("!8sI"), struct.Struct("!8sIIII")
_USAGE_EVERY, _THOROUGH_EVERY = (
    32,
    1024,
)  # calls: to ask the kernel, or to look everywhere, takes long
_READ_BYTES = 1 << 16
_UNASKED = b"\0" * 8
_read, _exit, _cpu, _usage = os.read, os._exit, time.process_time, resource.getrusage
_SELF = resource.RUSAGE_SELF
_ALLOWED = frozenset(GUEST_MODULES)


def _request(descriptor: int) -> tuple[bytes, Any]:
    """Read one request: its token and its input."""
    data = _read(descriptor, _READ_BYTES)
    if not data:
        _exit(0)
    if len(data) < REQUEST.size:
        data += read_exactly(descriptor, REQUEST.size - len(data))
    token, size = REQUEST.unpack_from(data)
    missing = REQUEST.size + size - len(data)
    if missing > 0:
        data += read_exactly(descriptor, missing)
    if missing < 0:
        _exit(4)
    return token, loads(data[REQUEST.size :])


class Resident:
    """One program in this process.

    Args:
        descriptor: of the socket.
        setup: the program, its calls, and how much print is kept.
        leftovers: the picture of the interpreter to compare with.
    """

    def __init__(self, descriptor: int, setup: dict[str, Any], leftovers: Leftovers) -> None:
        self._descriptor, self._leftovers = descriptor, leftovers
        self._calls = [GuestCall.read(one) for one in setup["calls"]]
        self._print_limit: int = setup["stdout_bytes"]
        self._against = ""
        self._cpu = self._rss = 0
        self._code: CodeType | None = None
        self._recorder: ArcRecorder | None = None
        self._kind, self._head = (b"A", "0\n") if setup.get("arcs") else (b"O", "")
        try:
            self._code, self._recorder = compiled(setup)
            self._against = reason_against(setup["source"], _ALLOWED)
        except BaseException as fault:
            self._against = f"it cannot be read: {type(fault).__name__}"

    def serve(self) -> None:
        """Answer requests until the socket closes; never returns."""
        self._leftovers.begin()
        number = 0
        self._look()
        while True:
            token, given = _request(self._descriptor)
            if self._against or self._code is None:
                self._send(token, b"N", self._against, "")
                _exit(0)
            spaces: Spaces = []
            kind, body, printed = self._answer(self._code, given, spaces)
            self._send(token, kind, body, printed)
            # A module and its functions refer to each other: cleared, they are gone without a collection.
            for space in spaces:
                space.clear()
            number += 1
            # After the reply, so that a look adds nothing to its latency.
            left = self._leftovers.quick()
            if number % _USAGE_EVERY == 0:
                self._look()
            # Often at first, where a tool that keeps something shows it, and then seldom.
            if not left and (number & (number - 1) == 0 or number % _THOROUGH_EVERY == 0):
                left = self._leftovers.thorough()
            if left:
                self._send(_UNASKED, b"S", left, "")
                _exit(6)

    def _look(self) -> None:
        """Ask the kernel what this process has used; the next replies carry it."""
        self._cpu = min(0xFFFFFFFF, int(_cpu() * 1e6))
        self._rss = _usage(_SELF).ru_maxrss & 0xFFFFFFFF

    def _answer(self, code: CodeType, given: object, spaces: Spaces) -> tuple[bytes, str, str]:
        out = CappedText(self._print_limit)
        # Modules are read-only, so the name is bound in the module's own dictionary.
        sys.__dict__["stdout"] = sys.__dict__["stderr"] = out
        try:
            # A context of its own: decimal keeps its precision there.
            recorder = self._recorder
            body = contextvars.Context().run(run_calls, code, self._calls, given, spaces, recorder)
            if recorder is None:  # where arcs are asked for and all are omitted, too: none is taken
                body = self._head + body
            return self._kind, body, "".join(out.parts)
        except BadResult as fault:
            return b"B", str(fault), "".join(out.parts)
        except BaseException as fault:
            return b"E", describe(fault), "".join(out.parts)

    def _send(self, token: bytes, kind: bytes, body: str, printed: str) -> None:
        data = kind + body.encode("utf-8", "backslashreplace")
        out = printed.encode("utf-8", "backslashreplace")
        head = REPLY.pack(token, len(data), len(out), self._cpu, self._rss)
        try:
            write_frame(self._descriptor, head + data + out)
        except BaseException:
            _exit(3)
