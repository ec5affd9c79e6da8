"""Bodies of requests: JSON, forms, files, texts and bytes, and what stands in their schemas."""

import json
from typing import Any, cast

import pytest
from aiohttp import web

from toolmint.core.errors import ToolError
from toolmint.core.http import HttpRequest
from toolmint.core.messages import ToolCall
from toolmint.core.schema import schema_violation
from toolmint.core.values import Value
from toolmint.tools.network import Network
from toolmint.tools.openapi import ApiOperation, import_document, read_document
from toolmint.tools.openapi_call import openapi_tools, request_of

pytestmark = pytest.mark.anyio
FORM, FILES = "application/x-www-form-urlencoded", "multipart/form-data"
STRING = {"type": "string"}


def posted(
    content: dict[str, Any], required: bool | None = None, schemas: dict[str, Any] | None = None
) -> ApiOperation:
    body: dict[str, Any] = {"content": content}
    if required is not None:
        body["required"] = required
    document = {
        "openapi": "3.0.4",
        "paths": {"/x": {"post": {"operationId": "a", "requestBody": body}}},
        "components": {"schemas": schemas or {}},
    }
    read = import_document(document, base_url="http://h")
    assert read.problems == ()
    return read.operations[0]


def json_body(schema: dict[str, Any], required: bool | None = None, **schemas: Any) -> ApiOperation:
    return posted({"application/json": {"schema": schema}}, required, schemas)


def sent(operation: ApiOperation, **arguments: Value) -> HttpRequest:
    """Return the request of a call whose arguments fit."""
    call = ToolCall(id="c", name="a", arguments=json.dumps(arguments))
    assert schema_violation(operation.spec, call, call.parsed()) is None
    return request_of(operation, arguments)


def refused(operation: ApiOperation, **arguments: Value) -> str | None:
    call = ToolCall(id="c", name="a", arguments=json.dumps(arguments))
    return schema_violation(operation.spec, call, call.parsed())


def fields(operation: ApiOperation) -> dict[str, Any]:
    return cast("dict[str, Any]", operation.spec.parameters["properties"])


def test_forms_are_written_as_their_encoding_says() -> None:
    schema = {"type": "object", "properties": {key: {} for key in ("card", "tags", "plain", "url")}}
    encoding = {
        "card": {"style": "deepObject", "explode": True},
        "tags": {"style": "pipeDelimited", "explode": False},
        "url": {"allowReserved": True},
    }
    operation = posted({FORM: {"schema": schema, "encoding": encoding}})
    request = sent(
        operation,
        card={"number": "4 2", "owner": {"name": "A"}, "none": None},
        tags=["a", "b"],
        plain="x y",
        url="http://a/b",
    )
    assert request.headers["Content-Type"] == FORM
    assert request.body == (
        b"card%5Bnumber%5D=4+2&card%5Bowner%5D%5Bname%5D=A&tags=a%7Cb&plain=x+y&url=http://a/b"
    )


def test_forms_without_encoding_repeat_lists_and_write_objects_as_json() -> None:
    schema = {"type": "object", "properties": {key: {} for key in ("a", "b", "c", "d")}}
    request = sent(
        posted({FORM: {"schema": schema}}), a=[1, 2], b={"k": "v w"}, c=None, d=[{"x": 1}]
    )
    assert request.body == b"a=1&a=2&b=%7B%22k%22%3A%22v+w%22%7D&d=%5B%7B%22x%22%3A1%7D%5D"


def test_a_form_that_is_open_takes_one_object() -> None:
    schema = {"type": "object", "additionalProperties": STRING}
    assert sent(posted({FORM: {"schema": schema}}), body={"a": "b c"}).body == b"a=b+c"


