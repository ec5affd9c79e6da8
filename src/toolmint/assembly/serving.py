"""A gateway that serves inside this process, for notebooks, tests and examples."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from toolmint.assembly.endpoints import EndpointModel
from toolmint.assembly.session import Models
from toolmint.assembly.settings import Settings
from toolmint.assembly.uri import Endpoint, ModelLike
from toolmint.core.errors import ConfigError, ToolmintError

if TYPE_CHECKING:
    import uvicorn


@asynccontextmanager
async def serving(
    settings: Settings, models: Models | None = None, endpoint: Endpoint | None = None
) -> AsyncGenerator[str]:
    """Serve a gateway on the running event loop; yield the base URL, such as ``http://127.0.0.1:8080/v1``.

    Requests that are at work when the context is left are finished first.

    Args:
        settings: host, port (0: a free one) and all else that ``toolmint serve`` reads.
        models: make tools, in place of those that the settings name.
        endpoint: where requests are passed on to, in place of the settings' model.

    Raises:
        ConfigError: the extra ``toolmint[gateway]`` is missing, no endpoint is named, the address cannot
            be listened at, or the gateway would be open to everybody.
    """
    try:
        import uvicorn  # noqa: PLC0415 - an extra

        from toolmint.assembly.gateway import gateway  # noqa: PLC0415 - an extra
        from toolmint.gateway.http_server import server_config  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "serving needs the extra: pip install 'toolmint[gateway]'", code="extra"
        ) from fault
    async with gateway(settings, models, endpoint=endpoint) as app:
        config = server_config(app, settings.host, settings.port)
        with _listener(settings) as listener:
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                await _started(server, task)
                host, port = listener.getsockname()[:2]
                yield f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
            finally:
                server.should_exit = True
                await task


def serving_of(
    model: ModelLike | None, settings: Settings, models: Models
) -> AbstractAsyncContextManager[str]:
    """Serve a gateway before a strong model; see ``serving``.

    Args:
        model: a URI, or what ``toolmint.openai`` returned; None: what the settings name.
        settings: host, port and all else.
        models: make tools.

    Raises:
        ConfigError: the model is an object that is no endpoint, so that nothing can be passed on to it.
    """
    if isinstance(model, EndpointModel):
        named = settings.model_copy(update={"model": f"openai:{model.name}"})
        return serving(named, models, model.endpoint)
    if model is not None and not isinstance(model, str):
        raise ConfigError(
            f"a gateway passes requests on to an endpoint, and {model.name!r} is none; name one by a URI, "
            "or with toolmint.openai(...)",
            code="no-endpoint",
        )
    return serving(settings.model_copy(update={"model": model or settings.model}), models)


def _listener(settings: Settings) -> socket.socket:
    """Return a socket that listens; uvicorn itself would end the process where it cannot."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as fault:
        raise ConfigError(
            f"{settings.host}:{settings.port} cannot be listened at: {fault.strerror or fault}",
            code="address",
        ) from fault


async def _started(server: "uvicorn.Server", task: "asyncio.Task[None]") -> None:
    """Wait until a server answers.

    Raises:
        ToolmintError: it ended before it did; the log says why.
    """
    while not server.started:
        if task.done():
            raise ToolmintError("the gateway ended before it served; the log says why")
        await asyncio.sleep(0.01)  # uvicorn has no event to wait for
