"""Where an agent's tools come from: documents, MCP servers, Python files, made tools, programs."""

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import parse_qsl

from toolwright.assembly.settings import secret
from toolwright.core.errors import ConfigError, InputError, ToolError, boundary
from toolwright.core.http import HttpRequest, Transport
from toolwright.core.sandbox import Sandbox
from toolwright.core.store import ToolStore
from toolwright.tools.box import Box
from toolwright.tools.function import FunctionTool
from toolwright.tools.made import MadeTool
from toolwright.tools.openapi import Imported, import_document, read_document
from toolwright.tools.openapi_call import tools_of
from toolwright.tools.program import ProgramTool

OPTIONS = ("base_url", "prefix", "only", "key")
HELP = (
    "FILE or URL of an OpenAPI document, mcp:COMMAND, mcp:http://..., python:FILE.py, made, or program; "
    "options after '?': base_url, prefix, only (names), key (SCHEME:VARIABLE)"
)


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
    where, _, query = (
        text.partition("?") if "prefix=" in text or not text.startswith("http") else (text, "", "")
    )
    options = dict(parse_qsl(query))
    for option in options:
        if option not in OPTIONS:
            raise ConfigError(
                f"unknown option {option!r} in {text!r}; known are {', '.join(OPTIONS)}"
            )
    if kind == "python" and colon:
        return Source("python", where.partition(":")[2], options)
    return Source("openapi", where, options)


async def toolbox_of(
    sources: Sequence[str], stack: AsyncExitStack, store: ToolStore, sandbox: Sandbox
) -> tuple[Box, list[str]]:
    """Give the tools of all sources in one box, and what could not be read, in words.

    Args:
        sources: as the command line names them; see ``HELP``.
        stack: closes connections and servers at its end.
        store: holds the made tools.
        sandbox: runs made tools and programs.

    Raises:
        ConfigError: a source is named wrongly.
        InputError: a document cannot be read.
        ToolError: a server cannot be used, or two tools have one name.
    """
    boxes: list[Box] = []
    problems: list[str] = []
    for text in sources:
        source = source_of(text)
        match source.kind:
            case "made":
                box, said = await _made(store, sandbox)
                problems += said
            case "program":
                box = Box([ProgramTool(sandbox)])
            case "mcp":
                box = await _mcp(source.where, stack)
            case "python":
                box = Box(functions_in(Path(source.where)))
            case _:
                box, said = await _openapi(source, stack)
                problems += said
        boxes.append(_view(box, source.options))
    return Box().merged(*boxes), problems


def _view(box: Box, options: Mapping[str, str]) -> Box:
    if "only" in options:
        box = box.only(options["only"].split(","))
    return box.prefixed(options["prefix"]) if "prefix" in options else box


async def _made(store: ToolStore, sandbox: Sandbox) -> tuple[Box, list[str]]:
    """Give the serving made tools that an agent can call; the others are named."""
    tools: list[MadeTool] = []
    problems: list[str] = []
    for record in await store.serving():
        try:
            tools.append(MadeTool(record, sandbox))
        except ToolError as fault:
            problems.append(str(fault))
    return Box(tools), problems


async def _mcp(where: str, stack: AsyncExitStack) -> Box:
    try:
        from toolwright.tools.mcp import mcp_tools  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "MCP servers need the extra: pip install 'toolwright[mcp]'", code="extra"
        ) from fault
    return Box(await stack.enter_async_context(mcp_tools(where)))


def functions_in(path: Path) -> list[FunctionTool[..., object]]:
    """Give the ``@tool`` functions of a Python file of the user's own, which runs in this process.

    Raises:
        InputError: the file is not there, fails to load, or has no such function.
    """
    spec = importlib.util.spec_from_file_location(f"toolwright_user_{path.stem}", path)
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


async def _openapi(source: Source, stack: AsyncExitStack) -> tuple[Box, list[str]]:
    from toolwright.tools.network import Network  # noqa: PLC0415 - aiohttp takes 0.3 s to load

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
    return box_of(imported, network, _secrets(source)), list(imported.problems)


def box_of(
    imported: Imported, transport: Transport, secrets: Mapping[str, str] | None = None
) -> Box:
    """Give the operations of a document as a box, over any transport."""
    return Box(tools_of(imported, transport, secrets))


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
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{str(path)!r} cannot be read: {fault}") from fault
