"""The gateway's process: uvicorn around it, and a line that says where it listens."""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson
import uvicorn
import uvloop

from toolmint.assembly.gateway import gateway
from toolmint.assembly.settings import Settings
from toolmint.cli.common import say
from toolmint.gateway.http_server import server_config

SWITCH_SECONDS = 0.0005
"""How long the thread that writes to the store may keep the loop waiting; a tenth of Python's own."""


class JsonLines(logging.Formatter):
    """Writes an object a line: time (ISO 8601, UTC), level, logger, message, and an error's traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        body = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            body["error"] = self.formatException(record.exc_info)
        return orjson.dumps(body).decode()


class AnnouncingServer(uvicorn.Server):
    """A server that says where it listens as soon as it does, and shuts down cleanly on a signal."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take signals as words to end by, and do not raise them again: the store is still to be closed."""
        loop = asyncio.get_running_loop()
        for word in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(word, self.handle_exit, word, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        for server in self.servers:
            for one in server.sockets:
                host, port = one.getsockname()[:2]
                say(f"toolmint serves at http://{host}:{port}/v1")


def run_gateway(settings: Settings) -> None:
    """Serve until a signal ends it; what is at work is finished first."""
    sys.setswitchinterval(SWITCH_SECONDS)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonLines() if settings.log == "json" else plain)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    async with gateway(settings) as app:
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        config = server_config(app, settings.host, settings.port)
        await AnnouncingServer(config).serve()
