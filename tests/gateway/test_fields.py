"""A closed set of fields is understood: all else goes to the model untouched, and teaches nothing."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from benchmarks.conformance import (
    ANSWER,
    PATHS,
    TEXT,
    Case,
    Shape,
    bench,
    cases,
    fault,
    shapes,
)
from docs_src import field_table
from hypothesis import given
from hypothesis import strategies as st

from toolmint.assembly.settings import Settings, load_settings
from toolmint.core.errors import ConfigError, HttpError
from toolmint.core.tool import State
from toolmint.gateway.api.chat import CHAT_FIELDS, read_chat
from toolmint.gateway.api.endpoints import endpoint_kinds
from toolmint.gateway.api.fields import field_rules
from toolmint.gateway.api.responses import RESPONSE_FIELDS, read_response
from toolmint.gateway.call import ParsedRequest

SHAPES = shapes()
READ = {"chat": read_chat, "responses": read_response}
TABLES = {"chat": CHAT_FIELDS, "responses": RESPONSE_FIELDS}
PLAIN = Shape(("chat", "responses"), "top", {}, "served")
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def read(endpoint: str, body: Any) -> ParsedRequest:
    """Read a body, given as a value or as bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return READ[endpoint](raw)


def fate(found: ParsedRequest, plain: str) -> str:
    """Return what becomes of a request, beside the scope of a plain one."""
    if found.why:
        return "model"
    return "served" if found.scope == plain else "scope"


@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_every_shape_is_read_as_the_table_says(endpoint: str) -> None:
    plain = read(endpoint, PLAIN.body(endpoint)).scope
    mine = [one for one in SHAPES if endpoint in one.on]
    found = {one.name: fate(read(endpoint, one.body(endpoint)), plain) for one in mine}
    assert found == {one.name: one.fate for one in mine}
    counted = Counter(found.values())
    assert counted["model"] > 400 and counted["served"] > 30


def test_both_endpoints_share_the_scope_of_a_plain_request() -> None:
    scopes = {read(one, PLAIN.body(one)).scope for one in READ}
    assert len(scopes) == 1 and scopes != {""}


@pytest.mark.anyio
@pytest.mark.parametrize("state", ["serving", "shadowing"])
async def test_shapes_fare_through_a_gateway_as_the_table_says(
    tmp_path: Path, state: State, full: bool
) -> None:
    every = cases(SHAPES)
    async with bench(tmp_path, state) as here:
        chosen = every if full else every[::16]
        found = [(case.shape.name, await fault(here, case, state)) for case in chosen]
        assert [one for one in found if one[1]] == []


@pytest.mark.anyio
async def test_the_fault_of_a_wrong_shape_is_seen(tmp_path: Path) -> None:
    async with bench(tmp_path, "serving") as here:
        wrong = Case(
            Shape(("chat",), "top", {"guided_choice": ["a"]}, "served"), "chat", stream=False
        )
        assert "passed on" in await fault(here, wrong, "serving")
        wrong = Case(Shape(("chat",), "top", {"temperature": 0}, "model"), "chat", stream=False)
        assert "served" in await fault(here, wrong, "serving")


ODD: list[bytes] = [
    b'{"model": "gpt-5"}',
    b'{"model": "gpt-5", "messages": 3, "input": [3]}',
    b'{"model": "gpt-5", "messages": [{}], "input": [{}]}',
    b'\xef\xbb\xbf{"model": "gpt-5", "messages": []}',
    b'{"model": "gpt-5", "messages": [{"role": "user", "content": "\\ud83d"}]}',
    b'{"model": "gpt-5", "temperature": NaN, "messages": [{"role": "user", "content": "x"}]}',
    b'{"model": "gpt-5", "top_p": Infinity, "input": "x", "store": false}',
    b'{"model": "gpt-5", "stream": "yes", "stream_options": [1], "messages": "x"}',
    b' {"model" : "gpt-5",\n "messages":[], "input": "\xc3\xa4", "seed": 1.0000000000000000001}',
]


@pytest.mark.anyio
@pytest.mark.parametrize("path", list(PATHS.values()))
async def test_what_the_gateway_cannot_read_the_endpoint_gets_byte_for_byte(
    tmp_path: Path, path: str
) -> None:
    async with bench(tmp_path, "serving") as here:
        for raw in ODD:
            reply = await here.post(path, raw)
            assert (reply.status, reply.passed) == (200, raw)
            assert reply.headers["x-toolmint-cache"] == "bypass"
        await here.look()
        assert here.touched == (0, 0)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"3", b"null", b"{}", b'{"model": null}', b'{"model": ""}', b"\xff\xfe"],
)
async def test_only_what_names_no_model_is_refused(tmp_path: Path, raw: bytes) -> None:
    async with bench(tmp_path, "serving") as here:
        for path in PATHS.values():
            reply = await here.post(path, raw)
            assert (reply.status, reply.passed) == (400, None)
            assert json.loads(reply.body)["error"]["type"] == "invalid_request_error"


