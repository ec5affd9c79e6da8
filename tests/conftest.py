"""What all tests share: one event loop, real sandboxes, stores in temporary folders, no network."""

import ipaddress
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path, PosixPath
from typing import Any, cast

import pytest

from toolmint.assembly.settings import Settings, load_settings
from toolmint.sandbox.forkserver import ForkServer
from toolmint.store.sql import SqlStore

_GET = "get it with `toolmint eval fetch NAME --to FOLDER`, and set TOOLMINT_DATA=FOLDER"


class DataFolder(PosixPath):
    """The folder of benchmark data; a test that asks for a file that is not there is skipped."""

    def __truediv__(self, name: "str | os.PathLike[str]") -> "Path":
        found = super().__truediv__(name)
        if not found.exists():
            pytest.skip(f"needs {os.fspath(name)!r} in the data folder: {_GET}")
        return found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="sizes that docs/numbers.md tells of")
    parser.addoption("--screenshots", action="store_true", help="write docs/images anew")


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
    """The folder that TOOLMINT_DATA names; without it the tests that need public data are skipped."""
    folder = load_settings().data
    if folder is None:
        pytest.skip(f"needs benchmark data: {_GET}")
    return DataFolder(folder)
