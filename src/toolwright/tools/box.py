"""The toolbox: named tools, and the views on them (filter, prefix, rename, merge)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from toolwright.core.errors import ToolError, ToolNotFound
from toolwright.core.messages import ToolCall, ToolResult, ToolSpec
from toolwright.core.schema import schema_fault
from toolwright.core.toolbox import Tool, call_one


class Renamed(NamedTuple):
    """A tool under another name; the tool itself is called by its own."""

    tool: Tool
    name: str

    @property
    def spec(self) -> ToolSpec:
        """The tool's document with the new name."""
        return self.tool.spec.model_copy(update={"name": self.name})

    async def call(self, call: ToolCall) -> ToolResult:
        """Call the tool by its own name."""
        return await self.tool.call(call.model_copy(update={"name": self.tool.spec.name}))


class Box:
    """Tools by name. Every view is a new box; the tools are shared.

    Raises:
        ToolError: two tools have one name, or a tool's schema is no JSON Schema.
    """

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            self._add(tool)
        self._specs = tuple(tool.spec for tool in self._tools.values())

    def _add(self, tool: Tool) -> None:
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
        fault = schema_fault(spec.parameters)
        if fault is not None:
            raise ToolError(
                f"the schema of {spec.name!r} is no JSON Schema: {fault}", code="tool-schema"
            )
        self._tools[spec.name] = tool

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """The documents of all tools, in the order in which they were given."""
        return self._specs

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools themselves, in the same order."""
        return tuple(self._tools.values())

    def __len__(self) -> int:
        """Give the number of tools."""
        return len(self._tools)

    async def call(self, call: ToolCall) -> ToolResult:
        """Run one call; whatever goes wrong out there is a result."""
        return await call_one(self._tools, call)

    def filtered(self, keep: Callable[[ToolSpec], bool]) -> "Box":
        """Give the tools whose documents pass."""
        return Box(tool for tool in self._tools.values() if keep(tool.spec))

    def only(self, names: Iterable[str]) -> "Box":
        """Give the named tools, in that order.

        Raises:
            ToolNotFound: there is no tool of a name.
        """
        wanted = list(names)
        for name in wanted:
            if name not in self._tools:
                raise ToolNotFound(
                    f"the toolbox has no tool {name!r}; it has {', '.join(self._tools)}"
                )
        return Box(self._tools[name] for name in wanted)

    def prefixed(self, prefix: str) -> "Box":
        """Give all tools with a prefix before their names."""
        return Box(Renamed(tool, prefix + name) for name, tool in self._tools.items())

    def renamed(self, names: Mapping[str, str]) -> "Box":
        """Give all tools, some under other names (old to new)."""
        self.only(names)
        return Box(
            Renamed(tool, names[name]) if name in names else tool
            for name, tool in self._tools.items()
        )

    def merged(self, *others: "Box") -> "Box":
        """Give the tools of this box and of others.

        Raises:
            ToolError: a name stands in two of them.
        """
        return Box(tool for box in (self, *others) for tool in box.tools)