@pytest.mark.anyio
async def test_a_body_that_is_damaged_is_passed_on_or_refused(tmp_path: Path, full: bool) -> None:
    random = Random(5)
    bodies = [(PATHS[one.endpoint], json.dumps(one.body).encode()) for one in cases(SHAPES)]
    async with bench(tmp_path, "serving") as here:
        fates = Counter[str]()
        for _ in range(100_000 if full else 1000):
            path, raw = random.choice(bodies)
            broken = bytearray(raw)
            for _ in range(random.randint(1, 3)):
                at = random.randrange(len(broken))
                broken[at : at + random.randint(0, 4)] = random.randbytes(random.randint(0, 3))
            reply = await here.post(path, bytes(broken))
            assert reply.status in {200, 400}, (reply, broken)
            assert (reply.status == 400) <= (reply.passed is None), broken
            fates[reply.headers.get("x-toolmint-cache", "refused")] += 1
        assert {"refused", "bypass"} < fates.keys(), fates


@given(st.binary(max_size=60) | JSON.map(json.dumps).map(str.encode))
def test_no_body_is_a_fault_of_the_gateway(raw: bytes) -> None:
    for endpoint in READ:
        with suppress(HttpError):
            assert read(endpoint, raw).model


@given(st.text(max_size=12), JSON)
def test_a_field_that_no_table_has_is_for_the_model(name: str, value: Any) -> None:
    for endpoint, table in TABLES.items():
        known = {one.partition(".")[0] for one in table}
        if name in known:
            continue
        found = read(endpoint, PLAIN.body(endpoint) | {name: value})
        assert found.text is None and "do not know" in found.why


@given(st.sampled_from(sorted(CHAT_FIELDS.keys() | RESPONSE_FIELDS.keys())), JSON)
def test_a_known_field_of_any_value_is_read_or_is_for_the_model(name: str, value: Any) -> None:
    parent, _, child = name.partition(".")
    put = {parent: {child: value} if child else value}
    for endpoint in READ:
        body = PLAIN.body(endpoint) | put
        try:
            found = read(endpoint, body)
        except HttpError:
            assert parent == "model" and not (isinstance(value, str) and value)
            continue
        assert found.why or found.text is not None


def test_the_reason_names_the_field_and_cannot_break_a_header() -> None:
    for name in ("guided_choice", "a\r\nb: c", "x" * 500):
        why = read("chat", PLAIN.body("chat") | {name: 1}).why
        assert (
            repr(name[:40])[:-1] in why and "\n" not in why and "\r" not in why and len(why) < 200
        )


def test_instructions_differ_by_role_place_and_number() -> None:
    def scope(*before: tuple[str, str], **more: Any) -> str:
        put = [{"role": role, "content": text} for role, text in before]
        body = Shape((), "before", put, "scope").body("responses") | more
        return read("responses", body).scope

    scopes = [
        scope(),
        scope(("system", "A")),
        scope(("developer", "A")),
        scope(instructions="A"),
        scope(("system", "A"), instructions="A"),
        scope(("system", "A"), ("system", "A")),
        scope(("system", "A\0A")),
        scope(("system", "A\0"), ("system", "A")),
        scope(("system", "A"), ("system", "\0A")),
        scope(("system", "developerA")),
        scope(("system", "A" * 5000)),
        scope(("developer", "A" * 5000)),
    ]
    assert len(set(scopes)) == len(scopes)


def test_the_order_of_fields_means_nothing() -> None:
    put = {"stop": ["b", "a"], "verbosity": "low", "reasoning_effort": "low"}
    back = dict(reversed(list(put.items()))) | {"stop": ["a", "b", "a"]}
    one, other = (read("chat", PLAIN.body("chat") | more) for more in (put, back))
    assert one.scope == other.scope and one.stops == ("b", "a")


def test_the_smallest_limit_counts() -> None:
    found = read("chat", PLAIN.body("chat") | {"max_tokens": 90, "max_completion_tokens": 7})
    assert found.longest == 7


@pytest.mark.anyio
async def test_settings_say_what_becomes_of_a_field(tmp_path: Path) -> None:
    choices: Any = {
        "temperature": "scope",
        "user": "model",
        "x_trace": "served",
        "provider.order": "scope",
        "store": "served",
        "max_tokens": "scope",
    }
    expected: list[tuple[str, dict[str, Any], str]] = [
        ("chat", {"temperature": 0}, "miss"),
        ("chat", {"temperature": None}, "hit"),
        ("chat", {"temperature": "hot"}, "bypass"),
        ("chat", {"user": "u"}, "bypass"),
        ("chat", {"user": None}, "hit"),
        ("chat", {"x_trace": {"any": 1}}, "hit"),
        ("chat", {"provider": {"order": ["a"]}}, "miss"),
        ("chat", {"provider": {"only": ["a"]}}, "bypass"),
        ("chat", {"store": True}, "hit"),
        ("chat", {"max_tokens": 2}, "miss"),
        ("responses", {"store": True}, "hit"),
        ("responses", {"x_trace": 1}, "hit"),
    ]
    async with bench(tmp_path, "serving", choices) as here:
        for endpoint, put, cache in expected:
            body = PLAIN.body(endpoint) | put
            reply = await here.post(PATHS[endpoint], json.dumps(body).encode())
            assert reply.headers["x-toolmint-cache"] == cache, (put, reply.headers)
        left_out = json.dumps({"model": "gpt-5", "input": TEXT}).encode()
        reply = await here.post(PATHS["responses"], left_out)
        assert reply.passed is None and ANSWER.encode() in reply.body


