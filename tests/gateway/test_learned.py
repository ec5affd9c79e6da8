"""The gateway answers by a learned tool, says so everywhere, and its dashboard shows what it knows of it."""

from pathlib import Path

import aiohttp
import pytest
from tests.gateway.house import House, house
from tests.gateway.test_dashboard import page
from tests.serving.learned_world import SAID, stream

from toolmint.assembly.settings import Settings

pytestmark = pytest.mark.anyio
ALL = dict(stream(400))
TEXTS = list(ALL)


def learning(settings: Settings) -> Settings:
    changes = {"profile": "learned", "learned_after": 150, "epsilon": 0.1, "confidence": 0.8}
    return settings.model_copy(update=changes)


async def until_served(here: House) -> int:
    """Ask until a learned tool serves; returns how many were asked."""
    here.endpoint.solve = ALL.__getitem__
    for number, text in enumerate(TEXTS[:300], 1):
        await here.ask(text)
        if number >= 150 and number % 10 == 0:
            await here.finish_background_work()
            states = [state for _, state in await here.app.parts.store.versions()]
            if "serving" in states:
                return number
    raise AssertionError("no learned tool serves")


async def test_a_learned_tool_answers_and_headers_metrics_bill_and_dashboard_say_so(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, learning) as here, aiohttp.ClientSession() as session:
        asked = await until_served(here)
        ((record, _),) = await here.app.parts.store.versions()
        hits: list[dict[str, str]] = []
        for text in TEXTS[asked : asked + 40]:
            answer, headers = await here.ask(text)
            await here.finish_background_work()
            if headers["x-toolmint-cache"] == "hit":
                hits.append(headers)
                assert answer in SAID and headers["x-toolmint-tier"] == "learned"
                assert headers["x-toolmint-tool"].endswith(f"@{record.version}")
                assert headers["x-toolmint-cost-usd"] == "0"
        assert len(hits) >= 10 and here.makings == [], "no model was asked for a tool"
        async with session.get(f"{here.url}/metrics") as reply:
            assert f'tier="learned"}} {len(hits)}.0' in await reply.text()
        wrong = {"request_id": hits[0]["x-request-id"], "right": False, "answer": "complaint"}
        async with session.post(f"{here.url}/v1/feedback", json=wrong) as reply:
            said = await reply.json()
            assert said["counted"] and said["tier"] == "learned" and said["state"] == "serving"
        await here.app.parts.request_log.flush()
        assert "learned" in await page(session, here, "/classes")
        shown = await page(session, here, "/tools/" + record.request_class.replace("/", "%2F"))
        for part in ("coverage", "confusions", "suspects", "labels"):
            assert f'<h2 id="{part}">' in shown
        assert f'<td data-of="answered">{len(hits)}</td>' in shown and "<meter" in shown
        assert "complaint" in shown and "answered from" in shown and "(learned)" in shown
        assert "<pre" not in shown and record.weights[:12] in shown
        assert "labels, such as" in await page(session, here, "")
        makings = await page(session, here, "/makings/1")
        assert "no model is called" in makings
        form = {"name": record.request_class, "version": "1", "what": "demote"}
        head = {"sec-fetch-site": "same-origin"}
        async with session.post(f"{here.url}/dashboard/change", data=form, headers=head) as reply:
            assert reply.status == 200 and "demoted" in await reply.text()
        _, headers = await here.ask(TEXTS[-1])
        assert headers["x-toolmint-tier"] == "strong"
        form |= {"what": "rollback"}
        async with session.post(f"{here.url}/dashboard/change", data=form, headers=head) as reply:
            assert reply.status == 200 and "serving" in await reply.text()
