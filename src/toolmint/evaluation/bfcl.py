"""Read files of the Berkeley Function-Calling Leaderboard: simple, multiple and irrelevance."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolSpec
from toolmint.core.text_files import json_items, read_text
from toolmint.core.values import Value
from toolmint.evaluation.calls import CallItem
from toolmint.evaluation.right_call import RightCall
from toolmint.evaluation.toolbench import StepTask

_KINDS = {"dict": "object", "float": "number", "tuple": "array", "any": None}
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def is_bfcl(item: object) -> bool:
    """Return whether an item is a question of the leaderboard."""
    keys = cast("dict[str, object]", item).keys() if isinstance(item, dict) else set[str]()
    return {"id", "question", "function"} <= keys


def bfcl_items(path: Path, most: int | None = None) -> list[CallItem]:
    """Return the questions of a file with their answers.

    The answers are read from ``possible_answer/`` beside it; a file of irrelevant questions has none.

    Raises:
        InputError: the file, or its answers, do not follow the format, or ask for several calls or turns.
    """
    answers = _answers(path)
    found: list[CallItem] = []
    for where, item in json_items(read_text(path), str(path))[:most]:
        try:
            found.append(_item(path.stem, where, item, answers))
        except (KeyError, TypeError, AttributeError, IndexError) as fault:
            raise InputError(f"{where} is no question of BFCL: {fault!r}") from fault
    return found


def _answers(path: Path) -> dict[str, Any] | None:
    if "irrelevance" in path.stem:
        return None
    file = path.parent / "possible_answer" / path.name
    if not file.is_file():
        raise InputError(
            f"{str(path)!r} needs its answers in {str(file)!r}; `toolmint eval fetch bfcl` gets both",
            code="data-missing",
        )
    found: dict[str, Any] = {}
    for where, item in json_items(read_text(file), str(file)):
        try:
            found[item["id"]] = item["ground_truth"]
        except (KeyError, TypeError) as fault:
            raise InputError(f"{where} is no answer of BFCL: {fault!r}") from fault
    return found


def _item(
    part: str, where: str, item: Mapping[str, Any], answers: dict[str, Any] | None
) -> CallItem:
    turns: list[Any] = item["question"]
    if len(turns) != 1:
        raise InputError(f"{where} has {len(turns)} turns; questions of one turn alone are scored")
    text = "\n\n".join(str(message["content"]) for message in turns[0])
    given: Any = item["function"]
    documents: list[Any] = cast("list[Any]", given) if isinstance(given, list) else [given]
    task = StepTask(input=text, tools=tuple(_spec(one) for one in documents), before=())
    name = str(item["id"])
    golden = None
    if answers is not None:
        if name not in answers:
            raise InputError(f"{where}: its answers have no {name!r}")
        golden = _golden(answers[name], where)
    return CallItem(part, name, task, golden, name)


def _golden(truth: list[dict[str, dict[str, list[Value]]]], where: str) -> RightCall:
    if len(truth) != 1:
        raise InputError(
            f"{where} asks for {len(truth)} calls; questions of one call alone are scored"
        )
    (name, arguments), *_ = truth[0].items()
    optional = frozenset(one for one, values in arguments.items() if "" in values)
    return RightCall(_legal(name), {key: [*values] for key, values in arguments.items()}, optional)


def _legal(name: str) -> str:
    """Return a name that every endpoint accepts, as the leaderboard itself writes it for them."""
    return _UNSAFE.sub("_", name)


def _spec(document: Mapping[str, Any]) -> ToolSpec:
    return ToolSpec(
        name=_legal(str(document["name"])),
        description=str(document["description"]),
        parameters=cast("dict[str, Value]", _schema(document["parameters"])),
    )


def _schema(value: object) -> Value:
    """Return a schema with JSON Schema's own types."""
    if isinstance(value, list):
        return [_schema(one) for one in cast("list[object]", value)]
    if not isinstance(value, dict):
        return cast("Value", value)
    found: dict[str, Value] = {}
    for key, one in cast("dict[str, object]", value).items():
        if key == "type" and isinstance(one, str):
            kind = _KINDS.get(one, one)
            if kind is not None:
                found[key] = kind
        else:
            found[key] = _schema(one)
    return found
