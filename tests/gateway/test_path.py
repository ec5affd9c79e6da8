"""A request imports nothing, and waits for no file and no database in the thread of the loop."""

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from tests.gateway.house import QUESTIONS, house
from tests.gateway.test_living import quick

pytestmark = pytest.mark.anyio
WATCHED = frozenset(
    {
        "import",
        "open",
        "sqlite3.connect",
        "time.sleep",
        "subprocess.Popen",
        "os.listdir",
        "os.scandir",
    }
)
armed = threading.Event()
seen: list[tuple[str, str]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if (
        event in WATCHED
        and armed.is_set()
        and threading.current_thread() is threading.main_thread()
    ):
        seen.append((event, str(arguments[:1])))


sys.addaudithook(_watch)


def ask_all(url: str, texts: list[str]) -> None:
    """Ask in a thread of the client's own: tools, the model, streams, responses, and what is refused."""
    with OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        for text in texts:
            messages: Any = [{"role": "user", "content": text}]
            client.chat.completions.create(model="gpt-5", messages=messages)
            for _ in client.chat.completions.create(model="gpt-5", messages=messages, stream=True):
                pass
            client.responses.create(model="gpt-5", input=text, store=False)
        list(client.models.list())


async def test_a_request_imports_nothing_and_blocks_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        texts = [*QUESTIONS[-6:], "Hello there", "Hello again"]
        await asyncio.to_thread(ask_all, here.url, texts)
        await here.finish_background_work()
        armed.set()
        try:
            await asyncio.to_thread(ask_all, here.url, texts)
            await here.finish_background_work()
        finally:
            armed.clear()
        assert seen == []


async def test_the_watch_sees_what_it_is_to_see(tmp_path: Path) -> None:
    armed.set()
    try:
        (tmp_path / "x").write_text("x")
    finally:
        armed.clear()
    assert [event for event, _ in seen] == ["open"]
    seen.clear()
