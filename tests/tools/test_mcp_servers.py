"""Real MCP servers of npm and PyPI: `pytest -m packages` installs and runs them."""

import shlex
from pathlib import Path

import pytest
from benchmarks import mcp_servers
from benchmarks.mcp_servers import Server

pytestmark = [pytest.mark.packages, pytest.mark.slow, pytest.mark.anyio]
NAMES = ("everything", "filesystem", "memory", "time", "git")


@pytest.fixture(scope="session")
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Server]:
    """The servers by name; skipped where nobody asked for them, or where they cannot be installed."""
    if "packages" not in str(request.config.option.markexpr):
        pytest.skip("installs servers from npm and PyPI: run `pytest -m packages`")
    folder: Path = tmp_path_factory.getbasetemp().parent / "mcp-servers"
    try:
        return {server.name: server for server in mcp_servers.install(folder)}
    except RuntimeError as fault:
        pytest.skip(f"no servers: {fault}")


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_answers_over_stdio(servers: dict[str, Server], name: str) -> None:
    found = await mcp_servers.outcome(shlex.join(servers[name].command), servers[name])
    assert found.endswith("tools")


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_killed_at_any_message_is_refused_or_an_observation(
    servers: dict[str, Server], name: str
) -> None:
    found = await mcp_servers.killed(servers[name])
    assert found[0] == "refused"
    assert set(found[:2]) <= {"refused", "failed"}


async def test_a_server_over_http_answers_and_dies_as_an_observation(
    servers: dict[str, Server],
) -> None:
    whole, after = await mcp_servers.http_outcomes(servers["everything"])
    assert (whole.endswith("tools"), after) == (True, "failed")
