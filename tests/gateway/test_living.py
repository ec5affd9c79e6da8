"""The life of a tool on live traffic: made once, shadowed, proved, served, audited, demoted, repaired."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.gateway.house import QUESTIONS, House, house
from tests.gateway.processes import TOOLMINT
from tests.gateway.upstream import solved
from tests.maker.tools import demos

from toolmint.assembly.settings import Settings
from toolmint.core.namespace import ClassKey
from toolmint.serving.error_bound import ErrorBound, comparisons_needed

pytestmark = pytest.mark.anyio


def quick(settings: Settings) -> Settings:
    """Prove a tool by few comparisons."""
    return settings.model_copy(update={"epsilon": 0.3, "confidence": 0.8})


async def _sse(here: House, text: str) -> bytes:
    stream = await here.client.chat.completions.create(
        model="gpt-5", messages=[{"role": "user", "content": text}], stream=True
    )
    parts = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    return "".join(parts).encode()


async def test_a_class_gets_its_tool_which_is_shadowed_proved_and_serves(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        text, parsed = QUESTIONS[-1], len(here.endpoint.seen)
        headers: dict[str, str] = {}
        for _ in range(20):
            answer, headers = await here.ask(text)
            assert answer == solved(text)
            if headers["x-toolmint-cache"] == "hit":
                break
        assert headers["x-toolmint-tool"].endswith("@1") and headers["x-toolmint-cost-usd"] == "0"
        assert float(headers["x-toolmint-saved-usd"]) > 0
        assert headers["x-toolmint-proof"].startswith("0 of ")
        assert len(here.endpoint.seen) - parsed <= 19 and len(here.makings) == 1
        await here.app.parts.request_log.flush()
        (kept,) = [one for one in await here.app.parts.log.requests() if one.tier == "code"][:1]
        assert kept.input == text and kept.saved is not None and kept.saved > 0
        ((record, state),) = await here.app.parts.store.versions()
        history = await here.app.parts.store.history(record.request_class, 1)
        assert [one.state for one in history] == ["shadowing", "serving"] and state == "serving"
        assert "proved: 0 of" in history[-1].reason


async def test_a_streamed_hit_is_the_unstreamed_one_to_the_byte(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        for text in QUESTIONS[-5:]:
            whole, _ = await here.ask(text)
            assert await _sse(here, text) == whole.encode() == solved(text).encode()


async def test_hits_come_as_responses_too_and_say_what_they_are(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        hits = 0
        for text in QUESTIONS[-6:]:
            said = await here.client.responses.create(model="gpt-5", input=text, store=False)
            assert said.output_text == solved(text)
            facts = (said.model_extra or {}).get("toolmint")
            events = (
                [
                    one
                    async for one in await here.client.responses.create(
                        model="gpt-5", input=text, store=False, stream=True
                    )
                ]
                if facts
                else []
            )
            if facts and events:
                hits += 1
                assert said.usage is not None and said.usage.total_tokens == 0
                assert facts["tier"] == "code" and facts["version"] == 1
        assert hits


async def test_a_hit_tells_its_proof_also_after_a_new_start(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        for text in QUESTIONS[-30:]:
            await here.ask(text)
        await here.finish_background_work()
        ((record, _),) = await here.app.parts.store.versions()
        known = await here.app.parts.live.tally(ClassKey.parse(record.request_class), 1)
    assert known.trials > comparisons_needed(
        ErrorBound(epsilon=0.3, confidence=0.8)
    )  # audits have come since
    async with house(tmp_path, quick) as here:
        shown: list[dict[str, Any]] = []
        for text in QUESTIONS[:30]:
            said: Any = await here.client.chat.completions.create(
                model="gpt-5", messages=[{"role": "user", "content": text}]
            )
            facts: Any = said.model_extra.get("toolmint")
            shown += [facts["proof"]] if facts else []
        await here.finish_background_work()
    first = shown[0]
    assert (first["epsilon"], first["confidence"], first["disagreed"]) == (0.3, 0.8, 0)
    assert known.trials <= first["comparisons"] <= shown[-1]["comparisons"] <= known.trials + 6
    assert 0 < shown[-1]["upper"] <= first["upper"] < 0.3


async def test_what_a_tool_cannot_promise_goes_to_the_model(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
        kinds: list[dict[str, Any]] = [
            {"max_tokens": 2},
            {"stop": [","]},
            {"response_format": schema},
            {"logprobs": True},
            {"extra_headers": {"cache-control": "no-cache"}},
            {"extra_headers": {"x-toolmint-control": "no-tool"}},
        ]
        for more in kinds:
            for text in QUESTIONS[-3:]:
                _, headers = await here.ask(text, **more)
                assert headers["x-toolmint-tier"] == "strong", more


async def test_another_instruction_is_another_scope(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        said: Any = [
            {"role": "system", "content": "Answer in French."},
            {"role": "user", "content": QUESTIONS[-1]},
        ]
        raw = await here.client.chat.completions.with_raw_response.create(
            model="gpt-5", messages=said
        )
        assert raw.headers["x-toolmint-cache"] == "miss"
        _, headers = await here.ask(QUESTIONS[-1], "gpt-5-mini")
        assert headers["x-toolmint-cache"] == "miss"


async def test_many_cold_requests_at_once_lead_to_one_making(tmp_path: Path, full: bool) -> None:
    parsed = [one.input for one in demos(1000 if full else 300, seed=11)]
    async with house(tmp_path, quick) as here:
        answers = await asyncio.gather(*(here.ask(text) for text in parsed))
        await here.finish_background_work()
        assert [answer for answer, _ in answers] == [solved(text) for text in parsed]
        assert len(here.makings) == 1
        (report,) = await here.app.parts.store.reports()
        assert report.made and len(await here.app.parts.store.versions()) == 1


async def test_a_world_that_changes_demotes_the_tool_within_twenty_bad_answers(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        here.endpoint.spoil = lambda answer: answer[::-1]
        bad, state = 0, "serving"
        for text in QUESTIONS[200:300]:
            answer, _ = await here.ask(text)
            await here.finish_background_work()
            bad += answer == solved(text)
            ((_, state), *_more) = await here.app.parts.store.versions()
            if state == "demoted":
                break
        assert state == "demoted" and bad <= 20
        _, headers = await here.ask(QUESTIONS[350])
        assert headers["x-toolmint-tier"] == "strong"
        for text in QUESTIONS[300:349]:
            await here.ask(text)
            await here.finish_background_work()
        shown = here.makings[1].messages[0].content
        known = [text for text in QUESTIONS if text in shown]
        assert len(known) >= 5
        assert all(solved(text)[::-1] in shown for text in known), "the new world alone is shown"
        assert not any(f" {solved(text)}\n" in shown for text in known)


async def test_a_users_word_counts_at_once(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here, aiohttp.ClientSession() as session:
        await here.proved()
        numbers = [
            headers["x-request-id"]
            for _, headers in [await here.ask(t) for t in QUESTIONS[-9:]]
            if headers["x-toolmint-cache"] == "hit"
        ]
        states: list[str] = []
        for number in numbers[:2]:
            said = {"request_id": number, "right": False, "answer": "pear"}
            async with session.post(f"{here.url}/v1/feedback", json=said) as reply:
                found = await reply.json()
            assert reply.status == 200 and found["counted"], found
            states.append(found["state"])
        assert states[0] == "shadowing"
        _, headers = await here.ask(QUESTIONS[-1])
        assert headers["x-toolmint-tier"] == "strong"
        (kept, *_) = await here.app.parts.live.disagreements(
            ClassKey.parse((await here.app.parts.store.versions())[0][0].request_class)
        )
        assert kept.kind == "feedback" and kept.theirs == "pear"


async def say(here: House, *words: str) -> tuple[int, str]:
    """Call ``toolmint feedback``; returns its exit status and what it wrote."""
    base = ["--base-url", f"{here.url}/v1"]
    process = await asyncio.create_subprocess_exec(
        TOOLMINT,
        "feedback",
        *words,
        *base,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_a_users_word_can_come_from_the_command_line(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        headers = {"x-toolmint-cache": ""}
        for text in QUESTIONS[-20:]:
            _, headers = await here.ask(text)
            if headers["x-toolmint-cache"] == "hit":
                break
        number = headers["x-request-id"]
        status, output = await say(here, number, "--wrong", "--answer", "pear")
        assert status == 0 and "v1 is shadowing" in output
        _, headers = await here.ask(QUESTIONS[-1])
        assert headers["x-toolmint-tier"] == "strong"
        status, output = await say(here, headers["x-request-id"], "--right")
        assert status == 0 and "not counted: no tool answered it" in output
        status, output = await say(here, "req_none", "--right")
        assert status == 1 and "There is no request 'req_none'" in output
        status, output = await say(here, number)
        assert status == 1 and "say --right or --wrong" in output


@pytest.mark.parametrize(
    ("said", "status", "says"),
    [
        ({"right": True}, 400, "'request_id' and 'right'"),
        ({"request_id": 3, "right": True}, 400, "must be a text"),
        ({"request_id": "req_none", "right": True}, 404, "no request"),
    ],
)
async def test_wrong_feedback_is_named(
    tmp_path: Path, said: dict[str, Any], status: int, says: str
) -> None:
    async with (
        house(tmp_path) as here,
        aiohttp.ClientSession() as session,
        session.post(f"{here.url}/v1/feedback", json=said) as reply,
    ):
        assert reply.status == status and says in (await reply.json())["error"]["message"]


async def test_a_tool_that_is_wrong_never_serves(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        here.endpoint.spoil = lambda answer: answer if len(answer) % 3 else answer.upper()
        for text in QUESTIONS[:60]:
            _, headers = await here.ask(text)
            await here.finish_background_work()
            assert headers["x-toolmint-cache"] != "hit"
