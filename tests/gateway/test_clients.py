"""Clients that people use work against the gateway as they are: sync SDK, LangChain, Vercel AI SDK."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from openai import OpenAI
from pydantic import SecretStr
from tests.gateway.house import QUESTIONS, House, house
from tests.gateway.test_living import quick
from tests.gateway.upstream import solved

pytestmark = pytest.mark.anyio
HERE = Path(__file__).parent / "ai_sdk"
MODULES = os.environ.get("AI_SDK_MODULES", "")


async def hits(here: House) -> list[str]:
    """Prove a tool, and give questions of its class and one of another."""
    await here.proved()
    return [*QUESTIONS[-4:], "Hello there"]


async def test_the_synchronous_sdk(tmp_path: Path) -> None:
    def ask(url: str, text: str) -> tuple[str | None, str]:
        with OpenAI(base_url=f"{url}/v1", api_key="any") as client:
            messages: Any = [{"role": "user", "content": text}]
            whole = client.chat.completions.create(model="gpt-5", messages=messages)
            parts = client.chat.completions.create(model="gpt-5", messages=messages, stream=True)
            streamed = "".join(c.choices[0].delta.content or "" for c in parts if c.choices)
            return whole.choices[0].message.content, streamed

    async with house(tmp_path, quick) as here:
        for text in await hits(here):
            assert await asyncio.to_thread(ask, here.url, text) == (solved(text), solved(text))


async def test_a_chat_model_of_langchain(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        chat = ChatOpenAI(
            base_url=f"{here.url}/v1", api_key=SecretStr("any"), model="gpt-5", max_retries=0
        )
        for text in await hits(here):
            whole = await chat.ainvoke(text)
            streamed = "".join([str(part.content) async for part in chat.astream(text)])
            assert whole.content == streamed == solved(text)
            assert whole.usage_metadata is not None


@pytest.mark.skipif(not MODULES, reason="AI_SDK_MODULES names no node_modules")
async def test_the_vercel_ai_sdk(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        for text in await hits(here):
            script = tmp_path / "client.mjs"
            script.write_text((HERE / "client.mjs").read_text())
            link = tmp_path / "node_modules"
            if not link.exists():
                link.symlink_to(MODULES)
            process = await asyncio.create_subprocess_exec(
                "node",
                str(script),
                f"{here.url}/v1",
                text,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, fault = await process.communicate()
            assert process.returncode == 0, fault.decode()
            for kind in json.loads(out).values():
                assert kind == {"whole": solved(text), "streamed": solved(text), "finish": "stop"}
