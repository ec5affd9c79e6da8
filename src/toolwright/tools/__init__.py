"""Things that an agent can call: Python functions, OpenAPI documents, MCP servers, made tools, programs."""
