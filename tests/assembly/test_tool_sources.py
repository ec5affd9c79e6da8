"""Sources of tools: one syntax of options for every kind, on the command line and in settings."""

import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import pytest
from tests.tools.api_server import api
from tests.tools.test_mcp import STDIO, served

from toolmint.assembly.remote_tools import is_users_own
from toolmint.assembly.settings import load_settings
from toolmint.assembly.tool_sources import source_of
from toolmint.assembly.toolboxes import toolbox_of
from toolmint.core.errors import ConfigError, ToolError, ToolNotFound
from toolmint.core.messages import ToolCall, ToolResult
from toolmint.sandbox.forkserver import ForkServer
from toolmint.store.sql import SqlStore
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio
EXAMPLE = Path(__file__).parents[2] / "examples" / "company_tools.py"


@pytest.mark.parametrize(
    ("text", "where", "options"),
    [
        ("a.json?prefix=x_&only=a,b", "a.json", {"prefix": ("x_",), "only": ("a,b",)}),
        ("a.json?key=a:A&key=b:B", "a.json", {"key": ("a:A", "b:B")}),
        ("made?prefix=m_", "", {"prefix": ("m_",)}),
        ("program?only=python", "", {"only": ("python",)}),
        ("python:f.py?prefix=p_", "f.py", {"prefix": ("p_",)}),
        ("http://h/o.json", "http://h/o.json", {}),
        ("http://h/o.json?v=3", "http://h/o.json?v=3", {}),
        ("http://h/o?v=3&base_url=http://g", "http://h/o?v=3", {"base_url": ("http://g",)}),
        ("http://h/o?v=3?private=allow", "http://h/o?v=3", {"private": ("allow",)}),
        ("http://h/o?%6Bey=1", "http://h/o?%6Bey=1", {}),
        ("http://h/o?%6Bey=1&prefix=a", "http://h/o?%6Bey=1", {"prefix": ("a",)}),
        ("mcp:npx -y server --x=1", "npx -y server --x=1", {}),
        ("mcp:npx s --u http://h?a=b", "npx s --u http://h?a=b", {}),
        ("mcp:npx s ?env=A&prefix=x_", "npx s ", {"env": ("A",), "prefix": ("x_",)}),
        ("mcp:http://h/m?a=b&key=bearer:T", "http://h/m?a=b", {"key": ("bearer:T",)}),
        ("mcp:ask? me", "ask? me", {}),
        ("a.json?header=X-A:=a%20b%26c", "a.json", {"header": ("X-A:=a b&c",)}),
    ],
)
def test_options_are_told_from_what_is_the_sources_own(
    text: str, where: str, options: Mapping[str, tuple[str, ...]]
) -> None:
    found = source_of(text)
    assert (found.where, found.options) == (where, options)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.json?prefx=x", "unknown option 'prefx' in .*; did you mean 'prefix'"),
        ("a.json?zzz=x", "unknown option 'zzz' in .*; known are prefix, only"),
        ("http://h/o?prefx=x", "did you mean 'prefix'"),
        ("mcp:cmd?env=A&zzz=1", "unknown option 'zzz'"),
        ("python:a.py?base_url=http://h", "'base_url' in .* is for openapi, not for python"),
        ("made?key=a:B", "'key' in .* is for openapi, mcp, not for made"),
        ("a.json?env=A", "'env' in .* is for mcp, not for openapi"),
        ("a.json?prefix=", "'prefix' in 'a.json.prefix=' has no value"),
        ("a.json?key=TOKEN", "key='TOKEN' in .* must be SCHEME:VARIABLE"),
        ("a.json?base_url=h", "must begin with http:// or https://"),
        ("a.json?private=yes", "private='yes' in .* must be 'allow'"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        source_of(text)


def test_settings_take_names_tables_and_a_variables_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toolmint.toml").write_text(
        'toolbox = ["made", {source = "https://h/o.json?v=3", prefix = "x_", key = ["a:A", "b:B"],'
        ' header = "X-A:=1 & 2"}]\n'
    )
    made, table = load_settings().toolbox
    assert made == "made"
    assert source_of(table)[1:] == (
        "https://h/o.json?v=3",
        {"prefix": ("x_",), "key": ("a:A", "b:B"), "header": ("X-A:=1 & 2",)},
    )
    monkeypatch.setenv("TOOLMINT_TOOLBOX", "made 'mcp:npx -y server?prefix=a_'")
    assert load_settings().toolbox == ("made", "mcp:npx -y server?prefix=a_")
    monkeypatch.setenv("TOOLMINT_TOOLBOX", '["made", {"source": "a.json", "only": "b"}]')
    assert load_settings().toolbox == ("made", "a.json?only=b")


