"""Reads an OpenAPI 3 document: operations as tool specifications, and what could not be read."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

import yaml

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolSpec
from toolmint.core.schema import schema_fault
from toolmint.core.values import clip
from toolmint.tools.references import Document, as_json_schema

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SAFE = frozenset({"get", "head", "options", "trace"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")
_Json = dict[str, Any]


class ArgumentPlace(NamedTuple):
    """Where an argument goes: path, query, header, cookie, body (a field of it) or whole (all of it)."""

    place: str
    name: str
    style: str = ""
    explode: bool = True


class ApiOperation(NamedTuple):
    """One operation: its specification for the model, and how its arguments are sent."""

    spec: ToolSpec
    method: str
    path: str
    server: str
    slots: Mapping[str, ArgumentPlace]
    media_type: str | None
    security: tuple[tuple[str, ...], ...]
    responses: _Json


class ImportedApi(NamedTuple):
    """A document's operations and security schemes, and a message for each part that could not be read."""

    title: str
    operations: tuple[ApiOperation, ...]
    schemes: Mapping[str, _Json]
    problems: tuple[str, ...]


def read_document(text: str, where: str = "the document") -> _Json:
    """Read the JSON or YAML of an OpenAPI document.

    Raises:
        InputError: it is neither, or not an OpenAPI 3 document; the message says what was found.
    """
    try:
        found: object = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as fault:
        raise InputError(f"{where} is neither JSON nor YAML: {clip(str(fault), 200)}") from fault
    if not isinstance(found, dict):
        raise InputError(
            f"{where} is not an OpenAPI document: expected an object, got {type(found).__name__}"
        )
    document = cast("_Json", found)
    if "swagger" in document:
        raise InputError(f"{where} is Swagger {document['swagger']}; convert it to OpenAPI 3 first")
    version = document.get("openapi")
    if not str(version or "").startswith("3."):
        said = f"its version is {version!r}" if version else "it has no field 'openapi'"
        raise InputError(f"{where} is not an OpenAPI 3 document: {said}")
    if not isinstance(document.get("paths"), dict):
        raise InputError(f"{where} has no object 'paths'")
    return document


def import_document(document: _Json, *, base_url: str | None = None) -> ImportedApi:
    """Return the operations of a document.

    An operation that cannot be read is left out and listed under ``problems``: real documents have
    errors, and one of them should not cost all the other operations.

    Args:
        document: what ``read_document`` returned.
        base_url: where requests go; None: the document's first server.
    """
    reader = _Reader(document, base_url)
    operations: list[ApiOperation] = []
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
    title = str(cast("_Json", info).get("title", "")) if isinstance(info, dict) else ""
    parts = cast("_Json", document.get("components") or {})
    schemes = cast("_Json", parts.get("securitySchemes") or {})
    return ImportedApi(title, tuple(operations), schemes, tuple(problems + reader.problems))


def _operations(document: _Json) -> Iterator[tuple[str, str, _Json, _Json]]:
    for path, item in cast("dict[str, Any]", document["paths"]).items():
        if isinstance(item, dict):
            given = cast("_Json", item)
            for method in _METHODS:
                if isinstance(given.get(method), dict):
                    yield path, method, given, given[method]


class _Reader:
    """Reads operations and collects the problems."""

    def __init__(self, document: _Json, base_url: str | None) -> None:
        self._document, self._refs = document, Document(document)
        self._base_url = base_url
        self.problems: list[str] = []

    def operation(self, path: str, method: str, item: _Json, operation: _Json) -> ApiOperation:
        name = _ILLEGAL.sub(
            "_", str(operation.get("operationId") or f"{method}_{path.strip('/')}")
        ).strip("_")
        arguments = _Arguments()
        merged: dict[tuple[str, str], _Json] = {}
        for raw in [*item.get("parameters", ()), *operation.get("parameters", ())]:
            parameter = self._refs.resolve(raw)
            merged[parameter["name"], parameter["in"]] = parameter
        for parameter in merged.values():
            arguments.parameter(parameter, self._schema(name, parameter))
        media_type = self._body(name, operation, arguments)
        missing = [part for part in re.findall(r"{([^}]*)}", path) if part not in arguments.in_path]
        for part in missing:
            arguments.add(part, {"type": "string"}, ArgumentPlace("path", part), required=True)
            self.problems.append(f"{name}: the path's {part!r} is not described; taken as a string")
        words = [str(operation[key]) for key in ("summary", "description") if operation.get(key)]
        spec = ToolSpec(
            name=name[:64],
            description="\n".join(dict.fromkeys(words)) or f"{method.upper()} {path}",
            parameters=arguments.schema(),
            read_only=method in _SAFE,
        )
        return ApiOperation(
            spec,
            method.upper(),
            path,
            self._server(item, operation),
            arguments.slots,
            media_type,
            self._security(operation),
            operation.get("responses") or {},
        )

    def _schema(self, name: str, holder: _Json) -> _Json:
        content = cast("dict[str, _Json]", holder.get("content") or {})
        inside: list[Any] = [holder.get("schema"), *(one.get("schema") for one in content.values())]
        schemas = [cast("_Json", one) for one in inside if isinstance(one, dict)]
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

    def _body(self, name: str, operation: _Json, arguments: "_Arguments") -> str | None:
        raw = operation.get("requestBody")
        if raw is None:
            return None
        body = self._refs.resolve(raw)
        content = cast("dict[str, _Json]", body.get("content") or {})
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

    def _server(self, item: _Json, operation: _Json) -> str:
        if self._base_url is not None:
            return self._base_url.rstrip("/")
        servers: Any = (
            operation.get("servers") or item.get("servers") or self._document.get("servers")
        )
        first = cast("_Json", servers[0]) if servers else {}
        url = str(first.get("url", ""))
        for name, variable in cast("dict[str, _Json]", first.get("variables") or {}).items():
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
        return url.rstrip("/")

    def _security(self, operation: _Json) -> tuple[tuple[str, ...], ...]:
        wanted: Any = operation.get("security", self._document.get("security")) or ()
        return tuple(tuple(one) for one in wanted)


class _Arguments:
    """Collects an operation's arguments under unique names."""

    def __init__(self) -> None:
        self._properties: _Json = {}
        self._required: list[str] = []
        self.slots: dict[str, ArgumentPlace] = {}
        self.in_path: set[str] = set()

    def add(self, name: str, schema: _Json, slot: ArgumentPlace, *, required: bool) -> None:
        label = name if name not in self._properties else f"{slot.place}_{name}"
        self._properties[label] = schema
        self.slots[label] = slot
        if required:
            self._required.append(label)

    def parameter(self, parameter: _Json, schema: _Json) -> None:
        name, place = str(parameter["name"]), str(parameter["in"])
        if place == "path":
            self.in_path.add(name)
        style = str(parameter.get("style", ""))
        slot = ArgumentPlace(
            place, name, style, bool(parameter.get("explode", style in {"", "form", "deepObject"}))
        )
        required = place == "path" or parameter.get("required") is True
        self.add(name, schema, slot, required=required)

    def body(self, schema: _Json, *, required: bool) -> None:
        fields = cast("dict[str, _Json]", schema.get("properties") or {})
        if schema.get("type", "object") != "object" or not fields:
            self.add("body", schema, ArgumentPlace("whole", "body"), required=required)
            return
        needed = cast("list[str]", schema.get("required") or [])
        for name, about in fields.items():
            self.add(name, about, ArgumentPlace("body", name), required=name in needed)

    def schema(self) -> _Json:
        found: _Json = {"type": "object", "properties": self._properties}
        return found | {"required": self._required} if self._required else found
