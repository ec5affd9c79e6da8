"""Put the gateway before an application that uses the OpenAI SDK: three lines change, the code does not.

    python examples/gateway_swap.py                         # a scripted endpoint, no key, no network
    python examples/gateway_swap.py --model openai:gpt-5    # a real one (reads OPENAI_API_KEY)

By default the endpoint behind the gateway is a small scripted server in this process. The gateway passes
requests on to it, has a tool made of those that recur, compares the tool's answers with the endpoint's
(shadow), and answers with the tool once the error bound holds. Here the bound is wide (30 %), so that few
requests are enough to show it. Needs: pip install 'toolmint[gateway]' openai
"""

import argparse
import json
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai

import toolmint

PROPOSAL = """```python
import re


def parse(request):
    found = re.fullmatch(r"Add (\\d+) and (\\d+)\\. Answer with the sum alone\\.", request)
    return None if found is None else {"first": found[1], "second": found[2]}


def unparse(args):
    return f"Add {args['first']} and {args['second']}. Answer with the sum alone."


def solve(first, second):
    return int(first) + int(second)


def render(args, result):
    return str(result)
```"""
SECONDS = 60.0


class ScriptedEndpoint(BaseHTTPRequestHandler):
    """Stands where OpenAI's endpoint would: adds two numbers, and proposes a tool on demand."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer one chat completion."""
        request: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found = re.fullmatch(r"Add (\d+) and (\d+)\..*", str(request["messages"][-1]["content"]))
        text = str(int(found[1]) + int(found[2])) if found else PROPOSAL
        reply = {
            "id": "scripted",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
        }
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Keep quiet."""


@contextmanager
def scripted_endpoint() -> Generator[str]:
    """Serve the scripted endpoint in a thread; yield its model URI."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), ScriptedEndpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"openai:gpt-5?base_url=http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def application(client: openai.OpenAI) -> None:
    """Ask for sums until a tool answers; this code knows nothing of the gateway."""
    tiers: Counter[str] = Counter()
    end, number = time.monotonic() + SECONDS, 100
    while time.monotonic() < end and not tiers["code"]:
        number += 7
        text = f"Add {number} and {number * 3}. Answer with the sum alone."
        reply = client.chat.completions.with_raw_response.create(
            model="gpt-5", messages=[{"role": "user", "content": text}]
        )
        tiers[reply.headers["x-toolmint-tier"]] += 1
        answer = reply.parse().choices[0].message.content
        if tiers["code"] or tiers.total() == 1:
            print(f"{text} -> {answer} (tier: {reply.headers['x-toolmint-tier']})")
        time.sleep(0.02)
    print(f"strong: {tiers['strong']}, code: {tiers['code']}")


def run(model: str) -> None:
    """Open the gateway and let the application talk to it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = toolmint.Settings(store=Path(folder) / "tools.db", epsilon=0.3)
        # The three lines: a gateway, its address, and a key that the gateway does not pass on.
        with (
            toolmint.Toolmint(model, settings=settings).serving(port=0) as base_url,
            openai.OpenAI(base_url=base_url, api_key="unused") as client,
        ):
            application(client)


def main() -> None:
    """Run before the scripted endpoint, or a real one."""
    options = argparse.ArgumentParser(description="An application behind the gateway.")
    options.add_argument("--model", help="a model URI, such as openai:gpt-5 [a scripted endpoint]")
    model = options.parse_args().model
    if model is not None:
        run(model)
        return
    with scripted_endpoint() as uri:
        run(uri)


if __name__ == "__main__":
    main()
