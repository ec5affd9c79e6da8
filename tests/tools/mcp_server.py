"""A small MCP server for tests: adds, fails, and dies."""

import os

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

server = MCPServer("numbers")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def fail() -> str:
    """Fail."""
    raise ToolError("this never works")


@server.tool()
def die() -> str:
    """End the whole process in the middle of the call."""
    os._exit(3)


if __name__ == "__main__":
    server.run()
