"""The protocols of a tool and of a toolbox, whose failures are results."""

import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol, cast

from toolmint.core.errors import (
    SandboxError,
    ToolArgumentsError,
    ToolError,
    ToolmintError,
    contained,
    outcome_of,
)
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.schema import schema_violation


class Toolbox(Protocol):
    """Named tools.

    ``call`` does not raise if a server is down, an argument is wrong or a name is unknown: the agent has
    to see that and go on, so it is a result with ``failure``. Only a bug raises.
    """

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """Return the specifications of all tools; each name occurs once."""
        ...

    async def call(self, call: ToolCall) -> ToolResult:
        """Run one call and return its result."""
        ...


class Tool(Protocol):
    """One tool: its specification and the code that runs it."""

    @property
    def spec(self) -> ToolSpec:
        """Return the tool's specification."""
        ...

    async def call(self, call: ToolCall) -> ToolResult:
        """Run one call whose arguments fit the specification.

        Raises:
            ToolError: the tool failed; the toolbox turns it into a result.
        """
        ...


def failed_result(call: ToolCall, kind: str, text: str, seconds: float = 0.0) -> ToolResult:
    """Return the result of a failed call; ``kind`` is a stable kebab-case name."""
    return ToolResult(call_id=call.id, content=f"Error: {text}", failure=kind, seconds=seconds)


def _unknown(names: Sequence[str], call: ToolCall) -> ToolResult:
    near = get_close_matches(call.name, names, n=3, cutoff=0.5)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    return failed_result(call, "tool-not-found", f"there is no tool {call.name!r}{hint}")


async def call_one(tools: Mapping[str, Tool], call: ToolCall) -> ToolResult:
    """Run one call of a named tool; name, JSON and schema are checked before the tool is called."""
    tool = tools.get(call.name)
    if tool is None:
        return _unknown(list(tools), call)
    try:
        arguments = call.parsed()
    except ToolArgumentsError as fault:
        return failed_result(call, "tool-arguments", str(fault))
    fault = schema_violation(tool.spec, call, arguments)
    if fault is not None:
        return failed_result(call, "tool-arguments", fault)
    return await contained_call(tool, call)


async def contained_call(tool: Tool | Toolbox, call: ToolCall) -> ToolResult:
    """Run one call; whatever the tool raises, an exit of the program included, is the result.

    Raises:
        SandboxError: the sandbox itself is broken, so no further call can be trusted.
    """
    start = time.perf_counter()
    try:
        found = cast("object", await contained(tool.call(call), _raised))
    except SandboxError:
        raise
    except ToolmintError as fault:
        return failed_result(call, fault.code, str(fault), time.perf_counter() - start)
    if not isinstance(found, ToolResult):
        said = f"{call.name!r} returned no result but {type(found).__name__}"
        return failed_result(call, "tool", said, time.perf_counter() - start)
    return found


def _raised(fault: BaseException) -> ToolError:
    """Return the error of a tool that raised; of a group, its first member says what was wrong."""
    while isinstance(fault, BaseExceptionGroup):
        fault = cast("BaseExceptionGroup[BaseException]", fault).exceptions[0]
    said = str(fault) if _has_text(fault) else ""
    return ToolError(f"{type(fault).__name__}: {said}".removesuffix(": "))


def _has_text(fault: BaseException) -> bool:
    """Return whether the text of an exception can be had: its ``__str__`` is a tool's code too."""
    return outcome_of(lambda: str(fault))[1] is None
