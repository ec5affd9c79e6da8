"""The models that a key may ask for, as the strong model's endpoint lists them."""

from collections.abc import Sequence
from typing import Any, cast

import orjson

from toolwright.core.traffic import Key
from toolwright.gateway.refusal import no_model, upstream_away
from toolwright.gateway.upstream import Upstream


class Models:
    """Lists models.

    Args:
        upstream: the endpoint.
        own: names that the gateway itself answers.
    """

    def __init__(self, upstream: Upstream, own: Sequence[str] = ()) -> None:
        self._upstream, self._own = upstream, own

    async def all(self, key: Key) -> dict[str, Any]:
        """Give the list of models that a key may use.

        Raises:
            Refusal: the endpoint lists none.
        """
        async with self._upstream.ask("GET", "/models", None, {}) as reply:
            raw = await reply.read()
        try:
            value: Any = orjson.loads(raw)
            data: list[Any] = list(value["data"])
        except (orjson.JSONDecodeError, KeyError, TypeError) as fault:
            raise upstream_away("The strong model's endpoint lists no models.") from fault
        data += [
            {"id": name, "object": "model", "created": 0, "owned_by": "toolwright"}
            for name in self._own
        ]
        mine = [one for one in data if not key.models or _id(one) in key.models]
        return {"object": "list", "data": mine}

    async def one(self, key: Key, name: str) -> dict[str, Any]:
        """Give one model.

        Raises:
            Refusal: there is none of that name, or the key may not use it.
        """
        for one in (await self.all(key))["data"]:
            if _id(one) == name:
                return cast("dict[str, Any]", one)
        raise no_model(name)


def _id(one: object) -> str:
    return str(cast("dict[str, Any]", one).get("id", "")) if isinstance(one, dict) else ""
