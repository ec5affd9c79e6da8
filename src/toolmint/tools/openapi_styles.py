"""Serialises the arguments of a request as OpenAPI's table of styles says.

Source: OpenAPI 3.0.4 and 3.1.1, "Style Values" and "Style Examples", which follow RFC 6570. Where the table
says nothing: items and members that are null are left out, an array or object without any is left out
whole, and what is nested deeper than the style reaches is written as JSON (in ``deepObject``: as further
brackets, with the places of items as numbers).
"""

from typing import NamedTuple, cast
from urllib.parse import quote

from toolmint.core.errors import ToolError
from toolmint.core.values import Value, canonical

_RESERVED = ":/?@!$'()*,;="
"""What ``allowReserved`` leaves as it is: all reserved characters but those that would end the value or the
query (``#``, ``&``, ``+``, brackets)."""
_DEFAULT_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_JOINTS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


class ArgumentPlace(NamedTuple):
    """Where an argument goes: path, query, header, cookie, body (a field of it) or whole (all of it).

    ``style`` is "" for the place's own; ``media_type`` is that of a parameter with ``content``, or of a part
    of a form, which takes the place of a style.
    """

    place: str
    name: str
    style: str = ""
    explode: bool = True
    reserved: bool = False
    media_type: str = ""
    binary: bool = False


def styled_text(value: Value) -> str:
    """Return a value as text: a string as it is, all else as JSON."""
    return value if isinstance(value, str) else canonical(value)


def _encode(value: Value, *, reserved: bool = False) -> str:
    return quote(styled_text(value), safe=_RESERVED if reserved else "")


def _items(value: Value) -> list[Value]:
    return [one for one in cast("list[Value]", value) if one is not None]


def _members(value: Value) -> list[tuple[str, Value]]:
    return [(key, one) for key, one in cast("dict[str, Value]", value).items() if one is not None]


def _style(slot: ArgumentPlace) -> str:
    return slot.style or _DEFAULT_STYLES.get(slot.place, "form")


def _flat(value: Value, *, reserved: bool = False) -> list[str]:
    """Return items, or keys and values in turn, encoded; one of anything else."""
    if isinstance(value, list):
        return [_encode(one, reserved=reserved) for one in _items(value)]
    if isinstance(value, dict):
        return [_encode(part, reserved=reserved) for pair in _members(value) for part in pair]
    return [_encode(value, reserved=reserved)]


def _assigned(value: Value) -> list[str]:
    """Return an object's members as ``key=value``, or an array's items, encoded."""
    if isinstance(value, dict):
        return [f"{_encode(key)}={_encode(one)}" for key, one in _members(value)]
    return _flat(value)


def path_text(slot: ArgumentPlace, value: Value) -> str:
    """Return what takes the place of ``{name}`` in a path, encoded: simple, label or matrix."""
    if slot.media_type:
        return quote(canonical(value) if "json" in slot.media_type else styled_text(value), safe="")
    match _style(slot):
        case "matrix":
            return _matrix(slot, value)
        case "label":
            exploded = slot.explode and isinstance(value, dict | list)
            parts = _assigned(value) if exploded else _flat(value)
            return "." + ("." if exploded else ",").join(parts)
        case _:
            return ",".join(_assigned(value) if slot.explode else _flat(value))


def _matrix(slot: ArgumentPlace, value: Value) -> str:
    name = _encode(slot.name)
    if slot.explode and isinstance(value, dict):
        return "".join(f";{part}" for part in _assigned(value))
    if slot.explode and isinstance(value, list):
        return "".join(f";{name}={part}" for part in _flat(value))
    joined = ",".join(_flat(value))
    return f";{name}={joined}" if joined else f";{name}"


def query_texts(slot: ArgumentPlace, value: Value) -> list[str]:
    """Return an argument's pairs ``name=value`` of a query or of a form, encoded; none for null."""
    if value is None:
        return []
    if slot.media_type:
        said = canonical(value) if "json" in slot.media_type else styled_text(value)
        return [f"{_encode(slot.name)}={_encode(said, reserved=slot.reserved)}"]
    style = _style(slot)
    if style == "deepObject" and isinstance(value, dict | list):
        return _deep(slot.name, value, reserved=slot.reserved)
    name = _encode(slot.name)
    if slot.explode and isinstance(value, list):
        return [f"{name}={one}" for one in _flat(value, reserved=slot.reserved)]
    if slot.explode and isinstance(value, dict):
        return [
            f"{_encode(key)}={_encode(one, reserved=slot.reserved)}" for key, one in _members(value)
        ]
    parts = _flat(value, reserved=slot.reserved)
    return [f"{name}={_JOINTS.get(style, ',').join(parts)}"] if parts else []


def _deep(name: str, value: Value, *, reserved: bool) -> list[str]:
    if isinstance(value, dict):
        inner = _members(value)
    elif isinstance(value, list):
        inner = [(str(place), one) for place, one in enumerate(_items(value))]
    else:
        return [f"{_encode(name)}={_encode(value, reserved=reserved)}"]
    return [pair for key, one in inner for pair in _deep(f"{name}[{key}]", one, reserved=reserved)]


def header_text(slot: ArgumentPlace, value: Value) -> str:
    """Return a header's value: the style simple, which encodes nothing in a header.

    Raises:
        ToolError: it has a character that would end the header.
    """
    if slot.media_type:
        text = canonical(value) if "json" in slot.media_type else styled_text(value)
    elif isinstance(value, list):
        text = ",".join(map(styled_text, _items(value)))
    elif isinstance(value, dict):
        joint = "=" if slot.explode else ","
        text = ",".join(f"{key}{joint}{styled_text(one)}" for key, one in _members(value))
    else:
        text = styled_text(value)
    if any((ord(sign) < 32 and sign != "\t") or ord(sign) == 127 for sign in text):
        raise ToolError(
            f"the header {slot.name!r} cannot have line ends or control characters: {text!r:.80}",
            code="tool-arguments",
        )
    return text


def cookie_texts(slot: ArgumentPlace, value: Value) -> list[str]:
    """Return a cookie's pairs ``name=value``, the values encoded; several where an array is exploded."""
    return query_texts(slot._replace(reserved=False), value)
