"""Follows ``$ref`` in OpenAPI documents."""

from typing import Any, cast
from urllib.parse import unquote

from toolmint.core.errors import InputError

_Json = dict[str, Any]
_Any = list[Any]


class Document:
    """An OpenAPI document with a resolver for its references."""

    def __init__(self, document: _Json) -> None:
        self._document = document

    def _at(self, pointer: str) -> Any:  # noqa: ANN401 - any part of a document
        if not pointer.startswith("#/"):
            raise InputError(
                f"the reference {pointer!r} leads out of the document; put it in, and try again"
            )
        found: Any = self._document
        for part in pointer[2:].split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdigit() and int(key) < len(cast("_Any", found)):
                found = cast("_Any", found)[int(key)]
            elif isinstance(found, dict) and key in found:
                found = cast("_Json", found)[key]
            else:
                raise InputError(f"the reference {pointer!r} leads nowhere: there is no {key!r}")
        return found

    def resolve(self, part: _Json) -> _Json:
        """Return a part with its reference followed, if it is one.

        Raises:
            InputError: the reference leads nowhere, out of the document, or in a circle.
        """
        seen: list[str] = []
        while "$ref" in part:
            pointer = str(part["$ref"])
            if pointer in seen:
                raise InputError(f"references go in a circle: {' -> '.join([*seen, pointer])}")
            seen.append(pointer)
            part = self._at(pointer)
        return part
