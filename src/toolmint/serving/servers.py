"""The tool servers of a store: one for each namespace, opened with its first request."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from toolmint.core.model import Model
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.sandbox import Sandbox
from toolmint.core.traffic import KeyStore, LiveStore, TenantStores, TrafficLog
from toolmint.serving.lifecycle import ServingPolicy
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.server import ToolServer

_MAX_COSTS = 20_000


class Storage(NamedTuple):
    """The parts of one store that serving needs."""

    tenants: TenantStores
    live: LiveStore
    log: TrafficLog
    keys: KeyStore


class ToolServers:
    """Opens tool servers and keeps them up to date with what other processes do to the store.

    A tenant's server reads its own namespace alone, and the classes that another tenant granted by name.

    Attributes:
        on_open: called with each server that is opened, or None.
    """

    def __init__(
        self, storage: Storage, sandbox: Sandbox, policy: ServingPolicy, light: Model | None = None
    ) -> None:
        self.storage, self.policy = storage, policy
        self._sandbox, self._light = sandbox, light
        self._open: dict[Namespace, ToolServer] = {}
        self._costs: dict[ClassKey, tuple[float, int]] = {}
        self._overall: dict[Namespace, tuple[float, int]] = {}
        self._opening = asyncio.Lock()
        self._seen = ""
        self.on_open: Callable[[ToolServer], None] | None = None

    @property
    def light(self) -> str | None:
        """The name of the light model that may read requests; None: there is none."""
        return None if self._light is None else self._light.name

    async def of(self, namespace: Namespace) -> ToolServer:
        """Return the server of a namespace; its tools and queue are read the first time."""
        server = self._open.get(namespace)
        if server is not None:
            return server
        async with self._opening:
            if namespace not in self._open:
                store = self.storage.tenants.namespace(namespace)
                server = ToolServer(
                    namespace,
                    store,
                    self.storage.live,
                    self._sandbox,
                    policy=self.policy,
                    light=self._light,
                )
                await server.start(await self._granted(namespace))
                for name, mean in (await self.storage.log.mean_costs(namespace)).items():
                    self.add_cost(namespace.key(name), mean)
                self._open[namespace] = server
                if self.on_open is not None:
                    self.on_open(server)
            return self._open[namespace]

    async def _granted(self, namespace: Namespace) -> list[ActiveVersion]:
        found: list[ActiveVersion] = []
        for key in await self.storage.keys.granted(namespace.tenant):
            if key.scope != namespace.scope:
                continue
            owner = self.storage.tenants.namespace(key.namespace)
            for record, state in await owner.versions(key.name):
                if state == "serving":
                    tally = await self.storage.live.tally(key, record.version)
                    found.append(ActiveVersion(record, state, key, tally))
        return found

    async def refresh(self) -> bool:
        """Read the open servers' versions anew if any version has moved; return whether one has."""
        now = await self.storage.tenants.changes()
        if now == self._seen:
            return False
        self._seen = now
        for namespace, server in list(self._open.items()):
            await server.load_versions(await self._granted(namespace))
        return True

    async def reload(self) -> None:
        """Read the open servers' versions anew, whatever has moved."""
        self._seen = ""
        await self.refresh()

    def add_cost(self, key: ClassKey, cost: float) -> None:
        """Note what an answer of the strong model cost, in US dollars."""
        mean, number = self._costs.pop(key, (0.0, 0))
        if len(self._costs) >= _MAX_COSTS:
            del self._costs[next(iter(self._costs))]
        self._costs[key] = (mean + (cost - mean) / (number + 1), number + 1)
        overall, count = self._overall.get(key.namespace, (0.0, 0))
        self._overall[key.namespace] = (overall + (cost - overall) / (count + 1), count + 1)

    def mean_cost(self, key: ClassKey) -> float | None:
        """Return what the strong model's answers to a class cost on average, in US dollars.

        A class that the strong model never answered, such as one made from a file, is taken at the mean
        of its namespace. None: no price is known.
        """
        found = self._costs.get(key) or self._overall.get(key.namespace)
        return found[0] if found else None