@pytest.mark.parametrize("table", ['{prefix = "x"}', '{source = "a", only = 3}', "3"])
def test_a_table_that_is_no_source_is_refused_in_one_line(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toolmint.toml").write_text(f"toolbox = [{table}]\n")
    with pytest.raises(ConfigError, match="toolbox"):
        load_settings()


def document(url: str, security: list[Any], schemes: dict[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.0.4",
        "servers": [{"url": url}],
        "security": security,
        "components": {"securitySchemes": schemes},
        "paths": {"/a": {"get": {"operationId": "a"}}, "/b": {"get": {"operationId": "b"}}},
    }


async def called(box: ToolCollection, name: str) -> ToolResult:
    return await box.call(ToolCall(id="c", name=name, arguments="{}"))


async def test_keys_and_headers_go_with_every_request(
    store: SqlStore, sandbox: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schemes = {
        "app": {"type": "apiKey", "in": "header", "name": "X-App"},
        "user": {"type": "apiKey", "in": "query", "name": "user key"},
    }
    file = tmp_path / "api.json"
    monkeypatch.setenv("APP", "a-secret")
    monkeypatch.setenv("USER_KEY", "u&secret")
    async with api() as url, AsyncExitStack() as stack:

        async def seen(options: str, **given: Any) -> dict[str, Any]:
            file.write_text(json.dumps(document(url, **given)))
            box, _ = await toolbox_of([f"{file}?{options}"], stack, store, sandbox)
            return cast("dict[str, Any]", (await called(box, box.specs[0].name)).data)

        both: dict[str, Any] = {"security": [{"app": [], "user": []}], "schemes": schemes}
        found = await seen("key=app:APP&key=user:USER_KEY&header=X-Who:=me you", **both)
        assert found["headers"]["x-app"] == "a-secret"
        assert found["headers"]["x-who"] == "me you"
        assert found["query"] == [["user key", "u&secret"]]
        none: dict[str, Any] = {"security": [], "schemes": {}}
        assert (await seen("key=bearer:APP", **none))["headers"][
            "authorization"
        ] == "Bearer a-secret"
        found = await seen("key=header.X-Key:APP,query.k:USER_KEY,cookie.c:APP", **none)
        assert found["headers"]["x-key"] == "a-secret"
        assert found["headers"]["cookie"] == "c=a-secret"
        assert found["query"] == [["k", "u&secret"]]
        # A key that needs no document stands for the document's schemes.
        assert (await seen("key=bearer:APP", **both))["headers"][
            "authorization"
        ] == "Bearer a-secret"
        file.write_text(json.dumps(document(url, **both)))
        for options, said in (
            ("key=app:MISSING", "'MISSING', which is not set"),
            ("key=ap:APP", "knows no scheme 'ap' of a key; it knows app, user, bearer, basic"),
        ):
            with pytest.raises(ConfigError, match=said):
                await toolbox_of([f"{file}?{options}"], stack, store, sandbox)
        box, _ = await toolbox_of([f"{file}?key=app:APP"], stack, store, sandbox)
        refused = await called(box, "a")
        assert refused.failure == "tool-credentials"
        assert "app with user; give key=SCHEME:VARIABLE" in refused.content


async def test_prefix_and_only_are_for_every_source(store: SqlStore, sandbox: ForkServer) -> None:
    async with AsyncExitStack() as stack:
        sources = [
            f"python:{EXAMPLE}?only=founded&prefix=p_",
            f"mcp:{STDIO}?only=add,fail&prefix=m_",
            "program?prefix=run_",
        ]
        box, problems = await toolbox_of(sources, stack, store, sandbox)
        assert [one.name for one in box.specs] == ["p_founded", "m_add", "m_fail", "run_python"]
        assert problems == []
        with pytest.raises(ToolNotFound, match=r"no tool 'adds'; of its 3, the nearest are add"):
            await toolbox_of([f"mcp:{STDIO}?only=adds"], stack, store, sandbox)


async def test_mcp_servers_get_variables_and_headers(
    store: SqlStore, sandbox: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.py").write_text(
        "import os\n"
        "from mcp.server.mcpserver import MCPServer\n"
        "server = MCPServer('env')\n"
        "@server.tool()\n"
        "def env(name: str) -> str:\n"
        "    return os.environ.get(name, 'none')\n"
        "server.run()\n"
    )
    monkeypatch.setenv("SECRET", "s3")
    command = f"mcp:{sys.executable} {tmp_path / 'server.py'}"
    async with AsyncExitStack() as stack:
        source = f"{command}?env=SECRET&env=OTHER:SECRET&env=MODE:=test"
        box, _ = await toolbox_of([source], stack, store, sandbox)
        bare, _ = await toolbox_of([command], stack, store, sandbox)

        async def value(of: ToolCollection, name: str) -> str:
            call = ToolCall(id="c", name="env", arguments=json.dumps({"name": name}))
            return (await of.call(call)).content

        assert [await value(box, name) for name in ("SECRET", "OTHER", "MODE")] == [
            "s3",
            "s3",
            "test",
        ]
        assert await value(bare, "SECRET") == "none"
        with pytest.raises(ConfigError, match="'header' is for MCP servers at an address"):
            await toolbox_of([f"{command}?header=A:SECRET"], stack, store, sandbox)
        with pytest.raises(ConfigError, match="'env' is for MCP servers that a command starts"):
            await toolbox_of(["mcp:http://127.0.0.1:9/?env=SECRET"], stack, store, sandbox)
        with pytest.raises(ConfigError, match="no scheme 'oauth' of a key"):
            await toolbox_of(["mcp:http://127.0.0.1:9/?key=oauth:SECRET"], stack, store, sandbox)


async def test_a_server_over_http_sees_the_key(
    store: SqlStore, sandbox: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "s3")
    with served(only="Bearer s3") as url:
        async with AsyncExitStack() as stack:
            box, _ = await toolbox_of(
                [f"mcp:{url}?key=bearer:SECRET&only=add"], stack, store, sandbox
            )
            assert [one.name for one in box.specs] == ["add"]
        async with AsyncExitStack() as stack:
            with pytest.raises(ToolError, match="cannot be used"):
                await toolbox_of([f"mcp:{url}"], stack, store, sandbox)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("api.json", True),
        ("http://localhost:8/api.json", True),
        ("http://127.0.0.1/api.json", True),
        ("http://10.0.0.1/api.json", True),
        ("https://example.com/api.json", False),
        ("https://example.com/api.json?private=allow", True),
        ("https://example.com/api.json?base_url=http://localhost:8", True),
        ("http://localhost/api.json?base_url=https://example.com", False),
    ],
)
def test_only_the_users_own_documents_may_lead_to_private_addresses(text: str, own: bool) -> None:
    assert is_users_own(source_of(text)) is own
