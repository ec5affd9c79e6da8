"""A model over a decoder: prompts are one raw text, replies stream, calls follow the tools' grammar."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Protocol

from toolwright.core.errors import ContextOverflow, ModelError, ToolwrightError, boundary
from toolwright.core.model import ModelDelta, ModelRequest, ModelResponse, Usage
from toolwright.models.batching import BATCH, Rows
from toolwright.models.decoding import Guide, Reply, Writer, picker


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
Heard = str | ModelResponse | ToolwrightError


class _Job:
    """One request, and its reply as it is written.

    Args:
        request: what was asked.
        tell: takes each piece of text, then the response or what went wrong.
    """

    def __init__(self, request: ModelRequest, tell: Callable[[Heard], None]) -> None:
        self.request, self.tell = request, tell
        self.left = threading.Event()
        self.text = ""
        self.cut: str | None = None

    def hear(self, reply: Reply, codec: Codec) -> None:
        """Tell what is new of the text, and see whether a stop word ends it."""
        now = codec.decode(reply.written.ids)
        self.cut = _stopped(now, self.request.stop)
        now = self.cut if self.cut is not None else now
        if now.startswith(self.text) and not now.endswith("\ufffd"):
            self.tell(now[len(self.text) :])
            self.text = now

    def over(self, reply: Reply) -> bool:
        """Tell whether nothing more is to be written."""
        return reply.done or self.cut is not None or self.left.is_set()

    def end(self, reply: Reply, codec: Codec, name: str) -> None:
        """Tell the whole response."""
        written = reply.written
        usage = Usage(
            requests=1, input_tokens=written.prompt, cached_tokens=written.cached,
            output_tokens=len(written.ids), cost=Decimal(0),
        )  # fmt: skip
        whole = self.cut if self.cut is not None else codec.decode(written.ids)
        why = "stop" if written.ended or self.cut is not None else "length"
        self.tell(ModelResponse(content=whole, finish_reason=why, model=name, usage=usage))


class DecoderModel:
    """A model over one decoder, or over one for each role: the mark that ends a prompt says which.

    Requests that are there at the same time are written together where the decoder can (``batching``);
    one may join or leave between any two tokens.

    Args:
        name: as it stands in reports.
        writer: writes replies.
        codec: text to tokens and back.
        guides: gives the grammar of a request's reply; None: replies are free.
        roles: writers for prompts that end with a certain token.
        batch: replies that are written together at most.
    """

    def __init__(
        self, name: str, writer: Writer, codec: Codec, *, guides: Guides | None = None,
        roles: Mapping[int, Writer] | None = None, batch: int = BATCH,
    ) -> None:  # fmt: skip
        self.name = name
        self._writer, self._codec, self._guides, self._roles = writer, codec, guides, roles or {}
        self._batch, self._waiting = batch, deque[_Job]()
        self._guard, self._working = threading.Lock(), False

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
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[Heard] = asyncio.Queue()

        def tell(item: Heard) -> None:
            with suppress(RuntimeError):  # the loop was closed: nobody listens
                loop.call_soon_threadsafe(heard.put_nowait, item)

        job = _Job(request, tell)
        self._enter(job)
        item: Heard = ""
        try:
            while isinstance(item := await heard.get(), str):
                yield ModelDelta(text=item)
            if isinstance(item, ToolwrightError):
                raise item
            seconds = time.perf_counter() - start
            yield ModelDelta(response=item.model_copy(update={"seconds": seconds}))
        finally:
            job.left.set()
            while isinstance(item, str):
                item = await heard.get()

    def _enter(self, job: _Job) -> None:
        """Let a job be written, by the thread that writes or a new one."""
        with self._guard:
            self._waiting.append(job)
            begin, self._working = not self._working, True
        if begin:
            threading.Thread(target=self._work, name=f"writes {self.name}", daemon=True).start()

    def _next(self, live: int) -> list[_Job] | None:
        """Give the jobs that come in now; None: there is nothing left to do."""
        with self._guard:
            room = range(min(self._batch - live, len(self._waiting)))
            found = [self._waiting.popleft() for _ in room]
            self._working = bool(found or live)
            return found if self._working else None

    def _work(self) -> None:
        """Write until no job is left."""
        live: list[tuple[_Job, Writer, Reply]] = []
        rows: dict[Writer, Rows] = {}
        while (fresh := self._next(len(live))) is not None:
            for job in fresh:
                try:
                    live.append((job, *boundary(partial(self._begun, job), self._broken)))
                except ToolwrightError as fault:
                    job.tell(fault)
            live = [one for one in live if not self._ended(one, rows)]
            for writer in dict.fromkeys(writer for _, writer, _ in live):
                mine = [(job, reply) for job, whose, reply in live if whose is writer]
                reading = rows.setdefault(writer, Rows(writer))
                try:
                    boundary(partial(reading.read, [reply for _, reply in mine]), self._broken)
                except ToolwrightError as fault:
                    rows.pop(writer)
                    live = [one for one in live if one[1] is not writer]
                    for job, _ in mine:
                        job.tell(fault)
                    continue
                for job, reply in mine:
                    job.hear(reply, self._codec)

    def _broken(self, fault: Exception) -> ModelError:
        said = f"{type(fault).__name__}: {fault}"
        return ModelError(f"{self.name!r} broke off: {said}", code="decoder")

    def _ended(self, one: tuple[_Job, Writer, Reply], rows: Mapping[Writer, Rows]) -> bool:
        """Tell whether a job is over, and end it where it is."""
        job, writer, reply = one
        if not job.over(reply):
            return False
        if writer in rows:
            rows[writer].part()
        writer.finish(reply)
        job.end(reply, self._codec, self.name)
        return True

    def _begun(self, job: _Job) -> tuple[Writer, Reply]:
        """Read a job's prompt, alone: there is no gain in padding the others to its length."""
        request = job.request
        prompt = self._codec.encode("".join(message.content for message in request.messages))
        writer = self._roles.get(prompt[-1], self._writer) if prompt else self._writer
        context = writer.decoder.context
        room = min(request.max_tokens, context - len(prompt))
        if room < 1 or not prompt:
            raise ContextOverflow(
                f"the prompt has {len(prompt)} tokens, {self.name!r} reads {context}"
            )
        guide = self._guides(request) if self._guides is not None else None
        reply = writer.begin(prompt, room, picker(request.temperature, request.seed), guide)
        if not reply.done:
            writer.read(reply)
        job.hear(reply, self._codec)
        return writer, reply


def _stopped(text: str, stop: Sequence[str]) -> str | None:
    """Give the text before the first stop word, or None where there is none."""
    places = [at for at in (text.find(word) for word in stop) if at >= 0]
    return text[: min(places)] if places else None