async def test_multipart_reaches_a_server_as_fields_and_files() -> None:
    seen: list[tuple[str, str | None, str | None, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert part is not None and hasattr(part, "filename")
            name, content = cast("Any", part), await cast("Any", part).read()
            seen.append((name.name, name.filename, name.headers.get("Content-Type"), content))
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_post("/x", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{cast('Any', runner.addresses[0])[1]}"
    binary = {"type": "string", "format": "binary"}
    schema = {
        "type": "object",
        "properties": {
            "title": STRING,
            "meta": {"type": "object"},
            "tags": {"type": "array", "items": STRING},
            "scan": binary,
            "more": {"type": "array", "items": binary},
        },
    }
    media = {"schema": schema, "encoding": {"scan": {"contentType": "image/png, image/jpeg"}}}
    body = {"content": {FILES: media}}
    document = {
        "openapi": "3.0.4",
        "paths": {"/x": {"post": {"operationId": "a", "requestBody": body}}},
    }
    network = Network(timeout=10)
    (tool,) = openapi_tools(import_document(document, base_url=url), network)
    assert (
        "data:TYPE;base64,DATA"
        in cast("Any", tool.spec.parameters)["properties"]["scan"]["description"]
    )
    arguments = {
        "title": "ä b",
        "meta": {"k": [1]},
        "tags": ["a", "b"],
        "scan": "data:image/png;base64,iVBORw==",
        "more": ["plain\r\ntext", "data:,x%20y"],
    }
    result = await tool.call(ToolCall(id="c", name="a", arguments=json.dumps(arguments)))
    await network.close()
    await runner.cleanup()
    assert result.content == "ok"
    octets = "application/octet-stream"
    assert seen == [
        ("title", None, None, "ä b".encode()),
        ("meta", None, "application/json", b'{"k": [1]}'),
        ("tags", None, None, b"a"),
        ("tags", None, None, b"b"),
        ("scan", "scan", "image/png", b"\x89PNG"),
        ("more", "more", octets, b"plain\r\ntext"),
        ("more", "more", octets, b"x y"),
    ]


@pytest.mark.parametrize(
    ("media_type", "given", "sent_as", "data"),
    [
        ("application/octet-stream", "data:;base64,AAE=", "application/octet-stream", b"\x00\x01"),
        ("image/png", "raw", "image/png", b"raw"),
        ("text/plain", "hello", "text/plain", b"hello"),
        ("application/xml", "<a/>", "application/xml", b"<a/>"),
        ("*/*", {"a": 1}, "application/json", b'{"a": 1}'),
        ("application/*", {"a": 1}, "application/json", b'{"a": 1}'),
        ("text/*", "t", "text/plain", b"t"),
        (
            "application/merge-patch+json",
            {"a": None},
            "application/merge-patch+json",
            b'{"a": null}',
        ),
    ],
)
def test_other_media_types(media_type: str, given: Value, sent_as: str, data: bytes) -> None:
    schema = {} if isinstance(given, str) else {"type": "object"}
    request = sent(posted({media_type: {"schema": schema}}), body=given)
    assert (request.headers["Content-Type"], request.body) == (sent_as, data)


def test_of_several_media_types_json_is_sent_then_forms_then_texts() -> None:
    kinds = ["image/png", "text/plain", FILES, FORM, "*/*", "application/json"]
    for number in range(len(kinds), 1, -1):
        content = {kind: {"schema": {"type": "object"}} for kind in kinds[:number]}
        body = posted(content).body
        assert body is not None
        expected = {
            6: "application/json",
            5: "application/json",
            4: FORM,
            3: FILES,
            2: "text/plain",
        }
        assert body.media_type == expected[number]


def test_what_is_no_base64_is_said() -> None:
    with pytest.raises(ToolError, match="is no base64"):
        sent(posted({"image/png": {}}), body="data:image/png;base64,%%%")


def test_a_required_body_is_sent_without_arguments_and_an_optional_one_is_not() -> None:
    schema = {"type": "object", "properties": {"a": STRING}}
    assert sent(json_body(schema, True)).body == b"{}"
    assert sent(json_body(schema, False)).body is None
    assert sent(json_body(schema)).body is None


def test_fields_of_a_body_that_may_be_left_out_are_required_together() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": STRING, "b": STRING}}
    optional = json_body(schema, False)
    assert refused(optional) is None
    assert "'a' is a dependency of 'b'" in str(refused(optional, b="x"))
    # Most documents forget to say that a body is required.
    assert "'a' is a required property" in str(refused(json_body(schema)))


def test_read_only_fields_are_not_asked_for() -> None:
    inner = {
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"type": "string", "readOnly": True}, "name": STRING},
    }
    hidden = {"type": "string", "readOnly": True}
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Inner"},
            {
                "required": ["made", "pet"],
                "properties": {"made": {"$ref": "#/components/schemas/Hidden"}},
            },
            {"properties": {"pet": {"$ref": "#/components/schemas/Inner"}}},
        ]
    }
    operation = json_body(schema, True, Inner=inner, Hidden=hidden)
    assert set(fields(operation)) == {"name", "pet"}
    assert operation.spec.parameters["required"] == ["name", "pet"]
    assert fields(operation)["pet"] == {
        "type": "object",
        "required": ["name"],
        "properties": {"name": STRING},
    }


