"""Bodies that come slowly, and requests that no endpoint takes: each gets a JSON error and is counted."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.gateway.house import house, served

from toolmint.assembly.gateway import gateway
from toolmint.assembly.settings import Settings
from toolmint.gateway.app import Gateway
from toolmint.gateway.asgi import BodyLimits

pytestmark = pytest.mark.anyio


async def raw(url: str, head: str) -> tuple[int, dict[str, Any]]:
    """Send a head, then one byte after another until the server answers; return status and JSON."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(head.encode())
    answer = asyncio.create_task(_answer(reader))
    while not answer.done():
        writer.write(b" ")
        await asyncio.wait({answer}, timeout=0.02)
    writer.close()
    return answer.result()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    # Not up to the end of the stream: a byte that comes after the server has closed resets it.
    top = await reader.readuntil(b"\r\n\r\n")
    size = int(top.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return int(top.split()[1]), json.loads(await reader.readexactly(size))


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/feedback"])
async def test_a_body_that_drips_is_answered_with_408_and_counted(
    tmp_path: Path, path: str
) -> None:
    settings = Settings(
        store=tmp_path / "tools.db", model="openai:gpt-5?base_url=http://127.0.0.1:9"
    )
    async with (
        gateway(settings) as app,
        served(Gateway(app.parts, BodyLimits(seconds=0.2))) as url,
    ):
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n"
        status, body = await raw(url, head)
        assert status == 408 and body["error"]["code"] == "request_timeout"
        text = app.parts.metrics.text().decode()
        assert any('"408"' in line for line in text.splitlines() if "requests" in line)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("POST", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/models/nothing", 404, "model_not_found"),
        ("POST", "/v1/feedback", 400, None),
    ],
)
async def test_what_no_endpoint_takes_is_answered_with_a_json_error(
    tmp_path: Path, method: str, path: str, status: int, code: str | None
) -> None:
    async with (
        house(tmp_path) as here,
        aiohttp.request(method, here.url + path) as reply,
    ):
        error = (await reply.json())["error"]
        assert (reply.status, error["code"]) == (status, code)
        assert reply.headers.getall("x-request-id")[0].startswith("req_")


class _Broken:
    """Fails as a bug would."""

    own = ()

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


@pytest.mark.parametrize(
    ("path", "part"), [("/v1/chat/completions", "completions"), ("/v1/feedback", "feedback")]
)
async def test_a_bug_is_a_json_500_with_its_request_id_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str, part: str
) -> None:
    async with house(tmp_path) as here:
        app, sent = Gateway(here.app.parts._replace(**{part: _Broken()})), list[dict[str, Any]]()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"{}"}

        async def send(message: Any) -> None:
            sent.append(dict(message))

        scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": [],
            "query_string": b"",
        }
        await app(scope, receive, send)
        assert sent[0]["status"] == 500
        assert json.loads(sent[1]["body"])["error"]["code"] == "internal_error"
        number = dict(sent[0]["headers"])[b"x-request-id"].decode()
        tracebacks = [one.getMessage() for one in caplog.records if one.exc_info]
        assert len(tracebacks) == 1 and number in tracebacks[0]
