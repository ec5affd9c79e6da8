"""A key admits one tenant within its limits, and no tenant ever reads another's."""

import asyncio
import shutil
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import openai
import pytest
from tests.gateway.house import QUESTIONS, House, house
from tests.gateway.upstream import solved

from toolmint.assembly.gateway import gateway
from toolmint.assembly.keys import all_keys, create_key, grant_class, revoke_key
from toolmint.assembly.settings import Settings
from toolmint.core.errors import ConfigError, InputError, ToolNotFound
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.core.traffic import Key, RequestRecord
from toolmint.gateway.auth.keys import digest_of
from toolmint.serving.lifecycle import ServingPolicy
from toolmint.serving.server import ToolServer
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
(OLD_STORE,) = (Path(__file__).parents[1] / "store" / "old_stores").glob("*-0.1.db")


def at(folder: Path) -> Settings:
    return Settings(store=folder / "tools.db")


async def key(folder: Path, tenant: str = "acme", **more: Any) -> str:
    made = Key.model_validate({"id": f"key_{tenant}{len(more)}", "tenant": tenant} | more)
    return await create_key(at(folder), made)


def client(here: House, secret: str) -> openai.AsyncOpenAI:
    return here.client.with_options(api_key=secret)


async def ask(
    here: House, secret: str, text: str = "Hello there", model: str = "gpt-5"
) -> dict[str, str]:
    raw = await client(here, secret).chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": text}]
    )
    return dict(raw.headers)


async def test_without_a_valid_key_nobody_gets_in(tmp_path: Path) -> None:
    secret = await key(tmp_path)
    async with house(tmp_path) as here, aiohttp.ClientSession() as session:
        for wrong in ("none", "tm-wrong", secret + "x"):
            with pytest.raises(openai.AuthenticationError) as caught:
                await ask(here, wrong)
            assert caught.value.code == "invalid_api_key"
        async with session.get(f"{here.url}/v1/models") as reply:
            assert reply.status == 401
        async with session.get(
            f"{here.url}/metrics", headers={"authorization": f"Bearer {secret}"}
        ) as reply:
            assert reply.status == 401
        assert here.endpoint.seen == []
        await ask(here, secret)
        assert here.endpoint.keys == [None] or secret not in str(here.endpoint.keys)


async def test_a_revoked_key_is_refused_by_a_running_gateway(tmp_path: Path) -> None:
    secret = await key(tmp_path)
    async with house(tmp_path) as here:
        await ask(here, secret)
        await revoke_key(at(tmp_path), (await all_keys(at(tmp_path)))[0].id)
        await here.app.parts.keys.refresh()
        with pytest.raises(openai.AuthenticationError):
            await ask(here, secret)


async def test_a_key_that_version_0_1_made_is_still_good(tmp_path: Path) -> None:
    shutil.copy(OLD_STORE, tmp_path / "tools.db")
    async with house(tmp_path) as here:
        await ask(here, "tw-fixture-acme-not-a-real-secret")
        with pytest.raises(openai.AuthenticationError):
            await ask(here, "tm-fixture-acme-not-a-real-secret")


async def test_secrets_are_kept_nowhere(tmp_path: Path) -> None:
    secret = await key(tmp_path)
    assert secret.startswith("tm-") and len(secret) > 40
    assert secret.encode() not in (tmp_path / "tools.db").read_bytes()
    assert digest_of(secret) != secret


async def test_rates_and_budgets_are_kept(tmp_path: Path) -> None:
    quick = await key(tmp_path, "quick", rpm=2)
    poor = await key(tmp_path, "poor", budget=Decimal("0.00001"), record=True)
    few = await key(tmp_path, "few", models=("gpt-5-mini",), name="x", admin=False)
    async with house(tmp_path) as here:
        await ask(here, quick)
        await ask(here, quick)
        with pytest.raises(openai.RateLimitError) as slow:
            await ask(here, quick)
        assert (
            slow.value.code == "rate_limit_exceeded"
            and int(slow.value.response.headers["retry-after"]) >= 1
        )
        await ask(here, poor)
        with pytest.raises(openai.UnprocessableEntityError) as spent:
            await ask(here, poor)
        assert spent.value.code == "budget_exceeded"
        assert spent.value.response.headers["x-should-retry"] == "false"
        with pytest.raises(openai.NotFoundError):
            await ask(here, few)
        await ask(here, few, model="gpt-5-mini")
        assert [one.id async for one in client(here, few).models.list()] == ["gpt-5-mini"]


