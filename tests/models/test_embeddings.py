"""Embeddings over loopback, and replies that are none."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from toolmint.assembly.uri import embed_of
from toolmint.core.errors import ConfigError, ModelError, ModelUnavailable
from toolmint.models.embeddings import _BATCH, OpenAIEmbeddings

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def served(status: int = 200, body: Any = None) -> AsyncGenerator[str]:
    async def answer(request: web.Request) -> web.Response:
        texts = (await request.json())["input"]
        rows = [{"index": n, "embedding": [len(text), 1]} for n, text in enumerate(texts)]
        return web.json_response(body if body is not None else {"data": rows[::-1]}, status=status)

    application = web.Application()
    application.router.add_post("/v1/embeddings", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


async def test_vectors_come_in_the_order_of_their_texts() -> None:
    async with served() as url:
        texts = ["x" * n for n in range(_BATCH + 3)]
        vectors = await embed_of(f"openai:small?base_url={url}")(texts)
        assert [vector[0] for vector in vectors] == list(range(_BATCH + 3))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, {}, ModelUnavailable),
        (200, {}, ModelError),
        (200, {"data": []}, ModelError),
        (200, [1], ModelError),
    ],
)
async def test_what_are_no_embeddings_is_an_error(
    status: int, body: object, error: type[ModelError]
) -> None:
    async with served(status, body) as url:
        with pytest.raises(error):
            await OpenAIEmbeddings("m", api_key=None, base_url=url)(["a"])


async def test_an_endpoint_that_is_down_is_an_error() -> None:
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await OpenAIEmbeddings("m", api_key="k", base_url="http://127.0.0.1:9/v1")(["a"])
    with pytest.raises(ConfigError, match="openai:NAME"):
        embed_of("cassette:x")
