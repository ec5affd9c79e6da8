"""A gateway on loopback in the test's own event loop, with an endpoint behind it and official clients
before it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from openai import AsyncOpenAI
from tests.gateway.upstream import Endpoint, upstream
from tests.maker.tools import RIGHT, demos, fenced

from toolmint.assembly.gateway import gateway
from toolmint.assembly.session import Models
from toolmint.assembly.settings import Settings
from toolmint.core.model import Model, ModelRequest
from toolmint.gateway.app import Gateway
from toolmint.gateway.http_server import BufferedProtocol
from toolmint.models.scripted import AnsweringModel

QUESTIONS = [one.input for one in demos(400, seed=11)]


class House(NamedTuple):
    """A running gateway: its URL, itself, the endpoint behind it, and a client."""

    url: str
    app: Gateway
    endpoint: Endpoint
    client: AsyncOpenAI
    makings: list[ModelRequest]

    async def ask(self, text: str, model: str = "gpt-5", **more: Any) -> tuple[str, dict[str, str]]:
        """Ask one question; returns the answer and the headers."""
        create: Any = self.client.chat.completions.with_raw_response.create
        raw: Any = await create(model=model, messages=[{"role": "user", "content": text}], **more)
        return raw.parse().choices[0].message.content or "", dict(raw.headers)

    async def finish_background_work(self) -> None:
        """Wait until all that follows answers is done: comparisons, and making."""
        await self.app.parts.completions.idle()
        assert self.app.parts.maker is not None
        await self.app.parts.maker.idle()

    async def proved(self, questions: int = 200) -> None:
        """Ask until the class's tool serves."""
        for text in QUESTIONS[:questions]:
            _, headers = await self.ask(text)
            await self.finish_background_work()
            if headers["x-toolmint-cache"] in {"hit", "audit"}:
                return
        raise AssertionError("no tool serves")


def maker(makings: list[ModelRequest], source: str = RIGHT) -> Model:
    """Return a model that proposes a tool, and counts how often it was asked."""

    def answer(request: ModelRequest) -> str:
        makings.append(request)
        return fenced(source)

    return AnsweringModel(answer)


@asynccontextmanager
async def served(app: Any) -> AsyncGenerator[str]:
    """Serve an application on loopback; returns its URL."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        lifespan="on",
        log_level="error",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=5,
        http=BufferedProtocol,
        server_header=False,
        date_header=False,
    )
    ready = asyncio.Event()

    class Server(uvicorn.Server):
        def install_signal_handlers(self) -> None: ...

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            ready.set()

    server = Server(config)
    task = asyncio.create_task(server.serve())
    await ready.wait()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def house(
    folder: Path,
    change: Callable[[Settings], Settings] = lambda s: s,
    source: str = RIGHT,
    key: str = "none",
    models: Models | None = None,
) -> AsyncGenerator[House]:
    """Open a gateway with an endpoint behind it."""
    async with AsyncExitStack() as stack:
        url, endpoint = await stack.enter_async_context(upstream())
        plain = Settings(
            store=folder / "tools.db", model=f"openai:gpt-5?base_url={url}", second="never"
        )
        makings: list[ModelRequest] = []
        made = models or Models(maker(makings, source))
        app = await stack.enter_async_context(gateway(change(plain), made))
        address = await stack.enter_async_context(served(app))
        client = AsyncOpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)
        stack.push_async_callback(client.close)
        yield House(address, app, endpoint, client, makings)
