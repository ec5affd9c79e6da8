"""What the gateway reads of an answer beside passing it on: its JSON, what it used, and its text.

Nothing here raises, whatever an endpoint sends: what cannot be read is None, and the answer has gone on as
it was.
"""

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, cast

import orjson

from toolmint.core.model import Usage
from toolmint.gateway.asgi import Headers

_MOST_TOKENS = 10**12
_MOST_DECODED = 64 << 20
_LONGEST_NAME = 200
_BOM = b"\xef\xbb\xbf"
DONE = b"[DONE]"
ENDS = ("response.completed", "response.failed", "response.incomplete")
"""Types of the last event of a streamed response."""
_SPOKEN = frozenset(
    {
        "role",
        "content",
        "name",
        "prefix",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "thinking",
        "thinking_blocks",
        "provider_specific_fields",
    }
)
"""Fields of a message that is one text; any other one that holds something makes it more than that."""
_THOUGHTS = ("thinking", "reasoning")
_TEXTS = ("text", "output_text")
_NO_TEXT = (
    "response.refusal",
    "response.audio",
    "response.output_text.annotation",
    "response.error",
)
"""Beginnings of events after which an answer is not one text."""


def json_value(raw: bytes) -> object:
    """Return the value of a JSON text; None where it is none.

    NaN, lone surrogates and a byte order mark are read too: the clients of some endpoints do so.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def json_object(raw: bytes) -> dict[str, Any] | None:
    """Return the object of a JSON text; None where it is anything else."""
    return _dict(json_value(raw))


def _dict(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


class Decoder:
    """Decodes a compressed body piece by piece; ``None`` for all that follows what cannot be decoded.

    Args:
        encoding: of the body, such as ``gzip``.
    """

    def __init__(self, encoding: bytes) -> None:
        known = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
        bits = known.get(encoding)
        self._inflate = None if bits is None else zlib.decompressobj(bits)

    def feed(self, piece: bytes) -> bytes | None:
        """Return what a piece decodes to."""
        if self._inflate is None:
            return None
        try:
            out = self._inflate.decompress(piece, _MOST_DECODED)
        except zlib.error:
            self._inflate = None
            return None
        if self._inflate.unconsumed_tail:
            self._inflate = None
        return out


def decoder_of(heads: Headers) -> Decoder | None:
    """Return what decodes a body with these headers; None where it is not encoded."""
    for name, value in heads:
        if name == b"content-encoding" and value.strip().lower() not in {b"", b"identity"}:
            return Decoder(value.strip().lower())
    return None


def model_of(value: dict[str, Any]) -> str:
    """Return the name of the model that answered; empty where none is named that can be kept."""
    name = value.get("model")
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
        return ""
    return name


def usage_of(wire: object) -> Usage | None:
    """Read the usage of either endpoint; None where none is reported, or what is reported is no number."""
    found = _dict(wire)
    if found is None:
        return None
    read = _count(found, "prompt_tokens", "input_tokens")
    written = _count(found, "completion_tokens", "output_tokens")
    if read is None or written is None or read + written < 0:
        return None
    details = _dict(found.get("prompt_tokens_details")) or _dict(found.get("input_tokens_details"))
    cached = _count(details or {}, "cached_tokens") or 0
    read, written, cached = max(0, read), max(0, written), max(0, cached)
    return Usage(
        requests=1,
        input_tokens=read,
        cached_tokens=min(cached, read),
        output_tokens=written,
        cost=None,
    )


def _count(found: dict[str, Any], *names: str) -> int | None:
    """Return the first number of tokens above 0; -1 where there is none; None where it is no number."""
    best = -1
    for name in names:
        value: object = found.get(name)
        if value is None:
            continue
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_TOKENS:
            return None
        best = max(best, value)
        if value:
            break
    return best


def _plain_lines(raw: bytes) -> bytes:
    text = raw.removeprefix(_BOM)
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def events_of(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of the events of a stream, as the standard has it (HTML, server-sent events).

    A line ends with CR, LF or both; several ``data`` lines are one text; comments are skipped. A last event
    that no blank line ends is an event too.
    """
    for block in _plain_lines(raw).split(b"\n\n"):
        name, data = b"", list[bytes]()
        for line in block.split(b"\n"):
            field, _, value = line.partition(b":")
            if field == b"data":
                data.append(value.removeprefix(b" "))
            elif field == b"event":
                name = value.strip()
        if data:
            yield name, data[0] if len(data) == 1 else b"\n".join(data)


