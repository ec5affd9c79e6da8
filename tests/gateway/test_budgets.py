"""A budget is passed by one request at most, however many ask at once, and nothing unknown is free."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiohttp import web
from tests.gateway.house import served

from toolmint.assembly.gateway import gateway
from toolmint.assembly.keys import create_key
from toolmint.assembly.settings import Settings
from toolmint.core.budgets import BudgetRequest, ReservationChange, ReserveOutcome
from toolmint.core.errors import HttpError, StoreError
from toolmint.core.traffic import Key, RequestRecord
from toolmint.gateway.api.endpoints import CONVERSATION_FIELDS
from toolmint.gateway.app import Gateway
from toolmint.gateway.auth.keys import KeyRing
from toolmint.gateway.auth.upper_usage import UpperUsage, UsageEstimates
from toolmint.models.prices import OwnPrice, PriceTable
from toolmint.serving.billing import read_bill
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
DEAR = {"prompt_tokens": 100_000, "completion_tokens": 20_000, "total_tokens": 120_000}
DEAR_COST = Decimal("0.325")
"""What ``DEAR`` costs at the list price of gpt-5."""
POOR = Key(id="key_poor", tenant="acme", budget=Decimal("0.01"))


class ScriptedEndpoint:
    """An endpoint whose every answer reports one usage (None: none); ``hold`` holds answers back."""

    def __init__(self, usage: object) -> None:
        self.usage, self.asked = usage, 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = await request.json()
        self.asked += 1
        await self.hold.wait()
        if body["model"] == "gpt-5-mini":
            return web.json_response({"error": {"message": "no", "type": "t"}}, status=500)
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "logprobs": None}
        common: dict[str, Any] = {"id": "c", "created": 1, "model": body["model"]}
        used = {} if self.usage is None else {"usage": self.usage}
        if not body.get("stream"):
            choice["message"] = {"role": "assistant", "content": "ok"}
            return web.json_response(
                common | {"object": "chat.completion", "choices": [choice]} | used
            )
        stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await stream.prepare(request)
        choice["delta"] = {"role": "assistant", "content": "ok"}
        last: list[dict[str, Any]] = [{"choices": []} | used] if used else []
        for one in [{"choices": [choice]}, *last]:
            event: dict[str, Any] = common | {"object": "chat.completion.chunk"} | one
            await stream.write(f"data: {json.dumps(event)}\n\n".encode())
        await stream.write(b"data: [DONE]\n\n")
        return stream


class Gateways(NamedTuple):
    """Gateways over one store, before one endpoint."""

    folder: Path
    apps: list[Gateway]
    urls: list[str]
    endpoint: ScriptedEndpoint
    session: aiohttp.ClientSession

    async def ask(
        self, secret: str, at: int = 0, model: str = "gpt-5", **more: Any
    ) -> tuple[int, dict[str, Any]]:
        """Ask a gateway one question; return the status, and the body of an error."""
        body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]} | more
        head = {"authorization": f"Bearer {secret}"}
        url = f"{self.urls[at % len(self.urls)]}/v1/chat/completions"
        async with self.session.post(url, json=body, headers=head) as reply:
            raw = await reply.read()
            return reply.status, {} if reply.status == 200 else json.loads(raw)["error"]

    async def spent(self, key: Key = POOR) -> Decimal:
        """Return what a key has spent, once everything is written."""
        for app in self.apps:
            await app.parts.request_log.flush(10)
        return await stored(self.folder, key)


async def stored(folder: Path, key: Key = POOR) -> Decimal:
    store = SqlStore.open(folder / "tools.db")
    try:
        return await store.traffic.spent(key)
    finally:
        store.close()


@asynccontextmanager
async def gateways(
    folder: Path,
    usage: object = DEAR,
    number: int = 1,
    change: Callable[[Settings], Settings] = lambda s: s,
) -> AsyncGenerator[Gateways]:
    """Serve some gateways over one store."""
    endpoint = ScriptedEndpoint(usage)
    site = web.Application()
    site.router.add_post("/v1/chat/completions", endpoint.chat)
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    settings = Settings(store=folder / "tools.db", model=f"openai:gpt-5?base_url={url}")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        stack.callback(endpoint.hold.set)
        apps = [await stack.enter_async_context(gateway(change(settings))) for _ in range(number)]
        urls = [await stack.enter_async_context(served(app)) for app in apps]
        connector = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        yield Gateways(folder, apps, urls, endpoint, session)


async def secret_of(folder: Path, key: Key = POOR) -> str:
    return await create_key(Settings(store=folder / "tools.db"), key)


@pytest.mark.parametrize("number", [1, 2])
async def test_many_requests_at_once_pass_a_budget_by_one_request_at_most(
    tmp_path: Path, number: int, full: bool
) -> None:
    secret = await secret_of(tmp_path)
    count = 1000 if full else 60
    async with gateways(tmp_path, number=number) as here:
        found = await asyncio.gather(*(here.ask(secret, at) for at in range(count)))
        statuses = [status for status, _ in found]
        assert statuses.count(200) == 1 and here.endpoint.asked == 1
        assert {one["code"] for _, one in found if one} == {"budget_exceeded"}
        assert await here.spent() == DEAR_COST


@pytest.mark.parametrize("number", [1, 2])
async def test_a_budget_for_many_requests_is_used_and_passed_by_one_at_most(
    tmp_path: Path, number: int, full: bool
) -> None:
    rich = POOR.model_copy(update={"budget": Decimal(30 if full else 4)})
    secret = await secret_of(tmp_path, rich)
    count = 1000 if full else 40
    async with gateways(tmp_path, number=number) as here:
        # A request that has max_tokens reserves what it can cost: many may be at work at once.
        asks = (here.ask(secret, at, max_tokens=20_000) for at in range(count))
        statuses = [status for status, _ in await asyncio.gather(*asks)]
        spent = await here.spent(rich)
        assert rich.budget is not None
        assert rich.budget <= spent <= rich.budget + DEAR_COST
        assert spent == statuses.count(200) * DEAR_COST
        assert set(statuses) <= {200, 422}


async def test_a_spent_key_stays_spent_through_every_refresh(tmp_path: Path) -> None:
    secret = await secret_of(tmp_path)
    async with gateways(tmp_path) as here:
        assert (await here.ask(secret))[0] == 200
        for _ in range(5):
            await here.apps[0].parts.keys.refresh()
            status, error = await here.ask(secret)
            assert (status, error["code"]) == (422, "budget_exceeded")
        assert here.endpoint.asked == 1


async def test_a_larger_budget_opens_a_spent_key_again(tmp_path: Path) -> None:
    secret = await secret_of(tmp_path)
    async with gateways(tmp_path) as here:
        assert (await here.ask(secret))[0] == 200
        assert (await here.ask(secret))[0] == 422
        store = SqlStore.open(tmp_path / "tools.db")
        ((digest, _),) = (await store.traffic.keys()).items()
        await store.traffic.keep_key(POOR.model_copy(update={"budget": Decimal(1)}), digest)
        store.close()
        await here.apps[0].parts.keys.refresh()
        assert (await here.ask(secret))[0] == 200


async def test_requests_that_wait_for_reserved_money_are_answered_in_turn(tmp_path: Path) -> None:
    small = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
    key = POOR.model_copy(update={"budget": Decimal(1)})
    secret = await secret_of(tmp_path, key)
    async with gateways(tmp_path, small) as here:
        # Each reserves the $4 that gpt-5 may cost without max_tokens, so one at a time is at work.
        statuses = [s for s, _ in await asyncio.gather(*(here.ask(secret) for _ in range(20)))]
        assert statuses == [200] * 20
        assert await here.spent(key) == 20 * Decimal("0.0001125")


async def test_a_request_that_waits_too_long_is_told_to_come_again(store: SqlStore) -> None:
    ring = KeyRing(store.traffic, open_access=False, wait=0.0)
    most = UpperUsage("m", 10, Decimal(1))
    await ring.reserve("one", POOR, lambda: most)
    with pytest.raises(HttpError) as caught:
        await ring.reserve("two", POOR, lambda: most)
    assert (caught.value.status, caught.value.wire_code) == (429, "budget_reserved")
    assert caught.value.headers["retry-after"] == "1"
    ring.release("one")
    await ring.reserve("two", POOR, lambda: most)


async def test_a_waiting_client_that_leaves_takes_no_money_with_it(store: SqlStore) -> None:
    ring = KeyRing(store.traffic, open_access=False, wait=60.0)
    most = UpperUsage("m", 10, Decimal(1))
    await ring.reserve("one", POOR, lambda: most)
    waiting = asyncio.create_task(ring.reserve("two", POOR, lambda: most))
    await asyncio.wait([waiting], timeout=0.05)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    ring.release("two")
    ring.release("one")
    await ring.refresh()
    await ring.reserve("three", POOR, lambda: most)
    assert (await store.traffic.spending({POOR.id: None}))[POOR.id].reserved == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_without_usage_is_charged_as_what_was_reserved(
    tmp_path: Path, stream: bool
) -> None:
    key = POOR.model_copy(update={"budget": Decimal("0.05")})
    secret = await secret_of(tmp_path, key)
    async with gateways(tmp_path, None) as here:
        for _ in range(2):
            assert (await here.ask(secret, max_tokens=3000, stream=stream))[0] == 200
        spent = await here.spent(key)
        assert Decimal("0.06") < spent < Decimal("0.061")
        assert (await here.ask(secret, max_tokens=3000))[0] == 422
        kept = await here.apps[0].parts.log.requests()
        assert [one.cost for one in kept] == [None, None]
        bill = await read_bill(here.apps[0].parts.store, here.apps[0].parts.log)
        assert bill.spent.total is None and bill.spent.unknown == 2
        metrics = here.apps[0].parts.metrics.text().decode()
        assert 'toolmint_cost_unknown_total{kind="spent"} 2.0' in metrics


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"total_tokens": 9},
        {"prompt_tokens": 0},
        {"prompt_tokens": 1000},
        {"prompt_tokens": 1000, "completion_tokens": None, "total_tokens": 1000},
        {"completion_tokens": 10},
    ],
)
async def test_a_usage_that_says_nothing_or_a_part_is_no_usage(
    tmp_path: Path, usage: object, stream: bool
) -> None:
    secret = await secret_of(tmp_path)
    async with gateways(tmp_path, usage) as here:
        assert (await here.ask(secret, max_tokens=3000, stream=stream))[0] == 200
        assert await here.spent() > Decimal("0.03")
        (row,) = await here.apps[0].parts.log.requests()
        assert row.cost is None


async def test_an_answer_that_failed_is_not_charged(tmp_path: Path) -> None:
    secret = await secret_of(tmp_path)
    async with gateways(tmp_path) as here:
        for _ in range(3):
            assert (await here.ask(secret, model="gpt-5-mini"))[0] == 500
        assert await here.spent() == 0
        kept = await here.apps[0].parts.log.requests()
        assert {one.cost for one in kept} == {0}
        assert (await here.ask(secret))[0] == 200


async def test_a_model_of_unknown_price_is_refused_with_the_settings_that_allow_it(
    tmp_path: Path,
) -> None:
    secret = await secret_of(tmp_path)
    free = await secret_of(tmp_path, Key(id="key_free", tenant="acme"))
    async with gateways(tmp_path) as here:
        status, error = await here.ask(secret, model="house-model")
        assert (status, error["code"]) == (422, "price_unknown")
        assert 'prices."house-model"' in error["message"] and "unknown_prices" in error["message"]
        assert here.endpoint.asked == 0
        assert (await here.ask(free, model="house-model"))[0] == 200
        assert (await here.ask(secret))[0] == 200


async def test_a_model_of_unknown_price_passes_where_the_settings_allow_it(tmp_path: Path) -> None:
    secret = await secret_of(tmp_path)

    def allow(settings: Settings) -> Settings:
        return settings.model_copy(update={"unknown_prices": "allow"})

    async with gateways(tmp_path, change=allow) as here:
        assert (await here.ask(secret, model="house-model"))[0] == 200
        assert await here.spent() == 0
        assert (await here.ask(secret))[0] == 200
        assert (await here.ask(secret, model="house-model"))[0] == 422


async def test_prices_of_ones_own_are_charged(tmp_path: Path) -> None:
    key = POOR.model_copy(update={"budget": Decimal(1)})
    secret = await secret_of(tmp_path, key)

    def priced(settings: Settings) -> Settings:
        own = OwnPrice(input=Decimal(2), output=Decimal(4), cached=Decimal(1))
        return settings.model_copy(update={"prices": {"house-model": own}})

    used = DEAR | {"prompt_tokens_details": {"cached_tokens": 40_000}}
    async with gateways(tmp_path, used, change=priced) as here:
        assert (await here.ask(secret, model="house-model"))[0] == 200
        assert await here.spent(key) == Decimal("0.12") + Decimal("0.04") + Decimal("0.08")


async def test_a_reservation_of_a_gateway_that_died_lapses(store: SqlStore) -> None:
    log = store.traffic
    asked = BudgetRequest("gone", POOR.id, Decimal(1), None, Decimal(2))
    assert [one.state for one in await log.reserve([asked], [], 0.0)] == ["granted"]
    again = asked._replace(request="next")
    assert [one.state for one in await log.reserve([again], [], 60.0)] == ["granted"]
    third = asked._replace(request="third")
    assert [one.state for one in await log.reserve([third], [], 60.0)] == ["reserved"]
    await log.renew_reservations(["next"], 0.0)
    assert [one.state for one in await log.reserve([third], [], 60.0)] == ["granted"]


async def test_a_reservation_ends_in_the_transaction_that_writes_what_was_spent(
    store: SqlStore,
) -> None:
    log = store.traffic
    asked = BudgetRequest("r1", POOR.id, Decimal(1), None, Decimal("0.4"))
    await log.reserve([asked], [], 60.0)
    record = RequestRecord(
        id="r1",
        tenant="acme",
        key=POOR.id,
        model="m",
        tier="strong",
        cost=Decimal("0.1"),
        estimated=Decimal("0.4"),
    )
    await log.reserve([], [ReservationChange("r1", Decimal("0.1"))], 60.0)
    found = (await log.spending({POOR.id: None}))[POOR.id]
    assert found == (Decimal("0.1"), 0)
    await log.write([record])
    assert (await log.spending({POOR.id: None}))[POOR.id] == (Decimal("0.1"), 0)
    await log.write([record], again=True)
    assert (await log.spending({POOR.id: None}))[POOR.id] == (Decimal("0.1"), 0)


class _StoreAway:
    """A key store whose server is gone."""

    def __init__(self, store: SqlStore) -> None:
        self.keys, self.spending = store.traffic.keys, store.traffic.spending
        self.renew_reservations = store.traffic.renew_reservations
        self.keep_key = store.traffic.keep_key
        self.grant, self.withdraw = store.traffic.grant, store.traffic.withdraw
        self.granted, self.take_rates = store.traffic.granted, store.traffic.take_rates

    async def reserve(
        self,
        asked: Sequence[BudgetRequest],
        changes: Sequence[ReservationChange],
        seconds: float,
    ) -> Sequence[ReserveOutcome]:
        del asked, changes, seconds
        raise StoreError("gone", code="store-away")


async def test_a_gateway_keeps_budgets_by_itself_while_the_store_is_away(store: SqlStore) -> None:
    ring = KeyRing(_StoreAway(store), open_access=False, wait=0.0)
    most = UpperUsage("m", 10, Decimal("0.02"))
    await ring.reserve("one", POOR, lambda: most)
    with pytest.raises(HttpError, match="reserved by requests at work"):
        await ring.reserve("two", POOR, lambda: most)
    record = RequestRecord(
        id="one", tenant="acme", key=POOR.id, model="m", tier="strong", cost=Decimal("0.015")
    )
    assert ring.charge(record).estimated == Decimal("0.02")
    with pytest.raises(HttpError, match="is spent"):
        await ring.allow(POOR, "m")


async def test_more_than_a_column_holds_is_reserved_charged_and_written(store: SqlStore) -> None:
    ring = KeyRing(store.traffic, open_access=False, wait=0.0)
    huge = UpperUsage("m", 10**30, Decimal(10) ** 30)
    await ring.reserve("one", POOR, lambda: huge)
    with pytest.raises(HttpError, match="reserved by requests at work"):
        await ring.reserve("two", POOR, lambda: huge)
    ring.release("one")
    await ring.reserve("three", POOR, lambda: huge)
    record = RequestRecord(
        id="three", tenant="acme", key=POOR.id, model="m", tier="strong", cost=None
    )
    await store.traffic.write([ring.charge(record)])
    await ring.refresh()
    with pytest.raises(HttpError, match="is spent"):
        await ring.reserve("four", POOR, lambda: huge)
    assert (await store.traffic.spending({POOR.id: None}))[POOR.id].spent == 10**8


class _StoreBroken(_StoreAway):
    """A key store that fails, on requests of one name, with what is no error of a store."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store)
        self._reserve = store.traffic.reserve

    async def reserve(
        self,
        asked: Sequence[BudgetRequest],
        changes: Sequence[ReservationChange],
        seconds: float,
    ) -> Sequence[ReserveOutcome]:
        if any(one.request == "bad" for one in asked):
            raise OverflowError("too large")
        return await self._reserve(asked, changes, seconds)


