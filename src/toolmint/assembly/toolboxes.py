"""Where an agent's tools come from: documents, MCP servers, Python files, made tools, programs."""

import importlib.util
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast

from toolmint.assembly.remote_tools import mcp_box, openapi_box
from toolmint.assembly.tool_sources import (
    SOURCE_HELP,
    Source,
    names_of,
    source_of,
)
from toolmint.core.errors import InputError, ToolError, boundary
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.namespace import LOCAL_TENANT
from toolmint.core.sandbox import Sandbox
from toolmint.core.store import ToolStore
from toolmint.core.tool import ToolRecord
from toolmint.core.toolbox import Tool, Toolbox
from toolmint.tools.function import FunctionTool, tool
from toolmint.tools.made import MadeTool
from toolmint.tools.program import ProgramTool
from toolmint.tools.toolbox import ToolCollection

ToolSource: TypeAlias = str | Path | Callable[..., object] | Tool | Toolbox | ToolRecord
"""A tool, several, or where they come from: a Python function with annotated arguments, a tool, a toolbox, a
made tool, or the name of a source as the command line takes it (see ``SOURCE_HELP``).
"""


async def toolbox_of(
    sources: Sequence[ToolSource], stack: AsyncExitStack, store: ToolStore, sandbox: Sandbox
) -> tuple[ToolCollection, list[str]]:
    """Return the tools of all sources in one box, and what could not be read, in words.

    Args:
        sources: tools, or sources as the command line names them; see ``SOURCE_HELP``.
        stack: closes connections and servers at its end.
        store: holds the made tools.
        sandbox: runs made tools and programs.

    Raises:
        ConfigError: a source is named wrongly, or a variable that it names is not set.
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
                box, said = await mcp_box(source, stack)
                problems += said
            case "python":
                box = ToolCollection(functions_in(Path(source.where)))
            case _:
                box, said = await openapi_box(source, stack)
                problems += said
        boxes.append(_view(box, source))
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
    return ToolError(f"{source!r:.80} is no tool; expected a function, a tool, or {SOURCE_HELP}")


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


def _view(box: ToolCollection, source: Source) -> ToolCollection:
    if "only" in source.options:
        box = box.only(names_of(source.options["only"]))
    prefix = source.option("prefix")
    return box if prefix is None else box.prefixed(prefix)


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
