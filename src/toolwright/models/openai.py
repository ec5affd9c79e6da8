"""Any OpenAI-compatible endpoint, over aiohttp."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from toolwright.core.errors import ContextOverflow, ModelError, ModelUnavailable
from toolwright.core.model import ModelDelta, ModelRequest, ModelResponse
from toolwright.models.openai_wire import (
    DEFAULT_BASE_URL,
    Dialect,
    StreamReader,
    decode_response,
    encode_request,
)
from toolwright.models.prices import price
from toolwright.models.refusals import RetryAfter

RETRYABLE = {408, 409, 425, 429, 500, 502, 503, 504}


class OpenAIModel:
    """A model behind ``POST {base_url}/chat/completions``."""

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str = DEFAULT_BASE_URL,
        timeout: float = 120.0,
        price_as: str | None = None,
    ) -> None:
        self.name = model
        self._price_as = price_as or model
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        openai = base_url == DEFAULT_BASE_URL
        self._dialect = Dialect("max_completion_tokens" if openai else "max_tokens")
        self._session: aiohttp.ClientSession | None = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt; see ``toolwright.core.model.Model``."""
        started = time.perf_counter()
        try:
            async with self._post(request, stream=False) as reply:
                wire: Any = await reply.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise self._unreachable(fault) from fault
        except ValueError as fault:
            raise ModelError(f"{self._url} answered no JSON", code="model-reply") from fault
        return self._priced(decode_response(wire, time.perf_counter() - started))

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta]:
        """Yield the reply as it comes; see ``toolwright.core.model.StreamingModel``."""
        started = time.perf_counter()
        reader = StreamReader()
        try:
            async with self._post(request, stream=True) as reply:
                async for line in reply.content:
                    word, _, data = line.decode("utf-8", "replace").strip().partition(":")
                    if word != "data" or data.strip() == "[DONE]":
                        continue
                    text = reader.feed(data.strip())
                    if text:
                        yield ModelDelta(text=text)
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise self._unreachable(fault) from fault
        yield ModelDelta(response=self._priced(reader.response(time.perf_counter() - started)))

    @asynccontextmanager
    async def _post(
        self, request: ModelRequest, *, stream: bool
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Send a request; a model that takes no temperature is asked again without one, from then on."""
        while True:
            dialect = self._dialect
            body = encode_request(request, self.name, stream=stream, dialect=dialect)
            async with self._client().post(self._url, json=body) as reply:
                if (
                    reply.status == 400
                    and dialect.temperature
                    and "temperature" in await reply.text()
                ):
                    self._dialect = dialect._replace(temperature=False)
                    continue
                await self._refuse_faults(reply)
                yield reply
                return

    def _priced(self, response: ModelResponse) -> ModelResponse:
        cost = price(self._price_as, response.usage)
        usage = response.usage.model_copy(update={"cost": cost})
        return response.model_copy(update={"usage": usage, "model": response.model or self.name})

    def _unreachable(self, fault: Exception) -> ModelUnavailable:
        why = "timed out" if isinstance(fault, TimeoutError) else str(fault) or repr(fault)
        return ModelUnavailable(f"the endpoint {self._url} cannot be reached: {why}")

    async def _refuse_faults(self, reply: aiohttp.ClientResponse) -> None:
        if reply.status < 400:
            return
        text = (await reply.text())[:500]
        said = f"{self._url} answered {reply.status}: {text}"
        if reply.status in RETRYABLE:
            raise RetryAfter(said, _seconds(reply.headers))
        if reply.status in {401, 403}:
            raise ModelError(f"{said}; check the key of this endpoint", code="model-key")
        if "context_length" in text or "maximum context" in text:
            raise ContextOverflow(said)
        raise ModelError(said, code="model-refused")


def _seconds(headers: Mapping[str, str]) -> float | None:
    try:
        return float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
