"""Keeps workers that have rehearsed a known program and wait for their one run of it.

Why: the first run in a process pays for compiled patterns, for caches and for copying the memory pages
that it writes. A rehearsal (the program on its own demonstration, in another copy of the module) pays
all that before the request comes. The worker still serves one run and is then thrown away, and it has
seen no request of anybody: a demonstration is part of the tool's record.
"""

from collections import OrderedDict

from toolmint.core.sandbox import SandboxRun
from toolmint.sandbox.link import Link, Worker
from toolmint.sandbox.wire import encode_rehearsal


class Rehearsed:
    """At most ``most`` rehearsed workers, one a program; the least recently used program is dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._refused: set[str] = set()
        self._waiting: OrderedDict[str, tuple[Link, Worker]] = OrderedDict()

    def take(self, link: Link, source: str) -> Worker | None:
        """Return the living worker that rehearsed a program, or None."""
        found = self._waiting.pop(source, None)
        if found is None or found[0] is not link or found[1].ended.done():
            return None
        return found[1]

    def prepare(self, link: Link, run: SandboxRun, code: str) -> None:
        """Let a waiting worker rehearse a program.

        The frame must fit into the socket's buffer: waiting here for the worker would delay a request.
        """
        if run.source in self._waiting or run.source in self._refused:
            return
        worker = link.spare()
        if worker is None:
            return
        try:
            sent = worker.channel.send(frame := encode_rehearsal(run, code))
        except OSError:
            sent, frame = 0, b"x"
        if sent != len(frame):
            link.finish(worker)
            return
        self._waiting[run.source] = (link, worker)
        if len(self._waiting) > self._most:
            _, (old, given_up) = self._waiting.popitem(last=False)
            old.finish(given_up)

    def refuse(self, source: str) -> None:
        """Stop rehearsing a program that died in a rehearsed worker."""
        self._refused.add(source)

    def clear(self) -> None:
        """Drop every rehearsed worker."""
        for link, worker in self._waiting.values():
            link.finish(worker)
        self._waiting.clear()
