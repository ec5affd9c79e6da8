"""Buffered writes keep their order, and nothing is lost where a connection ends."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from toolmint.gateway.http_server import WriteBuffer

pytestmark = pytest.mark.anyio
Write = Callable[[WriteBuffer], None]


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[WriteBuffer, asyncio.StreamReader]]:
    """Connect a buffer over a real transport with the reader of its other end."""
    here, there = socket.socketpair()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=here)
    reader, writer = await asyncio.open_connection(sock=there)
    try:
        yield WriteBuffer(transport, loop), reader
    finally:
        transport.abort()
        writer.close()


def by_write_eof(buffer: WriteBuffer) -> None:
    buffer.write_eof()


def by_close(buffer: WriteBuffer) -> None:
    buffer.close()


@pytest.mark.parametrize("end", [by_write_eof, by_close])
async def test_all_that_was_written_arrives_in_order_before_the_end(end: Write) -> None:
    async with connected() as (buffer, reader):
        buffer.write(b"head ")
        buffer.writelines([b"one ", b"two "])
        buffer.write(b"three")
        end(buffer)
        assert await reader.read() == b"head one two three"


async def test_lines_after_a_flush_follow_what_was_flushed() -> None:
    async with connected() as (buffer, reader):
        buffer.writelines(iter([b"a", b"b"]))
        buffer.flush()
        buffer.write(b"c")
        buffer.writelines([b"d"])
        assert await reader.readexactly(4) == b"abcd"


class Counted(asyncio.Transport):
    """A transport that keeps each write; its connection may be lost."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.lost = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.lost


async def test_what_is_written_in_one_turn_is_one_write() -> None:
    transport = Counted()
    buffer = WriteBuffer(transport, asyncio.get_running_loop())
    buffer.write(b"head ")
    buffer.write(b"body")
    assert transport.written == []
    await asyncio.sleep(0)
    assert transport.written == [b"head body"]
    buffer.write(b"next")
    await asyncio.sleep(0)
    assert transport.written == [b"head body", b"next"]


async def test_nothing_is_written_to_a_connection_that_is_lost() -> None:
    transport = Counted()
    buffer = WriteBuffer(transport, asyncio.get_running_loop())
    buffer.write(b"late")
    transport.lost = True
    await asyncio.sleep(0)
    assert transport.written == []
