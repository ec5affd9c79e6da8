"""Embeddings from any OpenAI-compatible endpoint."""

from collections.abc import Sequence
from typing import Any, cast

import aiohttp

from toolmint.core.errors import ModelError, ModelUnavailable
from toolmint.models.openai_wire import DEFAULT_BASE_URL

_BATCH = 256


class OpenAIEmbeddings:
    """The endpoint ``POST {base_url}/embeddings``, as a callable.

    Args:
        model: name of the embedding model.
        api_key: bearer token, if any.
        base_url: up to and including ``/v1``.
        timeout: seconds a request.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str = DEFAULT_BASE_URL,
        timeout: float = 60.0,
    ) -> None:
        self._model, self._url = model, base_url.rstrip("/") + "/embeddings"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text, in order.

        Raises:
            ModelUnavailable: the endpoint cannot be reached, or is temporarily unavailable (429, 5xx).
            ModelError: the reply is not one embedding for each text.
        """
        found: list[list[float]] = []
        async with aiohttp.ClientSession(timeout=self._timeout, headers=self._headers) as session:
            for start in range(0, len(texts), _BATCH):
                found += await self._batch(session, list(texts[start : start + _BATCH]))
        return found

    async def _batch(self, session: aiohttp.ClientSession, texts: list[str]) -> list[list[float]]:
        try:
            body = {"model": self._model, "input": texts}
            async with session.post(self._url, json=body) as reply:
                if reply.status >= 500 or reply.status == 429:
                    raise ModelUnavailable(f"{self._url} answers HTTP {reply.status}")
                found: Any = await reply.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise ModelUnavailable(f"{self._url} cannot be reached: {fault!r}") from fault
        except ValueError as fault:
            raise ModelError(f"{self._url} answers no JSON", code="model-reply") from fault
        try:
            rows = sorted(cast("list[dict[str, Any]]", found["data"]), key=lambda one: one["index"])
            vectors = [[float(value) for value in row["embedding"]] for row in rows]
        except (KeyError, TypeError, ValueError) as fault:
            raise ModelError(
                f"{self._url} answers no embeddings: {found!r:.200}", code="model-reply"
            ) from fault
        if len(vectors) != len(texts):
            raise ModelError(
                f"{self._url} gives {len(vectors)} embeddings for {len(texts)} texts",
                code="model-reply",
            )
        return vectors
