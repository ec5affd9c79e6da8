"""ToolAlpaca's test on simulated APIs (Tang et al., 2023): judged as the paper does, and executed.

Executed: the calls that people wrote down must have been made, in order, each answered with success and
with the literal arguments that they name; the answer must say a value that those calls gave back.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from toolwright.core.errors import InputError
from toolwright.core.messages import Frozen, ToolCall, ToolResult
from toolwright.core.task import Trajectory
from toolwright.core.values import Value, canonical, clip, fold

_HOLE = re.compile(r"\"?\$\{[^}]*\}\"?")
HOLE = "${"


class GoldenCall(NamedTuple):
    """A call that a person wrote down; arguments None: they cannot be read. A text ``${...}`` is a hole for
    a value of an earlier response.
    """

    name: str
    arguments: dict[str, Value] | None


class Instruction(NamedTuple):
    """One instruction of one API with its golden calls."""

    api: str
    text: str
    golden: tuple[GoldenCall, ...]


class Api(NamedTuple):
    """A simulated API: its OpenAPI document (as text) and its instructions."""

    name: str
    document: str
    described: str
    instructions: tuple[Instruction, ...]


class Executed(Frozen):
    """What execution shows of one run."""

    process: bool
    arguments: float
    grounded: bool
    why: tuple[str, ...] = ()


def read_apis(path: Path) -> list[Api]:
    """Read ToolAlpaca's file of simulated APIs.

    Raises:
        InputError: it is no such file; the API is named.
    """
    try:
        items: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise InputError(
            f"{str(path)!r} cannot be read as ToolAlpaca's file: {clip(str(fault), 160)}"
        ) from fault
    apis: list[Api] = []
    for number, item in enumerate(items, 1):
        try:
            apis.append(_api(item))
        except (KeyError, TypeError, AttributeError) as fault:
            raise InputError(
                f"API {number} of {str(path)!r} is not as ToolAlpaca has it: {fault!r}"
            ) from fault
    return apis


def _api(item: dict[str, Any]) -> Api:
    name: str = item["Name"]
    golden: list[Any] = item.get("Golden_Answers") or [[] for _ in item["Instructions"]]
    pairs = zip(item["Instructions"], golden, strict=True)
    found = tuple(Instruction(name, text, tuple(map(_golden, calls))) for text, calls in pairs)
    return Api(name, item["Documentation"], str(item.get("NLDocumentation", "")), found)


def _golden(call: dict[str, Any]) -> GoldenCall:
    text = _HOLE.sub(lambda hole: json.dumps(hole[0].strip('"')), str(call["Action_Input"]))
    try:
        read: object = json.loads(text)
    except ValueError:
        return GoldenCall(call["Action"], None)
    return GoldenCall(
        call["Action"], cast("dict[str, Value]", read) if isinstance(read, dict) else None
    )


def _scalars(value: Value) -> set[str]:
    if isinstance(value, dict):
        return {text for one in value.values() for text in _scalars(one)}
    if isinstance(value, list):
        return {text for one in value for text in _scalars(one)}
    return {value if isinstance(value, str) else canonical(value)} if value is not None else set()


def _match(golden: GoldenCall, call: ToolCall) -> float:
    """Give the share of golden arguments that a call has; holes match anything that is there."""
    if not golden.arguments:
        return 1.0
    given = call.parsed()
    same = sum(
        name in given and _alike(value, given[name]) for name, value in golden.arguments.items()
    )
    return same / len(golden.arguments)


def _alike(golden: Value, given: Value) -> bool:
    if isinstance(golden, str) and golden.startswith(HOLE):
        return True
    texts = [
        fold(one if isinstance(one, str) else canonical(one)).casefold() for one in (golden, given)
    ]
    return texts[0] == texts[1]


def execute(trajectory: Trajectory, golden: Sequence[GoldenCall]) -> Executed:
    """Judge a run by what it executed."""
    calls: list[tuple[ToolCall, ToolResult]] = [
        pair for step in trajectory.path() for pair in zip(step.calls, step.results, strict=True)
        if pair[1].failure is None
    ]  # fmt: skip
    at, shares, missing, values = 0, list[float](), list[str](), set[str]()
    for wanted in golden:
        places = [place for place in range(at, len(calls)) if calls[place][0].name == wanted.name]
        if not places:
            missing.append(f"{wanted.name} was not called with success")
            shares.append(0.0)
            continue
        best = max(places, key=lambda place: _match(wanted, calls[place][0]))
        shares.append(_match(wanted, calls[best][0]))
        values |= _scalars(calls[best][1].data)
        at = best + 1
    answer = (trajectory.answer or "").casefold()
    grounded = any(len(value) > 1 and value.casefold() in answer for value in values)
    said = [] if grounded else ["the answer says no value that the golden calls gave back"]
    return Executed(
        process=not missing, arguments=sum(shares) / len(shares) if shares else 1.0,
        grounded=grounded, why=(*missing, *said),
    )  # fmt: skip
