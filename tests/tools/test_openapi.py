"""OpenAPI documents: real ones, broken ones, and calls over loopback."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from tests.tools.api_server import api

from toolmint.core.errors import InputError
from toolmint.core.http import HttpRequest, HttpResponse
from toolmint.core.messages import ToolCall
from toolmint.tools.network import Network
from toolmint.tools.openapi import ImportedApi, import_document, read_document
from toolmint.tools.openapi_call import openapi_tools
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio

PETS: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pets"},
    "servers": [
        {"url": "https://{region}.pets.test/v1", "variables": {"region": {"default": "eu"}}}
    ],
    "security": [{"key": []}],
    "paths": {
        "/pets/{petId}": {
            "parameters": [{"$ref": "#/components/parameters/petId"}],
            "get": {
                "operationId": "get pet",
                "summary": "One pet",
                "parameters": [
                    {
                        "name": "tags",
                        "in": "query",
                        "schema": {"type": "array", "items": {"type": "string"}},
                    },
                    {
                        "name": "joined",
                        "in": "query",
                        "explode": False,
                        "schema": {"type": "array", "items": {"type": "integer"}},
                    },
                    {
                        "name": "filter",
                        "in": "query",
                        "style": "deepObject",
                        "schema": {"type": "object"},
                    },
                    {
                        "name": "X-Trace",
                        "in": "header",
                        "schema": {"type": "string", "nullable": True},
                    },
                    {"name": "seen", "in": "cookie", "schema": {"type": "boolean"}},
                ],
            },
            "put": {
                "operationId": "putPet",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}
                    },
                },
            },
        },
        "/login": {
            "post": {
                "operationId": "login",
                "security": [],
                "requestBody": {
                    "content": {
                        "application/x-www-form-urlencoded": {
                            "schema": {
                                "type": "object",
                                "properties": {
                                    "user": {"type": "string", "required": True},
                                    "age": {"type": "integer"},
                                },
                            }
                        }
                    }
                },
            }
        },
        "/missing": {
            "get": {"operationId": "missing", "security": [{"basic": []}, {"bearer": []}]}
        },
        "/huge": {"get": {"operationId": "huge", "security": []}},
        "/names": {
            "post": {
                "security": [],
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"type": "array", "items": {"type": "string"}}
                        }
                    }
                },
            }
        },
    },
    "components": {
        "parameters": {
            "petId": {
                "name": "petId",
                "in": "path",
                "required": True,
                "schema": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            }
        },
        "schemas": {
            "Pet": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "petId": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
                },
            }
        },
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "query", "name": "k"},
            "basic": {"type": "http", "scheme": "basic"},
            "bearer": {"type": "http", "scheme": "bearer"},
        },
    },
}


TRACE: dict[str, object] = {"X-Trace": "t", "seen": True}


def imported(base_url: str | None = None) -> ImportedApi:
    return import_document(read_document(json.dumps(PETS)), base_url=base_url)


def call(tool: str, /, **arguments: object) -> ToolCall:
    return ToolCall(id="c", name=tool, arguments=json.dumps(arguments))


def test_all_operations_of_the_real_documents_become_tools(data: Path) -> None:
    apis = json.loads((data / "toolalpaca/eval_simulated.json").read_text())
    assert len(apis) == 10
    for one in apis:
        read = import_document(read_document(one["Documentation"]))
        operations = {tool.spec.name for tool in read.operations}
        assert operations == set(one["Function_Projection"])
        assert not [problem for problem in read.problems if "left out" in problem]
        assert len(ToolCollection(openapi_tools(read, Network()))) == len(operations)


def test_yaml_is_read_as_json_is() -> None:
    text = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      description: the a\n"
    (operation,) = import_document(read_document(text)).operations
    assert (operation.spec.name, operation.spec.description) == ("get_a", "the a\nGET /a")


def test_references_bounds_and_recursion_end_in_json_schema() -> None:
    read = imported()
    assert read.problems == ()
    spec = {one.spec.name: one.spec for one in read.operations}
    assert spec["get_pet"].parameters["required"] == ["petId"]
    fields = cast("dict[str, Any]", spec["get_pet"].parameters["properties"])
    assert fields["petId"] == {"type": "integer", "exclusiveMinimum": 0}
    assert fields["X-Trace"] == {"type": ["string", "null"]}
    body = cast("dict[str, Any]", spec["putPet"].parameters["properties"])
    assert set(body) == {"petId", "name", "body_petId", "children"}
    assert body["children"]["items"] == {"$ref": "#/$defs/Pet"}
    pet = cast("dict[str, Any]", spec["putPet"].parameters["$defs"])["Pet"]
    assert pet["properties"]["children"]["items"] == {"$ref": "#/$defs/Pet"}
    assert spec["login"].parameters["required"] == ["user"]
    changes = [name for name, one in spec.items() if not one.read_only]
    assert changes == ["putPet", "login", "post_names"]
    assert read.operations[0].server == "https://eu.pets.test/v1"


async def test_arguments_reach_path_query_header_cookie_and_body() -> None:
    async with api() as url:
        network = Network(timeout=10)
        box = ToolCollection(openapi_tools(imported(url), network, {"key": "s3cret"}))
        got = await box.call(
            call("get_pet", petId=7, tags=["a", "b c"], joined=[1, 2], filter={"x": 1}, **TRACE)
        )
        seen = cast("dict[str, Any]", got.data)
        assert seen["path"] == "/pets/7"
        assert seen["query"] == [
            ["tags", "a"],
            ["tags", "b c"],
            ["joined", "1,2"],
            ["filter[x]", "1"],
            ["k", "s3cret"],
        ]
        assert seen["headers"]["x-trace"] == "t"
        assert seen["headers"]["cookie"] == "seen=true"
        put = await box.call(call("putPet", petId=1, name="Rex", body_petId="x"))
        assert json.loads(cast("dict[str, Any]", put.data)["body"]) == {"name": "Rex", "petId": "x"}
        form = await box.call(call("login", user="a b", age=3))
        assert cast("dict[str, Any]", form.data)["body"] == "user=a+b&age=3"
        names = await box.call(call("post_names", body=["a", "b"]))
        assert cast("dict[str, Any]", names.data)["body"] == '["a", "b"]'
        await network.close()


async def test_errors_of_a_server_are_observations() -> None:
    async with api() as url:
        network = Network(timeout=10)
        box = ToolCollection(openapi_tools(imported(url), network, {"bearer": "t"}))
        missing = await box.call(call("missing"))
        assert missing.failure == "http-404"
        assert "no such pet" in missing.content
        huge = await box.call(call("huge"))
        assert huge.content.endswith("[the response is longer than 1 MiB]")
        refused = await box.call(call("get_pet", petId=1))
        assert refused.failure == "tool-credentials"
        await network.close()
    down = ToolCollection(
        openapi_tools(imported(url), down_network := Network(timeout=2), {"key": "k"})
    )
    assert (await down.call(call("get_pet", petId=1))).failure == "tool-unreachable"
    await down_network.close()


async def test_credentials_follow_the_schemes() -> None:
    sent: list[HttpRequest] = []

    class Wire:
        async def send(self, request: HttpRequest) -> HttpResponse:
            sent.append(request)
            return HttpResponse(200, "text/plain", "ok")

    await ToolCollection(openapi_tools(imported(), Wire(), {"basic": "me:pw"})).call(
        call("missing")
    )
    await ToolCollection(openapi_tools(imported(), Wire(), {"bearer": "tok"})).call(call("missing"))
    assert sent[0].headers["Authorization"] == "Basic bWU6cHc="
    assert sent[1].headers["Authorization"] == "Bearer tok"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "neither JSON nor YAML"),
        ("- a\n- b", "expected an object, got list"),
        ("hello", "expected an object, got str"),
        ("{}", "no field 'openapi'"),
        ('{"swagger": "2.0"}', "no object 'paths'"),
        ('{"swagger": "1.2", "paths": {}}', "no field 'openapi'"),
        ("a: " + "[" * 200, "deeper than 100 levels"),
        ('{"a": ' * 200 + "1" + "}" * 200, "deeper than 100 levels"),
        ('{"openapi": "2.1", "paths": {}}', "version is '2.1'"),
        ('{"openapi": "3.0.0"}', "no object 'paths'"),
    ],
)
def test_what_is_no_openapi_document_is_refused_with_what_it_is(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_document(text)


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ({"$ref": "#/components/parameters/a"}, "go in a circle"),
        ({"$ref": "#/components/parameters/none"}, "leads nowhere"),
        ({"$ref": "other.yaml#/a"}, "leads out of the document"),
        ({"in": "query"}, "name"),
        (3, "left out"),
    ],
)
def test_a_broken_operation_is_named_and_the_others_stay(parameter: object, said: str) -> None:
    circle = {
        "a": {"$ref": "#/components/parameters/b"},
        "b": {"$ref": "#/components/parameters/a"},
    }
    document: dict[str, Any] = {
        "openapi": "3.0.0",
        "components": {"parameters": circle},
        "paths": {"/a": {"get": {"parameters": [parameter]}}, "/b": {"get": {}}},
    }
    read = import_document(document)
    assert [one.spec.name for one in read.operations] == ["get_b"]
    assert "GET /a was left out" in read.problems[0]
    assert said in read.problems[0]


async def test_a_schema_that_is_no_schema_is_loosened_and_said() -> None:
    odd = {"name": "n", "in": "query", "schema": {"type": "string", "minLength": "long"}}
    operation = {"operationId": "a", "parameters": [odd]}
    document: dict[str, Any] = {"openapi": "3.0.0", "paths": {"/a/{b}": {"get": operation}}}
    read = import_document(document)
    assert len(read.problems) == 2
    assert "'n' has no valid schema" in read.problems[0]
    result = await ToolCollection(openapi_tools(read, Network())).call(call("a", b="1", n="x"))
    assert result.failure == "tool-server"
