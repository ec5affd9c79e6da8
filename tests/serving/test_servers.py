"""Tool servers are opened with the first request, forgotten when unused, and come back as they were."""

import gc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from toolmint.core.grants import StoreChanges
from toolmint.core.model import Usage
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.sandbox import Sandbox
from toolmint.core.store import LedgerEntry, ToolStore
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.core.traffic import RequestRecord
from toolmint.serving.lifecycle import Auditor, ServingPolicy
from toolmint.serving.servers import Storage, ToolServers
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
SCOPES = [f"{number:012x}" for number in range(20)]


class ReadNamespaces:
    """The stores of all tenants, with the namespaces that were opened."""

    def __init__(self, store: SqlStore) -> None:
        self._store, self.opened = store, list[Namespace]()

    def namespace(self, namespace: Namespace) -> ToolStore:
        self.opened.append(namespace)
        return self._store.namespace(namespace)

    async def changes(self, since: int | None) -> StoreChanges:
        return await self._store.changes(since)


def servers_of(store: SqlStore, sandbox: Sandbox, **more: Any) -> ToolServers:
    tenants = ReadNamespaces(store)
    storage = Storage(tenants, store.live, store.traffic, store.traffic)
    return ToolServers(storage, sandbox, ServingPolicy(), **more)


def a_tool(name: str) -> ToolRecord:
    return ToolRecord(
        request_class=name,
        source="def solve():\n    return 3\n",
        has_parser=True,
        demonstrations=(Demonstration(input="1 + 2", target="3"),),
        provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
    )


async def test_the_servers_that_were_asked_last_are_kept(store: SqlStore, sandbox: Sandbox) -> None:
    servers = servers_of(store, sandbox, most=3)
    for scope in SCOPES[:3]:
        await servers.of(Namespace("acme", scope))
    first = id(await servers.of(Namespace("acme", SCOPES[0])))
    for scope in SCOPES[3:5]:
        await servers.of(Namespace("acme", scope))
    assert len(servers) == 3
    assert id(await servers.of(Namespace("acme", SCOPES[0]))) == first
    tenants = servers.storage.tenants
    assert isinstance(tenants, ReadNamespaces)
    assert [one.scope for one in tenants.opened] == SCOPES[:5]


