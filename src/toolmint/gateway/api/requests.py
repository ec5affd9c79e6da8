"""What every request has, read from its bytes once: what a tool may answer, and what only a model can."""

import hashlib
from typing import Any, NamedTuple, cast

import orjson

from toolmint.gateway.call import ParsedRequest
from toolmint.gateway.http_errors import invalid_request

MOST_CHOICES = 128
BLOCKING = {
    "tools": "it brings tools",
    "functions": "it brings functions",
    "logprobs": "it asks for logprobs",
    "top_logprobs": "it asks for logprobs",
    "modalities": "it asks for other modalities",
    "audio": "it asks for audio",
    "prediction": "it brings a prediction",
    "web_search_options": "it asks for a web search",
    "previous_response_id": "it goes on from an earlier response",
    "conversation": "it belongs to a conversation",
    "background": "it runs in the background",
    "logit_bias": "it biases tokens",
}
"""Fields that a tool cannot honour."""


def _object(body: bytes) -> dict[str, Any]:
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise invalid_request(f"The body is no JSON: {fault}", code="invalid_json") from fault
    if not isinstance(value, dict):
        raise invalid_request(f"The body must be a JSON object, got {type(value).__name__}.")
    return cast("dict[str, Any]", value)


def typed(body: dict[str, Any], name: str, kind: type | tuple[type, ...], words: str) -> Any:  # noqa: ANN401
    """Return a field that has a type; None where it is not there.

    Raises:
        HttpError: it has another type.
    """
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise invalid_request(f"{name!r} must be {words}, got {type(value).__name__}.", name)
    return value


def content_text(content: object) -> str | None:
    """Return the text of a message's content: a text, or parts that are all texts; None for anything else."""
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
    """Return the only user text, the instructions, and why there is no such text."""
    instructions: list[str] = []
    parsed: str | None = None
    for number, one in enumerate(messages):
        if not isinstance(one, dict):
            raise invalid_request(f"{where}[{number}] must be an object.", f"{where}[{number}]")
        message = cast("dict[str, Any]", one)
        role = message.get("role")
        if not isinstance(role, str):
            raise invalid_request(
                f"{where}[{number}].role must be a text.", f"{where}[{number}].role"
            )
        text = content_text(message.get("content"))
        if role in {"system", "developer"} and text is not None and parsed is None:
            instructions.append(text)
        elif role == "user" and text is not None and parsed is None:
            parsed = text
        elif role == "user" and text is None:
            return None, instructions, "it has parts that are no text"
        else:
            return None, instructions, "it is a conversation of several turns"
    return (parsed, instructions, "") if parsed else (None, instructions, "it has no user's text")


def _format(body: dict[str, Any]) -> tuple[bool, dict[str, Any] | None, bytes]:
    """Return whether JSON is due, its schema, and what of the format belongs to the scope."""
    given: Any = body.get("response_format")
    if given is None and isinstance(body.get("text"), dict):
        given = body["text"].get("format")
    if given is None:
        return False, None, b""
    if not isinstance(given, dict):
        raise invalid_request("'response_format' must be an object.", "response_format")
    wanted = cast("dict[str, Any]", given)
    kind = wanted.get("type")
    if kind == "text":
        return False, None, b""
    if kind not in {"json_object", "json_schema"}:
        raise invalid_request(
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
        raise invalid_request("'stop' must be a text or a list of texts.", "stop")
    return tuple(cast("list[str]", stop))


def _blocked(body: dict[str, Any], choices: int) -> str:
    if choices > 1:
        return "it asks for several choices"
    return next((BLOCKING[name] for name, value in body.items() if value and name in BLOCKING), "")


class OpenedRequest(NamedTuple):
    """A request of which the fields are read that each endpoint has."""

    body: dict[str, Any]
    model: str
    stream: bool
    usage_wanted: bool


def open_request(raw: bytes) -> OpenedRequest:
    """Read the fields that each endpoint has.

    Raises:
        HttpError: the body is no JSON object, it names no model, or a field has a wrong type.
    """
    body = _object(raw)
    model = typed(body, "model", str, "a text")
    if not model:
        raise invalid_request("'model' is missing: a text that names a model is expected.", "model")
    stream = bool(typed(body, "stream", bool, "true or false"))
    options: Any = typed(body, "stream_options", dict, "an object") or {}
    return OpenedRequest(body, model, stream, bool(options.get("include_usage")))


def read_conversation(
    opened: OpenedRequest,
    where: str,
    messages: object,
    limits: tuple[str, ...],
    instructions: str = "",
) -> ParsedRequest:
    """Read a request that holds messages.

    Args:
        opened: the request.
        where: the field that holds the messages.
        messages: what it holds.
        limits: fields that limit an answer's tokens; the first that is there counts.
        instructions: that stand beside the messages.

    Raises:
        HttpError: there are no messages, or a field has a wrong type.
    """
    given = opened.body
    choices = typed(given, "n", int, "a whole number")
    choices = 1 if choices is None else choices
    if not 1 <= choices <= MOST_CHOICES:
        raise invalid_request(f"'n' must be 1 to {MOST_CHOICES}, got {choices}.", "n")
    typed(given, "temperature", (int, float), "a number")
    typed(given, "tools", list, "a list")
    if not isinstance(messages, list) or not messages:
        raise invalid_request(f"'{where}' is missing: a list of messages is expected.", where)
    text, systems, why = _conversation(cast("list[Any]", messages), where)
    as_json, schema, format_digest = _format(given)
    why = why or _blocked(given, choices)
    longest = next((v for v in (typed(given, n, int, "a whole number") for n in limits) if v), None)
    return ParsedRequest(
        model=opened.model,
        stream=opened.stream,
        usage_wanted=opened.usage_wanted,
        text=None if why else text,
        scope=scope_of(opened.model, [*systems, instructions], format_digest),
        why=why,
        longest=longest,
        stops=_stops(given),
        as_json=as_json,
        schema=schema,
        body=given,
    )


def scope_of(model: str, instructions: list[str], format_digest: bytes) -> str:
    """Return the digest of what shapes an answer beside the request's own text."""
    shape = hashlib.sha256(model.encode("utf-8", "replace"))
    for text in instructions:
        shape.update(b"\0" + text.encode("utf-8", "replace"))
    shape.update(b"\0\0" + format_digest)
    return shape.hexdigest()[:12]


def read_other(raw: bytes) -> ParsedRequest:
    """Read the body of what no tool answers: ``POST /v1/embeddings`` and the older ``/v1/completions``.

    Raises:
        HttpError: it is no JSON object, or names no model.
    """
    opened = open_request(raw)
    return ParsedRequest(
        model=opened.model,
        stream=opened.stream,
        usage_wanted=opened.usage_wanted,
        text=None,
        scope="",
        why="it is no conversation",
        longest=None,
        stops=(),
        as_json=False,
        schema=None,
        body=opened.body,
    )
