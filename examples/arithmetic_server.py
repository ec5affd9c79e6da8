"""A small MCP server over stdio, for ``agent_openapi_mcp.py``. Needs: pip install 'toolmint[mcp]'."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("arithmetic")


@server.tool()
def multiply(a: int, b: int) -> int:
    """Multiply two whole numbers."""
    return a * b


if __name__ == "__main__":
    server.run()
