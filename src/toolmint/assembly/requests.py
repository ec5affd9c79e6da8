"""Demonstrations and requests, in the forms that Python code has them in."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias, cast

from toolmint.core.demonstrations import demonstration_of, parse_demonstrations, read_text
from toolmint.core.errors import InputError
from toolmint.core.tool import Demonstration

DemonstrationLike: TypeAlias = Demonstration | tuple[str, str] | Mapping[str, str]
"""A request with its right answer: an object, a pair, or ``{"input": ..., "target": ...}``."""
Demonstrations: TypeAlias = Iterable[DemonstrationLike] | Path | str
"""Demonstrations, or the path of a file of them (JSON lines, or a BIG-Bench task)."""
Requests: TypeAlias = Iterable[str | Demonstration] | Path | str
"""Requests, or the path of a file of them (JSON lines with ``input``, and ``target`` where it is known)."""


def demonstrations_of(given: Demonstrations) -> list[Demonstration]:
    """Return demonstrations as objects.

    Raises:
        InputError: the file, or the entry of a number, is not what it should be.
    """
    if isinstance(given, str | Path):
        return parse_demonstrations(read_text(Path(given)), str(given))
    return [_demonstration(one, f"demonstration {number}") for number, one in enumerate(given, 1)]


def _demonstration(one: object, where: str) -> Demonstration:
    if isinstance(one, Demonstration):
        return one
    if isinstance(one, tuple | list):
        pair = cast("tuple[object, ...]", one)
        if len(pair) != 2:
            raise InputError(f"{where}: expected a pair of request and answer, got {pair!r:.60}")
        return demonstration_of({"input": pair[0], "target": pair[1]}, where, labelled=True)
    if isinstance(one, Mapping):
        return demonstration_of(dict(cast("Mapping[str, object]", one)), where, labelled=True)
    raise InputError(
        f"{where}: expected a pair of request and answer, a mapping with 'input' and 'target', or a "
        f"Demonstration, got {one!r:.60}"
    )


def requests_of(given: Requests) -> list[Demonstration]:
    """Return requests as demonstrations whose answer may be unknown.

    Raises:
        InputError: the file, or the entry of a number, is not what it should be.
    """
    if isinstance(given, str | Path):
        return parse_demonstrations(read_text(Path(given)), str(given), labelled=False)
    return [
        one
        if isinstance(one, Demonstration)
        else demonstration_of({"input": one}, f"request {number}", labelled=False)
        for number, one in enumerate(given, 1)
    ]
