"""When tools of code are made: of which classes, on which demonstrations, and how often anew."""

import asyncio
from collections.abc import Sequence

from toolmint.core.namespace import ClassKey
from toolmint.core.store import Lease
from toolmint.core.tool import Demonstration, ToolRecord
from toolmint.core.traffic import LiveStore
from toolmint.maker.making_run import MakeRequest
from toolmint.serving.answer_kinds import CODE_TRIES, is_free_text, judged
from toolmint.serving.arc_agreements import branch_disputed
from toolmint.serving.learned_makings import LearnedMakings
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.making_queue import (
    demonstrations_since,
    make_request_for,
    merge_duplicates,
    refused_of,
    repair_request,
    with_upcoming,
)
from toolmint.serving.making_rules import MakingRules, NextMaking
from toolmint.serving.making_work import MakingWork
from toolmint.serving.server import ToolServer
from toolmint.serving.versions_at_work import ALIVE

MAX_PAUSE_SECONDS = 3600.0


class CodeMakings:
    """Makes tools of code for the classes of a namespace.

    Args:
        work: makes one tool.
        learned: takes classes over that no code can answer.
        live: what comparisons have shown.
        rules: from how many demonstrations on.

    Attributes:
        upcoming: requests that will come later, where they are known.
    """

    def __init__(
        self, work: MakingWork, learned: LearnedMakings, live: LiveStore, rules: MakingRules
    ) -> None:
        self._work, self._learned, self._live, self._rules = work, learned, live, rules
        self._merging = asyncio.Lock()
        self.upcoming: Sequence[str] = ()

    async def make_class(self, server: ToolServer, key: ClassKey, lease: Lease) -> NextMaking:
        """Make a tool if one is due; return when the next one is."""
        async with self._merging:  # two makings at once would merge the same classes twice
            name, queued = await merge_duplicates(server, key.name)
        if name != key.name:
            return NextMaking(other=name)
        if name in server.entries and not server.policy.shadow:
            return await self._repair(server, key, lease, queued)
        versions = await server.store.versions(name)
        at_work = [one for one in versions if one[1] in ALIVE]
        if at_work:  # another process has made it
            record, state = at_work[-1]
            tally = await self._live.tally(key, record.version)
            server.adopt(ActiveVersion(record, state, key, tally))
            return NextMaking()
        if versions and versions[-1][1] == "retired":  # by a person
            return NextMaking(pause=MAX_PAUSE_SECONDS)
        return await self._first(server, key, lease, queued, versions[-1][0] if versions else None)

    async def _first(
        self,
        server: ToolServer,
        key: ClassKey,
        lease: Lease,
        queued: dict[str, list[Demonstration]],
        before: ToolRecord | None,
    ) -> NextMaking:
        """Make a tool of a class that has none at work.

        ``before``: its last version, which was demoted.
        """
        name, rules = key.name, self._rules
        wrong = await self._live.disagreements(key)
        if before is not None:
            queued[name] = await demonstrations_since(server.store, name, before.version, wrong)
        mine, reports = queued.get(name, []), await server.store.reports(name)
        if self._learned.left_to_them(server, name, reports):
            return NextMaking(waiting=rules.learned_after)
        waiting = server.classes.waiting.get(name, 0)
        failed = sum(not report.made for report in reports)
        if failed >= CODE_TRIES and judged(reports) == "text" and is_free_text(mine):
            return NextMaking(waiting=2 * waiting)
        due = rules.needed * 2**failed
        missing = due - len(mine)
        # A branch was wrong and the rest was not: its last version is gone on from, with that evidence.
        mended = before is not None and branch_disputed(await self._live.tally(key, before.version))
        if missing > 0 and not (mended and not failed):
            return NextMaking(waiting=waiting + max(missing, rules.needed // 2))
        first = frozenset(one.input for one in wrong if one.input is not None)
        request = self._request(server, name, queued, first)
        request = repair_request(request, before) if before is not None and mended else request
        kept = await self._work.make(server, request, lease)
        return NextMaking(made=True) if kept is not None else NextMaking(waiting=2 * due)

    async def _repair(
        self,
        server: ToolServer,
        key: ClassKey,
        lease: Lease,
        queued: dict[str, list[Demonstration]],
    ) -> NextMaking:
        """Make a version that answers more than the one at work, from what it refused since."""
        record, waiting = server.entries[key.name].record, server.classes.waiting.get(key.name, 0)
        kept: ToolRecord | None = None
        if len(refused_of(record, queued.get(key.name, ()))) >= self._rules.needed:
            request = repair_request(self._request(server, key.name, queued), record)
            kept = await self._work.make(server, request, lease)
            waiting *= 1 if kept is not None else 2
        return NextMaking(waiting=waiting + self._rules.needed)

    def _request(
        self,
        server: ToolServer,
        name: str,
        queued: dict[str, list[Demonstration]],
        first: frozenset[str] = frozenset(),
    ) -> MakeRequest:
        request = make_request_for(name, queued, self._rules.settings, first)
        return with_upcoming(request, server, self.upcoming)
