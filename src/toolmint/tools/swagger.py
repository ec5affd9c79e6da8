"""Converts Swagger 2.0 documents to OpenAPI 3.

The converters that are kept well are programs of other languages or services on the net; no Python library
converts here. What a request needs is converted, and what a response says is kept with its schema.
"""

from collections.abc import Mapping
from typing import Any, cast

_Json = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_SCHEMA_WORDS = (
    "type",
    "format",
    "items",
    "default",
    "enum",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "multipleOf",
)
_MOVED = (
    ("#/definitions/", "#/components/schemas/"),
    ("#/parameters/", "#/components/parameters/"),
    ("#/responses/", "#/components/responses/"),
)
_FLOWS = {"accessCode": "authorizationCode", "application": "clientCredentials"}
_FORM, _FILES = "application/x-www-form-urlencoded", "multipart/form-data"


def as_openapi_3(document: Mapping[str, Any]) -> _Json:
    """Return a Swagger 2.0 document as one of OpenAPI 3.0.

    Parts that are not what the specification says stay as they are: whoever imports the document names them.
    """
    return _Conversion(document).document()


def _object(value: object) -> _Json:
    return cast("_Json", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _moved(value: object) -> object:
    """Return a value with its references leading to where things stand in OpenAPI 3."""
    if isinstance(value, dict):
        return {key: _pointer(key, one) for key, one in cast("_Json", value).items()}
    if isinstance(value, list):
        return [_moved(one) for one in cast("list[object]", value)]
    return value


def _pointer(key: str, value: object) -> object:
    if key == "$ref" and isinstance(value, str):
        for old, new in _MOVED:
            if value.startswith(old):
                return new + value.removeprefix(old)
    return _moved(value)


class _Conversion:
    """One document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._old = document

    def document(self) -> _Json:
        old = self._old
        shared = _object(old.get("parameters"))
        new: _Json = {
            "openapi": "3.0.4",
            "info": _object(old.get("info")),
            "servers": self._servers(_list(old.get("schemes"))),
            "components": {
                "schemas": _moved(_object(old.get("definitions"))),
                "parameters": {
                    name: self._parameter(_object(one))
                    for name, one in shared.items()
                    if _object(one).get("in") not in {"body", "formData"}
                },
                "responses": {
                    name: self._response(_object(one), [])
                    for name, one in _object(old.get("responses")).items()
                },
                "securitySchemes": {
                    name: _scheme(_object(one))
                    for name, one in _object(old.get("securityDefinitions")).items()
                },
            },
        }
        if "security" in old:
            new["security"] = old["security"]
        if isinstance(old.get("paths"), dict):
            new["paths"] = {path: self._item(item) for path, item in old["paths"].items()}
        return new

    def _servers(self, schemes: list[Any]) -> list[_Json]:
        host, base = str(self._old.get("host") or ""), str(self._old.get("basePath") or "/")
        if not host:
            return [{"url": base}]
        known = [str(one) for one in schemes if one in {"https", "http"}]
        # Without schemes it is that of the document's own address.
        ordered = sorted(known, key=lambda one: one != "https")
        return [{"url": f"{one}://{host}{base}"} for one in ordered] or [{"url": f"//{host}{base}"}]

    def _item(self, item: object) -> object:
        if not isinstance(item, dict):
            return item
        given = cast("_Json", item)
        if "$ref" in given:
            return given
        common = _list(given.get("parameters"))
        new: _Json = {}
        for method in _METHODS:
            if isinstance(given.get(method), dict):
                new[method] = self._operation(given[method], common)
        return new

    def _resolved(self, raw: object) -> object:
        pointer = str(_object(raw).get("$ref") or "")
        if pointer.startswith("#/parameters/"):
            name = pointer.removeprefix("#/parameters/").replace("~1", "/").replace("~0", "~")
            return _object(self._old.get("parameters")).get(name, raw)
        return raw

    def _operation(self, operation: _Json, common: list[Any]) -> _Json:
        kept = ("operationId", "summary", "description", "tags", "deprecated", "security")
        new: _Json = {key: operation[key] for key in kept if key in operation}
        reads = _list(operation.get("consumes", self._old.get("consumes")))
        writes = _list(operation.get("produces", self._old.get("produces")))
        if "schemes" in operation and self._old.get("host"):
            new["servers"] = self._servers(_list(operation["schemes"]))
        merged: dict[object, object] = {}
        for number, raw in enumerate([*common, *_list(operation.get("parameters"))]):
            one = self._resolved(raw)
            about = _object(one)
            named = ("name" in about and "in" in about) or about.get("in") == "body"
            # An operation has one body at most, whatever its names.
            key = about.get("name") if about.get("in") != "body" else None
            merged[(key, about.get("in")) if named else number] = one
        parameters = list(merged.values())
        plain = [one for one in parameters if _object(one).get("in") not in {"body", "formData"}]
        new["parameters"] = [self._parameter(_object(one)) or one for one in plain]
        body = self._body([_object(one) for one in parameters], [str(one) for one in reads])
        if body is not None:
            new["requestBody"] = body
        new["responses"] = {
            str(status): self._response(_object(one), [str(kind) for kind in writes])
            for status, one in _object(operation.get("responses")).items()
        }
        return new

    def _parameter(self, parameter: _Json) -> _Json:
        if not parameter or "$ref" in parameter:
            return cast("_Json", _moved(parameter))
        new: _Json = {
            key: parameter[key]
            for key in ("name", "in", "description", "required", "allowEmptyValue")
            if key in parameter
        }
        new["schema"] = _schema(parameter)
        style, explode = _style(parameter)
        if style:
            new |= {"style": style, "explode": explode}
        return new

    def _body(self, parameters: list[_Json], reads: list[str]) -> _Json | None:
        for one in parameters:
            if one.get("in") == "body":
                media = {"schema": _moved(one.get("schema") or {})}
                return {
                    "description": str(one.get("description") or ""),
                    "required": one.get("required") is True,
                    "content": dict.fromkeys(reads or ["application/json"], media),
                }
        fields = [one for one in parameters if one.get("in") == "formData" and "name" in one]
        if not fields:
            return None
        properties: _Json = {}
        encoding: _Json = {}
        for one in fields:
            name = str(one["name"])
            about = {"description": one["description"]} if one.get("description") else {}
            properties[name] = _schema(one) | about
            style, explode = _style(one)
            if style:
                encoding[name] = {"style": style, "explode": explode}
        required = [str(one["name"]) for one in fields if one.get("required") is True]
        schema: _Json = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        files = any(one.get("type") == "file" for one in fields)
        kinds = [one for one in reads if one in {_FORM, _FILES}]
        kind = _FILES if files or (kinds and _FORM not in kinds) else _FORM
        return {
            "required": bool(required),
            "content": {kind: {"schema": schema, "encoding": encoding}},
        }

    def _response(self, response: _Json, writes: list[str]) -> _Json:
        if "$ref" in response:
            return cast("_Json", _moved(response))
        new: _Json = {"description": str(response.get("description") or "")}
        if "schema" in response:
            media = {"schema": _moved(response["schema"])}
            new["content"] = dict.fromkeys(writes or ["application/json"], media)
        return new


def _schema(parameter: _Json) -> _Json:
    schema = cast(
        "_Json", _moved({key: parameter[key] for key in _SCHEMA_WORDS if key in parameter})
    )
    if schema.get("type") == "file":
        schema = {"type": "string", "format": "binary"}
    return schema


def _style(parameter: _Json) -> tuple[str, bool]:
    """Return style and explode of ``collectionFormat``; arrays without one are joined by commas."""
    if parameter.get("type") != "array":
        return "", False
    plain = "simple" if parameter.get("in") in {"path", "header"} else "form"
    match parameter.get("collectionFormat", "csv"):
        case "multi":
            return plain, True
        case "ssv":
            return ("spaceDelimited", False) if plain == "form" else (plain, False)
        case "pipes":
            return ("pipeDelimited", False) if plain == "form" else (plain, False)
        case _:
            return plain, False


def _scheme(scheme: _Json) -> _Json:
    match scheme.get("type"):
        case "basic":
            return {"type": "http", "scheme": "basic"}
        case "oauth2":
            flow = str(scheme.get("flow") or "implicit")
            return {"type": "oauth2", "flows": {_FLOWS.get(flow, flow): {}}}
        case _:
            return scheme
