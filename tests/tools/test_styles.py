"""Every style of OpenAPI's table, by location, type and explode, against a server that echoes.

The expected strings are written by hand from the tables "Style Values" and "Style Examples" of OpenAPI 3.0.4
and 3.1.1 (colours as there), and compared with what a server on loopback received.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from toolmint.core.errors import ToolError
from toolmint.core.messages import ToolCall
from toolmint.core.values import Value
from toolmint.tools.network import Network
from toolmint.tools.openapi import ImportedApi, import_document
from toolmint.tools.openapi_call import openapi_tools, request_of
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio
ARRAY: list[Value] = ["blue", "black", "brown"]
OBJECT: dict[str, Value] = {"R": 100, "G": 200, "B": 150}
Row = tuple[str, str, bool, object, str]

PATH: list[Row] = [
    # style, explode, value, what stands in the path in place of /{color}
    ("path", "matrix", False, "", ";color"),
    ("path", "matrix", False, "blue", ";color=blue"),
    ("path", "matrix", False, ARRAY, ";color=blue,black,brown"),
    ("path", "matrix", False, OBJECT, ";color=R,100,G,200,B,150"),
    ("path", "matrix", True, "", ";color"),
    ("path", "matrix", True, "blue", ";color=blue"),
    ("path", "matrix", True, ARRAY, ";color=blue;color=black;color=brown"),
    ("path", "matrix", True, OBJECT, ";R=100;G=200;B=150"),
    ("path", "label", False, "blue", ".blue"),
    ("path", "label", False, ARRAY, ".blue,black,brown"),
    ("path", "label", False, OBJECT, ".R,100,G,200,B,150"),
    ("path", "label", True, "blue", ".blue"),
    ("path", "label", True, ARRAY, ".blue.black.brown"),
    ("path", "label", True, OBJECT, ".R=100.G=200.B=150"),
    ("path", "simple", False, "blue", "blue"),
    ("path", "simple", False, ARRAY, "blue,black,brown"),
    ("path", "simple", False, OBJECT, "R,100,G,200,B,150"),
    ("path", "simple", True, "blue", "blue"),
    ("path", "simple", True, ARRAY, "blue,black,brown"),
    ("path", "simple", True, OBJECT, "R=100,G=200,B=150"),
]
QUERY: list[Row] = [
    ("query", "form", False, "", "color="),
    ("query", "form", False, "blue", "color=blue"),
    ("query", "form", False, ARRAY, "color=blue,black,brown"),
    ("query", "form", False, OBJECT, "color=R,100,G,200,B,150"),
    ("query", "form", True, "", "color="),
    ("query", "form", True, "blue", "color=blue"),
    ("query", "form", True, ARRAY, "color=blue&color=black&color=brown"),
    ("query", "form", True, OBJECT, "R=100&G=200&B=150"),
    ("query", "spaceDelimited", False, ARRAY, "color=blue%20black%20brown"),
    ("query", "spaceDelimited", False, OBJECT, "color=R%20100%20G%20200%20B%20150"),
    ("query", "pipeDelimited", False, ARRAY, "color=blue%7Cblack%7Cbrown"),
    ("query", "pipeDelimited", False, OBJECT, "color=R%7C100%7CG%7C200%7CB%7C150"),
    ("query", "deepObject", True, OBJECT, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
]
HEADER: list[Row] = [
    ("header", "simple", False, "", ""),
    ("header", "simple", False, "blue", "blue"),
    ("header", "simple", False, ARRAY, "blue,black,brown"),
    ("header", "simple", False, OBJECT, "R,100,G,200,B,150"),
    ("header", "simple", True, "", ""),
    ("header", "simple", True, "blue", "blue"),
    ("header", "simple", True, ARRAY, "blue,black,brown"),
    ("header", "simple", True, OBJECT, "R=100,G=200,B=150"),
]
COOKIE: list[Row] = [
    ("cookie", "form", False, "", "color="),
    ("cookie", "form", False, "blue", "color=blue"),
    ("cookie", "form", False, ARRAY, "color=blue,black,brown"),
    ("cookie", "form", False, OBJECT, "color=R,100,G,200,B,150"),
    ("cookie", "form", True, "", "color="),
    ("cookie", "form", True, "blue", "color=blue"),
    # The table joins by "&", which no cookie can have; a header Cookie joins by "; " (OpenAPI 3.2, RFC 6265).
    ("cookie", "form", True, ARRAY, "color=blue; color=black; color=brown"),
    ("cookie", "form", True, OBJECT, "R=100; G=200; B=150"),
]
# The columns of types that the table leaves to its text: numbers, booleans, and signs that are encoded.
TYPES: list[Row] = [
    ("path", "simple", False, 3, "3"),
    ("path", "simple", False, True, "true"),
    ("path", "matrix", False, 2.5, ";color=2.5"),
    ("path", "label", False, -1, ".-1"),
    ("path", "simple", False, "a/b c?d#e", "a%2Fb%20c%3Fd%23e"),
    ("path", "simple", False, ["a,b", "c"], "a%2Cb,c"),
    ("query", "form", True, False, "color=false"),
    ("query", "form", True, 1e21, "color=1e%2B21"),
    ("query", "form", False, ["a,b", "c&d"], "color=a%2Cb,c%26d"),
    ("query", "form", True, "ü=&", "color=%C3%BC%3D%26"),
    ("query", "pipeDelimited", False, ["a|b", "c"], "color=a%7Cb%7Cc"),
    ("query", "spaceDelimited", True, ARRAY, "color=blue&color=black&color=brown"),
    ("query", "form", True, ["a", None, "b"], "color=a&color=b"),
    ("query", "form", True, {"R": None, "G": 1}, "G=1"),
    ("query", "form", False, [], ""),
    ("query", "form", True, None, ""),
    (
        "query",
        "deepObject",
        True,
        {"a": {"b": [1, 2]}},
        "color%5Ba%5D%5Bb%5D%5B0%5D=1&color%5Ba%5D%5Bb%5D%5B1%5D=2",
    ),
    ("query", "deepObject", True, ["x"], "color%5B0%5D=x"),
    ("header", "simple", False, [1, True], "1,true"),
    ("header", "simple", False, "a b,c", "a b,c"),
    ("cookie", "form", False, "a;b c", "color=a%3Bb%20c"),
    ("cookie", "form", False, None, ""),
]
TABLE = PATH + QUERY + HEADER + COOKIE


def document_of(parameter: Mapping[str, object], path: str = "/x") -> ImportedApi:
    operation = {"operationId": "a", "parameters": [parameter]}
    return import_document(
        {"openapi": "3.0.4", "paths": {path: {"get": operation}}}, base_url="http://h"
    )


async def received(rows: list[Row]) -> list[str]:
    """Return what a server on loopback received in the place of each row's argument."""
    seen: list[str] = []

    async def echo(request: web.Request) -> web.Response:
        seen.append(
            {
                "path": request.raw_path.removeprefix("/x/"),
                "query": request.raw_path.partition("?")[2],
                "header": request.headers.get("color", ""),
                "cookie": request.headers.get("Cookie", ""),
            }[place]
        )
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", echo)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{cast('Any', runner.addresses[0])[1]}"
    network = Network(timeout=10)
    try:
        for place, style, explode, value, _ in rows:
            parameter = {"name": "color", "in": place, "style": style, "explode": explode}
            path = "/x/{color}" if place == "path" else "/x"
            operation = {"operationId": "a", "parameters": [parameter]}
            read = import_document(
                {"openapi": "3.0.4", "paths": {path: {"get": operation}}}, base_url=url
            )
            box = ToolCollection(openapi_tools(read, network))
            call = ToolCall(id="c", name="a", arguments=json.dumps({"color": value}))
            result = await box.call(call)
            assert result.content == "ok", (place, style, explode, value, result)
    finally:
        await network.close()
        await runner.cleanup()
    return seen


