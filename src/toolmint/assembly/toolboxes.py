"""Where an agent's tools come from: documents, MCP servers, Python files, made tools, programs."""

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast
from urllib.parse import parse_qsl, urlencode

from toolmint.assembly.settings import secret
from toolmint.core.errors import ConfigError, InputError, ToolError, boundary
from toolmint.core.http import HttpRequest, Transport
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.namespace import LOCAL_TENANT
from toolmint.core.sandbox import Sandbox
from toolmint.core.store import ToolStore
from toolmint.core.tool import ToolRecord
from toolmint.core.toolbox import Tool, Toolbox
from toolmint.tools.function import FunctionTool, tool
from toolmint.tools.made import MadeTool
from toolmint.tools.openapi import ImportedApi, import_document, read_document
from toolmint.tools.openapi_call import openapi_tools
from toolmint.tools.program import ProgramTool
from toolmint.tools.toolbox import ToolCollection

_OPTIONS = ("base_url", "prefix", "only", "key")
_HELP = (
    "FILE or URL of an OpenAPI document, mcp:COMMAND, mcp:http://..., python:FILE.py, made, or program; "
    "options after '?': base_url, prefix, only (names), key (SCHEME:VARIABLE)"
)


ToolSource: TypeAlias = str | Path | Callable[..., object] | Tool | Toolbox | ToolRecord
"""A tool, several, or where they come from: a Python function with annotated arguments, a tool, a toolbox, a
made tool, or the name of a source as the command line takes it (see ``_HELP``).
"""


class Source(NamedTuple):
    """A place that tools come from: what kind it is, where, and options."""

    kind: str
    where: str
    options: Mapping[str, str]


def source_of(text: str) -> Source:
    """Read the name of a source.

    Raises:
        ConfigError: an option is not known.
    """
    kind, colon, rest = text.partition(":")
    if text in {"made", "program"}:
        return Source(text, "", {})
    if kind == "mcp" and colon:
        return Source("mcp", rest, {})
    where, _, query = text.partition("?")
    options = dict(parse_qsl(query))
    if text.startswith(("http://", "https://")):
        # An address may have a query of its own: what is no option of ours stays with it.
        own = {name: value for name, value in options.items() if name not in _OPTIONS}
        where += f"?{urlencode(own)}" if own else ""
        options = {name: value for name, value in options.items() if name in _OPTIONS}
    for option in options:
        if option not in _OPTIONS:
            raise ConfigError(
                f"unknown option {option!r} in {text!r}; known are {', '.join(_OPTIONS)}"
            )
    if kind == "python" and colon:
        return Source("python", where.partition(":")[2], options)
    return Source("openapi", where, options)


async def toolbox_of(
    sources: Sequence[ToolSource], stack: AsyncExitStack, store: ToolStore, sandbox: Sandbox
) -> tuple[ToolCollection, list[str]]:
    """Return the tools of all sources in one box, and what could not be read, in words.

    Args:
        sources: tools, or sources as the command line names them; see ``_HELP``.
        stack: closes connections and servers at its end.
        store: holds the made tools.
        sandbox: runs made tools and programs.

    Raises:
        ConfigError: a source is named wrongly.
        InputError: a document cannot be read.
        ToolError: a server cannot be used, or two tools have one name.
    """
    boxes: list[ToolCollection] = []
    problems: list[str] = []
    for given in sources:
        if not isinstance(given, str | Path):
            boxes.append(_given(given, sandbox))
            continue
        source = source_of(_named(given))
        match source.kind:
            case "made":
                box, said = await _made(store, sandbox)
                problems += said
            case "program":
                box = ToolCollection([ProgramTool(sandbox)])
            case "mcp":
                box = await _mcp(source.where, stack)
            case "python":
                box = ToolCollection(functions_in(Path(source.where)))
            case _:
                box, said = await _openapi(source, stack)
                problems += said
        boxes.append(_view(box, source.options))
    return ToolCollection().merged(*boxes), problems


class _Shared(NamedTuple):
    """One tool of a toolbox that somebody else put together."""

    spec: ToolSpec
    box: Toolbox

    async def call(self, call: ToolCall) -> ToolResult:
        """Call it through its toolbox."""
        return await self.box.call(call)


def _named(source: str | Path) -> str:
    """Return a source's name; a bare path of a Python file stands for its functions."""
    text = str(source)
    return f"python:{text}" if text.endswith(".py") and ":" not in text else text


