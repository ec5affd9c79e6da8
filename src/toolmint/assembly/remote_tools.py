"""Tools that live elsewhere: those of OpenAPI documents and of MCP servers, with the user's options."""

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

from toolmint.assembly.tool_sources import WEB, Source, variables_of
from toolmint.core.errors import ConfigError, InputError
from toolmint.core.http import HttpRequest, Transport
from toolmint.tools.addresses import is_own_host
from toolmint.tools.credentials import OWN_SCHEMES, PLACES, own_scheme, with_credential
from toolmint.tools.openapi import ImportedApi, import_document, read_document
from toolmint.tools.openapi_call import openapi_tools
from toolmint.tools.toolbox import ToolCollection

_MOST_PROBLEMS = 10
"""Messages that a document gives rise to; large ones have hundreds of a kind."""


async def mcp_box(source: Source, stack: AsyncExitStack) -> tuple[ToolCollection, list[str]]:
    """Return the tools of an MCP server, and what could not be read of them, in words.

    Raises:
        ConfigError: the extra is missing, or an option does not fit.
        ToolError: the server cannot be used.
    """
    try:
        from toolmint.tools.mcp import mcp_tools  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "MCP servers need the extra: pip install 'toolmint[mcp]'", code="extra"
        ) from fault
    over_http = source.where.startswith(WEB)
    for option, fits in (("env", not over_http), ("key", over_http), ("header", over_http)):
        if option in source.options and not fits:
            raise ConfigError(
                f"the option {option!r} is for MCP servers "
                f"{'that a command starts' if over_http else 'at an address'}, not for {source.where!r}"
            )
    request = HttpRequest("POST", source.where, headers=variables_of(source, "header"))
    for name, value in variables_of(source, "key").items():
        scheme = own_scheme(name)
        if scheme is None:
            raise _no_scheme(name, source.where, ())
        request = with_credential(request, scheme, value)
    problems: list[str] = []
    opened = mcp_tools(
        request.target,
        env=variables_of(source, "env"),
        headers=request.headers,
        problems=problems,
    )
    return ToolCollection(await stack.enter_async_context(opened), checked=True), problems


async def openapi_box(source: Source, stack: AsyncExitStack) -> tuple[ToolCollection, list[str]]:
    """Return the operations of a document as tools, and what could not be read of it, in words.

    Raises:
        ConfigError: a credential is missing, or is for no scheme that is known.
        InputError: the document cannot be read.
        ToolError: its server cannot be reached.
    """
    from toolmint.tools.network import DOCUMENT_LIMIT, Network  # noqa: PLC0415 - aiohttp takes 0.3 s to load

    private = is_users_own(source)
    network = Network(private=private)
    stack.push_async_callback(network.close)
    reader = Network(private=private, kept=DOCUMENT_LIMIT)
    try:
        text, address = await _document(source.where, reader)
    finally:
        await reader.close()
    imported = import_document(
        read_document(text, repr(source.where)),
        base_url=source.option("base_url"),
        address=address,
    )
    if not imported.operations:
        raise InputError(
            f"{source.where!r} has no operation that can be called: {'; '.join(imported.problems)}"
        )
    secrets = variables_of(source, "key")
    for name in secrets:
        if name not in imported.schemes and own_scheme(name) is None:
            raise _no_scheme(name, source.where, imported.schemes)
    headers = variables_of(source, "header")
    said = list(imported.problems[:_MOST_PROBLEMS])
    if len(imported.problems) > len(said):
        said.append(f"{source.where}: {len(imported.problems) - len(said)} more of this kind")
    return open_toolbox(imported, network, secrets, headers), said


def is_users_own(source: Source) -> bool:
    """Return whether a source may lead to private addresses: it is the user's own, or he allows it.

    A document from a file is the user's own, and so is one whose address, or whose ``base_url``, is written
    as this machine or as a private address.
    """
    called = source.option("base_url") or source.where
    return (
        "private" in source.options
        or not source.where.startswith(WEB)
        or is_own_host(urlsplit(called).hostname or "")
    )


def _no_scheme(name: str, where: str, known: Iterable[str]) -> ConfigError:
    names = ", ".join([*known, *OWN_SCHEMES, *(f"{place}.NAME" for place in PLACES)])
    return ConfigError(
        f"{where!r} knows no scheme {name!r} of a key; it knows {names}", code="tool-key"
    )


def open_toolbox(
    imported: ImportedApi,
    transport: Transport,
    secrets: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ToolCollection:
    """Return the operations of a document as a box, over any transport."""
    return ToolCollection(openapi_tools(imported, transport, secrets, headers), checked=True)


async def _document(where: str, network: Transport) -> tuple[str, str | None]:
    """Return a document's text, and the address that it came from; None for a file."""
    if not where.startswith(WEB):
        return _file_text(Path(where)), None
    response = await network.send(HttpRequest("GET", where))
    if response.status >= 400:
        raise InputError(f"{where!r} answers HTTP {response.status}")
    if response.cut:
        raise InputError(f"{where!r} is longer than 64 MiB")
    return response.text, response.url or where


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as fault:
        raise InputError(f"{str(path)!r} cannot be read: {fault}") from fault
