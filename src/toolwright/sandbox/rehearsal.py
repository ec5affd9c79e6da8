"""Workers that wait for their one run of a known program, with a rehearsal behind them.

Each still serves one run and is thrown away. What it ran before is the program on its own demonstrations,
in another copy of the module; it has seen nobody's request.
"""

from collections import OrderedDict

from toolwright.core.sandbox import SandboxRun
from toolwright.sandbox.link import Link, Worker
from toolwright.sandbox.wire import encode_rehearsal


class Rehearsed:
    """At most ``most`` prepared workers, one a program, the program used longest ago given up first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._refused: set[str] = set()
        self._waiting: OrderedDict[str, tuple[Link, Worker]] = OrderedDict()

    def take(self, link: Link, source: str) -> Worker | None:
        """Give the worker that is prepared for a program, if one lives."""
        found = self._waiting.pop(source, None)
        if found is None or found[0] is not link or found[1].ended.done():
            return None
        return found[1]

    def prepare(self, link: Link, run: SandboxRun, code: str) -> None:
        """Have a waiting worker rehearse a program."""
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
        """Never again rehearse a program that died in a prepared worker."""
        self._refused.add(source)

    def clear(self) -> None:
        """Give up every prepared worker."""
        for link, worker in self._waiting.values():
            link.finish(worker)
        self._waiting.clear()
