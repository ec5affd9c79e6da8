"""A stream on its way through: whole events pass as they are, and are read only where they tell of usage or
of the end.
"""

import re
from collections.abc import Iterator

from toolmint.core.errors import UpstreamError
from toolmint.core.model import Usage
from toolmint.gateway.upstream.answer_text import DONE, ENDS, events_of, stream_text
from toolmint.gateway.upstream.reading import (
    BodyDecoder,
    answering_model,
    is_object,
    json_object,
    usage_of,
)

_USAGE = b'_tokens"'
"""Stands in the event that holds the usage, and hardly in another."""
_MARKS = (_USAGE, DONE)
_TYPED_MARKS = (*_MARKS, *(kind.encode() for kind in ENDS))
_LINE_ENDS = re.compile(rb"[\r\n]+")
_ONE_LINE_END = (b"\n", b"\r", b"\r\n")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_OTHER = b'{[<"'
"""First letters of a body that is no stream of events."""


class StreamRelay:
    """Takes pieces of a stream and gives what goes on to the client.

    Args:
        hide_usage: the client did not ask for the usage; the gateway did, so that event stays here.
        keep: keep all events, for their text.
        certain: the endpoint says that these are events; else a body that begins like JSON or a page is
            passed on without looking for events in it.
        typed: the last event is known by its type, as a response's is, and not by a mark.

    Attributes:
        ended: the event after which clients leave is in what ``feed`` returned last, or before.
        usage: what the answer used, as far as the stream has told it; None: not known.
        model: that answered; empty: not told.
        other: these are no events.
    """

    def __init__(
        self, *, hide_usage: bool, keep: bool, certain: bool = True, typed: bool = False
    ) -> None:
        self._hide, self._keep, self._certain, self._typed = hide_usage, keep, certain, typed
        self._marks = _TYPED_MARKS if typed else _MARKS
        self._rest: list[bytes] = []
        self._kept: list[bytes] = []
        self.other = self.ended = False
        self.usage: Usage | None = None
        self.model = ""

    def feed(self, piece: bytes) -> bytes:
        """Take a piece; returns the whole events that it completes."""
        if not self._rest and self._certain and piece.endswith(b"\n\n"):
            if _USAGE in piece or DONE in piece or self._typed:
                return self._pass(piece)
            if self._keep:
                self._kept.append(piece)
            return piece
        if not self._certain and not self._begins_events(piece):
            self._kept.append(piece)
            return piece
        return self._cut(piece)

    def _cut(self, piece: bytes) -> bytes:
        """Take a piece that does not end with its event, or began with the rest of another one."""
        if self._rest:
            self._rest.append(piece)
            if b"\n" not in piece and b"\r" not in piece:
                return b""
            piece = b"".join(self._rest)
            self._rest.clear()
        end = piece.rfind(b"\n\n") + 2
        if b"\r" in piece:
            end = _mixed_end(piece, end)
        if end < 2:
            end, out = 0, b""
        else:
            out = self._pass(piece[:end])
        if end == len(piece):
            return out
        if piece[end] in b":\r\n":
            # A comment keeps a connection alive: it must not wait for the event after it.
            comments = end + _comments(piece[end:])
            out, end = out + piece[end:comments], comments
        if end < len(piece):
            self._rest.append(piece[end:])
        return out

    def end(self) -> bytes:
        """Return what is left when the stream has ended."""
        if self.other:
            self._read(b"".join(self._kept))
            return b""
        rest = b"".join(self._rest)
        self._rest.clear()
        return self._pass(rest) if rest else b""

    def text(self) -> str | None:
        """Return the text of the whole answer; None where it is more than one text, or was broken off."""
        return stream_text(b"".join(self._kept)) if self._keep and not self.other else None

    def _begins_events(self, piece: bytes) -> bool:
        """Return whether these are events; white space alone decides nothing."""
        begun = piece.lstrip()
        if begun and not self.other:
            self.other = begun[0] in _OTHER
            self._certain = not self.other
        return self._certain

    def _pass(self, whole: bytes) -> bytes:
        if self._is_marked(whole):
            whole = self._sift(whole)
        if self._keep:
            self._kept.append(whole)
        return whole

    def _sift(self, whole: bytes) -> bytes:
        """Read the events that are marked; returns all but the one that stays here."""
        if b"\r" in whole:
            events = _events(whole)
            return b"".join(
                [one for one in events if not (self._is_marked(one) and self._read_event(one))]
            )
        stays: list[tuple[int, int]] = []
        starts: set[int] = set()
        for mark in self._marks:
            at = whole.find(mark)
            while at >= 0:
                start, end = _around(whole, at)
                if start not in starts and self._read_event(whole[start:end]):
                    stays.append((start, end))
                starts.add(start)
                at = whole.find(mark, end)
        for start, end in sorted(stays, reverse=True):
            whole = whole[:start] + whole[end:]
        return whole

    def _is_marked(self, events: bytes) -> bool:
        return any(mark in events for mark in self._marks)

    def _read_event(self, one: bytes) -> bool:
        """Read one event; returns whether it stays here."""
        stays = False
        for _, data in events_of(one):
            if data.startswith(DONE):
                self.ended = True
            else:
                stays = self._read(data)
        return stays

    def _read(self, data: bytes) -> bool:
        value = json_object(data)
        if value is None:
            return False
        kind, inner = value.get("type"), value.get("response")
        holder = inner if is_object(inner) and value.get("usage") is None else value
        usage = usage_of(holder.get("usage"))
        if usage is not None:
            self.usage, self.model = usage, answering_model(holder)
        if isinstance(kind, str) and kind in ENDS:
            self.ended = True
        return self._hide and isinstance(value.get("usage"), dict) and value.get("choices") == []


def _events(whole: bytes) -> Iterator[bytes]:
    """Yield events with the blank lines behind them, whatever ends their lines."""
    at = 0
    for found in _LINE_ENDS.finditer(whole):
        if found[0] not in _ONE_LINE_END:
            yield whole[at : found.end()]
            at = found.end()
    yield whole[at:]


def _around(events: bytes, at: int) -> tuple[int, int]:
    """Return where the event begins and ends that a place is in; lines end with line feeds alone."""
    start, end = events.rfind(b"\n\n", 0, at), events.find(b"\n\n", at)
    return (start + 2 if start >= 0 else 0), (end + 2 if end >= 0 else len(events))


def _mixed_end(data: bytes, end: int) -> int:
    """Return where whole events end, given the end of the last one that two line feeds end."""
    end = max(end, data.rfind(b"\n\r") + 2, data.rfind(b"\r\r") + 2)
    return end + 1 if end > 1 and data[end - 1 : end + 1] == b"\r\n" else end


def _comments(rest: bytes) -> int:
    """Return how many bytes at the beginning of an event are whole comments and line ends."""
    at = 0
    for found in _LINE_END.finditer(rest):
        if found.start() > at and rest[at : at + 1] != b":":
            break
        at = found.end()
    return at


def decoded_part(relay: StreamRelay, decoder: BodyDecoder, piece: bytes, hide: bool) -> bytes:  # noqa: FBT001
    """Read a piece of an encoded stream; returns what goes on: itself, or decoded where a part stays here.

    Raises:
        UpstreamError: it has to be decoded and cannot be.
    """
    plain = decoder.feed(piece)
    if plain is None:
        if hide:
            raise UpstreamError("its answer cannot be decoded")
        return piece
    out = relay.feed(plain)
    return out if hide else piece
