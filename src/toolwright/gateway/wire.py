"""What a request asks for, read from its bytes once: what a tool may answer, and what only a model can."""

import hashlib
from typing import Any, NamedTuple, cast

import orjson

from toolwright.gateway.refusal import Refusal, invalid

MOST_CHOICES = 128
BLOCKING = {
    "tools": "it brings tools", "functions": "it brings functions",
    "logprobs": "it asks for logprobs", "top_logprobs": "it asks for logprobs",
    "modalities": "it asks for other modalities", "audio": "it asks for audio",
    "prediction": "it brings a prediction", "web_search_options": "it asks for a web search",
    "previous_response_id": "it goes on from an earlier response",
    "conversation": "it belongs to a conversation", "background": "it runs in the background",
    "logit_bias": "it biases tokens",
}  # fmt: skip
"""Fields that a tool cannot honour."""


class Asked(NamedTuple):
    """What a request asks for.

    Attributes:
        model: as named by the client.
        stream: the answer is to come as events.
        usage_wanted: the stream is to end with an event that holds the usage.
        text: the request as a tool reads it; None: only a model can answer.
        scope: digest of everything else that shapes an answer: model, instructions, format.
        why: where ``text`` is None, the reason.
        longest: bytes that a tool's answer may have; None: no limit.
        stops: texts that must not stand in a tool's answer.
        as_json: the answer has to be JSON; a schema that it has to meet, where one is given.
        body: the whole request.
    """

    model: str
    stream: bool
    usage_wanted: bool
    text: str | None
    scope: str
    why: str
    longest: int | None
    stops: tuple[str, ...]
    as_json: bool
    schema: dict[str, Any] | None
    body: dict[str, Any]


def _object(body: bytes) -> dict[str, Any]:
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise invalid(f"The body is no JSON: {fault}", code="invalid_json") from fault
    if not isinstance(value, dict):
        raise invalid(f"The body must be a JSON object, got {type(value).__name__}.")
    return cast("dict[str, Any]", value)


def _typed(body: dict[str, Any], name: str, kind: type | tuple[type, ...], words: str) -> Any:  # noqa: ANN401
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise invalid(f"{name!r} must be {words}, got {type(value).__name__}.", name)
    return value