def test_properties_beside_all_of_are_arguments_and_alternatives_are_one() -> None:
    base = {"type": "object", "properties": {"a": STRING}, "required": ["a"]}
    both = {"properties": {"b": STRING}, "allOf": [base], "required": ["b"]}
    assert set(fields(json_body(both))) == {"a", "b"}
    assert sorted(cast("list[str]", json_body(both).spec.parameters["required"])) == ["a", "b"]
    one_of = {"properties": {"b": STRING}, "oneOf": [base, {"required": ["c"]}]}
    operation = json_body(one_of, True)
    assert set(fields(operation)) == {"body"}
    assert sent(operation, body={"a": "x", "b": "y"}).body == b'{"a": "x", "b": "y"}'
    assert refused(operation, body={"b": "y"}) is not None


def test_more_fields_go_where_a_body_is_open() -> None:
    schema = {
        "type": "object",
        "properties": {"a": STRING},
        "additionalProperties": {"type": "integer"},
    }
    operation = json_body(schema)
    assert sent(operation, a="x", other=3).body == b'{"a": "x", "other": 3}'
    assert refused(operation, other="text") is not None
    closed = json_body({"type": "object", "properties": {"a": STRING}})
    assert "unknown argument 'b'" in str(refused(closed, b=1))


def test_a_schema_that_contains_itself_is_checked_to_any_depth() -> None:
    node = {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/components/schemas/Node"}},
    }
    operation = json_body(
        {"properties": {"list": {"$ref": "#/components/schemas/Node"}}}, Node=node
    )
    assert refused(operation, list={"next": {"next": {"value": 1}}}) is None
    assert "'x' is not of type 'integer'" in str(
        refused(operation, list={"next": {"next": {"value": "x"}}})
    )


def test_names_that_endpoints_do_not_take_are_mapped_back() -> None:
    item = {
        "/x": {
            "get": {
                "parameters": [
                    {"name": "filter[name]", "in": "query", "schema": STRING},
                    {"name": "$top", "in": "query"},
                    {"name": "имя", "in": "query"},
                    {"name": "top", "in": "header"},
                ]
            }
        }
    }
    (operation,) = import_document(
        {"openapi": "3.1.0", "paths": item}, base_url="http://h"
    ).operations
    assert list(fields(operation)) == ["filter_name", "top", "query", "header_top"]
    assert fields(operation)["filter_name"]["description"] == "'filter[name]' in the query."
    request = request_of(operation, {"filter_name": "a", "top": 3, "query": "b", "header_top": "h"})
    assert request.query == "filter%5Bname%5D=a&%24top=3&%D0%B8%D0%BC%D1%8F=b"
    assert request.headers == {"top": "h"}


def test_operations_whose_names_collide_keep_names_of_their_own() -> None:
    long = "a" * 70
    paths = {
        "/a": {"get": {"operationId": long}, "put": {"operationId": long}},
        "/b": {"get": {"operationId": "same"}, "delete": {"operationId": "same"}},
    }
    read = import_document({"openapi": "3.0.4", "paths": paths}, base_url="http://h")
    names = [one.spec.name for one in read.operations]
    assert len(set(names)) == 4
    assert max(map(len, names)) == 64
    again = import_document({"openapi": "3.0.4", "paths": paths}, base_url="http://h")
    assert [one.spec.name for one in again.operations] == names


