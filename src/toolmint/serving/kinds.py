"""Classes by meaning: a strong model names the kinds of what waits in small classes (LATM's dispatcher).

Wording alone makes a class of each phrasing. Once a few dozen requests wait in classes that are too small for
a making, one call asks for their kinds, and classes of one kind are joined. A class is never split by
this, and verification decides as before: a wrong name costs a failed making, no wrong answer.
"""

import asyncio
import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from uuid import uuid4

from toolmint.core.errors import ToolmintError, aboundary
from toolmint.core.messages import UserMessage
from toolmint.core.model import Model, ModelRequest
from toolmint.core.sameness import same_answer
from toolmint.core.tool import Demonstration
from toolmint.core.traffic import LiveStore
from toolmint.core.values import clip
from toolmint.maker.each import each
from toolmint.roles import prompts
from toolmint.serving.ledger import Ledger
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.server import ToolServer

NameKinds = Callable[
    [Mapping[str, Sequence[str]], Sequence[str], Ledger], Awaitable[list[str | None]]
]
"""Names the kinds of requests: given examples of each known kind, the requests, and the ledger that pays."""
_EACH = 2  # requests of a class that are named
_MOST, _MOST_KNOWN = 60, 30  # classes that one call names, and known kinds that it is shown
_TEXT = 400  # characters of a request
_FEWEST_CLASSES = 6
_KINDS_TOKENS = 8192
_TRIED = 3  # requests of a class on which a new tool is tried
_LINE = re.compile(r"^\W*(\d+)\W*[:.)-]\s*`?([^`\n]+?)`?\s*$", re.MULTILINE)


async def name_kinds(
    model: Model, known: Mapping[str, Sequence[str]], texts: Sequence[str]
) -> list[str | None]:
    """Return the kind of each text, as a model names it; None: of no kind, or it said nothing of it.

    Args:
        model: the strong model.
        known: examples by the name of each known kind.
        texts: the requests.

    Raises:
        ModelError: the model gave no reply.
    """
    shown = "\n".join(
        f"{name}\n" + "\n".join(f"  such as: {clip(text, _TEXT)!r}" for text in examples)
        for name, examples in known.items()
    )
    listed = "\n".join(f"{number}: {clip(text, _TEXT)!r}" for number, text in enumerate(texts, 1))
    prompt = prompts.fill("kinds", known=shown or "(none yet)", requests=listed)
    request = ModelRequest(messages=(UserMessage(content=prompt),), max_tokens=_KINDS_TOKENS)
    response = await model.complete(request)
    named = {int(number): kind.strip() for number, kind in _LINE.findall(response.content)}
    kinds = [named.get(number) for number in range(1, len(texts) + 1)]
    return [None if kind is None or kind.lower() == "none" else kind for kind in kinds]


