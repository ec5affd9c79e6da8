"""How a request is read from its bytes, once: what a tool may answer, and what only a model can.

Nothing is validated here. What is not understood goes to the model's endpoint as it came, which says what is
wrong with it; an error is raised only where the gateway cannot know whom to ask.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple, cast

import orjson

from toolmint.core.errors import HttpError
from toolmint.gateway.api.fields import FieldRules
from toolmint.gateway.api.odd_json import names_two_models, repeated_name, shallow_json
from toolmint.gateway.api.value_rules import stop_texts
from toolmint.gateway.call import ParsedRequest
from toolmint.gateway.http_errors import invalid_request

_LENIENT = "its body is JSON for lenient readers alone"


_MOST_DIGITS = 300
_ROLES = ("user", "system", "developer")
_CACHED = 2000
"""Characters of instructions and format up to which a scope's digest is kept in memory."""

Said = tuple[str | None, tuple[tuple[str, str], ...], str]
"""The messages of a request: the only user's text (None: there is none, or there is more), role and text of
each message before it, and why there is no text.
"""


class OpenedRequest(NamedTuple):
    """A request of which the fields are read that each endpoint has; ``strict``: its body is strict JSON."""

    raw: bytes
    body: dict[str, Any]
    model: str
    stream: bool
    usage_wanted: bool
    strict: bool


class MessageForm(NamedTuple):
    """What messages look like that are understood: the type of a text part, and of a message that has one."""

    part: str
    type: str | None


def _leniently(raw: bytes, fault: orjson.JSONDecodeError) -> object:
    """Return what a body holds that is no strict JSON.

    Python's own reader takes what others refuse (NaN, half a surrogate pair, a byte order mark), and so do
    endpoints that are written in Python: such a body is passed on.

    Raises:
        HttpError: it is no JSON to this reader either.
    """
    try:
        return json.loads(raw, parse_int=_whole_number)
    except RecursionError:
        value = shallow_json(raw)
        if value is None:
            raise invalid_request(f"The body is no JSON: {fault}", code="invalid_json") from fault
        return value
    except ValueError:
        raise invalid_request(f"The body is no JSON: {fault}", code="invalid_json") from fault


def open_request(raw: bytes) -> OpenedRequest:
    """Read the fields that each endpoint has.

    Raises:
        HttpError: the body is no JSON object, or names no model.
    """
    strict = True
    body: Any
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        body, strict = _leniently(raw, fault), False
    if not isinstance(body, dict):
        raise invalid_request(f"The body must be a JSON object, got {type(body).__name__}.")
    found = cast("dict[str, Any]", body)
    model = found.get("model")
    if not isinstance(model, str) or not model or not (strict or _encodes(model)):
        raise _no_model(model)
    if names_two_models(raw):
        raise invalid_request(
            "'model' stands twice: one text that names a model is expected.", "model"
        )
    # Where usage counts as wanted, nothing is put into the body on its way.
    wanted = not strict
    if "stream_options" in found:
        options = found["stream_options"]
        if isinstance(options, dict):
            wanted = wanted or bool(cast("dict[str, Any]", options).get("include_usage"))
        else:
            wanted = wanted or options is not None
    return OpenedRequest(raw, found, model, found.get("stream") is True, wanted, strict)


def _whole_number(digits: str) -> float:
    """Return a whole number; Python itself reads no more than some thousand digits."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _no_model(model: object) -> HttpError:
    if model is None or model == "":
        got = "is missing"
    elif isinstance(model, (str, int, float)):
        got = f"has the value {model!r:.40}"
    else:  # not shown: it may be nested deeper than can be written
        got = f"is of the type {type(model).__name__}"
    return invalid_request(f"'model' {got}: a text that names a model is expected.", "model")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def content_text(content: object, part: str = "text") -> str | None:
    """Return the text of a message's content: a text, or one part that is a text; None for anything else.

    Several parts are not joined: endpoints differ in what they put between them.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or len(cast("list[object]", content)) != 1:
        return None
    only = cast("list[object]", content)[0]
    if not isinstance(only, dict):
        return None
    piece = cast("dict[str, object]", only)
    found = piece.get("text")
    good = len(piece) == 2 and piece.get("type") == part
    return found if good and isinstance(found, str) else None


def read_messages(messages: Any, form: MessageForm) -> Said:  # noqa: ANN401 - whatever a client sends
    """Read messages: instructions, and one user's text behind them, are understood."""
    instructions: tuple[tuple[str, str], ...] = ()
    text, why = None, ""
    if not isinstance(messages, list):
        return None, (), "its messages are no list"
    for one in cast("list[object]", messages):
        if not isinstance(one, dict):
            return None, (), "it has a message that is no object"
        message = cast("dict[str, Any]", one)
        role, found = message.get("role"), message.get("content")
        if text is not None or role not in _ROLES:
            return None, (), "it is a conversation of several turns"
        if not isinstance(found, str):
            found = content_text(found, form.part)
        if found is None:
            return None, (), "it has content that is not one text"
        if len(message) != 2 and not (len(message) == 3 and message.get("type", 0) == form.type):
            return None, (), "it has a message with fields that tools do not know"
        if role == "user":
            text = found
        else:
            instructions += ((role, found),)
    if not text:
        text, why = None, "it has no user's text"
    return text, instructions, why


