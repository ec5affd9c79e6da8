"""The bodies of requests: JSON, forms with and without files, texts, bytes."""

import base64
import binascii
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import unquote_to_bytes

from toolmint.core.errors import ToolError
from toolmint.core.values import Value
from toolmint.tools.openapi_styles import ArgumentPlace, query_texts, styled_text

BodyKind = Literal["json", "form", "multipart", "text", "binary"]
BINARY_NOTE = "The content: its text, or data:TYPE;base64,DATA"
"""What a model is told of an argument that is a file's content."""
_Json = dict[str, Any]


class BodyForm(NamedTuple):
    """How a request's body is written, the media type that is sent, and whether it is always there."""

    kind: BodyKind
    media_type: str
    required: bool


class Body(NamedTuple):
    """The bytes of a body, and its media type."""

    data: bytes
    media_type: str


def _kind_of(media_type: str) -> BodyKind:
    main, _, sub = media_type.partition(";")[0].strip().lower().partition("/")
    if "json" in sub:
        return "json"
    if sub == "x-www-form-urlencoded":
        return "form"
    if main == "multipart":
        return "multipart"
    if main == "text" or "xml" in sub or sub in {"graphql", "yaml", "x-yaml", "x-ndjson", "sql"}:
        return "text"
    if main == "*" or sub == "*":
        return "json"
    return "binary"


_ORDER: Sequence[BodyKind] = ("json", "form", "multipart", "text", "binary")


_SENT: Mapping[BodyKind, str] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
    "text": "text/plain",
    "binary": "application/octet-stream",
}
"""What is sent where a document says a range of media types."""


def chosen_body(content: Mapping[str, object], *, required: bool) -> tuple[str, BodyForm] | None:
    """Return a key of ``content`` and the form that a request takes of it; None if there is none.

    JSON comes before forms, those before texts, and texts before bytes. ``*/*`` is sent as JSON.
    """
    kinds: list[tuple[BodyKind, str]] = [(_kind_of(name), name) for name in content]
    # A range is for whoever sends no better one.
    kinds.sort(key=lambda one: (_ORDER.index(one[0]), "*" in one[1]))
    if not kinds:
        return None
    kind, key = kinds[0]
    name = _SENT[kind] if "*" in key else key
    return key, BodyForm(kind, name, required)


def is_binary(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema is of a file's content and not of a text."""
    if schema.get("format") in {"binary", "file"}:
        return True
    media_type = str(schema.get("contentMediaType") or "")
    return bool(media_type) and "contentEncoding" not in schema and _kind_of(media_type) == "binary"


def part_place(name: str, schema: _Json, encoding: _Json, kind: BodyKind) -> ArgumentPlace:
    """Return where a field of a body goes, from the media type's ``encoding`` for it.

    A style is used where the encoding names one, or explode or allowReserved; else the content type, which
    is JSON for objects and for arrays of objects (OpenAPI 3.0.4, "Encoding Object").
    """
    if kind == "json":
        return ArgumentPlace("body", name)
    binary = is_binary(schema)
    styled = {"style", "explode", "allowReserved"} & encoding.keys()
    if styled and kind == "form":
        style = str(encoding.get("style") or "form")
        explode = encoding.get("explode", style in {"form", "deepObject"})
        reserved = encoding.get("allowReserved") is True
        return ArgumentPlace("body", name, style, bool(explode), reserved)
    media_type = str(encoding.get("contentType") or "").partition(",")[0].strip()
    if "*" in media_type:
        media_type = ""
    if binary:
        media_type = media_type or "application/octet-stream"
    return ArgumentPlace("body", name, media_type=media_type, binary=binary)


def bytes_of(value: Value) -> bytes:
    """Return a file's content: the bytes of a ``data:`` URL, or the text in UTF-8.

    Raises:
        ToolError: it begins as a ``data:`` URL and is none.
    """
    text = styled_text(value)
    if not text.startswith("data:") or "," not in text:
        return text.encode()
    head, _, data = text.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(data)
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise ToolError(
            f"the content {text!r:.60} is no base64: {fault}", code="tool-arguments"
        ) from fault


def body_of(
    form: BodyForm, fields: Sequence[tuple[ArgumentPlace, Value]], whole: Value
) -> Body | None:
    """Return a request's body; None where it is optional and nothing is given for it.

    Args:
        form: how it is written.
        fields: arguments that are fields of it, with their places.
        whole: the argument that is all of it; None: there is none.

    Raises:
        ToolError: a file's content cannot be read.
    """
    if not fields and whole is None and not form.required:
        return None
    if form.kind == "json":
        value = whole if whole is not None else {slot.name: value for slot, value in fields}
        return Body(json.dumps(value, ensure_ascii=False).encode(), form.media_type)
    if form.kind in {"text", "binary"}:
        return Body(b"" if whole is None else bytes_of(whole), form.media_type)
    if isinstance(whole, dict):
        fields = [(ArgumentPlace("body", name), value) for name, value in whole.items()]
    given = [(slot, value) for slot, value in fields if value is not None]
    if form.kind == "form":
        pairs = [pair for slot, value in given for pair in _form_texts(slot, value)]
        return Body("&".join(pairs).replace("%20", "+").encode(), form.media_type)
    return _multipart(form, given)


def _is_json(value: Value) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(one, dict | list) for one in value)
    )


def _form_texts(slot: ArgumentPlace, value: Value) -> list[str]:
    if not slot.style and not slot.media_type and _is_json(value):
        slot = slot._replace(media_type="application/json")
    elif slot.media_type and "json" not in slot.media_type and isinstance(value, list):
        slot = slot._replace(media_type="")
    return query_texts(slot, value)


def _multipart(form: BodyForm, fields: Sequence[tuple[ArgumentPlace, Value]]) -> Body:
    boundary = f"part-{secrets.token_hex(12)}"
    lines: list[bytes] = []
    for slot, value in fields:
        json_part = "json" in slot.media_type or (not slot.media_type and _is_json(value))
        values = value if isinstance(value, list) and not json_part else [value]
        for one in cast("list[Value]", values):
            lines += [f"--{boundary}".encode(), *_part(slot, one, json_part=json_part)]
    lines += [f"--{boundary}--".encode(), b""]
    main = form.media_type.partition(";")[0].strip()
    return Body(b"\r\n".join(lines), f'{main}; boundary="{boundary}"')


def _part(slot: ArgumentPlace, value: Value, *, json_part: bool) -> list[bytes]:
    name = slot.name.replace("\\", "\\\\").replace('"', "%22")
    name = name.replace("\r", "%0D").replace("\n", "%0A")
    shown = f'Content-Disposition: form-data; name="{name}"'
    media_type = slot.media_type or ("application/json" if json_part else "")
    if slot.binary:
        shown += f'; filename="{name}"'
    head = [shown.encode()] + ([f"Content-Type: {media_type}".encode()] if media_type else [])
    if json_part:
        data = json.dumps(value, ensure_ascii=False).encode()
    else:
        data = bytes_of(value) if slot.binary else styled_text(value).encode()
    return [*head, b"", data]