async def test_a_key_that_does_not_record_leaves_no_text_behind(tmp_path: Path) -> None:
    secret = await key(tmp_path)
    async with house(tmp_path) as here:
        for text in QUESTIONS[:12]:
            await ask(here, secret, text)
        quiet = here.client.with_options(api_key=secret)
        stream = await quiet.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": QUESTIONS[12]}], stream=True
        )
        parts = [one.choices[0].delta.content or "" async for one in stream if one.choices]
        assert "".join(parts) == solved(QUESTIONS[12])
        await here.finish_background_work()
        await here.app.parts.request_log.flush()
        kept = await here.app.parts.log.requests()
        assert len(kept) == 13 and {one.input for one in kept} == {None}
        assert all(one.cost is not None and one.output_tokens for one in kept)
        assert await here.app.parts.store.queued() == {} and here.makings == []


async def test_tenants_do_not_share_tools_unless_one_grants_its_own(tmp_path: Path) -> None:
    def quick(settings: Settings) -> Settings:
        return settings.model_copy(update={"epsilon": 0.3, "confidence": 0.8})

    mine, other = await key(tmp_path, record=True), await key(tmp_path, "other")
    async with house(tmp_path, quick, key=mine) as here:
        await here.proved()
        assert (await ask(here, other, QUESTIONS[-1]))["x-toolmint-cache"] == "miss"
        full = (await here.app.parts.store.versions())[0][0].request_class
        await grant_class(at(tmp_path), full, "other", withdraw=False)
        await here.app.parts.servers.refresh()
        seen = [(await ask(here, other, text))["x-toolmint-cache"] for text in QUESTIONS[-9:]]
        assert "hit" in seen
        await grant_class(at(tmp_path), full, "other", withdraw=True)
        await here.app.parts.servers.refresh()
        assert (await ask(here, other, QUESTIONS[-1]))["x-toolmint-cache"] == "miss"


async def test_a_granted_class_keeps_no_text_of_the_tenant_that_uses_it(tmp_path: Path) -> None:
    def quick(settings: Settings) -> Settings:
        return settings.model_copy(update={"epsilon": 0.3, "confidence": 0.8, "audit_rate": 1.0})

    mine = await key(tmp_path, record=True)
    other = await key(tmp_path, "other", record=True)
    async with house(tmp_path, quick, key=mine) as here:
        await here.proved()
        full = (await here.app.parts.store.versions())[0][0].request_class
        await grant_class(at(tmp_path), full, "other", withdraw=False)
        await here.app.parts.servers.refresh()
        await here.app.parts.request_log.flush()
        queued = await here.app.parts.store.queued(full)
        here.endpoint.spoil = lambda answer: answer + ", more"
        assert (await ask(here, other, QUESTIONS[-1]))["x-toolmint-cache"] == "audit"
        await here.finish_background_work()
        await here.app.parts.request_log.flush()
        assert await here.app.parts.store.queued(full) == queued
        disagreed = await here.app.parts.live.disagreements(ClassKey.parse(full))
        assert disagreed and all(one.input is None and one.theirs is None for one in disagreed)


async def test_feedback_on_anothers_request_finds_nothing(tmp_path: Path) -> None:
    mine, other = await key(tmp_path), await key(tmp_path, "other")
    async with house(tmp_path) as here, aiohttp.ClientSession() as session:
        number = (await ask(here, mine))["x-request-id"]
        for secret, status in ((other, 404), (mine, 200)):
            said = {"request_id": number, "right": False}
            head = {"authorization": f"Bearer {secret}"}
            async with session.post(f"{here.url}/v1/feedback", json=said, headers=head) as reply:
                assert reply.status == status


