"""A gateway whose store or disk is away answers, keeps what happened, and writes it later."""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import socket
import socketserver
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import create_engine, event, make_url, text
from tests.gateway.house import QUESTIONS, House, house
from tests.gateway.upstream import solved

from toolmint.assembly.settings import Settings
from toolmint.cli.serve_process import JsonLines

pytestmark = pytest.mark.anyio
URL = os.environ.get("POSTGRES_URL", "")


class Cable(socketserver.ThreadingTCPServer):
    """A line to a server that can be cut: it refuses and breaks connections until it is mended."""

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self._to, self.cut = (host, port), False
        self._open: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Carry a connection."""
        if self.cut:
            return
        with socket.create_connection(self._to) as far:
            self._open |= {request, far}
            back = threading.Thread(target=_carry, args=(far, request), daemon=True)
            back.start()
            _carry(request, far)
            back.join()

    def break_off(self) -> None:
        """Cut it, with all that goes over it now."""
        self.cut = True
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cabled() -> Generator[tuple[Cable, str]]:
    """Return a fresh database behind a cable, and its URL."""
    url, name = make_url(URL), f"outage_{os.getpid()}"
    admin = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    with Cable(str(url.host), int(url.port or 5432)) as cable:
        port = cable.server_address[1]
        yield cable, url.set(port=port, database=name).render_as_string(hide_password=False)
        cable.break_off()
        cable.shutdown()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


async def store_of(here: House) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{here.url}/healthz") as reply:
        return str((await reply.json())["store"])


async def kept(here: House) -> set[str]:
    return {one.id for one in await here.app.parts.log.requests(most=1000)}


@pytest.mark.skipif(not URL, reason="POSTGRES_URL names no server")
async def test_a_lost_database_costs_no_answer_and_no_record(tmp_path: Path) -> None:
    with cabled() as (cable, url):

        def remote(settings: Settings) -> Settings:
            return settings.model_copy(
                update={"store": url, "write_ahead_log": tmp_path / "requests"}
            )

        async with house(tmp_path, remote) as here:
            parsed = [await here.ask(one) for one in QUESTIONS[:4]]
            cable.break_off()
            for one in QUESTIONS[4:9]:
                answer, headers = await here.ask(one)
                assert answer == solved(one)
                parsed.append((answer, headers))
            answer, headers = await here.ask("Hello there", "gpt-5-mini")
            assert answer == "11 characters", "a scope that nobody has opened yet"
            assert headers["x-toolmint-why"] == "the tools rest"
            await here.app.parts.request_log.flush()
            assert await store_of(here) == "away" and here.app.parts.request_log.waiting >= 6
            cable.cut = False
            async with asyncio.timeout(30):
                while here.app.parts.request_log.waiting:
                    await here.app.parts.request_log.flush()
            assert await store_of(here) == "ok"
            assert {headers["x-request-id"] for _, headers in parsed} <= await kept(here)


async def test_a_full_disk_costs_no_answer_and_no_record(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        log: Any = here.app.parts.log
        full = [True]

        def limit(connection: Any, *_: object) -> None:
            pages = 1 if full[0] else 1 << 30
            connection.execute(f"PRAGMA max_page_count={pages}").close()

        await here.ask(QUESTIONS[0])
        await here.app.parts.request_log.flush()
        event.listen(log._database._engine, "checkout", limit)
        parsed = [await here.ask(one) for one in QUESTIONS[1:60]]
        assert [answer for answer, _ in parsed] == [solved(one) for one in QUESTIONS[1:60]]
        await here.app.parts.request_log.flush()
        assert await store_of(here) == "away"

        shutil.rmtree(tmp_path / "tools.db.write-ahead")
        for number in range(14):  # more than fit into the open file
            text = f"{'x' * 100_000} {number}"
            answer, headers = await here.ask(text)
            assert answer == f"{len(text)} characters"
            parsed.append((answer, headers))
        (tmp_path / "tools.db.write-ahead").mkdir()
        full[0] = False
        async with asyncio.timeout(30):
            while here.app.parts.request_log.waiting:
                await here.app.parts.request_log.flush()
        assert await store_of(here) == "ok"
        assert {headers["x-request-id"] for _, headers in parsed} <= await kept(here)


async def test_a_client_that_reads_slowly_holds_up_nobody(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        port = int(here.url.rsplit(":", 1)[1])
        body = json.dumps(
            {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "x " * 50}]}
        ).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(head.encode() + body)
        await reader.readexactly(10)
        for one in QUESTIONS[:5]:
            assert (await here.ask(one))[0] == solved(one)
        found = b""
        while b"[DONE]" not in found:
            found += await reader.read(100)
        writer.close()
        await writer.wait_closed()


async def test_what_is_older_than_is_to_be_kept_is_forgotten_but_not_what_it_cost(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as here:
        for one in QUESTIONS[:3]:
            await here.ask(one)
        await here.app.parts.request_log.flush()
        log = here.app.parts.log
        assert await log.forget("2020-01-01") == 0 and len(await kept(here)) == 3
        assert await log.forget("2999-01-01") == 3 and await kept(here) == set()
        entries = await here.app.parts.store.ledger()
        assert sum(one.usage.requests for one in entries) == 3


def test_a_log_of_json_has_an_object_a_line() -> None:
    record = logging.LogRecord("toolmint", logging.WARNING, "f", 1, "%s\nis away", ("x",), None)
    found = json.loads(JsonLines().format(record))
    assert (found["level"], found["message"]) == ("warning", "x\nis away")
    assert found["at"].endswith("+00:00")
