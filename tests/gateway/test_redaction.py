"""What is kept of texts passes the operator's function first; where that fails, answers and money stay."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from benchmarks.conformance import TEXT, keep_tool
from tests.gateway.scripted import (
    DONE,
    Asked,
    chat_body,
    chunk,
    completion,
    front,
    usage_chunk,
)
from tests.gateway.test_tiers import TOOLS, called
from tests.models.endpoint import Said, endpoint
from tests.models.endpoint import completion as endpoint_completion

from toolmint.assembly.keys import create_key
from toolmint.assembly.settings import Settings
from toolmint.core.traffic import Key

pytestmark = pytest.mark.anyio
POOR = Key(id="key_poor", tenant="acme", record=True, budget=Decimal(1))


def refuse(text: str) -> str:
    """Fail on texts of one kind."""
    if "boom" in text:
        raise ValueError(text)
    return text


def refuse_pear(text: str) -> str:
    """Fail on one word."""
    return refuse(text.replace("pear", "boom"))


def forget(text: str) -> None:
    """Return nothing, as a function does that forgets to."""
    del text


def hide(text: str) -> str:
    """Hide a word, also written backwards."""
    return text.replace("pear", "***").replace("raep", "***")


async def _answer(asked: Asked) -> None:
    if asked.body.get("stream"):
        await asked.stream(chunk({"content": "hi"}), chunk({}, "stop"), usage_chunk(1000, 2), DONE)
    else:
        await asked.whole("200 OK", orjson.dumps(completion("hi", 1000, 2)))


async def _post(url: str, body: dict[str, Any], secret: str | None = None) -> tuple[int, bytes]:
    head = {"authorization": f"Bearer {secret}"} if secret else {}
    async with (
        aiohttp.ClientSession(headers=head) as session,
        session.post(url, json=body) as reply,
    ):
        return reply.status, await reply.read()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["refuse", "forget"])
async def test_a_redaction_that_fails_keeps_no_text_and_costs_no_answer(
    tmp_path: Path, name: str, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    secret = await create_key(Settings(store=tmp_path / "tools.db"), POOR)
    async with front(tmp_path, _answer, redact=f"{__name__}:{name}") as here:
        url = f"{here.url}/v1/chat/completions"
        status, raw = await _post(url, chat_body("boom", stream=stream), secret)
        assert status == 200 and b"hi" in raw
        (row,) = await here.rows(1)
        assert (row.status, row.input, row.answer, row.queued) == (200, None, None, None)
        cost = Decimal("0.00127")
        assert row.cost == cost == row.charged
        await here.app.parts.keys.refresh()
        assert here.app.parts.keys.left(POOR) == 1 - cost
    assert "'redact' failed" in caplog.text and "boom" not in caplog.text


async def test_the_texts_of_a_comparison_are_redacted(tmp_path: Path) -> None:
    async def wrong(asked: Asked) -> None:
        await asked.whole("200 OK", orjson.dumps(completion("no\0 pear")))

    await keep_tool(tmp_path / "tools.db", "serving")
    async with front(tmp_path, wrong, redact=f"{__name__}:hide", audit_rate=1.0) as here:
        assert (await _post(f"{here.url}/v1/chat/completions", chat_body(TEXT)))[0] == 200
        await here.app.parts.completions.idle()
        ((of, _),) = (await here.app.parts.live.tallies()).items()
        (one,) = await here.app.parts.live.disagreements(of)
        asked = "Write this word backwards: ***."
        assert (one.input, one.ours, one.theirs) == (asked, "***", "no\ufffd ***")


@pytest.mark.parametrize(
    ("name", "told"), [("hide", "no\ufffd ***"), ("refuse_pear", None), ("forget", None)]
)
async def test_the_answer_that_a_user_gives_is_redacted_before_it_is_kept(
    tmp_path: Path, name: str, told: str | None
) -> None:
    await keep_tool(tmp_path / "tools.db", "serving")
    async with front(tmp_path, _answer, redact=f"{__name__}:{name}", audit_rate=1e-9) as here:
        asked, parts = chat_body(TEXT.replace("pear", "plum")), here.app.parts
        assert (await _post(f"{here.url}/v1/chat/completions", asked))[0] == 200
        (row,) = await here.rows(1)
        assert row.tier == "code"
        said = {"request_id": row.id, "right": False, "answer": "no\0 pear"}
        status, raw = await _post(f"{here.url}/v1/feedback", said)
        assert status == 200 and orjson.loads(raw)["counted"] is True
        ((of, _),) = (await parts.live.tallies()).items()
        (one,) = await parts.live.disagreements(of)
        assert one.theirs == told
        queued = [one.target for some in (await parts.store.queued()).values() for one in some]
        assert queued == ([] if told is None else [told])


def agent_script() -> list[Said]:
    """Return the replies of roles that look up a company and answer."""
    return [
        Said(200, endpoint_completion("The pear asks.\nNext: caller")),
        Said(200, called("founded", company="pear")),
        Said(200, endpoint_completion("Done.\nNext: summarizer")),
        Said(200, endpoint_completion("The pear is unknown.")),
    ]


async def test_the_trajectories_of_the_agent_are_redacted_before_they_are_kept(
    tmp_path: Path,
) -> None:
    async with endpoint(agent_script()) as (url, _):
        more = {"toolbox": (TOOLS,), "planner_model": f"openai:gpt-5?base_url={url}"}
        async with front(tmp_path, _answer, redact=f"{__name__}:hide", **more) as here:
            body = chat_body("When was pear Ltd founded?", model="agent")
            status, raw = await _post(f"{here.url}/v1/chat/completions", body)
            (kept,) = await here.app.parts.traces.traces()
            trace = await here.app.parts.traces.trace(kept.id)
    assert status == 200 and b"The pear is unknown" in raw
    assert "pear" not in trace.model_dump_json()
    assert trace.task.input == "When was *** Ltd founded?" and trace.answer == "The *** is unknown."
    assert [call.name for step in trace.steps for call in step.calls] == ["founded"]


async def test_a_trajectory_is_not_kept_where_the_redaction_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with endpoint(agent_script()) as (url, _):
        more = {"toolbox": (TOOLS,), "planner_model": f"openai:gpt-5?base_url={url}"}
        async with front(tmp_path, _answer, redact=f"{__name__}:refuse_pear", **more) as here:
            body = chat_body("When was it founded?", model="agent")
            status, raw = await _post(f"{here.url}/v1/chat/completions", body)
            assert status == 200 and b"pear" in raw
            assert not await here.app.parts.traces.traces()
    assert "a trajectory is not kept" in caplog.text and "boom" not in caplog.text
