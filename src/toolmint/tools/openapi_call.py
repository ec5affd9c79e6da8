"""An OpenAPI operation as a tool: arguments to request, response to observation."""

import json
import re
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from toolmint.core.errors import ToolError
from toolmint.core.http import HttpRequest, HttpResponse, Transport
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.toolbox import failed_result
from toolmint.core.values import Value, canonical, clip, too_deep
from toolmint.tools.credentials import authorized
from toolmint.tools.openapi import ApiOperation, ImportedApi
from toolmint.tools.openapi_body import body_of
from toolmint.tools.openapi_styles import (
    ArgumentPlace,
    cookie_texts,
    header_text,
    path_text,
    query_texts,
)

_ROUNDS = 8
"""Times that a path is decoded; no server does so more often."""


def _leaves(segment: str) -> bool:
    """Return whether a segment could be read as none, as ``.`` or ``..``, or hold one that is.

    Servers and proxies decode paths before they look at them, some of them twice.
    """
    text = segment
    for _ in range(_ROUNDS):
        if any(part in {".", ".."} for part in re.split(r"[/\\]", text)):
            return True
        text = unquote(text)
    # A matrix parameter is cut off by some servers, which leaves the rest.
    return not segment or segment.split(";", maxsplit=1)[0] in {".", ".."}


def filled_path(operation: ApiOperation, values: Mapping[str, tuple[ArgumentPlace, Value]]) -> str:
    """Return an operation's path with its arguments.

    Raises:
        ToolError: an argument is missing or empty, or would lead to another path.
    """
    names: list[str] = []

    def text_of(found: "re.Match[str]") -> str:
        name = found.group(1)
        names.append(name)
        slot, value = values.get(name, (None, None))
        return "" if slot is None or value is None else path_text(slot, value)

    segments: list[str] = []
    for template in operation.path.split("/"):
        names.clear()
        segment = re.sub(r"{([^}]*)}", text_of, template)
        if names and _leaves(segment):
            given = ", ".join(f"{one}={values[one][1]!r:.60}" for one in names if one in values)
            raise ToolError(
                f"{operation.spec.name!r}: {given or names[0]} would leave {operation.path!r}: a part of a "
                "path cannot be empty, '.' or '..'",
                code="tool-arguments",
            )
        segments.append(segment)
    return "/".join(segments)


def request_of(operation: ApiOperation, arguments: Mapping[str, Value]) -> HttpRequest:
    """Return the request of a call, without credentials.

    Raises:
        ToolError: the document names no server, or an argument cannot be sent.
    """
    if not operation.server.startswith(("http://", "https://")):
        raise ToolError(
            f"the document names no server that can be called ({operation.server!r}); give a base_url",
            code="tool-server",
        )
    given = _Given({}, [], {}, [], [], [])
    for name, value in arguments.items():
        given.take(operation.slots.get(name, ArgumentPlace("body", name)), value)
    headers, data = dict(given.headers), None
    if operation.body is not None:
        whole = given.whole[0] if given.whole else None
        body = body_of(operation.body, given.fields, whole)
        if body is not None:
            headers["Content-Type"], data = body.media_type, body.data
    if given.cookies:
        headers["Cookie"] = "; ".join(given.cookies)
    url = operation.server + filled_path(operation, given.path)
    return HttpRequest(operation.method, url, "&".join(given.query), headers, data)


class _Given(NamedTuple):
    """A call's arguments by where they go."""

    path: dict[str, tuple[ArgumentPlace, Value]]
    query: list[str]
    headers: dict[str, str]
    cookies: list[str]
    fields: list[tuple[ArgumentPlace, Value]]
    whole: list[Value]

    def take(self, slot: ArgumentPlace, value: Value) -> None:
        """Add an argument; null is left out of query, headers and cookies."""
        match slot.place:
            case "path":
                self.path[slot.name] = slot, value
            case "query":
                self.query.extend(query_texts(slot, value))
            case "header" if value is not None:
                self.headers[slot.name] = header_text(slot, value)
            case "header":
                pass
            case "cookie":
                self.cookies.extend(cookie_texts(slot, value))
            case "whole":
                self.whole.append(value)
            case _:
                self.fields.append((slot, value))


def result_of(call: ToolCall, response: HttpResponse, seconds: float) -> ToolResult:
    """Return the observation of a response; a status of 400 or more is a failure."""
    text = response.text + (" … [the response is longer than 1 MiB]" if response.cut else "")
    if response.status >= 400:
        said = clip(text, 2000) or "(no body)"
        return failed_result(
            call, f"http-{response.status}", f"HTTP {response.status}: {said}", seconds
        )
    data: Value = None
    if "json" in response.media_type and not response.cut:
        try:
            data = json.loads(response.text)
            # A server may say anything, such as numbers that JSON has not.
            text = response.text if too_deep(data) else canonical(data)
        except (ValueError, RecursionError):
            data, text = None, response.text
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
        headers: Mapping[str, str],
    ) -> None:
        self._operation, self._schemes = operation, imported.schemes
        self._transport, self._secrets, self._headers = transport, secrets, headers

    @property
    def spec(self) -> ToolSpec:
        """Return the operation's specification."""
        return self._operation.spec

    async def call(self, call: ToolCall) -> ToolResult:
        """Send the request and return the response as an observation.

        Raises:
            ToolError: the server cannot be reached, credentials are missing, or an argument cannot be sent.
        """
        start = time.perf_counter()
        operation = self._operation
        request = request_of(operation, call.parsed())
        request = request._replace(headers={**self._headers, **request.headers})
        request = authorized(
            request, operation.spec.name, operation.security, self._schemes, self._secrets
        )
        response = await self._transport.send(request)
        return result_of(call, response, time.perf_counter() - start)


def openapi_tools(
    imported: ImportedApi,
    transport: Transport,
    secrets: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> list[OpenApiTool]:
    """Return a document's operations as tools.

    Args:
        imported: what ``import_document`` returned.
        transport: carries the requests.
        secrets: credentials by the name of their security scheme, or as ``own_scheme`` takes it;
            ``user:password`` for basic.
        headers: sent with every request.
    """
    return [
        OpenApiTool(one, imported, transport, secrets or {}, headers or {})
        for one in imported.operations
    ]