async def test_a_server_that_nobody_asks_is_forgotten(store: SqlStore, sandbox: Sandbox) -> None:
    now = [0.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731
    servers = servers_of(store, sandbox, idle=60.0, clock=clock)
    await servers.of(Namespace("acme", SCOPES[0]))
    now[0] = 59.0
    await servers.of(Namespace("acme", SCOPES[1]))
    now[0] = 61.0
    await servers.refresh()
    assert len(servers) == 1


async def test_a_server_with_work_is_found_again(store: SqlStore, sandbox: Sandbox) -> None:
    servers = servers_of(store, sandbox, most=1)
    at_work = await servers.of(Namespace("acme", SCOPES[0]))
    await servers.of(Namespace("acme", SCOPES[1]))
    assert len(servers) == 1
    await store.namespace(at_work.namespace).add(a_tool("sums"), "serving", "x")
    await servers.refresh()
    assert "sums" in at_work.entries, "it follows the store as long as somebody holds it"
    assert await servers.of(at_work.namespace) is at_work


async def test_a_server_with_unwritten_calls_is_not_forgotten(
    store: SqlStore, sandbox: Sandbox
) -> None:
    servers = servers_of(store, sandbox, most=1)
    space = Namespace("acme", SCOPES[0])
    entry = LedgerEntry(
        purpose="use", request_class="c", model="m", usage=Usage(cost=Decimal(1)), seconds=0.1
    )
    (await servers.of(space)).ledger.enter(entry)
    for scope in SCOPES[1:4]:
        await servers.of(Namespace("acme", scope))
    gc.collect()
    server = await servers.of(space)
    assert server.ledger.waiting == 1
    await server.ledger.flush(server.store)
    assert [one.usage.cost for one in await store.ledger()] == [1]


async def test_a_server_that_was_forgotten_knows_again_what_it_knew(
    store: SqlStore, sandbox: Sandbox
) -> None:
    servers = servers_of(store, sandbox, most=1)
    space = Namespace("acme", SCOPES[0])
    mine = store.namespace(space)
    await mine.add(a_tool("sums"), "serving", "x")
    await mine.enqueue("words", Demonstration(input="Sort the words", target="x"))
    record = RequestRecord(
        id="r",
        tenant="acme",
        key="k",
        model="m",
        tier="strong",
        calls=1,
        cost=Decimal("0.5"),
        request_class=str(space.key("sums")),
    )
    await store.traffic.write([record])

    async def known() -> tuple[object, ...]:
        server = await servers.of(space)
        mean = servers.mean_cost(space.key("sums"))
        found = set(server.entries), dict(server.classes.waiting), mean
        del server
        for scope in SCOPES[1:3]:
            await servers.of(Namespace("acme", scope))
        gc.collect()
        return found

    first = await known()
    assert first == ({"sums"}, {"words": 1}, 0.5)
    assert await known() == first


async def test_only_namespaces_in_which_something_moved_are_read_anew(
    store: SqlStore, sandbox: Sandbox
) -> None:
    servers = servers_of(store, sandbox)
    spaces = [Namespace(tenant, SCOPES[0]) for tenant in ("acme", "birch", "cedar")]
    acme, birch, cedar = [await servers.of(space) for space in spaces]
    await store.namespace(spaces[2]).add(a_tool("words"), "serving", "x")
    assert await servers.refresh()
    assert not await servers.refresh()
    kept = acme.entries
    await store.namespace(spaces[1]).add(a_tool("sums"), "serving", "x")
    assert await servers.refresh()
    assert set(birch.entries) == {"sums"} and acme.entries is kept
    await store.traffic.grant(ClassKey("birch", SCOPES[0], "sums"), "acme")
    assert await servers.refresh()
    assert set(acme.entries) == {"sums"} and set(cedar.entries) == {"words"}
    await store.namespace(spaces[1]).move("sums", 1, "demoted", "x")
    assert await servers.refresh()
    assert not acme.entries and not birch.entries, "a grant follows what its owner's tool does"
    await store.namespace(spaces[1]).move("sums", 1, "serving", "x")
    await servers.refresh()
    assert set(acme.entries) == {"sums"}
    await store.traffic.withdraw(ClassKey("birch", SCOPES[0], "sums"), "acme")
    assert await servers.refresh()
    assert not acme.entries and set(birch.entries) == {"sums"}


async def test_a_grant_is_seen_by_a_server_that_is_opened_later(
    store: SqlStore, sandbox: Sandbox
) -> None:
    servers = servers_of(store, sandbox)
    await servers.refresh()
    await store.namespace(Namespace("birch", SCOPES[0])).add(a_tool("sums"), "serving", "x")
    await store.traffic.grant(ClassKey("birch", SCOPES[0], "sums"), "acme")
    await servers.refresh()
    assert set((await servers.of(Namespace("acme", SCOPES[0]))).entries) == {"sums"}


def test_an_auditor_keeps_its_rate_for_more_tools_than_it_remembers() -> None:
    auditor = Auditor(0.1)
    due = sum(auditor.due(ClassKey("acme", "", f"tool {number % 7}")) for number in range(7000))
    assert due == 700


async def test_the_classes_that_are_known_in_all_scopes_are_bounded(
    store: SqlStore, sandbox: Sandbox
) -> None:
    servers = servers_of(store, sandbox, most_classes=50)
    for scope in SCOPES[:5]:
        classes = (await servers.of(Namespace("acme", scope))).classes
        for number in range(20):
            classes.join(f"Word{number * 'x'} of its own{number * 'y'}", None)
        assert len(classes) > 15
    await servers.refresh()
    assert len(servers) == 2
    assert (await servers.of(Namespace("acme", SCOPES[4]))).classes.waiting
