"""Reads the text of an OpenAPI document: JSON or YAML, OpenAPI 3 or Swagger 2.0."""

import json
from typing import Any, NoReturn, cast

from toolmint.core.errors import InputError
from toolmint.core.values import MAX_DEPTH, clip, too_deep
from toolmint.tools.swagger import as_openapi_3
from toolmint.tools.yaml_text import read_yaml

_Json = dict[str, Any]


def read_document(text: str, where: str = "the document") -> _Json:
    """Return an OpenAPI 3 document; one of Swagger 2.0 is converted.

    Raises:
        InputError: it is neither JSON nor YAML, or no OpenAPI document; the message says what was found.
    """
    found = _read(text, where)
    if not isinstance(found, dict):
        raise InputError(
            f"{where} is not an OpenAPI document: expected an object, got {type(found).__name__}"
        )
    document = cast("_Json", found)
    version = document.get("openapi")
    if version is None and str(document.get("swagger") or "").startswith("2"):
        document = as_openapi_3(document)
        version = document["openapi"]
    if not str(version or "").startswith("3."):
        said = f"its version is {version!r}" if version else "it has no field 'openapi'"
        raise InputError(f"{where} is not an OpenAPI 3 document: {said}")
    if not isinstance(document.get("paths"), dict):
        raise InputError(f"{where} has no object 'paths'")
    return document


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _read(text: str, where: str) -> object:
    """Return the value of a text. What begins as JSON does is JSON, or YAML where that fails."""
    start = text.lstrip("\ufeff \t\r\n")
    try:
        if start.startswith(("{", "[")):
            try:
                found: object = json.loads(start, parse_constant=_constant)
            except ValueError as fault:
                try:
                    return read_yaml(start)
                except InputError:
                    raise fault from None
            if too_deep(found):
                raise InputError(f"it is nested deeper than {MAX_DEPTH} levels")
            return found
        return read_yaml(start)
    except (ValueError, RecursionError, InputError) as fault:
        raise InputError(f"{where} is neither JSON nor YAML: {clip(str(fault), 200)}") from fault
