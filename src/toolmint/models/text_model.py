"""A model over a decoder: prompts are one raw text, replies stream, calls follow the tools' grammar.

A thread decodes all current requests together (continuous batching); each caller awaits its own events.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Protocol

from toolmint.core.errors import ContextOverflow, ModelError, ToolmintError, boundary
from toolmint.core.model import ModelDelta, ModelRequest, ModelResponse, Usage
from toolmint.models.batching import MAX_BATCH, ReplyBatch
from toolmint.models.decoding import ReplyDecoder, TokenGuide, Writer, token_sampler


class Codec(Protocol):
    """Encodes and decodes text."""

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; special tokens are parsed, nothing is added."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids."""
        ...


GuideFactory = Callable[[ModelRequest], TokenGuide | None]
"""Returns the grammar guide of a request's reply; None: free text."""
ReplyEvent = str | ModelResponse | ToolmintError
"""A piece of text, then the whole response or the error."""


class _Job:
    """One request and the events of its reply.

    Args:
        request: the request.
        notify: receives each piece of text, then the response or the error.
    """

    def __init__(self, request: ModelRequest, notify: Callable[[ReplyEvent], None]) -> None:
        self.request, self.notify = request, notify
        self.cancelled = threading.Event()
        self.text = ""
        self.cut: str | None = None

    def emit_text(self, reply: ReplyDecoder, codec: Codec) -> None:
        """Emit the new text, and check for stop words."""
        now = codec.decode(reply.written.ids)
        self.cut = _before_stop(now, self.request.stop)
        now = self.cut if self.cut is not None else now
        # An incomplete UTF-8 sequence decodes to U+FFFD: wait for its other bytes.
        if now.startswith(self.text) and not now.endswith("\ufffd"):
            self.notify(now[len(self.text) :])
            self.text = now

    def finished(self, reply: ReplyDecoder) -> bool:
        """Return whether the reply is complete, stopped, or cancelled."""
        return reply.done or self.cut is not None or self.cancelled.is_set()

    def emit_response(self, reply: ReplyDecoder, codec: Codec, name: str) -> None:
        """Emit the whole response."""
        written = reply.written
        usage = Usage(
            requests=1,
            input_tokens=written.prompt,
            cached_tokens=written.cached,
            output_tokens=len(written.ids),
            cost=Decimal(0),
        )
        whole = self.cut if self.cut is not None else codec.decode(written.ids)
        why = "stop" if written.ended or self.cut is not None else "length"
        self.notify(ModelResponse(content=whole, finish_reason=why, model=name, usage=usage))


