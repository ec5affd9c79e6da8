"""Imports an OpenAPI document: operations as tool specifications, and what could not be read."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import urljoin

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolSpec
from toolmint.core.values import clip
from toolmint.tools.document import read_document
from toolmint.tools.openapi_arguments import ArgumentList
from toolmint.tools.openapi_body import BodyForm, chosen_body
from toolmint.tools.openapi_styles import ArgumentPlace
from toolmint.tools.references import Document
from toolmint.tools.schemas import Read, Schemas

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_SAFE = frozenset({"get", "head", "options", "trace", "query"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 64
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that the specification says to ignore: other fields of the document say them."""
_TAGS = re.compile(
    r"</?(?:p|br|a|b|i|em|strong|code|pre|ul|ol|li|div|span|h[1-6]|table|t[rdh]|thead|tbody)\b[^>]*>"
)
"""Marks of HTML, which many descriptions have and no model needs."""
_Json = dict[str, Any]


class ApiOperation(NamedTuple):
    """One operation: its specification for the model, and how its arguments are sent."""

    spec: ToolSpec
    method: str
    path: str
    server: str
    slots: Mapping[str, ArgumentPlace]
    body: BodyForm | None
    security: tuple[tuple[str, ...], ...]
    responses: _Json


class ImportedApi(NamedTuple):
    """A document's operations and security schemes, and a message for each part that could not be read."""

    title: str
    operations: tuple[ApiOperation, ...]
    schemes: Mapping[str, _Json]
    problems: tuple[str, ...]


def import_document(
    document: _Json, *, base_url: str | None = None, address: str | None = None
) -> ImportedApi:
    """Return the operations of a document.

    An operation that cannot be read is left out and listed under ``problems``: real documents have
    errors, and one of them should not cost all the other operations.

    Args:
        document: what ``read_document`` returned.
        base_url: where requests go; None: the document's first server.
        address: the document's own, which relative servers start from; None: it came from a file.
    """
    reader = _Reader(document, base_url, address)
    operations: list[ApiOperation] = []
    for path, method, item, operation in reader.found():
        try:
            operations.append(reader.operation(path, method, item, operation))
        except (InputError, KeyError, TypeError, AttributeError, ValueError) as fault:
            said = f"no {fault}" if isinstance(fault, KeyError) else str(fault)
            reader.problems.append(f"{method.upper()} {path} was left out: {clip(said, 200)}")
    info = document.get("info")
    title = str(cast("_Json", info).get("title", "")) if isinstance(info, dict) else ""
    return ImportedApi(title, tuple(operations), reader.schemes(), tuple(reader.problems))


