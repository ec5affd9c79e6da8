"""A stream on its way through: whole events pass as they are, only the one that holds the usage is looked
at.
"""

from typing import Any, cast

import orjson

USAGE = b'_tokens"'
"""Stands in the one event that holds the usage, and hardly in another."""


class StreamRelay:
    """Takes pieces of a stream and gives what goes on to the client.

    Args:
        hide_usage: the client did not ask for the usage; the gateway did, so that event stays here.
        keep: keep all events, for their text.
    """

    def __init__(self, *, hide_usage: bool, keep: bool) -> None:
        self._hide, self._keep = hide_usage, keep
        self._rest = b""
        self._kept: list[bytes] = []
        self.usage: dict[str, Any] | None = None

    def feed(self, piece: bytes) -> bytes:
        """Take a piece; returns the whole events that it completes."""
        data = self._rest + piece if self._rest else piece
        end = max(data.rfind(b"\n\n") + 2, data.rfind(b"\r\n\r\n") + 4)
        if end < 4:
            self._rest = data
            return b""
        whole, self._rest = data[:end], data[end:]
        return self._pass(whole)

    def end(self) -> bytes:
        """Return what is left when the stream has ended."""
        rest, self._rest = self._rest, b""
        return self._pass(rest) if rest else b""

    def _pass(self, whole: bytes) -> bytes:
        if USAGE in whole:
            whole = self._sift(whole)
        if self._keep:
            self._kept.append(whole)
        return whole

    def _sift(self, whole: bytes) -> bytes:
        mark = b"\r\n\r\n" if b"\r\n\r\n" in whole else b"\n\n"
        out: list[bytes] = []
        for one in whole.split(mark):
            value = _data(one) if USAGE in one else None
            usage = _usage(value) if value else None
            if usage is not None:
                self.usage = usage
                if self._hide and value is not None and value.get("choices") == []:
                    continue
            out.append(one)
        return mark.join(out)

    def text(self) -> str | None:
        """Return the text of the whole answer; None where it is more than one text, or was broken off."""
        parts: list[str] = []
        ended = False
        for one in b"".join(self._kept).replace(b"\r\n", b"\n").split(b"\n\n"):
            value = _data(one)
            if value is None:
                continue
            if "error" in value or value.get("type") == "response.failed":
                return None
            delta, end = _piece(value)
            if delta is None:
                return None
            parts.append(delta)
            ended = ended or end
        return "".join(parts) if ended else None


def _data(one: bytes) -> dict[str, Any] | None:
    """Return the JSON of an event."""
    for line in one.splitlines():
        if line.startswith(b"data:"):
            try:
                value: object = orjson.loads(line[5:])
            except orjson.JSONDecodeError:
                return None
            return cast("dict[str, Any]", value) if isinstance(value, dict) else None
    return None


def _usage(value: dict[str, Any]) -> dict[str, Any] | None:
    found: Any = value.get("usage")
    if found is None and isinstance(value.get("response"), dict):
        found = value["response"].get("usage")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _piece(value: dict[str, Any]) -> tuple[str | None, bool]:
    """Return an event's text (None: it is not a text alone), and whether it ends the answer well."""
    kind = value.get("type")
    if kind is not None:
        if kind == "response.output_item.added" and value["item"].get("type") not in {
            "message",
            "reasoning",
        }:
            return None, False
        piece = value.get("delta") if kind == "response.output_text.delta" else ""
        return str(piece), kind == "response.completed"
    choices: Any = value.get("choices") or [{}]
    delta: dict[str, Any] = choices[0].get("delta") or {}
    if delta.get("tool_calls") or choices[0].get("index", 0) != 0:
        return None, False
    return str(delta.get("content") or ""), choices[0].get("finish_reason") == "stop"


def chat_text(value: dict[str, Any]) -> str | None:
    """Return the text of a whole chat completion; None where it is anything else."""
    choices: list[Any] = value.get("choices") or []
    if len(choices) != 1:
        return None
    choice: dict[str, Any] = choices[0]
    message: dict[str, Any] = choice.get("message") or {}
    if choice.get("finish_reason") != "stop" or message.get("tool_calls"):
        return None
    return message.get("content")


def response_text(value: dict[str, Any]) -> str | None:
    """Return the text of a whole response; None where it is anything else."""
    if value.get("status") != "completed":
        return None
    parts: list[str] = []
    for item in value.get("output") or ():
        if item.get("type") == "reasoning":
            continue
        if item.get("type") != "message":
            return None
        parts += [part["text"] for part in item["content"] if part.get("type") == "output_text"]
    return "".join(parts)