def test_the_table_is_whole() -> None:
    """Each combination that the specification's table defines is a row (n/a is left out there)."""
    kinds: dict[type, str] = {str: "string", list: "array", dict: "object"}
    rows = {
        (place, style, explode, "empty" if value == "" else kinds[type(value)])
        for place, style, explode, value, _ in TABLE
    }
    full = {"empty", "string", "array", "object"}
    defined = {
        ("path", "matrix"): full,
        # An empty label is ".", a segment that servers take away: it is refused, see below.
        ("path", "label"): full - {"empty"},
        ("path", "simple"): full - {"empty"},
        ("query", "form"): full,
        ("header", "simple"): full,
        ("cookie", "form"): full,
    }
    expected = {
        (place, style, explode, kind)
        for (place, style), those in defined.items()
        for explode in (False, True)
        for kind in those
    }
    expected |= {
        ("query", style, False, kind)
        for style in ("spaceDelimited", "pipeDelimited")
        for kind in ("array", "object")
    }
    assert rows == expected | {("query", "deepObject", True, "object")}


async def test_a_server_receives_what_the_table_says() -> None:
    rows = TABLE + TYPES
    found = await received(rows)
    wrong = [(*row[:4], got) for row, got in zip(rows, found, strict=True) if got != row[4]]
    assert wrong == []