class _Reader:
    """Reads operations and collects the problems."""

    def __init__(self, document: _Json, base_url: str | None, address: str | None) -> None:
        self._document, self._refs = document, Document(document)
        self._base_url, self._address = base_url, address
        self._reading = ""
        self._schemas = Schemas(self._refs, self._loosened)
        self._names: set[str] = set()
        self.problems: list[str] = []

    def _loosened(self, what: str) -> None:
        self.problems.append(f"{self._reading} has no valid schema, and goes without {what}")

    def found(self) -> Iterator[tuple[str, str, _Json, _Json]]:
        """Yield path, method, path item and operation of all operations."""
        for path, raw in cast("dict[str, Any]", self._document["paths"]).items():
            if not isinstance(raw, dict):
                continue
            given = cast("_Json", raw)
            beside = {name: value for name, value in given.items() if name != "$ref"}
            try:
                item = self._refs.resolve(given) | beside
            except (InputError, TypeError) as fault:
                self.problems.append(f"{path} was left out: {clip(str(fault), 200)}")
                continue
            for method in _METHODS:
                if isinstance(item.get(method), dict):
                    yield str(path), method, item, item[method]

    def schemes(self) -> dict[str, _Json]:
        """Return the security schemes by name; one that cannot be read is empty."""
        parts: Any = self._document.get("components")
        given: Any = cast("_Json", parts).get("securitySchemes") if isinstance(parts, dict) else {}
        found: dict[str, _Json] = {}
        for name, scheme in cast("_Json", given).items() if isinstance(given, dict) else ():
            try:
                found[str(name)] = self._refs.resolve(scheme)
            except (InputError, TypeError) as fault:
                self.problems.append(f"the security scheme {name!r} cannot be read: {fault}")
        return found

    def operation(self, path: str, method: str, item: _Json, operation: _Json) -> ApiOperation:
        name = self._name(path, method, operation)
        arguments = ArgumentList(self._schemas)
        self._parameters(name, [item, operation], arguments)
        form = self._body(name, operation, arguments)
        missing = [part for part in re.findall(r"{([^}]*)}", path) if part not in arguments.in_path]
        for part in dict.fromkeys(missing):
            arguments.add(Read({"type": "string"}), ArgumentPlace("path", part), required=True)
            self.problems.append(f"{name}: the path's {part!r} is not described; taken as a string")
        words = [
            _TAGS.sub("", str(operation[key])).strip()
            for key in ("summary", "description")
            if operation.get(key)
        ]
        # Where a name says little, the path says what a call is about, to a model and to retrieval.
        words.append(f"{method.upper()} {path}")
        # Not checked again, nor copied: operations share their definitions.
        spec = ToolSpec.model_construct(
            name=name,
            description="\n".join(dict.fromkeys(filter(None, words))),
            parameters=arguments.schema(),
            returns=None,
            read_only=method in _SAFE,
        )
        server = self._server(item, operation)
        security = self._security(operation)
        responses = cast("_Json", operation.get("responses") or {})
        self._names.add(name)
        return ApiOperation(
            spec, method.upper(), path, server, arguments.slots, form, security, responses
        )

    def _name(self, path: str, method: str, operation: _Json) -> str:
        """Return a name of at most 64 characters that no other operation has."""
        given = str(operation.get("operationId") or f"{method}_{path.strip('/')}")
        name = _ILLEGAL.sub("_", given).strip("_") or method
        if len(name) <= _LONGEST_NAME and name not in self._names:
            return name
        mark = hashlib.sha256(f"{method} {path}".encode()).hexdigest()[:6]
        return f"{name[: _LONGEST_NAME - 7]}_{mark}"

    def _parameters(self, name: str, holders: list[_Json], arguments: ArgumentList) -> None:
        merged: dict[tuple[str, str], _Json] = {}
        for raw in [one for holder in holders for one in holder.get("parameters") or ()]:
            parameter = self._refs.resolve(raw)
            merged[str(parameter["name"]), str(parameter["in"])] = parameter
        for (named, place), parameter in merged.items():
            if place == "header" and named.lower() in _IGNORED_HEADERS:
                continue
            if place not in {"path", "query", "header", "cookie"}:
                raise InputError(f"the parameter {named!r} is in {place!r}")
            self._reading = f"{name}: {named!r}"
            arguments.parameter(parameter)

    def _body(self, name: str, operation: _Json, arguments: ArgumentList) -> BodyForm | None:
        raw = operation.get("requestBody")
        if raw is None:
            return None
        body = self._refs.resolve(raw)
        content = cast("dict[str, Any]", body.get("content") or {})
        # Most documents forget to say that a body is required; only those that say it is not mean it.
        chosen = chosen_body(content, required=body.get("required") is True)
        if chosen is None:
            self.problems.append(f"{name}: its body has no media type; it is called without one")
            return None
        self._reading = f"{name}: the body"
        key, form = chosen
        arguments.body(form, dict(content[key] or {}), optional=body.get("required") is False)
        return form

    def _server(self, item: _Json, operation: _Json) -> str:
        if self._base_url is not None:
            return self._base_url.rstrip("/")
        servers: Any = (
            operation.get("servers") or item.get("servers") or self._document.get("servers")
        )
        first = cast("_Json", servers[0]) if servers else {}
        url = str(first.get("url") or "")
        for name, variable in cast("dict[str, _Json]", first.get("variables") or {}).items():
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
        if self._address is not None:
            url = urljoin(self._address, url or "/")
        elif url.startswith("//"):
            url = f"https:{url}"
        return url.rstrip("/")

    def _security(self, operation: _Json) -> tuple[tuple[str, ...], ...]:
        wanted: Any = operation.get("security", self._document.get("security")) or ()
        return tuple(tuple(one) for one in wanted)


__all__ = ["ApiOperation", "ArgumentPlace", "ImportedApi", "import_document", "read_document"]