def stream_text(raw: bytes) -> str | None:
    """Return the text that a client sees of a whole stream; None where it is not one text that ended well."""
    parts: list[str] = []
    ended, final = False, None
    for name, data in events_of(raw):
        if data.startswith(DONE):
            break
        value = json_object(data)
        if value is None or value.get("error") or name == b"error":
            return None
        kind = value.get("type")
        if isinstance(kind, str) and (kind == "error" or kind.startswith("response.")):
            piece = _response_piece(kind, value)
            if kind == "response.completed":
                ended, final = True, _dict(value.get("response"))
        else:
            piece, ended = _chat_piece(value, ended=ended)
        if piece is None:
            return None
        parts.append(piece)
    text = "".join(parts)
    if not ended or (final is not None and final.get("output") and response_text(final) != text):
        return None
    # Some clients see an event that no blank line ends, others do not.
    tail = _plain_lines(raw).rpartition(b"\n\n")[2]
    seen = all(data.startswith(DONE) for _, data in events_of(tail))
    return _said(text) if seen else None


def _said(text: str) -> str | None:
    """Return a text that can be kept: not empty, without lone surrogates."""
    if not text:
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


def _content(content: object) -> str | None:
    """Return the text of a content: a text, or a list of parts that are texts or thoughts."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return None
    texts: list[str] = []
    for one in cast("list[object]", content):
        part = _dict(one)
        if part is None:
            return None
        kind, text = part.get("type"), part.get("text")
        if kind in _TEXTS and isinstance(text, str) and not part.get("annotations"):
            texts.append(text)
        elif kind not in _THOUGHTS:
            return None
    return "".join(texts)


def _only_text(message: dict[str, Any]) -> bool:
    return not any(value and name not in _SPOKEN for name, value in message.items())


def _only_choice(choices: object) -> dict[str, Any] | None:
    found = _list(choices)
    choice = _dict(found[0]) if len(found) == 1 else None
    return choice if choice is not None and not choice.get("index") else None


def _chat_piece(value: dict[str, Any], *, ended: bool) -> tuple[str | None, bool]:
    """Return a chunk's text (None: it is more than a text), and whether the answer has ended well."""
    if not value.get("choices"):
        return "", ended
    choice = _only_choice(value["choices"])
    if choice is None or choice.get("message") or choice.get("text"):
        return None, False
    delta: object = choice.get("delta") or {}
    finish: object = choice.get("finish_reason") or None
    if not isinstance(delta, dict) or (finish is not None and finish != "stop"):
        return None, False
    found = cast("dict[str, Any]", delta)
    return _content(found.get("content")) if _only_text(found) else None, ended or finish == "stop"


def _response_piece(kind: str, value: dict[str, Any]) -> str | None:
    """Return the text of an event of a streamed response; None where the answer is more than a text."""
    if kind == "response.output_text.delta":
        delta = value.get("delta")
        return delta if isinstance(delta, str) else None
    if kind in {"error", "response.failed", "response.incomplete", "response.cancelled"}:
        return None
    if kind.startswith(_NO_TEXT):
        return None
    if kind == "response.output_item.added":
        item = _dict(value.get("item")) or {}
        return "" if item.get("type") in ("message", "reasoning") else None
    return ""


def chat_text(value: dict[str, Any]) -> str | None:
    """Return the text of a whole chat completion; None where it is anything else."""
    choice = _only_choice(value.get("choices"))
    message = None if choice is None else _dict(choice.get("message"))
    if choice is None or message is None or choice.get("finish_reason") != "stop":
        return None
    text = _content(message.get("content")) if _only_text(message) else None
    return None if text is None else _said(text)


def response_text(value: dict[str, Any]) -> str | None:
    """Return the text of a whole response; None where it is anything else."""
    if value.get("status") != "completed" or value.get("error"):
        return None
    parts: list[str] = []
    for item in map(_dict, cast("Iterable[object]", _list(value.get("output")))):
        if item is None:
            return None
        if item.get("type") == "reasoning":
            continue
        text = _content(item.get("content")) if item.get("type") == "message" else None
        if text is None or item.get("status") not in (None, "completed"):
            return None
        parts.append(text)
    return _said("".join(parts))