def content_text(content: object) -> str | None:
    """Give the text of a message's content: a text, or parts that are all texts; None for anything else."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts: list[str] = []
    for part in cast("list[object]", content):
        if not isinstance(part, dict):
            return None
        piece = cast("dict[str, object]", part)
        text = piece.get("text")
        if piece.get("type") not in {"text", "input_text", "output_text"} or not isinstance(
            text, str
        ):
            return None
        texts.append(text)
    return "".join(texts)


def _conversation(messages: list[Any], where: str) -> tuple[str | None, list[str], str]:
    """Give the only user text, the instructions, and why there is no such text."""
    instructions: list[str] = []
    asked: str | None = None
    for number, one in enumerate(messages):
        if not isinstance(one, dict):
            raise invalid(f"{where}[{number}] must be an object.", f"{where}[{number}]")
        message = cast("dict[str, Any]", one)
        role = message.get("role")
        if not isinstance(role, str):
            raise invalid(f"{where}[{number}].role must be a text.", f"{where}[{number}].role")
        text = content_text(message.get("content"))
        if role in {"system", "developer"} and text is not None and asked is None:
            instructions.append(text)
        elif role == "user" and text is not None and asked is None:
            asked = text
        elif role == "user" and text is None:
            return None, instructions, "it has parts that are no text"
        else:
            return None, instructions, "it is a conversation of several turns"
    return (asked, instructions, "") if asked else (None, instructions, "it has no user's text")


def _format(body: dict[str, Any]) -> tuple[bool, dict[str, Any] | None, bytes]:
    """Give whether JSON is due, its schema, and what of the format belongs to the scope."""
    given: Any = body.get("response_format")
    if given is None and isinstance(body.get("text"), dict):
        given = body["text"].get("format")
    if given is None:
        return False, None, b""
    if not isinstance(given, dict):
        raise invalid("'response_format' must be an object.", "response_format")
    wanted = cast("dict[str, Any]", given)
    kind = wanted.get("type")
    if kind == "text":
        return False, None, b""
    if kind not in {"json_object", "json_schema"}:
        raise invalid(
            f"'response_format.type' must be text, json_object or json_schema, got {kind!r}.",
            "response_format",
        )
    found: Any = wanted.get("json_schema", wanted).get("schema") if kind == "json_schema" else None
    digest = orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)
    return True, cast("dict[str, Any] | None", found), digest


def _stops(body: dict[str, Any]) -> tuple[str, ...]:
    stop: Any = body.get("stop")
    if stop is None:
        return ()
    if isinstance(stop, str):
        return (stop,)
    if not isinstance(stop, list) or not all(
        isinstance(one, str) for one in cast("list[Any]", stop)
    ):
        raise invalid("'stop' must be a text or a list of texts.", "stop")
    return tuple(cast("list[str]", stop))


def _blocked(body: dict[str, Any], choices: int) -> str:
    if choices > 1:
        return "it asks for several choices"
    return next((BLOCKING[name] for name, value in body.items() if value and name in BLOCKING), "")


def _start(body: bytes) -> tuple[dict[str, Any], str, bool, bool]:
    """Give the whole request, its model, whether a stream is due, and whether that tells the usage."""
    given = _object(body)
    model = _typed(given, "model", str, "a text")
    if not model:
        raise invalid("'model' is missing: a text that names a model is expected.", "model")
    stream = bool(_typed(given, "stream", bool, "true or false"))
    options: Any = _typed(given, "stream_options", dict, "an object") or {}
    return given, model, stream, bool(options.get("include_usage"))


def _read(body: bytes, where: str, limits: tuple[str, ...]) -> Asked:
    given, model, stream, usage_wanted = _start(body)
    choices = _typed(given, "n", int, "a whole number")
    choices = 1 if choices is None else choices
    if not 1 <= choices <= MOST_CHOICES:
        raise invalid(f"'n' must be 1 to {MOST_CHOICES}, got {choices}.", "n")
    _typed(given, "temperature", (int, float), "a number")
    _typed(given, "tools", list, "a list")
    found: Any = given.get(where)
    if where == "input" and isinstance(found, str):
        found = [{"role": "user", "content": found}]
    if not isinstance(found, list) or not found:
        raise invalid(f"'{where}' is missing: a list of messages is expected.", where)
    text, instructions, why = _conversation(cast("list[Any]", found), where)
    standing = _typed(given, "instructions", str, "a text") if where == "input" else None
    as_json, schema, format_digest = _format(given)
    why = why or _blocked(given, choices)
    longest = next(
        (v for v in (_typed(given, n, int, "a whole number") for n in limits) if v), None
    )
    return Asked(
        model=model, stream=stream, usage_wanted=usage_wanted,
        text=None if why else text, scope=scope_of(model, [*instructions, standing or ""], format_digest),
        why=why, longest=longest, stops=_stops(given), as_json=as_json, schema=schema, body=given,
    )  # fmt: skip


def scope_of(model: str, instructions: list[str], format_digest: bytes) -> str:
    """Give the digest of what shapes an answer beside the request's own text."""
    shape = hashlib.sha256(model.encode("utf-8", "replace"))
    for text in instructions:
        shape.update(b"\0" + text.encode("utf-8", "replace"))
    shape.update(b"\0\0" + format_digest)
    return shape.hexdigest()[:12]


def read_chat(body: bytes) -> Asked:
    """Read the body of ``POST /v1/chat/completions``.

    Raises:
        Refusal: it is no JSON object, or a field has a wrong type.
    """
    return _read(body, "messages", ("max_completion_tokens", "max_tokens"))


def read_response(body: bytes) -> Asked:
    """Read the body of ``POST /v1/responses``.

    Raises:
        Refusal: it is no JSON object, or a field has a wrong type.
    """
    return _read(body, "input", ("max_output_tokens",))


def read_other(body: bytes) -> Asked:
    """Read the body of what no tool answers: ``POST /v1/embeddings`` and the older ``/v1/completions``.

    Raises:
        Refusal: it is no JSON object, or names no model.
    """
    given, model, stream, usage_wanted = _start(body)
    return Asked(
        model=model, stream=stream, usage_wanted=usage_wanted, text=None, scope="",
        why="it is no conversation", longest=None, stops=(), as_json=False, schema=None, body=given,
    )  # fmt: skip


__all__ = [
    "Asked",
    "Refusal",
    "content_text",
    "read_chat",
    "read_other",
    "read_response",
    "scope_of",
]