async def test_a_request_on_which_the_store_fails_is_refused_and_holds_up_nobody(
    store: SqlStore,
) -> None:
    ring = KeyRing(_StoreBroken(store), open_access=False, wait=60.0)
    most = UpperUsage("m", 10, Decimal("0.001"))
    async with asyncio.timeout(5):
        with pytest.raises(HttpError) as caught:
            await ring.reserve("bad", POOR, lambda: most)
        assert (caught.value.status, caught.value.wire_code) == (500, "internal_error")
        ring.release("bad")
        await ring.reserve("good", POOR, lambda: most)


OWN = PriceTable(
    {"m": OwnPrice(input=Decimal(1), output=Decimal(1_000_000), window=1000)}, longest=50
)
SHORT = {"model": "m", "messages": [{"role": "user", "content": "x" * 50}]}


SAID = {"model": "m", "input": "x" * 50}
BODIES: dict[str, dict[str, Any]] = {"chat": SHORT, "responses": SAID}


@pytest.mark.parametrize(
    ("endpoint", "more", "answer"),
    [
        ("chat", {}, 50),
        ("chat", {"max_tokens": 7}, 7),
        ("chat", {"max_tokens": 7, "max_completion_tokens": 9}, 9),
        ("chat", {"max_tokens": 7, "max_completion_tokens": None}, 7),
        ("chat", {"max_tokens": 7, "max_completion_tokens": []}, 50),
        ("chat", {"max_tokens": 7, "n": 3}, 21),
        ("chat", {"max_tokens": 7, "n": 3.0}, 21),
        ("chat", {"max_tokens": 7, "n": "100"}, 700),
        ("chat", {"max_tokens": 7, "n": " 1e2 "}, 700),
        ("chat", {"max_tokens": 7, "n": "many"}, 896),
        ("chat", {"max_tokens": 7, "n": [5]}, 896),
        ("chat", {"max_tokens": 7, "n": float("nan")}, 896),
        ("chat", {"max_tokens": 7, "n": float("inf")}, 7 * 10**6),
        ("chat", {"max_tokens": 7, "n": 10**400}, 7 * 10**6),
        ("chat", {"max_tokens": 7, "n": None}, 7),
        ("chat", {"max_tokens": 7, "n": -3}, 7),
        ("chat", {"max_tokens": 10**9}, 1000),
        ("chat", {"max_tokens": 10**400}, 1000),
        ("chat", {"max_tokens": 7.0}, 7),
        ("chat", {"max_tokens": 0}, 50),
        ("chat", {"max_tokens": -1}, 50),
        ("chat", {"max_tokens": True}, 50),
        ("chat", {"max_tokens": "9"}, 50),
        ("chat", {"max_tokens": "90"}, 90),
        ("chat", {"max_output_tokens": 5}, 50),
        ("responses", {"max_output_tokens": 5}, 5),
        ("responses", {"max_output_tokens": 5.5}, 6),
        ("responses", {"max_tokens": 5}, 50),
        ("completions", {"max_completion_tokens": 5}, 50),
        ("completions", {"prompt": ["a", "b"], "max_tokens": 5, "best_of": 2}, 20),
        ("completions", {"prompt": [1, 2, 3], "max_tokens": 5}, 5),
        ("embeddings", {"input": "x"}, 0),
    ],
)
def test_the_estimate_of_an_answer_is_what_the_request_allows(
    endpoint: str, more: dict[str, Any], answer: int
) -> None:
    body = BODIES.get(endpoint, SHORT) | more
    raw = json.dumps(body).encode()
    most = UsageEstimates(OWN).upper(endpoint, body, raw)
    assert most.cost is not None and int(most.cost) == answer
    assert most.tokens == min(len(raw), 1000) + answer


