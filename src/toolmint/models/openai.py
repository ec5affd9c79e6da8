"""A model behind any OpenAI-compatible endpoint, over aiohttp."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp

from toolmint.core.budgets import Prices
from toolmint.core.errors import ContextOverflow, ModelError, ModelUnavailable
from toolmint.core.model import ModelDelta, ModelRequest, ModelResponse
from toolmint.models.endpoint_dialect import REFUSING, Dialect, adapted
from toolmint.models.openai_wire import (
    DEFAULT_BASE_URL,
    StreamReader,
    decode_response,
    encode_request,
    with_own_names,
)
from toolmint.models.prices import LIST_PRICES
from toolmint.models.retry_after import RetryAfter

_OVERFLOW = re.compile(
    r"context[_ ](?:length|size|window)|maximum context"
    r"|(?:prompt|input|request|message)s? (?:is|are) too long"
    r"|too many (?:input )?tokens|exceeds? the (?:available |model'?s? )?context|max_model_len"
    r"|input length .{0,40}exceeds|reduce the length",
    re.IGNORECASE,
)
"""How endpoints say that a prompt is longer than their model reads."""
_RETRYABLE = {408, 409, 425, 429, 500, 502, 503, 504}


class OpenAIModel:
    """A model behind ``POST {base_url}/chat/completions``.

    Args:
        model: name of the model.
        api_key: bearer token, if any.
        base_url: up to and including ``/v1``.
        timeout: seconds a request.
        price_as: name of the model whose price applies.
        prices: what models cost.
        alternate: its template wants the roles user and assistant in turns; else that is learnt from the
            endpoint's refusal, as are a temperature, a ``tool_choice``, a system message and tools that it
            does not take.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str = DEFAULT_BASE_URL,
        timeout: float = 120.0,
        price_as: str | None = None,
        prices: Prices = LIST_PRICES,
        alternate: bool = False,
    ) -> None:
        self.name = model
        self._price_as, self._prices = price_as or model, prices
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        openai = base_url == DEFAULT_BASE_URL
        field = "max_completion_tokens" if openai else "max_tokens"
        self._dialect = Dialect(field, alternate=alternate)
        # A session belongs to the event loop that made it; a model may be used from several, and may
        # outlive one, as when ``asyncio.run`` is called twice.
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = (
            WeakKeyDictionary()
        )

    def _client(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            session = aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)
            self._sessions[loop] = session
        return session

    async def close(self) -> None:
        """Close the connections of the running event loop; a later request opens new ones."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Answer one prompt; see ``toolmint.core.model.Model``."""
        started = time.perf_counter()
        try:
            async with self._post(request, stream=False) as reply:
                wire: Any = await reply.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise self._unreachable(fault) from fault
        except (ValueError, RecursionError) as fault:
            raise ModelError(f"{self._url} answered no JSON", code="model-reply") from fault
        response = decode_response(wire, time.perf_counter() - started)
        return self._priced(with_own_names(response, request))

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta]:
        """Yield the reply's text as it arrives; the last delta holds the whole response with its usage."""
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
        response = with_own_names(reader.response(time.perf_counter() - started), request)
        yield ModelDelta(response=self._priced(response))

    @asynccontextmanager
    async def _post(
        self, request: ModelRequest, *, stream: bool
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Send a request. What the endpoint refuses by name is left out or put otherwise, from then on."""
        while True:
            dialect = self._dialect
            body = encode_request(request, self.name, stream=stream, dialect=dialect)
            async with self._client().post(self._url, json=body) as reply:
                if reply.status in REFUSING:
                    changed = adapted(dialect, await reply.text(errors="replace"), request)
                    if changed is not None:
                        self._dialect = changed
                        continue
                await self._raise_for_status(reply)
                yield reply
                return

    def _priced(self, response: ModelResponse) -> ModelResponse:
        cost = self._prices.cost(self._price_as, response.usage)
        usage = response.usage.model_copy(update={"cost": cost})
        return response.model_copy(update={"usage": usage, "model": response.model or self.name})

    def _unreachable(self, fault: Exception) -> ModelUnavailable:
        why = "timed out" if isinstance(fault, TimeoutError) else str(fault) or repr(fault)
        return ModelUnavailable(f"the endpoint {self._url} cannot be reached: {why}")

    async def _raise_for_status(self, reply: aiohttp.ClientResponse) -> None:
        if reply.status < 400:
            return
        text = (await reply.text(errors="replace"))[:500]
        said = f"{self._url} answered {reply.status}: {text}"
        if reply.status in _RETRYABLE and not _OVERFLOW.search(text):
            raise RetryAfter(said, _retry_after(reply.headers))
        if reply.status in {401, 403}:
            raise ModelError(f"{said}; check the key of this endpoint", code="model-key")
        if _OVERFLOW.search(text) or reply.status == 413:
            raise ContextOverflow(said)
        raise ModelError(said, code="model-refused")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
