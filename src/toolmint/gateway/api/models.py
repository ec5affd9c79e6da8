"""The models that a key may ask for, as the strong model's endpoint lists them."""

from collections.abc import Sequence
from typing import Any, cast

from toolmint.core.errors import HttpError
from toolmint.core.traffic import Key
from toolmint.gateway.http_errors import unknown_model, upstream_unavailable
from toolmint.gateway.upstream.endpoint import Upstream
from toolmint.gateway.upstream.protocol import UpstreamReply
from toolmint.gateway.upstream.reading import as_object, json_object


class ModelList:
    """Lists models.

    Args:
        upstream: the endpoint.
        own: names that the gateway itself answers.
    """

    def __init__(self, upstream: Upstream, own: Sequence[str] = ()) -> None:
        self._upstream, self._own = upstream, own

    async def all(self, key: Key) -> dict[str, Any]:
        """Return the list of models that a key may use.

        Raises:
            HttpError: the endpoint lists none, or refuses to: then with its status and its reason.
        """
        async with self._upstream.ask("GET", "/models", None, {}) as reply:
            raw = await reply.read()
        value = json_object(raw) or {}
        if reply.status >= 400:
            raise _refused(reply, value, raw)
        found: object = value.get("data")
        if not isinstance(found, list):
            raise upstream_unavailable("The strong model's endpoint lists no models.")
        data = [*cast("list[Any]", found)]
        data += [
            {"id": name, "object": "model", "created": 0, "owned_by": "toolmint"}
            for name in self._own
        ]
        mine = [one for one in data if not key.models or _id(one) in key.models]
        return {"object": "list", "data": mine}

    async def one(self, key: Key, name: str) -> dict[str, Any]:
        """Return one model.

        Raises:
            HttpError: there is none of that name, or the key may not use it.
        """
        for one in (await self.all(key))["data"]:
            if _id(one) == name:
                return cast("dict[str, Any]", one)
        raise unknown_model(name)


def _refused(reply: UpstreamReply, value: dict[str, Any], raw: bytes) -> HttpError:
    said: object = (as_object(value.get("error")) or {}).get("message")
    reason = said if isinstance(said, str) else raw[:500].decode("utf-8", "replace")
    again = {
        name.decode(): text.decode("latin-1")
        for name, text in reply.heads
        if name == b"retry-after"
    }
    return HttpError(reply.status, reason, kind="server_error", headers=again)


def _id(one: object) -> str:
    return str(cast("dict[str, Any]", one).get("id", "")) if isinstance(one, dict) else ""
