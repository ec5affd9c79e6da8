"""A user's word counts once for each request and key, and nobody's word demotes what others serve."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from tests.gateway.house import QUESTIONS, House, house
from tests.gateway.test_living import quick

from toolmint.assembly.keys import create_key, grant_class
from toolmint.assembly.settings import Settings
from toolmint.core.namespace import ClassKey
from toolmint.core.store import Tally
from toolmint.core.traffic import Key

pytestmark = pytest.mark.anyio


class Told(NamedTuple):
    """A gateway whose tool serves, with the keys of two tenants."""

    here: House
    session: aiohttp.ClientSession
    secrets: dict[str, str]
    of: ClassKey

    async def hit(self, name: str) -> str:
        """Return the id of a request that the tool has answered for a key."""
        client = self.here.client.with_options(api_key=self.secrets[name])
        for text in QUESTIONS[-60:]:
            raw = await client.chat.completions.with_raw_response.create(
                model="gpt-5", messages=[{"role": "user", "content": text}]
            )
            if raw.headers["x-toolmint-cache"] == "hit":
                return raw.headers["x-request-id"]
        raise AssertionError("the tool answers nothing")

    async def say(self, name: str, number: str, *, right: bool) -> dict[str, Any]:
        said = {"request_id": number, "right": right}
        head = {"authorization": f"Bearer {self.secrets[name]}"}
        url = f"{self.here.url}/v1/feedback"
        async with self.session.post(url, json=said, headers=head) as reply:
            assert reply.status == 200
            return await reply.json()

    async def tally(self) -> Tally:
        await self.here.finish_background_work()
        return await self.here.app.parts.live.tally(self.of, 1)


@asynccontextmanager
async def told(folder: Path) -> AsyncGenerator[Told]:
    settings = Settings(store=folder / "tools.db")
    keys = {"mine": "acme", "second": "acme", "other": "other", "admin": "local"}
    secrets = {
        name: await create_key(
            settings, Key(id=f"key_{name}", tenant=tenant, record=True, admin=name == "admin")
        )
        for name, tenant in keys.items()
    }
    async with house(folder, quick, key=secrets["mine"]) as here, aiohttp.ClientSession() as web:
        await here.proved()
        full = (await here.app.parts.store.versions())[0][0].request_class
        await grant_class(settings, full, "other", withdraw=False)
        await here.app.parts.servers.refresh()
        yield Told(here, web, secrets, ClassKey.parse(full))


async def test_feedback_counts_once_for_each_request_and_key(tmp_path: Path) -> None:
    async with told(tmp_path) as one:
        number = await one.hit("mine")
        before = await one.tally()
        found = [await one.say("mine", number, right=True) for _ in range(30)]
        assert [said["counted"] for said in found] == [True] + [False] * 29
        assert "before" in found[1]["why"]
        assert (await one.tally()).trials == before.trials + 1
        assert not (await one.say("mine", number, right=False))["counted"], "the first word stands"
        assert (await one.tally()).wrong == before.wrong
        assert (await one.say("second", number, right=True))["counted"], "another key has its own"
        assert (await one.say("mine", await one.hit("second"), right=True))["counted"]


async def test_a_tenant_cannot_demote_a_tool_that_another_one_granted(tmp_path: Path) -> None:
    async with told(tmp_path) as one:
        number = await one.hit("other")
        before = await one.tally()
        said = await one.say("other", number, right=False)
        assert (said["counted"], said["reported"]) == (False, True)
        again = await one.say("other", number, right=False)
        assert (again["counted"], again["reported"]) == (False, False)
        assert await one.tally() == before
        ((_, state),) = await one.here.app.parts.store.versions()
        assert state == "serving"
        assert await one.here.app.parts.live.disagreements(one.of) == []
        counts = await one.here.app.parts.live.report_counts(one.of)
        assert counts == {1: (0, 1)}
        login = f"{one.here.url}/dashboard/login"
        form = {"key": one.secrets["admin"]}
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as admin:
            async with admin.post(login, data=form, headers={"origin": one.here.url}) as reply:
                assert reply.status == 200
            async with admin.get(f"{one.here.url}/dashboard/tools/{one.of}") as page:
                assert "Other tenants reported 1 wrong and 0 right" in await page.text()