def read_conversation(
    opened: OpenedRequest, rules: FieldRules, said: Said, form: object, beside: str = ""
) -> ParsedRequest:
    """Return a request whose messages are read.

    Args:
        opened: the request.
        rules: which of its fields are understood.
        said: its messages.
        form: the field that says of which form an answer has to be.
        beside: instructions that stand beside the messages.
    """
    raw, body, model, stream, wanted, strict = opened
    text, instructions, why = said
    if why or not strict:
        return _for_a_model(opened, why if strict else _LENIENT)
    if not stream and body.get("stream_options") is not None:
        return _for_a_model(opened, "it has options of a stream, and asks for none")
    of, shape = rules.of, b""
    for name, value in body.items():
        rule = of.get(name)
        part = None if rule is None else rule(value)
        if part is None:
            return _for_a_model(opened, rules.reason(name))
        if part:
            shape = _joined(shape, part)
    if twice := repeated_name(raw, body, len(instructions) + 1):
        return _for_a_model(opened, f"it has the field {twice!r} twice")
    for name, reason in rules.missing:
        if name not in body:
            why = reason
    as_json, schema = _json_form(form) if form else (False, None)
    longest = _longest(body, rules.limits)
    stops = (stop_texts(body["stop"]) or ()) if "stop" in body else ()
    scope = scope_of(model, instructions, beside, shape)
    return ParsedRequest(
        model, stream, wanted, text, scope, why, longest, stops, as_json, schema, body
    )


def _joined(shape: bytes, part: bytes) -> bytes:
    """Return what fields add to the scope; the order in which they stand in a body means nothing."""
    return b"\0".join(sorted((*shape.split(b"\0"), part))) if shape else part


def _for_a_model(opened: OpenedRequest, why: str) -> ParsedRequest:
    _, body, model, stream, wanted, _ = opened
    return ParsedRequest(model, stream, wanted, None, "", why, None, (), False, None, body)


def _longest(body: dict[str, Any], names: Iterable[str]) -> int | None:
    """Return the smallest of the limits that are given; None where none is."""
    longest = None
    for name in names:
        limit = body.get(name)
        if isinstance(limit, int) and (longest is None or limit < longest):
            longest = limit
    return longest


def _json_form(form: object) -> tuple[bool, dict[str, Any] | None]:
    """Return whether an answer is to be JSON, and the schema that it has to meet."""
    if not isinstance(form, dict):
        return False, None
    wanted = cast("dict[str, Any]", form)
    if wanted.get("type") not in ("json_object", "json_schema"):
        return False, None
    given = wanted.get("json_schema", wanted)
    schema = cast("dict[str, Any]", given).get("schema") if isinstance(given, dict) else None
    return True, cast("dict[str, Any]", schema) if isinstance(schema, dict) else None


def scope_of(
    model: str,
    instructions: tuple[tuple[str, str], ...] = (),
    beside: str = "",
    shape: bytes = b"",
) -> str:
    """Return the digest of what shapes an answer beside the request's own text.

    Args:
        model: as the client names it.
        instructions: role and text of each message before the user's.
        beside: instructions that stand beside the messages.
        shape: what other fields add.
    """
    size = len(model) + len(beside) + len(shape)
    for _, text in instructions:
        size += len(text)
    if size > _CACHED:
        return _digest(model, instructions, beside, shape)
    return _known_digest(model, instructions, beside, shape)


def _digest(
    model: str, instructions: tuple[tuple[str, str], ...], beside: str, shape: bytes
) -> str:
    parts = [_part(model)]
    for role, text in instructions:
        parts.append(_part(text) if role == "system" else b"\xff" + role.encode() + _part(text))
    parts += [_part(beside), b"", shape]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


_known_digest = lru_cache(maxsize=1024)(_digest)


def _part(text: str) -> bytes:
    """Return a text's bytes without NUL, which separates the parts; 0xff stands in no UTF-8."""
    found = text.encode()
    return found.replace(b"\0", b"\xff0") if b"\0" in found else found


def read_other(raw: bytes) -> ParsedRequest:
    """Read the body of what no tool answers: ``POST /v1/embeddings`` and the older ``/v1/completions``.

    Raises:
        HttpError: it is no JSON object, or names no model.
    """
    return _for_a_model(open_request(raw), "it is no conversation")
