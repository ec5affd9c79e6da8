"""A model over a decoder: prompts are one raw text, replies stream, calls follow the tools' grammar."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from typing import Protocol

from toolwright.core.errors import ContextOverflow, ModelError
from toolwright.core.model import ModelDelta, ModelRequest, ModelResponse, Usage
from toolwright.models.decoding import Guide, Writer, Written, picker


class Codec(Protocol):
    """Text to tokens and back."""

    def encode(self, text: str) -> list[int]:
        """Give the tokens of a text, special tokens read as such, nothing added."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Give the text of tokens."""
        ...


Guides = Callable[[ModelRequest], Guide | None]
"""Gives the guide of a request's reply; None: the reply is free."""


class DecoderModel:
    """A model over one decoder, or over one for each role: the mark that ends a prompt says which.

    Args:
        name: as it stands in reports.
        writer: writes replies.
        codec: text to tokens and back.
        guides: gives the grammar of a request's reply; None: replies are free.
        roles: writers for prompts that end with a certain token.
    """

    def __init__(
        self, name: str, writer: Writer, codec: Codec, *,
        guides: Guides | None = None, roles: Mapping[int, Writer] | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._writer, self._codec, self._guides, self._roles = writer, codec, guides, roles or {}
        self._lock = asyncio.Lock()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Go on from the prompt's text to the end token.

        Raises:
            ContextOverflow: the prompt leaves no room in the model's context.
        """
        whole: ModelResponse | None = None
        async for delta in self.stream(request):
            whole = delta.response or whole
        if whole is None:
            raise ModelError(f"{self.name!r} ended without a reply", code="no-reply")
        return whole

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta]:
        """Yield the reply's text as it is written; the last delta has the whole response.

        Raises:
            ContextOverflow: the prompt leaves no room in the model's context.
        """
        start = time.perf_counter()
        loop, stopped = asyncio.get_running_loop(), threading.Event()
        heard: asyncio.Queue[str | ModelResponse | None] = asyncio.Queue()

        def tell(item: str | ModelResponse | None) -> None:
            loop.call_soon_threadsafe(heard.put_nowait, item)

        def work() -> None:
            try:
                tell(self._reply(request, tell, stopped))
            finally:
                tell(None)

        async with self._lock:
            running = asyncio.create_task(asyncio.to_thread(work))
            try:
                while (item := await heard.get()) is not None:
                    if isinstance(item, str):
                        yield ModelDelta(text=item)
                    else:
                        seconds = time.perf_counter() - start
                        yield ModelDelta(response=item.model_copy(update={"seconds": seconds}))
            finally:
                stopped.set()
                await running

    def _reply(
        self, request: ModelRequest, tell: Callable[[str], None], stopped: threading.Event
    ) -> ModelResponse:
        prompt = self._codec.encode("".join(message.content for message in request.messages))
        writer = self._roles.get(prompt[-1], self._writer) if prompt else self._writer
        context = writer.decoder.context
        room = min(request.max_tokens, context - len(prompt))
        if room < 1 or not prompt:
            raise ContextOverflow(
                f"the prompt has {len(prompt)} tokens, {self.name!r} reads {context}"
            )
        guide = self._guides(request) if self._guides is not None else None
        pick = picker(request.temperature, request.seed)
        text, last = "", Written([], len(prompt), 0, ended=False)
        cut: str | None = None
        with closing(writer.write(prompt, room, pick, guide)) as writing:
            for last in writing:
                now = self._codec.decode(last.ids)
                cut = _stopped(now, request.stop)
                now = cut if cut is not None else now
                if now.startswith(text) and not now.endswith("\ufffd"):
                    tell(now[len(text) :])
                    text = now
                if cut is not None or stopped.is_set():
                    break
        usage = Usage(
            requests=1, input_tokens=last.prompt, cached_tokens=last.cached, output_tokens=len(last.ids),
            cost=Decimal(0),
        )  # fmt: skip
        whole = cut if cut is not None else self._codec.decode(last.ids)
        ended = last.ended or cut is not None
        return ModelResponse(
            content=whole, finish_reason="stop" if ended else "length", model=self.name, usage=usage
        )


def _stopped(text: str, stop: Sequence[str]) -> str | None:
    """Give the text before the first stop word, or None where there is none."""
    places = [at for at in (text.find(word) for word in stop) if at >= 0]
    return text[: min(places)] if places else None