def test_a_path_item_can_stand_elsewhere() -> None:
    document = {
        "openapi": "3.1.0",
        "paths": {"/a": {"$ref": "#/components/pathItems/A"}, "/b": {"$ref": "#/nowhere"}},
        "components": {"pathItems": {"A": {"get": {"operationId": "a"}}}},
    }
    read = import_document(document)
    assert [one.spec.name for one in read.operations] == ["a"]
    assert "/b was left out: the reference '#/nowhere' leads nowhere" in read.problems[0]


@pytest.mark.parametrize(
    ("url", "address", "server"),
    [
        ("/v1", "http://h:8/docs/openapi.json", "http://h:8/v1"),
        ("v1", "http://h/docs/openapi.json", "http://h/docs/v1"),
        ("", "http://h/docs/openapi.json", "http://h"),
        ("//g/v1", "https://h/openapi.json", "https://g/v1"),
        ("https://{a}.h/{b}", None, "https://eu.h/v2"),
        ("/v1", None, "/v1"),
    ],
)
def test_servers_start_from_the_documents_address(
    url: str, address: str | None, server: str
) -> None:
    variables = {"a": {"default": "eu", "enum": ["eu", "us"]}, "b": {"default": "v2"}}
    document = {
        "openapi": "3.0.4",
        "servers": [{"url": url, "variables": variables}],
        "paths": {"/a": {"get": {}}},
    }
    (operation,) = import_document(document, address=address).operations
    assert operation.server == server


SWAGGER = """
swagger: "2.0"
host: api.test
basePath: /v2
schemes: [http, https]
consumes: [application/json]
securityDefinitions:
  who: {type: basic}
  token: {type: apiKey, in: header, name: X-Token}
  login: {type: oauth2, flow: accessCode, authorizationUrl: https://a, tokenUrl: https://b, scopes: {}}
security: [{token: []}]
parameters:
  id: {name: id, in: path, required: true, type: integer}
  pet: {name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}
definitions:
  Pet:
    type: object
    required: [name]
    properties: {name: {type: string}, tags: {type: array, items: {type: string}}}
paths:
  /pets/{id}:
    parameters: [{$ref: '#/parameters/id'}]
    get:
      operationId: get
      parameters:
        - {name: tags, in: query, type: array, items: {type: string}, collectionFormat: multi}
        - {name: kinds, in: query, type: array, items: {type: string}}
        - {name: joined, in: query, type: array, items: {type: string}, collectionFormat: pipes}
      responses: {200: {description: ok, schema: {$ref: '#/definitions/Pet'}}}
    put:
      operationId: put
      parameters: [{$ref: '#/parameters/pet'}]
  /upload:
    post:
      operationId: upload
      security: []
      consumes: [multipart/form-data]
      parameters:
        - {name: file, in: formData, type: file, required: true}
        - {name: note, in: formData, type: string}
  /form:
    post:
      operationId: form
      consumes: [application/x-www-form-urlencoded]
      parameters:
        - {name: ids, in: formData, type: array, items: {type: integer}, collectionFormat: csv}
"""


def test_swagger_documents_are_converted() -> None:
    read = import_document(read_document(SWAGGER))
    assert read.problems == ()
    one = {operation.spec.name: operation for operation in read.operations}
    assert {operation.server for operation in read.operations} == {"https://api.test/v2"}
    got = sent(one["get"], id=1, tags=["a", "b"], kinds=["c", "d"], joined=["e", "f"])
    assert got.target == "https://api.test/v2/pets/1?tags=a&tags=b&kinds=c,d&joined=e%7Cf"
    assert sent(one["put"], id=1, name="Rex", tags=["x"]).body == b'{"name": "Rex", "tags": ["x"]}'
    assert (
        refused(one["put"], id=1)
        == "the arguments of 'a' do not fit: 'name' is a required property"
    )
    assert (one["get"].security, one["upload"].security) == ((("token",),), ())
    body = sent(one["upload"], file="x", note="n").body or b""
    assert b'name="file"; filename="file"' in body
    assert sent(one["form"], ids=[1, 2]).body == b"ids=1,2"
    assert read.schemes["who"] == {"type": "http", "scheme": "basic"}
    assert read.schemes["token"] == {"type": "apiKey", "in": "header", "name": "X-Token"}
    assert "200" in one["get"].responses