def _given(
    source: Callable[..., object] | Tool | Toolbox | ToolRecord, sandbox: Sandbox
) -> ToolCollection:
    """Return a tool, several, or a plain function as a toolbox.

    Raises:
        ToolError: it cannot be called as a tool.
    """
    if isinstance(source, ToolRecord):
        return ToolCollection([MadeTool(source, sandbox, owner=LOCAL_TENANT)])
    if hasattr(source, "specs"):
        box = cast("Toolbox", source)
        return ToolCollection(_Shared(spec, box) for spec in box.specs)
    if hasattr(source, "spec"):
        return ToolCollection([cast("Tool", source)])
    if callable(source):
        return ToolCollection([tool(source)])
    raise _no_tool(source)


def _no_tool(source: object) -> ToolError:
    return ToolError(f"{source!r:.80} is no tool; expected a function, a tool, or {_HELP}")


def checked_source(source: ToolSource) -> None:
    """Raise the error of a source that is named wrongly, before anything is opened.

    Raises:
        ConfigError: an option is not known.
        ToolError: a function cannot be a tool, or the object is none.
    """
    if isinstance(source, str | Path):
        source_of(_named(source))
    elif callable(source) and not hasattr(source, "spec"):
        tool(source)
    elif not isinstance(source, ToolRecord) and not (
        hasattr(source, "spec") or hasattr(source, "specs")
    ):
        raise _no_tool(source)


def _view(box: ToolCollection, options: Mapping[str, str]) -> ToolCollection:
    if "only" in options:
        box = box.only(options["only"].split(","))
    return box.prefixed(options["prefix"]) if "prefix" in options else box


async def _made(store: ToolStore, sandbox: Sandbox) -> tuple[ToolCollection, list[str]]:
    """Return the serving made tools that an agent can call; the others are named."""
    tools: list[MadeTool] = []
    problems: list[str] = []
    for record in await store.serving():
        try:
            tools.append(MadeTool(record, sandbox, owner=LOCAL_TENANT))
        except ToolError as fault:
            problems.append(str(fault))
    return ToolCollection(tools), problems


async def _mcp(where: str, stack: AsyncExitStack) -> ToolCollection:
    try:
        from toolmint.tools.mcp import mcp_tools  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "MCP servers need the extra: pip install 'toolmint[mcp]'", code="extra"
        ) from fault
    return ToolCollection(await stack.enter_async_context(mcp_tools(where)))


def functions_in(path: Path) -> list[FunctionTool[..., object]]:
    """Return the ``@tool`` functions of a Python file of the user's own, which runs in this process.

    Raises:
        InputError: the file is not there, fails to load, or has no such function.
    """
    spec = importlib.util.spec_from_file_location(f"toolmint_user_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise InputError(f"{str(path)!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    loader = spec.loader
    boundary(
        lambda: loader.exec_module(module),
        lambda fault: InputError(
            f"{str(path)!r} cannot be loaded: {type(fault).__name__}: {fault}"
        ),
    )
    found = [
        cast("FunctionTool[..., object]", one)
        for one in vars(module).values()
        if isinstance(one, FunctionTool)
    ]
    if not found:
        raise InputError(f"{str(path)!r} has no function with @tool")
    return found


async def _openapi(source: Source, stack: AsyncExitStack) -> tuple[ToolCollection, list[str]]:
    from toolmint.tools.network import Network  # noqa: PLC0415 - aiohttp takes 0.3 s to load

    network = Network()
    stack.push_async_callback(network.close)
    imported = import_document(
        read_document(await _text(source.where, network), repr(source.where)),
        base_url=source.options.get("base_url"),
    )
    if not imported.operations:
        raise InputError(
            f"{source.where!r} has no operation that can be called: {'; '.join(imported.problems)}"
        )
    return open_toolbox(imported, network, _secrets(source)), list(imported.problems)


def open_toolbox(
    imported: ImportedApi, transport: Transport, secrets: Mapping[str, str] | None = None
) -> ToolCollection:
    """Return the operations of a document as a box, over any transport."""
    return ToolCollection(openapi_tools(imported, transport, secrets))


def _secrets(source: Source) -> dict[str, str]:
    given = source.options.get("key")
    if given is None:
        return {}
    scheme, colon, variable = given.partition(":")
    value = secret(variable) if colon else None
    if value is None:
        raise ConfigError(
            f"key={given!r} must be SCHEME:VARIABLE, with the variable set", code="tool-key"
        )
    return {scheme: value}


async def _text(where: str, network: Transport) -> str:
    if where.startswith(("http://", "https://")):
        response = await network.send(HttpRequest("GET", where))
        if response.status >= 400:
            raise InputError(f"{where!r} answers HTTP {response.status}")
        return response.text
    return _file_text(Path(where))


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{str(path)!r} cannot be read: {fault}") from fault
