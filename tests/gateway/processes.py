"""Gateways as processes of their own, as users start them, on loopback."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

TOOLMINT = str(Path(sys.executable).with_name("toolmint"))


class Running:
    """A gateway that runs: its URL, and its process."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process, self.url = process, url

    async def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(process_id(self.process), signal.SIGKILL)
        await self.process.wait()

    async def ask(
        self, session: aiohttp.ClientSession, text: str, model: str = "gpt-5"
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Ask one question; returns the body and the headers."""
        body = {"model": model, "messages": [{"role": "user", "content": text}]}
        async with session.post(f"{self.url}/chat/completions", json=body) as reply:
            names = {name.lower(): value for name, value in reply.headers.items()}
            return await reply.json(), names


def process_id(process: asyncio.subprocess.Process) -> int:
    return process.pid


@asynccontextmanager
async def running(
    store: str, base_url: str, *words: str, **variables: str
) -> AsyncGenerator[Running]:
    """Start ``toolmint serve`` and wait until it says where it listens."""
    process = await asyncio.create_subprocess_exec(
        TOOLMINT,
        "serve",
        "--port",
        "0",
        "--store",
        store,
        "--model",
        f"openai:gpt-5?base_url={base_url}",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "TOOLMINT_SECOND": "never", **variables},
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        yield Running(process, line.split()[-1])
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
