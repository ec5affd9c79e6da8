"""When learned tools are made: of which classes, on which demonstrations, and how often anew."""

from collections.abc import Mapping, Sequence

from toolmint.core.errors import StoreError
from toolmint.core.learned import DrawnDemonstration
from toolmint.core.namespace import ClassKey
from toolmint.core.store import Lease, MakingReport
from toolmint.core.tool import State, ToolRecord
from toolmint.core.traffic import LiveStore
from toolmint.core.values import Value
from toolmint.maker.making_run import Learning, MakeRequest
from toolmint.serving.answer_kinds import CODE_TRIES, FREE_TEXT, judged, kind_facts, kind_of
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.making_queue import faults_since
from toolmint.serving.making_rules import MakingRules, NextMaking, Notify
from toolmint.serving.making_work import MakingWork
from toolmint.serving.server import ToolServer
from toolmint.serving.versions_at_work import ALIVE

GROWTH = 1.5
"""By how much a class has grown when a newer version is fitted."""
FIT_SHARE = 0.5
"""Share of the bound's error rate that a fit aims at. One that aims at the whole of it is never proved to be
below: the nearer its error is to the bound, the more comparisons that takes.
"""
_NOTHING: Mapping[str, Value] = {}


def examples_of(record: ToolRecord) -> int:
    """Return how many demonstrations a learned version comes from."""
    return int(str(_fit(record).get("examples", 0)))


def _fit(record: ToolRecord) -> Mapping[str, Value]:
    return next((one.details for one in record.evidence if one.stage == "fit"), _NOTHING)


class LearnedMakings:
    """Makes learned tools of a namespace's classes.

    Args:
        work: makes one tool.
        live: what comparisons have shown.
        rules: from how many demonstrations on, and how many are kept.
        notify: called where a class is left alone.
    """

    def __init__(
        self, work: MakingWork, live: LiveStore, rules: MakingRules, notify: Notify
    ) -> None:
        self._work, self._live, self._rules, self._notify = work, live, rules, notify

    def takes(self, server: ToolServer, name: str) -> bool:
        """Return whether a class gets learned tools alone."""
        entry = server.entries.get(name)
        all_of_them = self._rules.settings.profile == "learned" or name in server.classes.learnt
        return all_of_them or (entry is not None and entry.record.learned)

    def first_due(self, server: ToolServer, name: str) -> int:
        """Return how many requests of a class have to wait before its next version is due."""
        entry = server.learned.challengers.get(name) or server.entries.get(name)
        if entry is None:
            return self._rules.learned_after
        return max(self._rules.learned_after, round(GROWTH * examples_of(entry.record)))

    def left_to_them(self, server: ToolServer, name: str, reports: Sequence[MakingReport]) -> bool:
        """Return whether makings of code have failed so often that a learned tool takes the class over."""
        failed = sum(not one.made for one in reports)
        if judged(reports) not in {"labels", "fields"} or failed < CODE_TRIES:
            return False
        server.classes.learnt.add(name)
        return True

    async def join(self, server: ToolServer, names: Sequence[str] = ()) -> None:
        """Move what is queued of classes that were joined to the freely worded ones, and of strays."""
        free = server.classes.free.name
        waiting = await server.store.waiting()
        strays = [name for name in waiting if server.classes.merged(name) == free != name]
        for name in dict.fromkeys([*names, *strays]):
            await server.store.join(name, free)

    async def make_class(self, server: ToolServer, key: ClassKey, lease: Lease) -> NextMaking:
        """Make a version if one is due; return when the next one is."""
        name, rules = key.name, self._rules
        server.classes.learnt.add(name)
        if name == server.classes.free.name:
            await self.join(server)
        await server.store.trim(name, rules.learned_kept)
        examples = await server.store.learnable(name, rules.learned_kept)
        waiting = server.classes.waiting.get(name, 0)
        if kind_of(examples).kind == "text" and examples:
            await self._leave(server, name, examples)
            return NextMaking(waiting=2 * max(waiting, rules.learned_after))
        versions = [one for one in await server.store.versions(name) if one[0].learned]
        if versions and versions[-1][1] == "retired":
            return NextMaking(waiting=2 * max(waiting, rules.learned_after))
        if self._adopted(server, key, versions):
            return NextMaking(waiting=max(waiting + 1, self.first_due(server, name)))
        learning = await self._learning(server, key, versions)
        mine = [one for one in examples if one.at >= learning.since]
        alive = bool(versions) and versions[-1][1] in ALIVE
        due = round(GROWTH * examples_of(versions[-1][0])) if alive else rules.learned_after
        due = min(max(due, rules.learned_after), rules.learned_kept)
        if len(mine) < due:
            return NextMaking(waiting=waiting + due - len(mine))
        request = self._request(name, mine, learning)
        request = request.model_copy(update={"title": server.classes.title(name)})
        await self._work.make(server, request, lease)
        # After a change of meaning what came before it counts for nothing.
        new = sum(one.at >= learning.doubtful_since for one in mine)
        least = rules.learned_after // (2 if learning.doubtful_since else 1)
        return NextMaking(waiting=waiting + max(least, round((GROWTH - 1) * new)))

    def _request(
        self, name: str, examples: Sequence[DrawnDemonstration], learning: Learning
    ) -> MakeRequest:
        return self._rules.settings.model_copy(
            update={
                "request_class": name,
                "labelled": tuple(examples),
                "profile": "learned",
                "clustered": True,
                "learning": learning,
            }
        )

    async def _leave(
        self, server: ToolServer, name: str, examples: Sequence[DrawnDemonstration]
    ) -> None:
        """Report, once, that the answers of a class have become free text."""
        if judged(await server.store.reports(name)) == "text":
            return
        body: dict[str, Value] = {
            "profile": "learned",
            "ending": FREE_TEXT,
            **kind_facts(examples, CODE_TRIES),
        }
        await server.store.report(MakingReport(request_class=name, made=False, body=body))
        self._notify(server.classes.title(name), FREE_TEXT)

    def _adopted(
        self,
        server: ToolServer,
        key: ClassKey,
        versions: Sequence[tuple[ToolRecord, State]],
    ) -> bool:
        """Take over a newer version that another process has made; return whether there was one."""
        if not versions or versions[-1][1] not in ALIVE:
            return False
        record, state = versions[-1]
        known = server.learned.challengers.get(key.name) or server.entries.get(key.name)
        if known is not None and known.record.version >= record.version:
            return False
        server.adopt(ActiveVersion(record, state, key))
        return True

    async def _learning(
        self,
        server: ToolServer,
        key: ClassKey,
        versions: Sequence[tuple[ToolRecord, State]],
    ) -> Learning:
        """Return what the next version is fitted for, given those before."""
        bound = server.policy.bound
        learning = Learning(
            epsilon=FIT_SHARE * bound.epsilon,
            confidence=bound.confidence,
            audit_rate=server.policy.audit_rate,
        )
        if not versions:
            return learning
        last, state = versions[-1]
        at_work = server.entries.get(key.name)
        before = at_work.record if at_work is not None else last
        update: dict[str, object] = {"since": str(_fit(last).get("since", ""))}
        if state not in ALIVE:
            wrong = await self._live.disagreements(key)
            update["doubtful_since"] = faults_since(last.version, wrong) or ""
        try:
            update["previous"] = await server.store.weights(key.name, before.weights)
        except StoreError:
            update["previous"] = b""  # the new version is compared without a rival
        return learning.model_copy(update=update)
