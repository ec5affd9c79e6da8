"""Tools that an agent can call: Python functions, OpenAPI, MCP, made tools, programs; retrieval."""
