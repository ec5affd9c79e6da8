"""The tool servers of a store: one for each namespace, opened with its first request, closed when unused."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar
from weakref import WeakValueDictionary

from toolmint.core.grants import StoreChanges
from toolmint.core.model import Model
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.sandbox import Sandbox
from toolmint.core.traffic import KeyStore, LiveStore, TenantStores, TrafficLog
from toolmint.serving.learned_models import LearnedModels
from toolmint.serving.lifecycle import Auditor, ServingPolicy
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.server import ToolServer

_K = TypeVar("_K")
MAX_SERVERS, IDLE_SECONDS = 10_000, 3600.0
"""Servers that are kept at most, and how long one is kept that nobody asks."""
MAX_KNOWN_CLASSES = 100_000
"""Request classes that all servers together know at most; those unused for longest are forgotten first."""
_MAX_COSTS = 20_000
_OVERLAP = 100
"""Changes that are read again: of two transactions the one with the lower number may end last."""


class Storage(NamedTuple):
    """The parts of one store that serving needs."""

    tenants: TenantStores
    live: LiveStore
    log: TrafficLog
    keys: KeyStore


class _Opened:
    """A server, and when it was asked for last."""

    __slots__ = ("server", "used")

    def __init__(self, server: ToolServer, used: float) -> None:
        self.server, self.used = server, used


class ToolServers:
    """Opens tool servers and keeps them up to date with what other processes do to the store.

    A tenant's server reads its own namespace alone, and the classes that another tenant granted by name.
    The servers that were asked last are kept; what others knew stands in the store. One that still has
    work, such as a request or a making, is found again as long as that work holds it.

    Args:
        storage: of all namespaces.
        sandbox: where tools run.
        policy: how tools serve.
        light: the light model, or None.
        most: servers that are kept.
        most_classes: request classes that they know together.
        idle: seconds for which a server is kept that nobody asks.
        clock: seconds.

    Attributes:
        models: the learned models of all namespaces.
        auditor: picks the answers to be audited; to be replaced before the first server is opened.
        on_open: called with each server that is opened, or None.
    """

    def __init__(
        self,
        storage: Storage,
        sandbox: Sandbox,
        policy: ServingPolicy,
        light: Model | None = None,
        *,
        most: int = MAX_SERVERS,
        most_classes: int = MAX_KNOWN_CLASSES,
        idle: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.storage, self.policy = storage, policy
        self._sandbox, self._light = sandbox, light
        self._most, self._most_classes = most, most_classes
        self._idle, self._clock = idle, clock
        self.auditor = Auditor(policy.audit_rate)
        self.models = LearnedModels(self._weights)
        self._kept: OrderedDict[Namespace, _Opened] = OrderedDict()
        self._alive: WeakValueDictionary[Namespace, ToolServer] = WeakValueDictionary()
        self._opening: dict[Namespace, asyncio.Task[ToolServer]] = {}
        self._costs: dict[ClassKey, tuple[float, int]] = {}
        self._overall: dict[Namespace, tuple[float, int]] = {}
        self._seen: StoreChanges | None = None
        self.on_open: Callable[[ToolServer], None] | None = None

    @property
    def light(self) -> str | None:
        """The name of the light model that may read requests; None: there is none."""
        return None if self._light is None else self._light.name

    def __len__(self) -> int:
        """Return how many servers are kept."""
        return len(self._kept)

    async def of(self, namespace: Namespace) -> ToolServer:
        """Return the server of a namespace; its tools and queue are read the first time."""
        kept = self._kept.get(namespace)
        if kept is not None:
            kept.used = self._clock()
            self._kept.move_to_end(namespace)
            return kept.server
        server = self._alive.get(namespace)
        if server is None:
            opening = self._opening.get(namespace)
            if opening is None:
                opening = asyncio.create_task(self._open(namespace), name=f"open {namespace}")
                self._opening[namespace] = opening
                opening.add_done_callback(lambda _: self._opening.pop(namespace, None))
            # Others wait for it too: it goes on where the first of them has gone.
            return await asyncio.shield(opening)
        self._keep(namespace, server)
        return server

    async def _open(self, namespace: Namespace) -> ToolServer:
        store = self.storage.tenants.namespace(namespace)
        server = ToolServer(
            namespace,
            store,
            self.storage.live,
            self._sandbox,
            policy=self.policy,
            light=self._light,
            auditor=self.auditor,
            models=self.models,
        )
        granted = await self._granted(namespace)
        if granted or await store.classes():  # a namespace without a class has nothing to be read
            await server.start(granted)
            self._recall_costs(namespace, await self.storage.log.mean_costs(namespace))
        self._alive[namespace] = server
        self._keep(namespace, server)
        if self.on_open is not None:
            self.on_open(server)
        return server

    async def _weights(self, key: ClassKey, digest: str) -> bytes:
        return await self.storage.tenants.namespace(key.namespace).weights(key.name, digest)

    def _keep(self, namespace: Namespace, server: ToolServer) -> None:
        self._kept[namespace] = _Opened(server, self._clock())
        self._forget_unused()

    def _forget_unused(self, surplus: int = 0) -> None:
        """Forget the servers that were asked longest ago, but none with unwritten model calls.

        Args:
            surplus: request classes that are known beyond what may be.
        """
        before = self._clock() - self._idle
        busy: list[tuple[Namespace, _Opened]] = []
        while self._kept:
            namespace, opened = next(iter(self._kept.items()))
            enough = len(self._kept) + len(busy) <= self._most and surplus <= 0
            if enough and opened.used >= before:
                break
            del self._kept[namespace]
            if opened.server.ledger.waiting:
                busy.append((namespace, opened))
            else:
                surplus -= len(opened.server.classes)
        for namespace, opened in reversed(busy):
            self._kept[namespace] = opened
            self._kept.move_to_end(namespace, last=False)

    async def _granted(self, namespace: Namespace) -> list[ActiveVersion]:
        found: list[ActiveVersion] = []
        for key in await self._grants_to(namespace.tenant):
            if key.scope != namespace.scope:
                continue
            owner = self.storage.tenants.namespace(key.namespace)
            for record, state in await owner.versions(key.name):
                if state == "serving":
                    tally = await self.storage.live.tally(key, record.version)
                    found.append(ActiveVersion(record, state, key, tally))
        return found

    async def _grants_to(self, tenant: str) -> Iterable[ClassKey]:
        """Return what is granted to a tenant; what was granted a moment ago comes with the next refresh."""
        if self._seen is None:
            return await self.storage.keys.granted(tenant)
        return sorted(key for key, grantee in self._seen.grants if grantee == tenant)

    async def refresh(self) -> bool:
        """Read the versions anew where any has moved or a grant has changed; return whether one has."""
        known = sum(len(one.server.classes) for one in self._kept.values())
        self._forget_unused(surplus=known - self._most_classes)
        before = self._seen
        last = (before or await self.storage.tenants.changes(None)).last
        now = await self.storage.tenants.changes(max(0, last - _OVERLAP))
        moved = {place for number, place in now.moved.items() if not _knows(before, number)}
        old_grants: frozenset[tuple[ClassKey, str]] = before.grants if before else frozenset()
        changed = now.grants ^ old_grants
        self._seen = now
        affected = moved | {
            Namespace(grantee, key.scope)
            for key, grantee in now.grants | changed
            if key.namespace in moved or (key, grantee) in changed
        }
        done = False
        try:
            for namespace in set(self._alive) if before is None else affected:
                if (server := self._alive.get(namespace)) is not None:
                    await server.load_versions(await self._granted(namespace))
            done = True
        finally:
            if not done:
                self._seen = before  # what was not read is read the next time
        return before is None or bool(moved or changed)

    async def reload(self) -> None:
        """Read the open servers' versions anew, whatever has moved."""
        self._seen = None
        await self.refresh()

    def _recall_costs(self, namespace: Namespace, means: Mapping[str, float]) -> None:
        """Take what answers cost before this process began, or before the namespace was forgotten."""
        for name, mean in means.items():
            if (key := namespace.key(name)) not in self._costs:
                _put(self._costs, key, (mean, 1))
        if means and namespace not in self._overall:
            _put(self._overall, namespace, (sum(means.values()) / len(means), len(means)))

    def add_cost(self, key: ClassKey, cost: float) -> None:
        """Note what an answer of the strong model cost, in US dollars."""
        _put(self._costs, key, _with(self._costs.pop(key, (0.0, 0)), cost))
        overall = self._overall.pop(key.namespace, (0.0, 0))
        _put(self._overall, key.namespace, _with(overall, cost))

    def mean_cost(self, key: ClassKey) -> float | None:
        """Return what the strong model's answers to a class cost on average, in US dollars.

        A class that the strong model never answered, such as one made from a file, is taken at the mean
        of its namespace. None: no price is known.
        """
        found = self._costs.get(key) or self._overall.get(Namespace(key.tenant, key.scope))
        return found[0] if found else None


def _knows(seen: StoreChanges | None, number: int) -> bool:
    """Return whether a change was seen before."""
    return seen is not None and (number in seen.moved or number <= seen.last - _OVERLAP)


def _with(mean: tuple[float, int], cost: float) -> tuple[float, int]:
    """Return a mean of some costs with one more."""
    return mean[0] + (cost - mean[0]) / (mean[1] + 1), mean[1] + 1


def _put(table: dict[_K, tuple[float, int]], key: _K, value: tuple[float, int]) -> None:
    """Set a mean; of too many the one that was set longest ago is dropped."""
    if len(table) >= _MAX_COSTS and key not in table:
        del table[next(iter(table))]
    table[key] = value
