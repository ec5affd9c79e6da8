"""The protocol of what an agent may call: named tools whose failures are data."""

import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol

from toolwright.core.errors import ToolArgumentsError, ToolError, aboundary
from toolwright.core.messages import ToolCall, ToolResult, ToolSpec
from toolwright.core.schema import refusal


class Toolbox(Protocol):
    """Named tools. ``call`` never raises for what the world does: a dead server, a wrong argument or
    an unknown name is a result with its ``failure``; only a fault of the program raises.
    """

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """The documents of all tools, each name once."""
        ...

    async def call(self, call: ToolCall) -> ToolResult:
        """Run one call and give what came back."""
        ...


class Tool(Protocol):
    """One tool: its document, and what runs it."""

    @property
    def spec(self) -> ToolSpec:
        """The tool's document."""
        ...

    async def call(self, call: ToolCall) -> ToolResult:
        """Run one call whose arguments fit the document."""
        ...


def failed(call: ToolCall, kind: str, text: str, seconds: float = 0.0) -> ToolResult:
    """Give the observation of a call that came to nothing; ``kind`` is a stable kebab-case name."""
    return ToolResult(call_id=call.id, content=f"Error: {text}", failure=kind, seconds=seconds)


def _unknown(names: Sequence[str], call: ToolCall) -> ToolResult:
    near = get_close_matches(call.name, names, n=3, cutoff=0.5)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    return failed(call, "tool-not-found", f"there is no tool {call.name!r}{hint}")


async def call_one(tools: Mapping[str, Tool], call: ToolCall) -> ToolResult:
    """Run one call among named tools: name, JSON and schema are checked before the tool sees it."""
    tool = tools.get(call.name)
    if tool is None:
        return _unknown(list(tools), call)
    try:
        arguments = call.parsed()
    except ToolArgumentsError as fault:
        return failed(call, "tool-arguments", str(fault))
    fault = refusal(tool.spec, call, arguments)
    if fault is not None:
        return failed(call, "tool-arguments", fault)
    start = time.perf_counter()
    try:
        return await aboundary(
            tool.call(call), lambda fault: ToolError(f"{type(fault).__name__}: {fault}")
        )
    except ToolError as fault:
        return failed(call, fault.code, str(fault), time.perf_counter() - start)
