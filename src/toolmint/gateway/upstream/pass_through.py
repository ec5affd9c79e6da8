"""The strong model's answer to a request: passed on byte for byte as it comes, and read beside."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

import orjson

from toolmint.core.errors import (
    ClientLeft,
    HttpError,
    ToolmintError,
    UpstreamError,
    aboundary,
    boundary,
)
from toolmint.core.model import Usage
from toolmint.gateway.asgi import AsgiMessage, Headers, send_error
from toolmint.gateway.call import EndpointKind, GatewayCall, ParsedRequest
from toolmint.gateway.http_errors import internal_error, upstream_unavailable
from toolmint.gateway.recording.request_log import LOG
from toolmint.gateway.upstream.disconnect import Lookout, cancel_on_disconnect
from toolmint.gateway.upstream.endpoint import Upstream, is_stream, passed_on
from toolmint.gateway.upstream.forwarded import forwarded_headers, put_into, with_query
from toolmint.gateway.upstream.injected import StreamOptions
from toolmint.gateway.upstream.protocol import UpstreamReply
from toolmint.gateway.upstream.reading import (
    answering_model,
    begin_decoding,
    decoder_of,
    json_object,
    usage_of,
)
from toolmint.gateway.upstream.relay import StreamRelay, decoded_part

_T = TypeVar("_T")
LEFT = 499
"""The status of a request whose client left, as nginx has it."""
_LEFT_WHY = "the client left before the answer ended"


class UpstreamAnswer(NamedTuple):
    """What the strong model said.

    Attributes:
        status: of HTTP, as the client gets it.
        model: that answered; empty: as asked for.
        text: the answer, where it is one text that ended well (empty: nobody wanted to know it); None:
            there is nothing to learn.
        usage: what it used; None: that is not known, and it may have been paid.
        why: what went wrong; empty: nothing.
    """

    status: int
    model: str
    text: str | None
    usage: Usage | None
    why: str = ""


RecordAnswer = Callable[[UpstreamAnswer], Awaitable[None]]


class Exchange:
    """A request on its way to the endpoint and back; it is recorded once, before its last event goes out.

    Attributes:
        call, kind, parsed, watch: the request, and the endpoint that it was sent to.
        keep: the answer's text is wanted.
        begun: a part of the answer has gone out.
        recorded: it is recorded.
        relay: of an answer that is a stream.
    """

    def __init__(
        self,
        call: GatewayCall,
        kind: EndpointKind,
        parsed: ParsedRequest,
        record: RecordAnswer,
        *,
        keep: bool,
        watch: cancel_on_disconnect,
    ) -> None:
        self.call, self.kind, self.parsed, self.keep = call, kind, parsed, keep
        self.begun = False
        self.relay: StreamRelay | None = None
        self.watch = watch
        self._record, self.recorded = record, False

    async def record(self, answer: UpstreamAnswer) -> None:
        """Record the answer, unless that was done; where it fails, it is still to be recorded."""
        if self.recorded:
            return
        self.recorded = True  # also where the task is cancelled meanwhile: the record is then begun
        if self.watch.gone:
            answer = answer._replace(status=LEFT, why=_LEFT_WHY)
        try:
            await aboundary(self._record(answer), internal_error)
        except ToolmintError:
            self.recorded = False
            raise

    async def record_stream(self, why: str = "", *, status: int = 200, well: bool = True) -> None:
        """Record a stream by what it has told until now; ``well``: its text may be learned from."""
        relay = self.relay
        if self.recorded:
            return
        text = None
        if well and relay is not None:
            text = _safely(relay.text) if self.keep else ""
        usage, model = (None, "") if relay is None else (relay.usage, relay.model)
        await self.record(UpstreamAnswer(status, model, text, usage, why))


class PassThrough:
    """Passes requests on to an endpoint.

    Args:
        upstream: the endpoint.
        read_on: seconds for which an answer is read on after its client has left, so that its usage is
            known; 0: the request to the endpoint is broken off at once.
    """

    def __init__(self, upstream: Upstream, read_on: float = 0.0) -> None:
        self._upstream, self._read_on = upstream, read_on
        self._options, self._lookout = StreamOptions(), Lookout()

    async def answer(
        self,
        call: GatewayCall,
        kind: EndpointKind,
        parsed: ParsedRequest,
        body: bytes,
        marks: Headers,
        *,
        keep: bool,
        record: RecordAnswer,
    ) -> None:
        """Pass a request on and its answer back, also an answer that says that there is none.

        ``keep``: the answer's text is wanted; a stream is not put together for nobody. ``record`` is called
        once, whatever happens: before the event after which clients leave, and before a whole answer.
        """
        watch = cancel_on_disconnect(call.receive, self._read_on, self._lookout)
        one = Exchange(call, kind, parsed, record, keep=keep, watch=watch)
        try:
            with watch:
                last = await self._ask(one, body, marks)
        except ClientLeft:
            return
        except HttpError as error:
            sent = not isinstance(error.__cause__, UpstreamError) or error.__cause__.sent
            usage = None if sent else Usage()
            await one.record(UpstreamAnswer(error.status, "", None, usage, error.message))
            if one.begun:
                raise
            await send_error(call.send, error, [*marks, *_named(call)])
            return
        finally:
            if not one.recorded:
                await one.record_stream("the answer broke off", status=500, well=False)
        # Outside: the end of an answer looks to a server's ``receive`` as if the client had left.
        for message in last:
            await call.send(message)

    async def _ask(self, one: Exchange, body: bytes, marks: Headers) -> list[AsgiMessage]:
        """Pass it on; returns the messages that are still to be sent."""
        more = forwarded_headers(one.call.scope, one.call.key, one.call.number)
        path = with_query(one.kind.path, one.call.scope.get("query_string", b""))
        if not self._options.wanted(one.kind, one.parsed):
            async with self._upstream.ask("POST", path, body, more) as reply:
                return await self._relay(one, reply, marks, hide=False)
        async with self._upstream.ask(
            "POST", path, self._options.put_in(one.parsed, body), put_into(more)
        ) as first:
            if first.status < 400:
                return await self._relay(one, first, marks, hide=True)
            raw = await first.read()
            if not self._options.may_be_why(first.status, raw):
                return await self._whole(one, first, marks, raw)
        # The client did not ask for what may have been refused: its own request decides.
        answered = False
        try:
            async with self._upstream.ask("POST", path, body, more) as reply:
                answered = True
                self._options.learn(one.kind, one.parsed, reply.status)
                return await self._relay(one, reply, marks, hide=False)
        except HttpError as error:
            fault = error.__cause__
            if answered or not isinstance(fault, UpstreamError):
                raise
            usage = None if fault.sent else Usage()
            await one.record(UpstreamAnswer(first.status, "", None, usage, error.message))
        return await self._whole(one, first, marks, raw)  # it is all that the endpoint has said

    def _relay(
        self, one: Exchange, reply: UpstreamReply, marks: Headers, *, hide: bool
    ) -> Awaitable[list[AsgiMessage]]:
        if 200 <= reply.status < 300 and (one.parsed.stream or is_stream(reply)):
            return self._stream(one, reply, marks, hide=hide)
        return self._whole(one, reply, marks)

    async def _whole(
        self, one: Exchange, reply: UpstreamReply, marks: Headers, raw: bytes | None = None
    ) -> list[AsgiMessage]:
        if raw is None:
            raw = await reply.read()
        status = reply.status
        if status in {401, 403}:
            LOG.warning("%s: the endpoint refused the gateway's key (%d)", one.call.number, status)
        whole = raw
        read = _safely(lambda: _read_whole(one, reply, whole))
        await one.record(read or UpstreamAnswer(status, "", None, None))
        head = [*passed_on(reply), *marks, *_named(one.call)]
        if raw or status not in {204, 304}:
            head.append((b"content-length", str(len(raw)).encode()))
        start = {"type": "http.response.start", "status": status, "headers": head}
        return [start, {"type": "http.response.body", "body": raw}]

    async def _stream(
        self, one: Exchange, reply: UpstreamReply, marks: Headers, *, hide: bool
    ) -> list[AsgiMessage]:
        decoder, pieces = decoder_of(reply.heads), reply.pieces()
        if hide and (probe := decoder_of(reply.heads)) is not None:
            # What cannot be decoded goes on as it is, with all of its events.
            pieces, hide = await begin_decoding(pieces, probe)
        relay = one.relay = StreamRelay(
            hide_usage=hide,
            keep=one.keep and one.parsed.stream,
            certain=is_stream(reply),
            typed=not one.kind.asks_usage,
        )
        heads = passed_on(reply)
        if decoder is not None and hide:
            heads = [head for head in heads if head[0] != b"content-encoding"]
        send = one.call.send
        head = [*heads, *marks, *_named(one.call)]
        await send({"type": "http.response.start", "status": reply.status, "headers": head})
        one.begun = True
        try:
            async for piece in pieces:
                out = (
                    relay.feed(piece)
                    if decoder is None
                    else decoded_part(relay, decoder, piece, hide)
                )
                if relay.ended and not one.recorded:
                    await one.record_stream(status=reply.status)
                    one.watch.nothing_missing()
                if out:
                    await send({"type": "http.response.body", "body": out, "more_body": True})
        except UpstreamError:
            await one.record_stream("the stream broke off", status=reply.status, well=False)
            if relay.other or (decoder is not None and not hide):
                raise  # no event can be put behind what has gone out
            broken = upstream_unavailable("The strong model's stream broke off.")
            last = b"data: " + orjson.dumps(broken.body) + b"\n\n"
        else:
            rest = relay.end()
            last = rest if decoder is None or hide else b""
            await one.record_stream(status=reply.status)
        return [{"type": "http.response.body", "body": last}]


def _read_whole(one: Exchange, reply: UpstreamReply, raw: bytes) -> UpstreamAnswer:
    decoder = decoder_of(reply.heads)
    plain = raw if decoder is None else decoder.feed(raw) or b""
    value: dict[str, Any] = json_object(plain) or {}
    good = reply.status < 300
    usage = usage_of(value.get("usage"), talks=one.kind.name != "embeddings")
    if usage is None and not good:
        usage = Usage()
    text = one.kind.text(value) if good and not one.parsed.stream else None
    return UpstreamAnswer(reply.status, answering_model(value), text, usage)


def _safely(read: Callable[[], _T]) -> _T | None:
    """Return what reading an answer returns; a fault of ours there costs nobody the answer."""
    try:
        return boundary(read, internal_error)
    except HttpError as fault:
        LOG.error("an answer was passed on that could not be read: %r", fault.__cause__)
        return None


def _named(call: GatewayCall) -> Headers:
    return call.named(time.perf_counter() - call.started)
