"""The events of a stream, and the text of an answer as its client sees it: the label that is learned.

Nothing here raises, whatever an endpoint sends. What is more than one text, or did not end well, is no label.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from toolmint.gateway.upstream.reading import as_object, is_object, json_object

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


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _plain_lines(raw: bytes) -> bytes:
    text = raw.removeprefix(_BOM)
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def events_of(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of the events of a stream, as the standard has it (HTML, server-sent events).

    A line ends with CR, LF or both; several ``data`` lines are one text; comments are skipped. A last event
    that no blank line ends is an event too.
    """
    for block in _plain_lines(raw).split(b"\n\n"):
        if block.startswith(b"data: ") and b"\n" not in block:
            yield b"", block[6:]
            continue
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
    if raw.startswith(_BOM) and raw[len(_BOM) : len(_BOM) + 1] != b":":
        return None  # some clients see the first line, which is no comment, and others do not
    parts: list[str] = []
    ended, final = False, None
    for name, data in events_of(raw):
        if data.startswith(DONE):
            break
        value = json_object(data)
        if value is None or name == b"error" or value.get("error"):
            return None
        kind = value.get("type")
        if kind and isinstance(kind, str) and (kind == "error" or kind.startswith("response.")):
            piece = _response_piece(kind, value)
            if kind == "response.completed":
                ended, final = True, as_object(value.get("response"))
        elif value.get("choices"):
            piece, finish = _chat_piece(value["choices"])
            ended = ended or finish
        else:
            continue
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
        part = as_object(one)
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
    choice = found[0] if len(found) == 1 else None
    return choice if is_object(choice) and not choice.get("index") else None


def _chat_piece(choices: object) -> tuple[str | None, bool]:
    """Return a chunk's text (None: it is more than a text), and whether the answer has ended well."""
    choice = _only_choice(choices)
    if choice is None or choice.get("message") or choice.get("text"):
        return None, False
    delta: object = choice.get("delta") or {}
    finish = choice.get("finish_reason")
    if not is_object(delta) or (finish and finish != "stop"):
        return None, False
    if not (delta.keys() <= _SPOKEN or _only_text(delta)):
        return None, False
    content = delta.get("content")
    return content if isinstance(content, str) else _content(content), finish == "stop"


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
        item = as_object(value.get("item")) or {}
        return "" if item.get("type") in ("message", "reasoning") else None
    return ""


def first_content(value: dict[str, Any]) -> str | None:
    """Return the text of a chat completion's only choice, however it ended; None where there is none."""
    choice = _only_choice(value.get("choices"))
    message = None if choice is None else as_object(choice.get("message"))
    return None if message is None else _content(message.get("content"))


def chat_text(value: dict[str, Any]) -> str | None:
    """Return the text of a whole chat completion; None where it is anything else."""
    choice = _only_choice(value.get("choices"))
    message = None if choice is None else as_object(choice.get("message"))
    if choice is None or message is None or choice.get("finish_reason") != "stop":
        return None
    text = _content(message.get("content")) if _only_text(message) else None
    return None if text is None else _said(text)


def response_text(value: dict[str, Any]) -> str | None:
    """Return the text of a whole response; None where it is anything else."""
    if value.get("status") != "completed" or value.get("error"):
        return None
    parts: list[str] = []
    for item in map(as_object, cast("Iterable[object]", _list(value.get("output")))):
        if item is None:
            return None
        if item.get("type") == "reasoning":
            continue
        text = _content(item.get("content")) if item.get("type") == "message" else None
        if text is None or item.get("status") not in (None, "completed"):
            return None
        parts.append(text)
    return _said("".join(parts))
