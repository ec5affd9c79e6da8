"""An OpenAPI 3 document as tools: reads operations, resolves references, and says what it could not read."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

import yaml

from toolwright.core.errors import InputError
from toolwright.core.messages import ToolSpec
from toolwright.core.schema import schema_fault
from toolwright.core.values import clip
from toolwright.tools.references import Document, as_json_schema

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")
Json = dict[str, Any]


class Slot(NamedTuple):
    """Where an argument goes: path, query, header, cookie, body (one of its fields) or whole (all of it)."""

    place: str
    name: str
    style: str = ""
    explode: bool = True


class Operation(NamedTuple):
    """One operation: its document for the model, and how its arguments are sent."""

    spec: ToolSpec
    method: str
    path: str
    server: str
    slots: Mapping[str, Slot]
    media_type: str | None
    security: tuple[tuple[str, ...], ...]
    responses: Json


class Imported(NamedTuple):
    """The operations of a document, its security schemes, and what could not be read, in words."""

    title: str
    operations: tuple[Operation, ...]
    schemes: Mapping[str, Json]
    problems: tuple[str, ...]


def read_document(text: str, where: str = "the document") -> Json:
    """Read the JSON or YAML of an OpenAPI document.

    Raises:
        InputError: it is neither, or no OpenAPI 3 document; what was found instead is said.
    """
    try:
        found: object = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as fault:
        raise InputError(f"{where} is neither JSON nor YAML: {clip(str(fault), 200)}") from fault
    if not isinstance(found, dict):
        raise InputError(
            f"{where} is no OpenAPI document: expected an object, got {type(found).__name__}"
        )
    document = cast("Json", found)
    if "swagger" in document:
        raise InputError(f"{where} is Swagger {document['swagger']}; convert it to OpenAPI 3 first")
    version = document.get("openapi")
    if not str(version or "").startswith("3."):
        said = f"its version is {version!r}" if version else "it has no field 'openapi'"
        raise InputError(f"{where} is no OpenAPI 3 document: {said}")
    if not isinstance(document.get("paths"), dict):
        raise InputError(f"{where} has no object 'paths'")
    return document


def import_document(document: Json, *, base_url: str | None = None) -> Imported:
    """Give the operations of a document; one that cannot be read is named among the problems.

    Args:
        document: as ``read_document`` gives it.
        base_url: where requests go; None: the document's first server.
    """
    reader = _Reader(document, base_url)
    operations: list[Operation] = []
    problems: list[str] = []
    names: set[str] = set()
    for path, method, item, operation in _operations(document):
        try:
            read = reader.operation(path, method, item, operation)
        except (InputError, KeyError, TypeError, AttributeError, ValueError) as fault:
            problems.append(f"{method.upper()} {path} was left out: {clip(str(fault), 200)}")
            continue
        if read.spec.name in names:
            problems.append(
                f"{method.upper()} {path} was left out: a second operation {read.spec.name!r}"
            )
            continue
        names.add(read.spec.name)
        operations.append(read)
    info = document.get("info")
    title = str(cast("Json", info).get("title", "")) if isinstance(info, dict) else ""
    parts = cast("Json", document.get("components") or {})
    schemes = cast("Json", parts.get("securitySchemes") or {})
    return Imported(title, tuple(operations), schemes, tuple(problems + reader.problems))


def _operations(document: Json) -> Iterator[tuple[str, str, Json, Json]]:
    for path, item in cast("dict[str, Any]", document["paths"]).items():
        if isinstance(item, dict):
            given = cast("Json", item)
            for method in METHODS:
                if isinstance(given.get(method), dict):
                    yield path, method, given, given[method]


class _Reader:
    """Reads one operation after another; keeps what had to be loosened."""

    def __init__(self, document: Json, base_url: str | None) -> None:
        self._document, self._refs = document, Document(document)
        self._base_url = base_url
        self.problems: list[str] = []

    def operation(self, path: str, method: str, item: Json, operation: Json) -> Operation:
        name = _ILLEGAL.sub(
            "_", str(operation.get("operationId") or f"{method}_{path.strip('/')}")
        ).strip("_")
        arguments = _Arguments()
        merged: dict[tuple[str, str], Json] = {}
        for raw in [*item.get("parameters", ()), *operation.get("parameters", ())]:
            parameter = self._refs.resolve(raw)
            merged[parameter["name"], parameter["in"]] = parameter
        for parameter in merged.values():
            arguments.parameter(parameter, self._schema(name, parameter))
        media_type = self._body(name, operation, arguments)
        missing = [part for part in re.findall(r"{([^}]*)}", path) if part not in arguments.in_path]
        for part in missing:
            arguments.add(part, {"type": "string"}, Slot("path", part), required=True)
            self.problems.append(f"{name}: the path's {part!r} is not described; taken as a string")
        words = [str(operation[key]) for key in ("summary", "description") if operation.get(key)]
        spec = ToolSpec(
            name=name[:64],
            description="\n".join(dict.fromkeys(words)) or f"{method.upper()} {path}",
            parameters=arguments.schema(),
        )
        return Operation(
            spec, method.upper(), path, self._server(item, operation), arguments.slots, media_type,
            self._security(operation), operation.get("responses") or {},
        )  # fmt: skip

    def _schema(self, name: str, holder: Json) -> Json:
        content = cast("dict[str, Json]", holder.get("content") or {})
        inside: list[Any] = [holder.get("schema"), *(one.get("schema") for one in content.values())]
        schemas = [cast("Json", one) for one in inside if isinstance(one, dict)]
        plain = as_json_schema(self._refs.expand(schemas[0] if schemas else {}))
        if holder.get("description") and "description" not in plain:
            plain["description"] = holder["description"]
        fault = schema_fault(plain)
        if fault is None:
            return plain
        self.problems.append(
            f"{name}: {holder.get('name', 'body')!r} has no valid schema ({clip(fault, 80)})"
        )
        return {"description": str(plain.get("description", ""))}

    def _body(self, name: str, operation: Json, arguments: "_Arguments") -> str | None:
        raw = operation.get("requestBody")
        if raw is None:
            return None
        body = self._refs.resolve(raw)
        content = cast("dict[str, Json]", body.get("content") or {})
        known = [one for one in content if "json" in one] + [
            one for one in content if "urlencoded" in one
        ]
        if not known:
            raise InputError(
                f"its body is none of JSON and form, but {', '.join(content) or 'nothing'}"
            )
        schema = self._schema(name, {"schema": content[known[0]].get("schema"), "name": "body"})
        arguments.body(schema, required=bool(body.get("required", False)))
        return known[0]

    def _server(self, item: Json, operation: Json) -> str:
        if self._base_url is not None:
            return self._base_url.rstrip("/")
        servers: Any = (
            operation.get("servers") or item.get("servers") or self._document.get("servers")
        )
        first = cast("Json", servers[0]) if servers else {}
        url = str(first.get("url", ""))
        for name, variable in cast("dict[str, Json]", first.get("variables") or {}).items():
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
        return url.rstrip("/")

    def _security(self, operation: Json) -> tuple[tuple[str, ...], ...]:
        wanted: Any = operation.get("security", self._document.get("security")) or ()
        return tuple(tuple(one) for one in wanted)


class _Arguments:
    """Collects an operation's arguments under names of their own."""

    def __init__(self) -> None:
        self._properties: Json = {}
        self._required: list[str] = []
        self.slots: dict[str, Slot] = {}
        self.in_path: set[str] = set()

    def add(self, name: str, schema: Json, slot: Slot, *, required: bool) -> None:
        label = name if name not in self._properties else f"{slot.place}_{name}"
        self._properties[label] = schema
        self.slots[label] = slot
        if required:
            self._required.append(label)

    def parameter(self, parameter: Json, schema: Json) -> None:
        name, place = str(parameter["name"]), str(parameter["in"])
        if place == "path":
            self.in_path.add(name)
        style = str(parameter.get("style", ""))
        slot = Slot(
            place, name, style, bool(parameter.get("explode", style in {"", "form", "deepObject"}))
        )
        required = place == "path" or parameter.get("required") is True
        self.add(name, schema, slot, required=required)

    def body(self, schema: Json, *, required: bool) -> None:
        fields = cast("dict[str, Json]", schema.get("properties") or {})
        if schema.get("type", "object") != "object" or not fields:
            self.add("body", schema, Slot("whole", "body"), required=required)
            return
        needed = cast("list[str]", schema.get("required") or [])
        for name, about in fields.items():
            self.add(name, about, Slot("body", name), required=name in needed)

    def schema(self) -> Json:
        found: Json = {"type": "object", "properties": self._properties}
        return found | {"required": self._required} if self._required else found
