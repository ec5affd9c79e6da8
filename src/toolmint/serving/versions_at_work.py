"""The versions at work of one namespace: loaded, replaced by newer ones, and moved by comparisons."""

from collections.abc import Sequence

from toolmint.core.namespace import Namespace
from toolmint.core.store import Tally, ToolStore
from toolmint.core.tool import State
from toolmint.core.traffic import ComparisonOutcome, LiveStore, TallyUpdate
from toolmint.serving.learned_tier import LearnedTier
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.request_classes import RequestClasses

ALIVE: frozenset[State] = frozenset({"shadowing", "serving"})


class VersionsAtWork:
    """Keeps the version at work of each class, and beside a learned one the newer one.

    Args:
        namespace: whose versions.
        store: the namespace's store.
        live: tallies, of the whole store.
        classes: the namespace's classes, which know the wordings of those with a tool.
        learned: asks the learned versions.

    Attributes:
        entries: the versions by class.
    """

    def __init__(
        self,
        namespace: Namespace,
        store: ToolStore,
        live: LiveStore,
        classes: RequestClasses,
        learned: LearnedTier,
    ) -> None:
        self._namespace, self._store, self._live = namespace, store, live
        self._classes, self._learned = classes, learned
        self.entries: dict[str, ActiveVersion] = {}

    async def load(self, granted: Sequence[ActiveVersion] = ()) -> None:
        """Load the versions at work anew, such as after another process moved one."""
        tallies = await self._live.tallies(self._namespace)
        before, self.entries = self.entries, {}
        self._learned.clear()
        for record, state in await self._store.versions():
            if state in ALIVE:
                key = self._namespace.key(record.request_class)
                known = tallies.get(key, {}).get(record.version, Tally())
                self.adopt(ActiveVersion(record, state, key, known))
        for entry in granted:
            if entry.state == "serving" and entry.record.request_class not in self.entries:
                self.adopt(entry)
        for name in before.keys() - self.entries.keys():
            self._classes.without_tool(name)

    def adopt(self, entry: ActiveVersion) -> None:
        """Take a version to work; it replaces an older one of its class, but for a learned one that is
        compared beside that.
        """
        name = entry.record.request_class
        if self._learned.takes_beside(entry, self.entries.get(name)):
            return
        self.entries[name] = entry
        self._classes.with_tool(name, [one.input for one in entry.record.demonstrations])

    async def follow(self, entry: ActiveVersion, outcome: ComparisonOutcome) -> None:
        """Follow where a comparison has moved a version."""
        name, version = entry.record.request_class, entry.record.version
        current, newer = self.entries.get(name), self._learned.challengers.get(name)
        if newer is not None and newer.record.version == version:
            del self._learned.challengers[name]
            if outcome.state not in ALIVE:
                return
            self.adopt(newer.moved(outcome.state, outcome.tally))
            if outcome.state == "serving" and current is not None and current.state != "serving":
                # The store demotes one that serves; this one was compared anew after a fault.
                before = current.record.version
                await self._store.move(name, before, "demoted", f"v{version} serves")
        elif current is not None and current.record.version == version:
            if outcome.state in ALIVE:
                now = current.moved(outcome.state, outcome.tally)
                self.entries[name] = now
                self._learned.moved(now)
                return
            del self.entries[name]
            self._classes.without_tool(name)
            heir = self._learned.removed(name)
            if heir is not None:
                self.adopt(heir)

    async def count(self, entry: ActiveVersion, update: TallyUpdate) -> ComparisonOutcome:
        """Change a version's tally, and follow where that moves it."""
        outcome = await self._live.record_comparison(entry.key, entry.record.version, update)
        await self.follow(entry, outcome)
        return outcome

    async def demote_newer(self, name: str) -> None:
        """Demote a newer learned version that is still compared, as another one takes its place."""
        newer = self._learned.challengers.pop(name, None)
        if newer is not None:
            await self._store.move(name, newer.record.version, "demoted", "a newer one is compared")
