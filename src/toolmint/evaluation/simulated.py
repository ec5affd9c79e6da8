"""A server that an OpenAPI document describes, simulated: deterministic, checked, and never on a network.

A request is matched to its operation, its parameters are checked as the document says, and the response is
made of the response's schema: the same request, the same response. A response field that has the name of
an argument repeats it, so that what was asked for comes back.
"""

import json
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, unquote

from toolmint.core.http import HttpRequest, HttpResponse
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.schema import violations
from toolmint.core.values import Value, canonical, digest

_ITEMS = 2
_DEEP = 6
_WORDS = (
    "amber",
    "birch",
    "cobalt",
    "delta",
    "elm",
    "fjord",
    "granite",
    "hazel",
    "iris",
    "jade",
    "kelp",
    "lotus",
)


class Described(Protocol):
    """An operation of a document: what it is called with, and what it answers."""

    @property
    def spec(self) -> ToolSpec:
        """Name and parameters."""
        ...

    @property
    def method(self) -> str:
        """The HTTP method, in capitals."""
        ...

    @property
    def path(self) -> str:
        """The path, with ``{names}``."""
        ...

    @property
    def server(self) -> str:
        """What stands before the path in a URL."""
        ...

    @property
    def responses(self) -> dict[str, Any]:
        """The responses by status."""
        ...


class SimulatedUser:
    """ToolAlpaca's ``getDetails``: asks the user, who has one made-up value for every argument of an API."""

    spec = ToolSpec(
        name="getDetails",
        description="Ask the user for details that the task does not say. Returns what the user knows.",
        parameters={
            "type": "object",
            "properties": {"Question": {"type": "string", "description": "What to ask."}},
            "required": ["Question"],
        },
    )

    def __init__(self, operations: Sequence[Described]) -> None:
        known: dict[str, Value] = {}
        for one in operations:
            fields = cast("dict[str, dict[str, Any]]", one.spec.parameters.get("properties") or {})
            for name, schema in fields.items():
                known.setdefault(name, _value(schema, name, {}, Random(f"user/{name}"), 0))
        self._known = known

    async def call(self, call: ToolCall) -> ToolResult:
        """Return all that the user knows."""
        return ToolResult(call_id=call.id, content=canonical(self._known), data=self._known)


class Simulated:
    """Answers the requests of a document's operations."""

    def __init__(self, operations: Sequence[Described]) -> None:
        fixed_first = sorted(operations, key=lambda one: one.path.count("{"))
        self._operations = [(one, _pattern(one)) for one in fixed_first]
        self.log: list[tuple[str, dict[str, Value], int]] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Answer one request; each is entered in ``log`` as operation, arguments and status."""
        for operation, pattern in self._operations:
            found = pattern.fullmatch(request.url)
            if found is not None and operation.method == request.method:
                return self._answer(operation, _arguments(operation, request, found.groupdict()))
        self.log.append((request.url, {}, 404))
        return _json(404, {"error": f"there is no {request.method} {request.url}"})

    def _answer(self, operation: Described, arguments: dict[str, Value]) -> HttpResponse:
        faults = violations(operation.spec, arguments)
        status = 400 if faults else 200
        self.log.append((operation.spec.name, arguments, status))
        if faults:
            return _json(400, {"error": "; ".join(faults)})
        random = Random(digest([operation.spec.name, arguments]))
        return _json(200, _value(_schema(operation.responses), "result", arguments, random, 0))


def _json(status: int, value: Value) -> HttpResponse:
    return HttpResponse(status, "application/json", json.dumps(value, ensure_ascii=False))


def _pattern(operation: Described) -> re.Pattern[str]:
    parts = re.split(r"({[^}]*})", operation.server + operation.path)
    names = iter(range(100))
    return re.compile(
        "".join(
            f"(?P<p{next(names)}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in parts
        )
    )


def _arguments(
    operation: Described, request: HttpRequest, path: Mapping[str, str]
) -> dict[str, Value]:
    """Read a request back into arguments, each in the kind that the document says."""
    names = re.findall(r"{([^}]*)}", operation.path)
    given: dict[str, Any] = {name: unquote(path[f"p{place}"]) for place, name in enumerate(names)}
    for name, text in parse_qsl(request.query, keep_blank_values=True):
        before = given.get(name)
        given[name] = (
            text if before is None else [*(before if isinstance(before, list) else [before]), text]
        )
    if request.body is not None:
        body: Any = json.loads(request.body)
        given |= cast("dict[str, Any]", body) if isinstance(body, dict) else {"body": body}
    known = cast("dict[str, dict[str, Any]]", operation.spec.parameters.get("properties") or {})
    return {name: _as_kind(value, known.get(name, {}).get("type")) for name, value in given.items()}


def _as_kind(value: Any, kind: object) -> Value:  # noqa: ANN401 - what came over the wire
    if kind == "array" and not isinstance(value, list):
        return [value]
    if isinstance(value, str) and kind in {"integer", "number", "boolean", "object"}:
        try:
            return cast("Value", json.loads(value))
        except ValueError:
            return value
    return cast("Value", value)


def _schema(responses: Mapping[str, Any]) -> dict[str, Any]:
    good: list[dict[str, Any]] = [
        responses[status] for status in responses if status.startswith("2")
    ]
    content = cast("dict[str, dict[str, Any]]", good[0].get("content") or {}) if good else {}
    schemas = [cast("dict[str, Any]", one.get("schema") or {}) for one in content.values()]
    return schemas[0] if schemas else {}


def _value(
    schema: Mapping[str, Any], name: str, given: Mapping[str, Value], random: Random, deep: int
) -> Value:
    kind = schema.get("type") or ("object" if "properties" in schema else "string")
    if name in given and kind not in {"object", "array"}:
        return given[name]
    if kind == "object" and deep <= _DEEP:
        fields = cast("dict[str, Any]", schema.get("properties") or {"status": {"type": "string"}})
        return {key: _value(one, key, given, random, deep + 1) for key, one in fields.items()}
    if kind == "array" and deep <= _DEEP:
        items = cast("dict[str, Any]", schema.get("items") or {})
        return [_value(items, f"{name} item", given, random, deep + 1) for _ in range(_ITEMS)]
    match kind:
        case "integer":
            return random.randrange(1, 1000)
        case "number":
            return round(random.uniform(1, 1000), 2)
        case "boolean":
            return random.random() < 0.5
        case _:
            return _text(schema, name, random)


def _text(schema: Mapping[str, Any], name: str, random: Random) -> str:
    if schema.get("enum"):
        return str(random.choice(schema["enum"]))
    word = f"{random.choice(_WORDS)}-{random.randrange(100, 1000)}"
    lower = name.lower()
    if "url" in lower or "image" in lower or "link" in lower:
        return f"https://simulated.test/{word}"
    if "date" in lower or schema.get("format") == "date":
        return f"2026-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}"
    return word