async def test_a_gateway_for_everybody_needs_keys(tmp_path: Path) -> None:
    model = "openai:m?base_url=http://127.0.0.1:9/v1"
    outside = at(tmp_path).model_copy(update={"host": "0.0.0.0", "model": model})
    with pytest.raises(ConfigError, match="keys create"):
        async with gateway(outside):
            pass
    with pytest.raises(ConfigError, match="needs a strong model"):
        async with gateway(at(tmp_path)):
            pass


async def test_wrong_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="small letters"):
        await key(tmp_path, "a/b")
    with pytest.raises(InputError, match="no key 'x'"):
        await revoke_key(at(tmp_path), "x")
    with pytest.raises(InputError, match="tenant/scope/class"):
        await grant_class(at(tmp_path), "x", "y", withdraw=False)
    with pytest.raises(ToolNotFound):
        await grant_class(at(tmp_path), f"a/{SCOPE}/c", "y", withdraw=False)


SCOPE = "0123456789ab"


def _record(tenant: str, name: str) -> ToolRecord:
    return ToolRecord(
        request_class=name,
        source=f"# {tenant}\n",
        has_parser=True,
        demonstrations=(Demonstration(input=f"{tenant} asks {name}", target=tenant),),
        provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
    )


async def _act(random: Random, store: SqlStore, tenant: str) -> None:
    """Do one thing in a tenant's namespace, and look at all that can be read there."""
    namespace = store.namespace(Namespace(tenant, SCOPE))
    name = f"class{random.randrange(3)}"
    match random.randrange(6):
        case 0:
            await namespace.enqueue(
                name, Demonstration(input=f"{tenant} {random.random()}", target=tenant)
            )
        case 1:
            await namespace.add(_record(tenant, name), "serving", f"by {tenant}")
        case 2:
            request_record = RequestRecord(
                id=f"{tenant}{random.random()}",
                tenant=tenant,
                key="k",
                model="m",
                tier="strong",
                input=tenant,
            )
            await store.traffic.write([request_record])
        case 3:
            queued = await namespace.queued()
            assert all(one.target == tenant for them in queued.values() for one in them)
        case 4:
            records = [record for record, _ in await namespace.versions()] + list(
                await namespace.serving()
            )
            assert all(record.source == f"# {tenant}\n" for record in records)
        case _:
            kept = await store.traffic.requests(tenant=tenant)
            assert all(one.input == tenant for one in kept)


async def test_random_operations_find_no_read_across_tenants(
    store: SqlStore, sandbox: Sandbox, full: bool
) -> None:
    random = Random(4)
    tenants: list[str] = []
    for number in range(100_000 if full else 1500):
        if number % 1500 == 0:  # others, so that namespaces stay small while the store grows
            tenants = [f"{name}{number or ''}" for name in ("a", "A", "ab", "a_b", "b")]
        await _act(random, store, random.choice(tenants))
    for tenant in tenants:
        mine = Namespace(tenant, SCOPE)
        server = ToolServer(
            mine, store.namespace(mine), store.live, sandbox, policy=ServingPolicy()
        )
        await server.start()
        assert server.entries and all(
            e.record.source == f"# {tenant}\n" for e in server.entries.values()
        )


async def test_a_lease_is_held_by_one_and_its_token_grows(store: SqlStore) -> None:
    live = store.live
    taken = await asyncio.gather(*(live.lease("making x", f"o{n}", 60) for n in range(20)))
    (lease,) = [one for one in taken if one is not None]
    assert await live.renew(lease, 60)
    await live.release(lease)
    later = await live.lease("making x", "o", 60)
    assert later is not None and later.token == lease.token + 1 and not await live.renew(lease, 60)
