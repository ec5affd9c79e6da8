"""Real MCP servers of npm and PyPI, pinned: over stdio and HTTP, whole and killed at every message.

    python benchmarks/mcp_servers.py FOLDER

FOLDER is where the servers are installed (npm and pip are needed, and their registries); it is used again.
"""

import argparse
import asyncio
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from toolmint.core.errors import ToolError
from toolmint.core.messages import ToolCall
from toolmint.tools.mcp import mcp_tools
from toolmint.tools.toolbox import ToolCollection

NPM = tuple(
    f"@modelcontextprotocol/server-{name}@2026.8.31"
    for name in ("everything", "filesystem", "memory")
)
PYPI = ("mcp-server-time==2026.10.19", "mcp-server-git==2026.10.19")
KILLED = Path(__file__).parents[1] / "tests" / "tools" / "killed_server.py"
MESSAGES = 6
SECONDS = 30.0


class Server(NamedTuple):
    """A server: its command, and a call whose answer has a text."""

    name: str
    command: tuple[str, ...]
    tool: str
    arguments: str
    said: str


def install(folder: Path) -> list[Server]:
    """Install the servers where they are not, and return them.

    Raises:
        RuntimeError: npm or a registry cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed")
    modules, venv = folder / "node_modules" / ".bin", folder / "venv"
    if not (modules / "mcp-server-memory").exists():
        _run([npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", *NPM])
    if not (venv / "bin" / "mcp-server-git").exists():
        _run([sys.executable, "-m", "venv", str(venv)])
        _run([str(venv / "bin" / "pip"), "install", "--quiet", *PYPI])
    place = folder / "files"
    place.mkdir(exist_ok=True)
    (place / "hello.txt").write_text("hello there")
    if not (place / ".git").exists():
        _run(["git", "init", "--quiet", str(place)])
    file, repository = f'{{"path": "{place}/hello.txt"}}', f'{{"repo_path": "{place}"}}'
    when = '{"timezone": "UTC"}'
    return [
        Server(
            "everything",
            (str(modules / "mcp-server-everything"),),
            "echo",
            '{"message": "hi"}',
            "hi",
        ),
        Server(
            "filesystem",
            (str(modules / "mcp-server-filesystem"), str(place)),
            "read_text_file",
            file,
            "hello there",
        ),
        Server("memory", (str(modules / "mcp-server-memory"),), "read_graph", "{}", "entities"),
        Server("time", (str(venv / "bin" / "mcp-server-time"),), "get_current_time", when, "UTC"),
        Server("git", (str(venv / "bin" / "mcp-server-git"),), "git_status", repository, "branch"),
    ]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command[:3])} failed: {done.stderr.strip()[-300:]}")


async def outcome(source: str, server: Server) -> str:
    """Return how a server went: ``refused``, ``failed``, or the number of its tools where it answered."""
    call = ToolCall(id="c", name=server.tool, arguments=server.arguments)
    try:
        async with mcp_tools(source, seconds=SECONDS) as tools:
            result = await ToolCollection(tools).call(call)
    except ToolError:
        return "refused"
    if result.failure is not None:
        return "failed"
    if server.said not in result.content:
        raise AssertionError(f"{server.name}: {result.content!r:.200} has no {server.said!r}")
    return f"{len(tools)} tools"


async def killed(server: Server) -> list[str]:
    """Return how a server went that dies after so many messages, from none on."""
    found: list[str] = []
    for count in range(MESSAGES):
        command = [sys.executable, str(KILLED), str(count), *server.command]
        found.append(await outcome(shlex.join(command), server))
    return found


@contextmanager
def over_http(server: Server) -> Generator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Serve the server ``everything`` over streamable HTTP; yield its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen(
        [*server.command, "streamableHttp"],
        env={"PORT": str(port), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            try:
                running.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        yield f"http://127.0.0.1:{port}/mcp", running
    finally:
        running.kill()
        running.wait()


async def http_outcomes(server: Server) -> tuple[str, str]:
    """Return how the server went over HTTP, and how a call went after it was killed."""
    call = ToolCall(id="c", name=server.tool, arguments=server.arguments)
    with over_http(server) as (url, running):
        whole = await outcome(url, server)
        async with mcp_tools(url, seconds=SECONDS) as tools:
            running.kill()
            running.wait()
            result = await ToolCollection(tools).call(call)
    return whole, "failed" if result.failure else "answered"


async def measure(folder: Path) -> None:
    """Install, run and print."""
    servers = install(folder)
    for server in servers:
        whole = await outcome(shlex.join(server.command), server)
        print(
            f"{server.name}: {whole} over stdio; killed after 0, 1, ... messages: {await killed(server)}"
        )
    whole, after = await http_outcomes(servers[0])
    print(f"{servers[0].name}: {whole} over HTTP; a call after its death: {after}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    asyncio.run(measure(parser.parse_args().folder))


if __name__ == "__main__":
    main()
