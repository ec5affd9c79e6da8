"""An OpenAPI operation as a tool: arguments to request, response to observation."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote, urlencode

from toolmint.core.errors import ToolError
from toolmint.core.http import HttpRequest, HttpResponse, Transport
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.toolbox import failed_result
from toolmint.core.values import Value, canonical, clip
from toolmint.tools.openapi import ApiOperation, ArgumentPlace, ImportedApi

_Pairs = list[tuple[str, str]]


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(_text(one) for one in value)
    return canonical(value)


def _pairs(slot: ArgumentPlace, value: Value) -> _Pairs:
    """Return the query pairs of an argument in its serialisation style (OpenAPI 3, Style Values)."""
    if isinstance(value, list):
        if slot.explode:
            return [(slot.name, _text(one)) for one in value]
        joint = {"spaceDelimited": " ", "pipeDelimited": "|"}.get(slot.style, ",")
        return [(slot.name, joint.join(_text(one) for one in value))]
    if isinstance(value, dict):
        if slot.style == "deepObject":
            return [(f"{slot.name}[{key}]", _text(one)) for key, one in value.items()]
        if slot.style == "form" and slot.explode:
            return [(key, _text(one)) for key, one in value.items()]
    return [(slot.name, _text(value))]


def request_of(operation: ApiOperation, arguments: Mapping[str, Value]) -> HttpRequest:
    """Return the request of a call, without credentials.

    Raises:
        ToolError: the document names no server.
    """
    if not operation.server.startswith(("http://", "https://")):
        raise ToolError(
            f"the document names no server that can be called ({operation.server!r}); give a base_url",
            code="tool-server",
        )
    path, query, headers, cookies = operation.path, _Pairs(), dict[str, str](), _Pairs()
    fields: dict[str, Value] = {}
    whole: Value = None
    for name, value in arguments.items():
        slot = operation.slots.get(name, ArgumentPlace("body", name))
        match slot.place:
            case "path":
                path = path.replace(f"{{{slot.name}}}", quote(_text(value), safe=""))
            case "query":
                query += _pairs(slot, value)
            case "header":
                headers[slot.name] = _text(value)
            case "cookie":
                cookies.append((slot.name, _text(value)))
            case "whole":
                whole = value
            case _:
                fields[slot.name] = value
    body = _body(operation, fields, whole)
    if body is not None and operation.media_type is not None:
        headers["Content-Type"] = operation.media_type
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={quote(value)}" for name, value in cookies)
    return HttpRequest(operation.method, operation.server + path, query, headers, body)


def _body(operation: ApiOperation, fields: Mapping[str, Value], whole: Value) -> bytes | None:
    if operation.media_type is None or (not fields and whole is None):
        return None
    if "urlencoded" in operation.media_type:
        pairs = [
            pair
            for name, value in fields.items()
            for pair in _pairs(ArgumentPlace("query", name), value)
        ]
        return urlencode(pairs).encode()
    return json.dumps(whole if whole is not None else fields, ensure_ascii=False).encode()


def authorized(
    request: HttpRequest,
    operation: ApiOperation,
    schemes: Mapping[str, Any],
    secrets: Mapping[str, str],
) -> HttpRequest:
    """Return the request with the credentials of the first alternative whose secrets are all known.

    Raises:
        ToolError: the operation needs credentials that were not given; the message names the schemes.
    """
    ways = operation.security
    if not ways or (() in ways and not any(set(way) <= set(secrets) for way in ways if way)):
        return request
    way = next((way for way in ways if way and set(way) <= set(secrets)), None)
    if way is None:
        needed = " or ".join(" with ".join(one) for one in ways)
        raise ToolError(
            f"{operation.spec.name!r} needs credentials for {needed}", code="tool-credentials"
        )
    query, headers = list(request.query), dict(request.headers)
    for name in way:
        scheme = cast("Mapping[str, Any]", schemes.get(name) or {})
        secret = secrets[name]
        match (scheme.get("type"), scheme.get("in") or str(scheme.get("scheme", "")).lower()):
            case ("apiKey", "query"):
                query.append((str(scheme["name"]), secret))
            case ("apiKey", "cookie"):
                headers["Cookie"] = "; ".join(
                    filter(None, [headers.get("Cookie"), f"{scheme['name']}={secret}"])
                )
            case ("apiKey", _):
                headers[str(scheme.get("name", "X-API-Key"))] = secret
            case ("http", "basic"):
                headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
            case _:
                headers["Authorization"] = f"Bearer {secret}"
    return request._replace(query=query, headers=headers)


def result_of(call: ToolCall, response: HttpResponse, seconds: float) -> ToolResult:
    """Return the observation of a response; a status of 400 or more is a failure."""
    text = response.text + (" … [the response is longer than 1 MiB]" if response.cut else "")
    if response.status >= 400:
        said = clip(text, 2000) or "(no body)"
        return failed_result(
            call, f"http-{response.status}", f"HTTP {response.status}: {said}", seconds
        )
    data: Value = None
    if "json" in response.media_type:
        try:
            data = json.loads(response.text)
            text = canonical(data)
        except ValueError:
            text = response.text
    return ToolResult(
        call_id=call.id,
        content=text or f"(HTTP {response.status}, no body)",
        data=data,
        seconds=seconds,
    )


class OpenApiTool:
    """One operation, called over a transport."""

    def __init__(
        self,
        operation: ApiOperation,
        imported: ImportedApi,
        transport: Transport,
        secrets: Mapping[str, str],
    ) -> None:
        self._operation, self._schemes = operation, imported.schemes
        self._transport, self._secrets = transport, secrets

    @property
    def spec(self) -> ToolSpec:
        """Return the operation's specification."""
        return self._operation.spec

    async def call(self, call: ToolCall) -> ToolResult:
        """Send the request and return the response as an observation.

        Raises:
            ToolError: the server cannot be reached, or credentials are missing.
        """
        start = time.perf_counter()
        request = request_of(self._operation, call.parsed())
        request = authorized(request, self._operation, self._schemes, self._secrets)
        response = await self._transport.send(request)
        return result_of(call, response, time.perf_counter() - start)


def openapi_tools(
    imported: ImportedApi, transport: Transport, secrets: Mapping[str, str] | None = None
) -> list[OpenApiTool]:
    """Return a document's operations as tools.

    Args:
        imported: what ``import_document`` returned.
        transport: carries the requests.
        secrets: credentials by the name of their security scheme; ``user:password`` for basic.
    """
    return [OpenApiTool(one, imported, transport, secrets or {}) for one in imported.operations]