@pytest.mark.parametrize(
    ("place", "explode"), [("path", False), ("query", True), ("header", False), ("cookie", True)]
)
def test_styles_and_explode_have_the_defaults_of_their_place(place: str, explode: bool) -> None:
    path = "/x/{c}" if place == "path" else "/x"
    (operation,) = document_of({"name": "c", "in": place}, path).operations
    assert operation.slots["c"].explode is explode


def test_content_of_a_parameter_is_json() -> None:
    content = {"application/json": {"schema": {"type": "object"}}}
    expected = {
        "path": "http://h/x/%7B%22a%22%3A%5B1%2C%22b%20c%22%5D%7D",
        "query": "c=%7B%22a%22%3A%5B1%2C%22b%20c%22%5D%7D",
        "header": '{"a":[1,"b c"]}',
        "cookie": "c=%7B%22a%22%3A%5B1%2C%22b%20c%22%5D%7D",
    }
    for place, said in expected.items():
        path = "/x/{c}" if place == "path" else "/x"
        (one,) = document_of({"name": "c", "in": place, "content": content}, path).operations
        request = request_of(one, {"c": {"a": [1, "b c"]}})
        found = {
            "path": request.url,
            "query": request.query,
            "header": request.headers.get("c"),
            "cookie": request.headers.get("Cookie"),
        }
        assert found[place] == said


def test_reserved_characters_stay_where_a_parameter_allows_them() -> None:
    (one,) = document_of({"name": "c", "in": "query", "allowReserved": True}).operations
    request = request_of(one, {"c": "a/b?c:d,e;f=g&h#i+j[k] l"})
    # What would end the value or the query is encoded all the same.
    assert request.query == "c=a/b?c:d,e;f=g%26h%23i%2Bj%5Bk%5D%20l"


ESCAPES = ["", ".", "..", "../x", "a/..", "..\\x", "%2e%2e", "%2E.", "x%2f..", "%252e%252e", "./a"]


@pytest.mark.parametrize("value", ESCAPES)
@pytest.mark.parametrize("template", ["/repos/{owner}/x", "/repos/{owner}", "/repos/{a}{owner}"])
def test_no_argument_leaves_its_part_of_the_path(template: str, value: str) -> None:
    slots = [{"name": name, "in": "path"} for name in ("owner", "a") if f"{{{name}}}" in template]
    operation = {"operationId": "a", "parameters": slots}
    read = import_document(
        {"openapi": "3.0.4", "paths": {template: {"delete": operation}}}, base_url="http://h"
    )
    with pytest.raises(ToolError, match="would leave"):
        request_of(read.operations[0], {"owner": value, "a": ""})


def test_an_empty_label_and_dots_in_pieces_are_refused() -> None:
    label = {"name": "c", "in": "path", "style": "label"}
    for value in ("", ".", "./"):
        with pytest.raises(ToolError, match="would leave"):
            request_of(document_of(label, "/x/{c}").operations[0], {"c": value})
    pieces = document_of({"name": "c", "in": "path"}, "/x/{c}{d}").operations[0]
    with pytest.raises(ToolError, match="would leave"):
        request_of(pieces, {"c": ".", "d": "."})


@given(st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_text_stays_one_segment_or_is_refused(text: str) -> None:
    (one,) = document_of({"name": "c", "in": "path"}, "/x/{c}/y").operations
    try:
        url = request_of(one, {"c": text}).url
    except ToolError:
        return
    start, middle, end = url.removeprefix("http://h/").split("/")
    assert (start, end) == ("x", "y")
    assert middle.strip(".")


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\0b", "a\x7fb"])
def test_a_header_cannot_carry_another_one(value: str) -> None:
    (one,) = document_of({"name": "c", "in": "header"}).operations
    with pytest.raises(ToolError, match="control characters"):
        request_of(one, {"c": value})
