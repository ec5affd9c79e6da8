"""An agent with tools of three kinds: a Python function, an OpenAPI service, and an MCP server.

    python examples/agent_openapi_mcp.py                            # a scripted model, no key
    python examples/agent_openapi_mcp.py --model openai:gpt-5-mini  # a real one (reads OPENAI_API_KEY)

The HTTP service and the MCP server (``arithmetic_server.py``, over stdio) are real and start with the
example. By default the model is scripted: what it says stands below. Needs: pip install 'toolmint[mcp]'
"""

import argparse
import json
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from toolmint import Agent, ScriptedModel

SERVER = Path(__file__).with_name("arithmetic_server.py")
STAFF = {"Norda": 120, "Velaria": 48}
DOCUMENT = {
    "openapi": "3.0.0",
    "info": {"title": "Companies", "version": "1"},
    "paths": {
        "/staff/{company}": {
            "get": {
                "operationId": "staff",
                "summary": "Return how many people work at a company.",
                "parameters": [
                    {
                        "name": "company",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string"},
                    }
                ],
                "responses": {"200": {"description": "The number."}},
            }
        }
    },
}
TASK = "How old is Norda in 2026, how many people work there, and what is the product of the two?"
SCRIPT = [
    "The year in which Norda was founded comes first.\nNext: caller",
    '{"name": "founded", "arguments": {"company": "Norda"}}',
    "It is 39 years old. Now the number of people.\nNext: caller",
    '{"name": "staff", "arguments": {"company": "Norda"}}',
    "120 people work there. Now the product.\nNext: caller",
    '{"name": "multiply", "arguments": {"a": 39, "b": 120}}',
    "All is known.\nNext: summarizer",
    "Norda is 39 years old, 120 people work there, and the product is 4680.",
]


def founded(company: str) -> int:
    """Return the year in which a company was founded.

    Args:
        company: the company's name.
    """
    return {"Norda": 1987, "Velaria": 1954}[company]


class Companies(BaseHTTPRequestHandler):
    """The HTTP service: its document, and one operation."""

    def do_GET(self) -> None:
        """Answer one request."""
        company = self.path.removeprefix("/staff/")
        found = DOCUMENT if self.path == "/openapi.json" else {"people": STAFF.get(company)}
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Keep quiet."""


@contextmanager
def http_service() -> Generator[str]:
    """Serve the companies in a thread; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Companies)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def main() -> None:
    """Run the agent, and print its steps and its answer."""
    options = argparse.ArgumentParser(description="An agent with tools of three kinds.")
    options.add_argument(
        "--model", help="a model URI, such as openai:gpt-5-mini [a scripted model]"
    )
    given = options.parse_args()
    with http_service() as url, tempfile.TemporaryDirectory() as folder:
        agent = Agent(
            given.model or ScriptedModel(SCRIPT),
            tools=[
                founded,
                f"{url}/openapi.json?base_url={url}",
                f"mcp:{sys.executable} {SERVER}",
            ],
            approve="always",  # the server does not say that its tools change nothing
            store=Path(folder) / "tools.db",
        )
        done = agent.run(TASK)
    for step in done.path():
        for call, result in zip(step.calls, step.results, strict=True):
            print(f"{call.name}({call.arguments}) = {result.content}")
    print(done.answer or f"{done.outcome}: {done.run.stopped}")


if __name__ == "__main__":
    main()