def test_a_limit_that_is_part_of_the_scope_still_limits() -> None:
    rules = field_rules(CHAT_FIELDS, {"max_tokens": "scope"})
    raw = json.dumps(PLAIN.body("chat") | {"max_tokens": 5}).encode()
    found = read_chat(raw, rules)
    assert found.longest == 5 and found.scope != read_chat(raw).scope


def test_fields_can_be_set_by_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOOLMINT_FIELDS", "temperature=scope user=model")
    assert load_settings().fields == {"temperature": "scope", "user": "model"}
    monkeypatch.setenv("TOOLMINT_FIELDS", "temperature")
    with pytest.raises(ConfigError, match="TOOLMINT_FIELDS"):
        load_settings()
    assert Settings().fields == {}


@pytest.mark.parametrize("name", ["messages", "stream", "stream_options.include_usage", "a b", ""])
def test_a_field_that_cannot_be_set_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=repr(name)):
        endpoint_kinds({name: "model"})


def test_the_page_of_fields_is_current() -> None:
    assert field_table.PAGE.read_text() == field_table.page()


def deep(levels: int) -> bytes:
    """Return the JSON of objects in objects."""
    return b'{"a":' * levels + b"1" + b"}" * levels


ODD_VALUES = (
    *(b"null", b"true", b"0", b"-1.5", b"1e308", b"9" * 30, b'""', b'"x"', b"[]", b"{}", b"[[]]"),
    *(b"[null]", b"[{}]", b'{"type": ["text"]}', b'{"type": {}}', b'{"type": null}'),
    *(b'{"type": "text", "text": []}', b'{"type": "json_schema", "json_schema": []}'),
    *(b'[{"type": []}]', b'{"format": {"type": []}}', b"[" * 300 + b"]" * 300, deep(300)),
    b'{"type": "json_schema", "json_schema": {"name": "x", "schema": ' + deep(240) + b"}}",
    b'{"format": {"type": "json_schema", "name": "x", "schema": ' + deep(300) + b"}}",
)


@pytest.mark.anyio
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
async def test_no_value_of_a_known_field_costs_an_answer(tmp_path: Path, endpoint: str) -> None:
    choices: Any = {"x_any": "scope", "x_other.any": "scope"}
    names = {*TABLES[endpoint], *(one.partition(".")[0] for one in TABLES[endpoint]), *choices}
    async with bench(tmp_path, "serving", choices) as here:
        for name in sorted(names):
            parent, _, child = name.partition(".")
            plain = PLAIN.body(endpoint)
            plain.pop(parent, None)
            rest = json.dumps(plain).encode()[1:]
            for value in ODD_VALUES:
                inner = b'{"%b": %b}' % (child.encode(), value) if child else value
                raw = b'{"%b": %b, ' % (parent.encode(), inner) + rest
                reply = await here.post(PATHS[endpoint], raw)
                if parent == "model" and value != b'"x"':
                    assert reply.status == 400, (name, value[:60], reply)
                    continue
                cache = reply.headers["x-toolmint-cache"]
                assert reply.status == 200, (name, value[:60], reply)
                assert reply.passed in (raw, None) and (reply.passed is None) == (cache == "hit")


@pytest.mark.anyio
@pytest.mark.parametrize("levels", [500, 990])
async def test_a_deep_field_beside_options_of_a_stream_goes_on_as_it_came(
    tmp_path: Path, levels: int
) -> None:
    rest = json.dumps(PLAIN.body("chat"))[1:].encode()
    raw = b'{"stream": true, "stream_options": {}, "x": ' + deep(levels) + b", " + rest
    async with bench(tmp_path, "serving") as here:
        reply = await here.post(PATHS["chat"], raw)
        assert reply.status == 200 and reply.passed is not None
        assert reply.passed == raw or b"include_usage" in reply.passed


@pytest.mark.parametrize(
    "schema",
    [{"pattern": "^(a+)+$"}, {"$ref": "http://127.0.0.1:9/x"}, {"description": "x" * 50_000}],
)
def test_a_schema_whose_check_is_not_bounded_is_for_the_model(schema: dict[str, Any]) -> None:
    form = {"name": "x", "schema": schema}
    put = {"response_format": {"type": "json_schema", "json_schema": form}}
    assert "response_format" in read("chat", PLAIN.body("chat") | put).why
    put = {"text": {"format": {"type": "json_schema"} | form}}
    assert "text" in read("responses", PLAIN.body("responses") | put).why
