"""What all tests share: one event loop, real sandboxes, stores in temporary folders, no network."""

import ipaddress
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from toolwright.assembly.settings import Settings
from toolwright.sandbox.forkserver import ForkServer
from toolwright.store.sql import SqlStore

DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="sizes that docs/numbers.md tells of")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether to run at full size, for the published figures, and not just enough to see that it holds."""
    return bool(request.config.getoption("--full"))


def _only_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    address: object = arguments[1]
    if isinstance(address, tuple):
        host = str(cast("tuple[object, ...]", address)[0])
        if not ipaddress.ip_address(host).is_loopback:
            raise RuntimeError(f"a test reached for {host}")


sys.addaudithook(_only_loopback)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
async def sandbox(anyio_backend: str) -> AsyncIterator[ForkServer]:
    async with ForkServer() as server:
        yield server


@pytest.fixture(scope="session")
async def other_sandbox(anyio_backend: str) -> AsyncIterator[ForkServer]:
    async with ForkServer(hash_seed=1) as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(tmp_path / "tools.db")
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=tmp_path / "tools.db")


@pytest.fixture(scope="session")
def data() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"the development data is not at {DATA}")
    return DATA
