"""The models that a key may ask for, as the strong model's endpoint lists them."""

from collections.abc import Sequence
from typing import Any, cast

import orjson

from toolmint.core.traffic import Key
from toolmint.gateway.http_errors import unknown_model, upstream_unavailable
from toolmint.gateway.upstream.endpoint import Upstream


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
            HttpError: the endpoint lists none.
        """
        async with self._upstream.ask("GET", "/models", None, {}) as reply:
            raw = await reply.read()
        try:
            value: Any = orjson.loads(raw)
            data: list[Any] = list(value["data"])
        except (orjson.JSONDecodeError, KeyError, TypeError) as fault:
            raise upstream_unavailable("The strong model's endpoint lists no models.") from fault
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


def _id(one: object) -> str:
    return str(cast("dict[str, Any]", one).get("id", "")) if isinstance(one, dict) else ""
