"""Tools are made side by side, each class once, and a class that is due waits for nobody's next request."""

import asyncio
from pathlib import Path

import pytest
from tests.maker.tools import RIGHT, demos

from toolmint.core.errors import ModelUnavailable
from toolmint.core.model import Usage
from toolmint.core.namespace import Namespace
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.maker.making_run import MakeRequest, MakingResult
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.background_maker import BackgroundMaker
from toolmint.serving.ledger import Ledger
from toolmint.serving.lifecycle import ServingPolicy
from toolmint.serving.making_rules import MakingRules
from toolmint.serving.server import ToolServer
from toolmint.serving.servers import Storage, ToolServers
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
KINDS = ("sorting", "swaps", "brackets", "remainders", "meetings", "orderings")


class Making:
    """Stands for the maker: takes until it is let go, and counts how many run at once."""

    def __init__(self, fault: Exception | None = None, *, made: bool = True) -> None:
        self.go_on, self.fault, self.made = asyncio.Event(), fault, made
        self.begun: list[str] = []
        self.called: list[str] = []
        self.starts = asyncio.Queue[str]()
        self.running = self.most = 0

    async def __call__(self, request: MakeRequest, ledger: Ledger) -> MakingResult:
        del ledger
        self.begun.append(request.request_class)
        self.called.append(request.called)
        self.starts.put_nowait(request.request_class)
        self.running += 1
        self.most = max(self.most, self.running)
        await self.go_on.wait()
        self.running -= 1
        if self.fault is not None:
            raise self.fault
        record = ToolRecord(
            request_class=request.request_class,
            source=RIGHT.replace("Put these", f"{request.request_class}: put these"),
            has_parser=True,
            demonstrations=request.labelled,
            provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
        )
        title = f"Title of {request.request_class}"
        if not self.made:
            ending = "2 labels: 3 of 8 differ\nsuch as the first"
            return MakingResult(record=None, body={"ending": ending}, usage=Usage(), title=title)
        return MakingResult(record=record, body={"ending": "made"}, usage=Usage(), title=title)


class Shop:
    """A store with queued classes, a server over it, and a maker."""

    def __init__(self, folder: Path, sandbox: ForkServer, making: Making, at_once: int = 4) -> None:
        self.store, self.making, self.said = SqlStore.open(folder / "tools.db"), making, list[str]()
        storage = Storage(self.store, self.store.live, self.store.traffic, self.store.traffic)
        self.servers = ToolServers(storage, sandbox, ServingPolicy())
        base = MakeRequest(request_class="(queue)", labelled=())
        self.maker = BackgroundMaker(
            making,
            self.store.live,
            MakingRules(needed=6, settings=base, at_once=at_once),
            notify=lambda title, said: self.said.append(f"{title}: {said}"),
        )

    async def queue(self, *kinds: str) -> ToolServer:
        mine = self.store.namespace(Namespace())
        for kind in kinds:
            for one in demos(8, kind):
                await mine.enqueue(kind, Demonstration(input=one.input, target=one.target))
        return await self.servers.of(Namespace())

    async def close(self) -> None:
        await self.maker.close()
        self.store.close()


async def begun(shop: Shop, count: int) -> None:
    """Wait until so many makings have begun."""
    async with asyncio.timeout(20):
        for _ in range(count):
            await shop.making.starts.get()


async def test_makings_run_side_by_side_up_to_the_setting(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    shop = Shop(tmp_path, sandbox, Making(), at_once=3)
    server = await shop.queue(*KINDS)
    shop.maker.offer_all(server)
    await begun(shop, 3)
    shop.making.go_on.set()
    await shop.maker.idle()
    assert sorted(shop.making.begun) == sorted(KINDS) and shop.making.most == 3
    assert {entry.state for entry in server.entries.values()} == {"shadowing"}
    assert len(server.entries) == len(KINDS), "no class waited for a request of its own"
    await shop.close()


async def test_a_class_is_made_once_over_two_gateways(tmp_path: Path, sandbox: ForkServer) -> None:
    one, two = Shop(tmp_path, sandbox, Making()), Shop(tmp_path, sandbox, Making())
    first = await one.queue("sorting")
    second = await two.servers.of(Namespace())
    one.maker.offer(first, "sorting")
    await begun(one, 1)
    two.maker.offer(second, "sorting")
    await two.maker.idle()
    assert two.making.begun == [], "the lease is the other's"
    one.making.go_on.set()
    await one.maker.idle()
    await one.maker.close()
    await two.maker.close()
    again = Shop(tmp_path, sandbox, Making())
    adopted = await again.servers.of(Namespace())
    assert adopted.entries["sorting"].state == "shadowing"
    again.maker.offer(adopted, "sorting")
    await again.maker.idle()
    assert again.making.begun == []
    for shop in (one, two, again):
        await shop.close()


async def test_the_makers_title_is_kept_and_told(tmp_path: Path, sandbox: ForkServer) -> None:
    shop = Shop(tmp_path, sandbox, Making())
    server = await shop.queue("sorting")
    assert server.classes.title("sorting").startswith("Put these words into"), (
        "until it has a title"
    )
    shop.making.go_on.set()
    shop.maker.offer(server, "sorting")
    await shop.maker.idle()
    assert server.classes.title("sorting") == "Title of sorting"
    assert (await shop.store.classes())["sorting"].title == "Title of sorting"
    assert shop.said[-1] == "Title of sorting: v1 passed verification and is shadowing"
    await shop.close()


async def test_a_making_without_a_tool_is_told_by_its_title_in_one_line(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    shop = Shop(tmp_path, sandbox, Making(made=False))
    server = await shop.queue("sorting")
    shop.making.go_on.set()
    shop.maker.offer(server, "sorting")
    await shop.maker.idle()
    begun, ended = shop.said
    assert begun.startswith("Put these words into")
    assert ended == "Title of sorting: no tool passed: 2 labels: 3 of 8 differ"
    assert shop.making.called[0].startswith("Put these words into"), "its steps are told so too"
    await shop.close()


async def test_a_making_that_breaks_off_rests_and_says_why(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    shop = Shop(tmp_path, sandbox, Making(ModelUnavailable("the model is away")))
    server = await shop.queue("sorting")
    shop.making.go_on.set()
    shop.maker.offer(server, "sorting")
    await shop.maker.idle()
    shop.maker.offer(server, "sorting")
    await shop.maker.idle()
    assert shop.making.begun == ["sorting"], "it rests before it is tried again"
    assert "broke off: [model-unavailable] the model is away" in shop.said[-1]
    await shop.close()
