"""What the gateway reads of an answer beside passing it on: its JSON, its model, and what it used.

Nothing here raises, whatever an endpoint sends: what cannot be read is None, and the answer has gone on as
it was.
"""

import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, TypeGuard

import orjson

from toolmint.core.model import Usage
from toolmint.gateway.asgi import Headers

_MOST_TOKENS = 10**12
_MOST_DECODED = 64 << 20
_LONGEST_NAME = 200


def json_object(raw: bytes) -> dict[str, Any] | None:
    """Return the object of a JSON text; None where it is anything else.

    NaN, lone surrogates and a byte order mark are read too, as the clients of some endpoints do.
    """
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        value = _lenient(raw)
    return value if is_object(value) else None


def _lenient(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a value of JSON is an object."""
    return isinstance(value, dict)


def as_object(value: object) -> dict[str, Any] | None:
    """Return an object of JSON; None for anything else."""
    return value if is_object(value) else None


class BodyDecoder:
    """Decodes a compressed body piece by piece; ``None`` for all that follows what cannot be decoded.

    Args:
        encoding: of the body, such as ``gzip``.
    """

    def __init__(self, encoding: bytes) -> None:
        known = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
        self._bits = known.get(encoding)
        self._inflate = None if self._bits is None else zlib.decompressobj(self._bits)

    def feed(self, piece: bytes) -> bytes | None:
        """Return what a piece decodes to."""
        out: list[bytes] = []
        while piece and self._inflate is not None and self._bits is not None:
            try:
                out.append(self._inflate.decompress(piece, _MOST_DECODED))
            except zlib.error:
                self._inflate = None
                return None
            if self._inflate.unconsumed_tail:
                self._inflate = None
                return b"".join(out)
            piece = b""
            if self._inflate.eof:
                # Some endpoints compress each event by itself; zeros may fill up the end.
                piece = self._inflate.unused_data.lstrip(b"\0")
                self._inflate = zlib.decompressobj(self._bits)
        return None if self._inflate is None else b"".join(out)


async def begin_decoding(
    pieces: AsyncIterator[bytes], probe: BodyDecoder
) -> tuple[AsyncIterator[bytes], bool]:
    """Read a body until something of it is decoded, or cannot be.

    Args:
        pieces: of the encoded body.
        probe: decodes what is read here; the body has to be decoded by another one.

    Returns:
        The pieces from the beginning, and whether they can be decoded.
    """
    held, plain = b"", probe.feed(b"")
    while plain == b"" and (piece := await anext(pieces, None)) is not None:
        held += piece
        plain = probe.feed(piece)

    async def all_pieces() -> AsyncGenerator[bytes]:
        if held:
            yield held
        async for piece in pieces:
            yield piece

    return all_pieces(), plain is not None


def decoder_of(heads: Headers) -> BodyDecoder | None:
    """Return what decodes a body with these headers; None where it is not encoded."""
    for name, value in heads:
        if name == b"content-encoding" and value.strip().lower() not in {b"", b"identity"}:
            return BodyDecoder(value.strip().lower())
    return None


def answering_model(value: dict[str, Any]) -> str:
    """Return the name of the model that answered; empty where none is named that can be kept."""
    name = value.get("model")
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
        return ""
    return name


def usage_of(wire: object, *, talks: bool = True) -> Usage | None:
    """Read the usage of any endpoint; None where none is reported, or not all of it as numbers.

    Args:
        wire: what the endpoint reports.
        talks: it answers with a text, whose tokens it must report; embeddings have none.
    """
    if not is_object(wire):
        return None
    read = _count(wire, "prompt_tokens", "input_tokens")
    written = _count(wire, "completion_tokens", "output_tokens")
    if read is None or written is None or read < 0 or (talks and written < 0):
        return None
    details = as_object(wire.get("prompt_tokens_details") or wire.get("input_tokens_details"))
    cached = (_count(details, "cached_tokens", "") or 0) if details else 0
    written, cached = max(0, written), max(0, cached)
    return Usage(
        requests=1,
        input_tokens=read,
        cached_tokens=min(cached, read),
        output_tokens=written,
        cost=None,
    )


def _count(found: dict[str, Any], name: str, other: str) -> int | None:
    """Return a number of tokens under either name; -1 where there is none; None where it is no number."""
    value: Any = found.get(name)
    if not value:
        more: Any = found.get(other)
        value = value if more is None else more
    if value is None:
        return -1
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None
