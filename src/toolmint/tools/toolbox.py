"""A collection of named tools, with views (filter, prefix, rename, merge)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from toolmint.core.errors import ToolError, ToolNotFound
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.schema import schema_fault
from toolmint.core.toolbox import Tool, call_one
from toolmint.core.values import digest

_LONGEST_NAME = 64
"""Characters of a name that models' endpoints take."""


def _short(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 7]}_{digest(name)[:6]}"


class Renamed(NamedTuple):
    """A tool under another name; the tool itself is called by its own name."""

    tool: Tool
    name: str

    @property
    def spec(self) -> ToolSpec:
        """Return the specification with the new name."""
        return self.tool.spec.model_copy(update={"name": self.name})

    async def call(self, call: ToolCall) -> ToolResult:
        """Call the tool by its own name."""
        return await self.tool.call(call.model_copy(update={"name": self.tool.spec.name}))


class ToolCollection:
    """Tools by name. A view is a new collection that shares the tools.

    Args:
        tools: the tools.
        checked: their schemas are known to be JSON Schemas. A large document's take seconds to check.

    Raises:
        ToolError: two tools have the same name, a name is empty, or a schema is not a JSON Schema.
    """

    def __init__(self, tools: Iterable[Tool] = (), *, checked: bool = False) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            self._add(tool, checked=checked)
        self._specs = tuple(tool.spec for tool in self._tools.values())

    def _add(self, tool: Tool, *, checked: bool) -> None:
        spec = tool.spec
        if not spec.name:
            raise ToolError("a tool has no name", code="tool-name")
        if spec.name in self._tools:
            before = self._tools[spec.name].spec.description
            raise ToolError(
                f"two tools are named {spec.name!r}: {before[:60]!r} and {spec.description[:60]!r}; "
                "give one a prefix or another name",
                code="tool-twice",
            )
        fault = None if checked else schema_fault(spec.parameters)
        if fault is not None:
            raise ToolError(
                f"the schema of {spec.name!r} is not a JSON Schema: {fault}", code="tool-schema"
            )
        self._tools[spec.name] = tool

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """Return the specifications of all tools, in the order given."""
        return self._specs

    @property
    def tools(self) -> Sequence[Tool]:
        """Return the tools, in the same order."""
        return tuple(self._tools.values())

    def __len__(self) -> int:
        """Return the number of tools."""
        return len(self._tools)

    async def call(self, call: ToolCall) -> ToolResult:
        """Run one call and return its result; a failing tool is a result too."""
        return await call_one(self._tools, call)

    def filtered(self, keep: Callable[[ToolSpec], bool]) -> "ToolCollection":
        """Return the tools whose specification passes ``keep``."""
        kept = (tool for tool in self._tools.values() if keep(tool.spec))
        return ToolCollection(kept, checked=True)

    def only(self, names: Iterable[str]) -> "ToolCollection":
        """Return the named tools, in that order.

        Raises:
            ToolNotFound: a name is unknown.
        """
        wanted = list(names)
        for name in wanted:
            if name not in self._tools:
                near = (
                    get_close_matches(name, self._tools, n=3, cutoff=0.5) or list(self._tools)[:10]
                )
                raise ToolNotFound(
                    f"the toolbox has no tool {name!r}; of its {len(self)}, the nearest are "
                    f"{', '.join(near)}"
                )
        return ToolCollection((self._tools[name] for name in wanted), checked=True)

    def prefixed(self, prefix: str) -> "ToolCollection":
        """Return all tools, their names with a prefix; a name of more than 64 characters is shortened."""
        named = ((_short(prefix + name), tool) for name, tool in self._tools.items())
        return ToolCollection((Renamed(tool, name) for name, tool in named), checked=True)

    def renamed(self, names: Mapping[str, str]) -> "ToolCollection":
        """Return all tools, some under other names (old to new)."""
        self.only(names)
        named = (
            Renamed(tool, names[name]) if name in names else tool
            for name, tool in self._tools.items()
        )
        return ToolCollection(named, checked=True)

    def merged(self, *others: "ToolCollection") -> "ToolCollection":
        """Return the tools of this collection and of others.

        Raises:
            ToolError: a name occurs twice.
        """
        return ToolCollection((tool for one in (self, *others) for tool in one.tools), checked=True)
