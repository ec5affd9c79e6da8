"""The clients of the strong model's endpoint, against a server that writes byte for byte what a test says."""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from toolmint.core.errors import UpstreamError, UpstreamTimeout
from toolmint.gateway.upstream.connection import HIGH, MOST_HEAD
from toolmint.gateway.upstream.direct import Direct
from toolmint.gateway.upstream.endpoint import client_for
from toolmint.gateway.upstream.protocol import UpstreamClient
from toolmint.gateway.upstream.session import AiohttpClient

pytestmark = pytest.mark.anyio
Handler = Callable[["Line"], Awaitable[None]]
Kind = Callable[[str, dict[str, str], float], UpstreamClient]
OK = b"HTTP/1.1 200 OK\r\n"
CLIENTS = pytest.mark.parametrize("kind", [Direct, AiohttpClient])


class Line:
    """One connection as the server sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def request(self) -> tuple[str, bytes]:
        """Read a request: its head in small letters, and its body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = re.search(r"content-length: (\d+)", head)
        return head, await self.reader.readexactly(int(size[1]) if size else 0)

    async def gone(self) -> None:
        """Wait until the client has closed."""
        while await self.reader.read(1 << 16):
            pass


class Server:
    """Counts connections; each is answered as a test says."""

    def __init__(self, handler: Handler) -> None:
        self.connections, self._handler = 0, handler

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle a connection."""
        self.connections += 1
        try:
            await self._handler(Line(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    handler: Handler, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[tuple[str, Server]]:
    here = Server(handler)
    server = await asyncio.start_server(here, "127.0.0.1", 0, ssl=tls)
    address = server.sockets[0].getsockname()
    async with server:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{address[1]}/v1", here


@asynccontextmanager
async def client_of(kind: Kind, url: str, seconds: float = 30.0) -> AsyncGenerator[UpstreamClient]:
    client = kind(url, {"x-always": "yes"}, seconds)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def parsed(client: UpstreamClient, body: bytes | None = b"{}") -> tuple[int, bytes]:
    reply = await client.send("POST", "/chat", body, {"x-request-id": "r1"})
    try:
        return reply.status, await reply.read()
    finally:
        reply.release()


def writes(*parts: bytes, stay: bool = True) -> Handler:
    """Answer each request with these bytes; without ``stay`` close after the first."""

    async def handler(line: Line) -> None:
        while True:
            await line.request()
            for part in parts:
                line.writer.write(part)
                await line.writer.drain()
                await asyncio.sleep(0)
            if not stay:
                return

    return handler


@CLIENTS
async def test_a_request_says_what_it_should_and_its_connection_is_kept(kind: Kind) -> None:
    heard: list[tuple[str, bytes]] = []

    async def handler(line: Line) -> None:
        while True:
            heard.append(await line.request())
            line.writer.write(OK + b"X-RateLimit-Left: 3\r\ncontent-length: 4\r\n\r\ngood")

    async with serving(handler) as (url, server), client_of(kind, url) as client:
        for _ in range(3):
            assert await parsed(client, b'{"a":1}') == (200, b"good")
        reply = await client.send("GET", "/models", None, {})
        assert (b"x-ratelimit-left", b"3") in [(name.lower(), value) for name, value in reply.heads]
        reply.release()
    head, body = heard[0]
    assert head.startswith("post /v1/chat http/1.1\r\n") and body == b'{"a":1}'
    assert "x-always: yes" in head and "x-request-id: r1" in head and "host: 127.0.0.1" in head
    assert heard[3][0].startswith("get /v1/models") and server.connections == 1


@CLIENTS
@pytest.mark.parametrize(
    ("parts", "body"),
    [
        (
            (OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r", b"\n2\r\nde\r\n0\r\n\r\n"),
            b"abcde",
        ),
        ((OK + b"content-length: 5\r\n\r\nab", b"cde"), b"abcde"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"content-length: 2\r\n\r\nok"), b"ok"),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), b""),
        ((OK + b"content-length: 2\r\nconnection: close\r\n\r\nok",), b"ok"),
    ],
    ids=["chunked", "in-parts", "continue", "no-content", "close"],
)
async def test_every_form_of_body_is_read(
    kind: Kind, parts: tuple[bytes, ...], body: bytes
) -> None:
    async with serving(writes(*parts)) as (url, _), client_of(kind, url) as client:
        assert (await parsed(client))[1] == body
        assert (await parsed(client))[1] == body


@CLIENTS
async def test_a_body_without_a_length_ends_with_the_connection(kind: Kind) -> None:
    answer = writes(OK + b"\r\n", b"to the end", stay=False)
    async with serving(answer) as (url, server), client_of(kind, url) as client:
        assert await parsed(client) == (200, b"to the end")
        assert await parsed(client) == (200, b"to the end")
    assert server.connections == 2


@CLIENTS
@pytest.mark.parametrize(
    "parts",
    [
        (b"what is this\r\n\r\n",),
        (OK + b"content-length: 9\r\n\r\nab",),
        (OK + b"transfer-encoding: chunked\r\n\r\n9\r\nab",),
        (b"",),
        (OK + b"x: " + b"y" * (MOST_HEAD + 1000) + b"\r\n\r\n",),
    ],
    ids=["garbage", "cut", "cut-chunk", "nothing", "huge-head"],
)
async def test_what_breaks_off_is_told_and_the_next_request_is_answered(
    kind: Kind, parts: tuple[bytes, ...]
) -> None:
    broken = True

    async def handler(line: Line) -> None:
        answer = parts if broken else (OK + b"content-length: 4\r\n\r\ngood",)
        await writes(*answer, stay=False)(line)

    async with serving(handler) as (url, _), client_of(kind, url) as client:
        with pytest.raises(UpstreamError):
            await parsed(client)
        broken = False
        assert await parsed(client) == (200, b"good")


@CLIENTS
@pytest.mark.parametrize(
    "parts", [(), (OK + b"content-length: 9\r\n\r\nab",)], ids=["head", "body"]
)
async def test_silence_has_a_limit(kind: Kind, parts: tuple[bytes, ...]) -> None:
    async with serving(writes(*parts)) as (url, _), client_of(kind, url, 0.2) as client:
        with pytest.raises(UpstreamTimeout):
            await parsed(client)


@CLIENTS
async def test_an_address_where_nobody_listens_is_told(kind: Kind) -> None:
    async with serving(writes(b"")) as (url, _):
        pass
    async with client_of(kind, url) as client:
        with pytest.raises(UpstreamError, match=r"[Cc]onn"):
            await parsed(client)


@CLIENTS
async def test_a_stream_comes_piece_by_piece_and_leaving_it_closes_the_connection(
    kind: Kind,
) -> None:
    go_on, closed = asyncio.Event(), asyncio.Event()

    async def handler(line: Line) -> None:
        await line.request()
        line.writer.write(OK + b"transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await go_on.wait()
        line.writer.write(b"6\r\nsecond\r\n")
        await line.gone()
        closed.set()

    async with serving(handler) as (url, _), client_of(kind, url) as client:
        reply = await client.send("POST", "/chat", b"{}", {})
        pieces = aiter(reply.pieces())
        assert await anext(pieces) == b"first"
        go_on.set()
        assert await anext(pieces) == b"second"
        reply.release()
        async with asyncio.timeout(5):
            await closed.wait()


@CLIENTS
async def test_a_request_that_is_broken_off_closes_its_connection(kind: Kind) -> None:
    came, closed = asyncio.Event(), asyncio.Event()

    async def handler(line: Line) -> None:
        await line.request()
        came.set()
        await line.gone()
        closed.set()

    async with serving(handler) as (url, _), client_of(kind, url) as client:
        task = asyncio.create_task(parsed(client))
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await closed.wait()


async def test_a_reply_that_nobody_takes_holds_up_its_endpoint() -> None:
    whole = 64 * HIGH
    sent = 0

    async def handler(line: Line) -> None:
        nonlocal sent
        await line.request()
        line.writer.write(OK + b"content-length: %d\r\n\r\n" % whole)
        while sent < whole:
            line.writer.write(bytes(HIGH))
            await line.writer.drain()
            sent += HIGH

    async with serving(handler) as (url, _), client_of(Direct, url, 0.2) as client:
        reply = await client.send("POST", "/chat", b"{}", {})
        quiet = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.5, quiet.set_result, None)
        await quiet
        assert sent < whole / 2, "the endpoint waits, and its silence is not held against it"
        assert sum([len(piece) async for piece in reply.pieces()]) == whole
        reply.release()


async def test_a_connection_that_its_server_has_closed_is_not_used_again() -> None:
    closing, closed = asyncio.Event(), asyncio.Event()

    async def handler(line: Line) -> None:
        await line.request()
        line.writer.write(OK + b"content-length: 2\r\n\r\nok")
        await closing.wait()
        line.writer.close()
        await line.writer.wait_closed()
        closed.set()

    async with serving(handler) as (url, server), client_of(Direct, url) as client:
        assert (await parsed(client))[1] == b"ok"
        closing.set()
        await closed.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        assert (await parsed(client))[1] == b"ok"
    assert server.connections == 2


async def test_what_comes_behind_a_reply_is_not_taken_for_the_next_one() -> None:
    answer = OK + b"content-length: 2\r\n\r\nok"
    async with serving(writes(answer + answer)) as (url, server), client_of(Direct, url) as client:
        for _ in range(3):
            assert await parsed(client) == (200, b"ok")
    assert server.connections == 3


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for this machine; returns a server's context and the file that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    trusted, both = folder / "trusted.pem", folder / "both.pem"
    trusted.write_bytes(made.public_bytes(Encoding.PEM))
    both.write_bytes(secret + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, trusted


async def test_tls_is_spoken_with_who_can_be_trusted_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path)
    answer = writes(OK + b"content-length: 2\r\n\r\nok")
    async with serving(answer, context) as (url, _):
        async with client_of(Direct, url) as stranger:
            with pytest.raises(UpstreamError, match="certificate"):
                await parsed(stranger)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        async with client_of(Direct, url) as client:
            assert await parsed(client) == (200, b"ok")


async def test_a_proxy_that_the_environment_names_is_gone_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []

    async def proxy(line: Line) -> None:
        heard.append((await line.request())[0])
        line.writer.write(OK + b"content-length: 9\r\n\r\nby proxy!")

    async with serving(proxy) as (url, _):
        monkeypatch.setenv("http_proxy", url.removesuffix("/v1"))
        monkeypatch.delenv("no_proxy", raising=False)
        client = client_for("http://model.invalid/v1", {}, 5)
        await client.start()
        assert await parsed(client) == (200, b"by proxy!")
        await client.close()
    assert heard[0].startswith("post http://model.invalid/v1/chat")
    assert isinstance(client_for("https://model.invalid/v1", {}, 5), Direct)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:1/v1", Direct),
        ("https://api.example/v1", Direct),
        ("https://who:secret@api.example/v1", AiohttpClient),
        ("https://api.example/v1?version=2", AiohttpClient),
        ("https://api.exämple/v1", AiohttpClient),
        ("http://127.0.0.1:many/v1", AiohttpClient),
    ],
)
def test_an_odd_address_is_left_to_the_general_client(url: str, kind: type[UpstreamClient]) -> None:
    assert type(client_for(url, {}, 5)) is kind