FUNCTION = {"type": "function", "function": {"name": "f"}}
CALLED = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def _content(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def _items(*items: object) -> dict[str, Any]:
    return {"input": list(items)}


@pytest.mark.parametrize(
    ("endpoint", "more"),
    [
        ("chat", {}),
        ("chat", {"temperature": 0, "seed": 1, "tools": [FUNCTION], "tool_choice": "auto"}),
        ("chat", {"tools": []}),
        ("chat", _content({"type": "text", "text": "a"}, {"type": "text", "text": "b"})),
        ("chat", {"messages": [{"role": "assistant", "content": None, "tool_calls": [FUNCTION]}]}),
        ("chat", {"messages": [{"role": "assistant", "content": "x", "audio": None}]}),
        ("responses", {"store": False, "instructions": "be brief"}),
        ("responses", _items({"role": "user", "content": "x"})),
        ("responses", _items({"role": "user", "content": [{"type": "input_text", "text": "x"}]})),
        ("responses", _items(CALLED, {"type": "function_call_output", "output": "x"})),
        ("responses", _items({"type": "reasoning", "id": "r", "encrypted_content": "x"})),
    ],
)
def test_a_prompt_of_known_text_alone_counts_by_its_length(
    endpoint: str, more: dict[str, Any]
) -> None:
    body = BODIES[endpoint] | {"max_tokens": 1, "max_output_tokens": 1} | more
    del body["max_output_tokens" if endpoint == "chat" else "max_tokens"]
    raw = json.dumps(body).encode()
    estimates = UsageEstimates(OWN, CONVERSATION_FIELDS)
    assert estimates.upper(endpoint, body, raw).tokens == len(raw) + 1


OUTSIDE: list[tuple[str, dict[str, Any]]] = [
    ("responses", {"previous_response_id": "r"}),
    ("responses", {"conversation": "c"}),
    ("responses", {"prompt": {"id": "p"}}),
    ("responses", {"instructions": [{"role": "user"}]}),
    ("responses", {"input": None}),
    ("responses", {"tools": [{"type": "web_search"}]}),
    ("responses", _items({"type": "item_reference", "id": "msg_1"})),
    ("responses", _items({"id": "msg_1"})),
    ("responses", _items({"type": "reasoning", "id": "rs_1", "summary": []})),
    ("responses", _items({"type": "a_later_item", "content": "x"})),
    ("responses", _items({"type": ["message"], "content": "x"})),
    ("responses", _items({"type": "function_call_output", "output": [{"type": "input_file"}]})),
    ("responses", _items({"role": "user", "content": [{"type": "input_image"}]})),
    ("responses", _items("x")),
    ("chat", {"web_search_options": {}}),
    ("chat", {"plugins": [{"id": "web"}]}),
    ("chat", {"search_parameters": {"mode": "on"}}),
    ("chat", {"messages": "x"}),
    ("chat", {"messages": [None]}),
    ("chat", {"messages": [{"role": "assistant", "audio": {"id": "a"}}]}),
    ("chat", {"messages": [{"role": "user", "content": {"type": "text", "text": "x"}}]}),
    ("chat", _content({"type": "file", "file": {"file_id": "f"}})),
    ("chat", _content({"type": "video_url", "video_url": {"url": "http://x"}})),
    ("chat", _content({"image_url": {"url": "http://x"}})),
    ("chat", _content({"type": "text", "text": "x", "image_url": {"url": "http://x"}})),
    ("chat", _content({"type": "text", "text": {"url": "http://x"}})),
    ("chat", _content({"type": {}, "text": "x"})),
    ("chat", {"tools": [{"type": ["function"]}]}),
    ("chat", {"tools": [{"type": {}}]}),
    ("chat", {"tools": [{}]}),
    ("chat", {"tools": {"type": "function"}}),
]


@pytest.mark.parametrize(("endpoint", "more"), OUTSIDE)
def test_a_prompt_that_may_name_more_than_it_holds_is_taken_at_the_whole_window(
    endpoint: str, more: dict[str, Any]
) -> None:
    limit = "max_tokens" if endpoint == "chat" else "max_output_tokens"
    body = BODIES[endpoint] | {limit: 1} | more
    raw = json.dumps(body).encode()
    assert UsageEstimates(OWN, CONVERSATION_FIELDS).upper(endpoint, body, raw).tokens == 1001


async def test_a_tool_of_an_odd_type_goes_to_the_endpoint_with_a_key_that_has_a_budget(
    tmp_path: Path,
) -> None:
    secret = await secret_of(tmp_path)
    async with gateways(tmp_path) as here:
        odd: list[Any] = [{"type": ["function"]}, {"type": {}}]
        assert (await here.ask(secret, max_tokens=1, tools=odd))[0] == 200


def test_the_estimate_of_a_model_that_nobody_knows_has_tokens_and_no_price() -> None:
    most = UsageEstimates(PriceTable()).upper("chat", SHORT | {"model": "nobodys"}, b"x" * 10)
    assert most[:3] == ("nobodys", 131_082, None)


def test_what_an_endpoint_counts_beyond_is_estimated_from_then_on() -> None:
    prices = PriceTable({"m": OwnPrice(input=Decimal(1_000_000), output=Decimal(0), window=1000)})
    estimates, body = UsageEstimates(prices), SHORT | {"max_tokens": 10}
    first = estimates.upper("chat", body, b"x" * 100)
    assert (first.cost, first.tokens) == (100, 110)
    assert first.dearest == 1000, "nothing is known, so the price of the longest prompt is reserved"
    assert first.learn is not None
    used = RequestRecord(id="r", tenant="t", key="k", model="m", tier="strong", input_tokens=60)
    first.learn(used)
    assert estimates.upper("chat", body, b"x" * 100).cost == 100
    first.learn(dataclasses.replace(used, input_tokens=350, output_tokens=12))
    more = estimates.upper("chat", body, b"x" * 100)
    assert (more.cost, more.tokens) == (350, 362)