class KindSorter:
    """Joins small classes of one kind, once a few dozen requests wait in them.

    Args:
        name_kinds: asks the strong model.
        live: the leases: of several processes one asks.
        after: requests in small classes that start a call.
        needed: demonstrations that a making takes; a class with fewer is small.
    """

    def __init__(self, name_kinds: NameKinds, live: LiveStore, after: int, needed: int) -> None:
        self._name_kinds, self._live = name_kinds, live
        self._after, self._needed, self._owner = after, needed, uuid4().hex
        self._named: dict[ToolServer, set[str]] = defaultdict(set)
        self._due: dict[ToolServer, int] = {}
        self.task: asyncio.Task[None] | None = None

    def _small(self, server: ToolServer) -> dict[str, int]:
        """Return the small classes without a tool that no call has named."""
        named = self._named[server]
        return {
            name: count
            for name, count in server.classes.untooled.items()
            if count < self._needed and name not in named
        }

    def offer(self, server: ToolServer, joined: Callable[[], None]) -> None:
        """Begin a call if one is due; ``joined`` is called where classes were joined."""
        if self.task is not None:
            return
        small = self._small(server)
        due = self._due.get(server, self._after)
        if len(small) >= _FEWEST_CLASSES and sum(small.values()) >= due:
            self.task = asyncio.create_task(self._sort(server, joined), name="naming kinds")
            self.task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.task = None
        if not task.cancelled():
            task.exception()  # seen: a call that failed is due again later

    async def sort_rest(self, server: ToolServer, joined: Callable[[], None]) -> None:
        """Name what is left, such as at the end of a file."""
        if self.task is not None:
            with contextlib.suppress(ToolmintError):
                await self.task
        for name in await server.store.waiting():  # queued while its class was joined
            into = server.classes.merged(name)
            if into != name:
                await server.store.join(name, into)
        if self._small(server):
            with contextlib.suppress(ToolmintError):
                await self._sort(server, joined)

    async def _sort(self, server: ToolServer, joined: Callable[[], None]) -> None:
        lease_of = f"kinds {server.namespace.key('')}"
        lease = await self._live.lease(lease_of, self._owner, 120.0)
        if lease is None:
            return
        ledger, moved = Ledger(), False
        try:
            moved = await aboundary(self._join(server, ledger), _unexpected)
            if moved:
                joined()
        finally:
            # Where a call joins nothing, the traffic has few kinds to find: the next one comes later.
            before = self._due.get(server, self._after)
            self._due[server] = self._after if moved else 2 * before
            await ledger.flush(server.store)
            await self._live.release(lease)

    async def _join(self, server: ToolServer, ledger: Ledger) -> bool:
        small = dict(list(self._small(server).items())[:_MOST])
        queued = await server.store.queued(most=_EACH)
        asked = [(name, one.input) for name in small for one in queued.get(name, ())[:_EACH]]
        if not asked:
            return False
        known = self._known(server, small, queued)
        kinds = await self._name_kinds(known, [text for _, text in asked], ledger)
        self._named[server].update(name for name, _ in asked)  # others are still to be written
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for (name, _), kind in zip(asked, kinds, strict=True):
            if kind is not None:
                votes[name][kind] += 1
        groups: dict[str, list[str]] = defaultdict(list)
        for name, kinds_of in votes.items():
            groups[kinds_of.most_common(1)[0][0]].append(name)
        moved = False
        for kind, names in groups.items():
            into = kind if kind in known else max(names, key=lambda one: small[one])
            into = server.classes.merged(into)  # it may have been joined while the model answered
            for name in names:
                if name != into and name in server.classes.untooled:
                    await _join(server, name, into)
                    moved = True
        return moved

    def _known(
        self,
        server: ToolServer,
        small: Mapping[str, int],
        queued: Mapping[str, Sequence[Demonstration]],
    ) -> dict[str, list[str]]:
        """Return examples of the largest classes that are not asked for, those with tools first."""
        found = {
            name: [one.input for one in entry.record.demonstrations[:_EACH]]
            for name, entry in server.entries.items()
        }
        waiting = server.classes.waiting
        for name in sorted(waiting, key=lambda one: -waiting[one]):
            if name not in small and name not in found and queued.get(name):
                found[name] = [one.input for one in queued[name][:_EACH]]
        return dict(list(found.items())[:_MOST_KNOWN])


def _unexpected(fault: Exception) -> ToolmintError:
    return ToolmintError(f"the kinds of requests could not be named: {fault!r}", code="bug")


async def join_answered(
    server: ToolServer, entry: ActiveVersion, busy: Collection[str] = ()
) -> list[str]:
    """Join the waiting classes whose requests a new tool answers, and answers rightly; return their names.

    A tool reads a whole request, computes, and rebuilds it: where that gives the known answers, the
    requests are of its kind, however they are worded. ``busy`` are classes whose own tool is being made.
    """
    if not entry.record.has_parser:
        return []
    queued = await server.store.queued(most=_TRIED)
    others = [name for name in server.classes.untooled if queued.get(name) and name not in busy]

    async def answers(name: str) -> bool:
        runs = [(one, (await server.run(entry, one.input)).answer) for one in queued[name]]
        found = [same_answer(mine, one.target or "") for one, mine in runs if mine is not None]
        return bool(found) and None not in found

    mine = await each(answers, others)
    joined = [name for name, one in zip(others, mine, strict=True) if one]
    for name in joined:
        await _join(server, name, entry.record.request_class)
    return joined


async def _join(server: ToolServer, name: str, into: str) -> None:
    await server.store.join(name, into)
    server.classes.merge(name, into)