class DecoderModel:
    """A model over one decoder, or over one for each role; the mark that ends a prompt selects it.

    Concurrent requests are decoded together where the decoder supports it (``batching``); a request may join
    or leave between any two tokens.

    Args:
        name: in reports.
        writer: decodes replies.
        codec: encodes and decodes text.
        guides: returns the grammar of a request's reply; None: free text.
        roles: writers by the mark that ends the prompt.
        batch: bound on replies that are decoded together.
        described: prompts describe the tools' arguments (the ``chat`` family).
    """

    raw_prompts = True
    """It reads one raw text, so an agent writes its prompts with marks and not as chat messages."""

    def __init__(
        self,
        name: str,
        writer: Writer,
        codec: Codec,
        *,
        guides: GuideFactory | None = None,
        roles: Mapping[str, Writer] | None = None,
        batch: int = MAX_BATCH,
        described: bool = False,
    ) -> None:
        self.name, self.described_tools = name, described
        self._writer, self._codec, self._guides, self._roles = writer, codec, guides, roles or {}
        self._batch, self._waiting = batch, deque[_Job]()
        self._guard, self._working = threading.Lock(), False

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the continuation of the prompt's text up to the end token.

        Raises:
            ContextOverflow: the prompt fills the model's context.
        """
        whole: ModelResponse | None = None
        async for delta in self.stream(request):
            whole = delta.response or whole
        if whole is None:
            raise ModelError(f"{self.name!r} ended without a reply", code="no-reply")
        return whole

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta]:
        """Yield the reply's text as it is decoded; the last delta holds the whole response.

        Raises:
            ContextOverflow: the prompt fills the model's context.
        """
        start = time.perf_counter()
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[ReplyEvent] = asyncio.Queue()

        def notify(item: ReplyEvent) -> None:
            with suppress(RuntimeError):  # the loop was closed: nobody waits
                loop.call_soon_threadsafe(events.put_nowait, item)

        job = _Job(request, notify)
        self._enter(job)
        item: ReplyEvent = ""
        try:
            while isinstance(item := await events.get(), str):
                yield ModelDelta(text=item)
            if isinstance(item, ToolmintError):
                raise item
            seconds = time.perf_counter() - start
            yield ModelDelta(response=item.model_copy(update={"seconds": seconds}))
        finally:
            job.cancelled.set()
            # Wait until the thread has let go of the job, also when the caller was cancelled.
            while isinstance(item, str):
                item = await events.get()

    def _enter(self, job: _Job) -> None:
        """Queue a job, and start the decoding thread where none runs."""
        with self._guard:
            self._waiting.append(job)
            begin, self._working = not self._working, True
        if begin:
            threading.Thread(target=self._work, name=f"writes {self.name}", daemon=True).start()

    def _next(self, live: int) -> list[_Job] | None:
        """Return the jobs that join now; None: no job is left, and the thread ends."""
        with self._guard:
            free = range(min(self._batch - live, len(self._waiting)))
            found = [self._waiting.popleft() for _ in free]
            self._working = bool(found or live)
            return found if self._working else None

    def _work(self) -> None:
        """Decode until no job is left (body of the thread)."""
        live: list[tuple[_Job, Writer, ReplyDecoder]] = []
        rows: dict[Writer, ReplyBatch] = {}
        while (fresh := self._next(len(live))) is not None:
            for job in fresh:
                try:
                    live.append((job, *boundary(partial(self._begin, job), self._decoder_error)))
                except ToolmintError as fault:
                    job.notify(fault)
            live = [one for one in live if not self._ended(one, rows)]
            for writer in dict.fromkeys(writer for _, writer, _ in live):
                mine = [(job, reply) for job, whose, reply in live if whose is writer]
                reading = rows.setdefault(writer, ReplyBatch(writer))
                try:
                    boundary(
                        partial(reading.read, [reply for _, reply in mine]), self._decoder_error
                    )
                except ToolmintError as fault:
                    rows.pop(writer)
                    live = [one for one in live if one[1] is not writer]
                    for job, _ in mine:
                        job.notify(fault)
                    continue
                for job, reply in mine:
                    job.emit_text(reply, self._codec)

    def _decoder_error(self, fault: Exception) -> ModelError:
        said = f"{type(fault).__name__}: {fault}"
        return ModelError(f"{self.name!r} broke off: {said}", code="decoder")

    def _ended(
        self, one: tuple[_Job, Writer, ReplyDecoder], rows: Mapping[Writer, ReplyBatch]
    ) -> bool:
        """Return whether a job is finished; if so, release its cache and emit its response."""
        job, writer, reply = one
        if not job.finished(reply):
            return False
        if writer in rows:
            rows[writer].split()
        writer.finish(reply)
        job.emit_response(reply, self._codec, self.name)
        return True

    def _begin(self, job: _Job) -> tuple[Writer, ReplyDecoder]:
        """Start a job: feed its prompt alone, as padding the other rows to its length would gain nothing."""
        request = job.request
        text = "".join(message.content for message in request.messages)
        prompt = self._codec.encode(text)
        chosen = (one for mark, one in self._roles.items() if text.endswith(mark))
        writer = next(chosen, self._writer)
        context = writer.decoder.context
        most = min(request.max_tokens, context - len(prompt))
        if most < 1 or not prompt:
            raise ContextOverflow(
                f"the prompt has {len(prompt)} tokens, {self.name!r} reads {context}"
            )
        guide = self._guides(request) if self._guides is not None else None
        reply = writer.begin(prompt, most, token_sampler(request.temperature, request.seed), guide)
        if not reply.done:
            writer.read(reply)
        job.emit_text(reply, self._codec)
        return writer, reply


def _before_stop(text: str, stop: Sequence[str]) -> str | None:
    """Return the text before the first stop word, or None where there is none."""
    places = [at for at in (text.find(word) for word in stop) if at >= 0]
    return text[: min(places)] if places else None
