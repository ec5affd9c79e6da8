"""The desks of a gateway: one for each tenant and scope, opened with its first request."""

import asyncio

from toolwright.cache.desk import Desk, Entry
from toolwright.cache.lifecycle import Rules
from toolwright.core.model import Model
from toolwright.core.sandbox import Sandbox
from toolwright.core.traffic import KeyStore, LiveStore, Rooms, TrafficLog

MOST_COSTS = 20_000


class Desks:
    """Opens desks and keeps them up to date.

    A tenant's desk reads its own room alone, and the classes that another tenant granted by name.
    """

    def __init__(
        self,
        rooms: Rooms,
        live: LiveStore,
        *,
        log: TrafficLog,
        keys: KeyStore,
        sandbox: Sandbox,
        rules: Rules,
        user: Model | None = None,
    ) -> None:
        self._rooms, self._live, self._log, self._keys = rooms, live, log, keys
        self._sandbox, self.rules, self._user = sandbox, rules, user
        self._open: dict[str, Desk] = {}
        self._costs: dict[str, tuple[float, int]] = {}
        self._opening = asyncio.Lock()
        self._seen = ""

    async def of(self, tenant: str, scope: str) -> Desk:
        """Give the desk of a tenant's scope."""
        room = f"{tenant}/{scope}/"
        desk = self._open.get(room)
        return desk if desk is not None else await self.room(room)

    async def room(self, room: str) -> Desk:
        """Give the desk of a room, such as ``acme/0123456789ab/``."""
        async with self._opening:
            if room not in self._open:
                store = self._rooms.room(room)
                desk = Desk(
                    store, self._live, self._sandbox, self.rules, room=room, user=self._user
                )  # fmt: skip
                await desk.start(await self._granted(room))
                for name, mean in (await self._log.mean_costs(room)).items():
                    self._costs[room + name] = (mean, 1)
                self._open[room] = desk
            return self._open[room]

    async def _granted(self, room: str) -> list[Entry]:
        tenant, scope, _ = room.split("/", 2)
        found: list[Entry] = []
        for full in await self._keys.granted(tenant):
            owner, its_scope, name = full.split("/", 2)
            if its_scope != scope:
                continue
            for record, state in await self._rooms.room(f"{owner}/{scope}/").versions(name):
                if state == "serving":
                    known = await self._live.standing(full, record.version)
                    found.append(Entry(record, state, full, known))
        return found

    async def refresh(self) -> bool:
        """Read the open desks anew if any version has moved; gives whether one has."""
        now = await self._rooms.changes()
        if now == self._seen:
            return False
        self._seen = now
        for room, desk in list(self._open.items()):
            await desk.start(await self._granted(room))
        return True

    async def forget(self) -> None:
        """Read the open desks anew at the next look, whatever has moved."""
        self._seen = ""
        await self.refresh()

    def cost(self, full: str, cost: float) -> None:
        """Note what an answer of the strong model cost, in US dollars."""
        mean, number = self._costs.pop(full, (0.0, 0))
        if len(self._costs) >= MOST_COSTS:
            del self._costs[next(iter(self._costs))]
        self._costs[full] = (mean + (cost - mean) / (number + 1), number + 1)

    def mean_cost(self, full: str) -> float | None:
        """Give what the strong model's answers to a class cost on average; None: nobody knows."""
        found = self._costs.get(full)
        return found[0] if found else None
