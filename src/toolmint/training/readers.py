"""Read training data of several public formats as trajectories; the columns tell the format."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from toolmint.core.errors import InputError, boundary
from toolmint.core.messages import ToolSpec
from toolmint.core.task import Trajectory, read_trajectory
from toolmint.core.text_files import json_items, read_text
from toolmint.roles import chat_files, openai_messages, toolbench, toolbench_trees
from toolmint.roles.chat_fields import check_known
from toolmint.training import api_bank, seal_tools, toolalpaca

DataFormat = Literal[
    "trajectory",
    "openai",
    "prompt_completion",
    "toolbench",
    "toolbench_tree",
    "api_bank",
    "seal_tools",
    "toolalpaca",
    "sharegpt",
]


class _Columns(NamedTuple):
    """The columns that tell a format, and the others that it may have; None: its reader checks them."""

    needed: tuple[str, ...]
    also: tuple[str, ...] | None = None


_COLUMNS: dict[DataFormat, _Columns] = {
    "trajectory": _Columns(("task", "steps")),
    "openai": _Columns(("messages",)),
    "prompt_completion": _Columns(("prompt", "completion")),
    "toolbench": _Columns(("instruction", "conversations", "tools"), ("id",)),
    "toolbench_tree": _Columns(
        ("tree", "answer_generation"), ("win", "compare_candidates", "forward_args")
    ),
    "api_bank": _Columns(("instruction", "input", "output"), ("id",)),
    "seal_tools": _Columns(("query", "calling"), ("id",)),
    "toolalpaca": _Columns(
        ("Function_Description",),
        (
            *("Name", "Description", "Category", "Introduction", "Link", "Functions"),
            *("Documentation", "NLDocumentation", "Function_Projection"),
            *("Instances", "Instructions", "Golden_Answers", "Authentication"),
        ),
    ),
    "sharegpt": _Columns(("conversations",)),
}
_NOT_LEARNT = {
    "chosen": "preferences (chosen, rejected)",
    "rejected": "preferences (chosen, rejected)",
    "text": "plain text without roles",
    "input_ids": "data that are tokenised already",
    "prompt": "prompts without completions",
}
"""Columns of known formats that hold nothing that a role could learn here."""


class Located(NamedTuple):
    """A trajectory and its place: ``file:line``, or the file and the number of the item."""

    where: str
    trajectory: Trajectory
    form: DataFormat


def detect_format(item: Mapping[str, Any], where: str) -> DataFormat:
    """Return the format of an item, by its columns; a column that is null counts as absent.

    Raises:
        InputError: no format has these columns; the message names them and the known ones.
    """
    given = {name for name, value in item.items() if value is not None}
    for name, columns in _COLUMNS.items():
        if given.issuperset(columns.needed):
            return name
    known = "; ".join(f"{name}: {', '.join(one.needed)}" for name, one in _COLUMNS.items())
    kind = next((text for name, text in _NOT_LEARNT.items() if name in given), None)
    raise InputError(
        f"{where} has the unknown columns {', '.join(sorted(map(str, item)))}"
        + (f", which are {kind}" if kind else "")
        + f"; known are {known}",
        code="unknown-format",
    )


def read_located(path: Path, tools: Mapping[str, ToolSpec] | None = None) -> Iterator[Located]:
    """Yield the trajectories of a file with their places: JSON lines, one JSON list, or one JSON object.

    Every field is read or refused by its name.

    Args:
        path: the file.
        tools: specs by name for Seal-Tools' queries, which only name their tools.

    Raises:
        InputError: the file cannot be read, or an item does not follow its format; the message names the
            line, what was wrong, and what was expected.
    """
    for where, found in json_items(read_text(path), str(path)):
        if not isinstance(found, dict):
            raise InputError(f"{where} is no JSON object but {found!r:.60}")
        item = cast("dict[str, Any]", found)
        kind = detect_format(item, where)
        columns = _COLUMNS[kind]
        if columns.also is not None:
            check_known(
                {name: value for name, value in item.items() if value is not None},
                (*columns.needed, *columns.also),
                f"{where} ({kind})",
            )
        yield from _decoded(item, where, kind, tools or {})


def _decoded(
    item: dict[str, Any], where: str, kind: DataFormat, tools: Mapping[str, ToolSpec]
) -> list[Located]:
    def decode() -> list[Located]:
        if kind == "toolalpaca":
            runs = enumerate(toolalpaca.read_toolalpaca(item, where), 1)
            return [Located(f"{where}, run {number}", one, kind) for number, one in runs]
        if kind == "seal_tools":
            return [Located(where, seal_tools.read_seal_tools(item, where, tools), kind)]
        return [Located(where, _DECODERS[kind](item, where), kind)]

    return boundary(
        decode,
        lambda fault: InputError(f"{where} does not follow the format {kind!r}: {fault!r:.200}"),
    )


def read_file(path: Path, tools: Mapping[str, ToolSpec] | None = None) -> Iterator[Trajectory]:
    """Yield the trajectories of a file, as ``read_located`` does.

    Raises:
        InputError: the file cannot be read, or an item does not follow its format.
    """
    return (one.trajectory for one in read_located(path, tools))


def seal_documents(path: Path) -> dict[str, ToolSpec]:
    """Return Seal-Tools' tool documents by name.

    Raises:
        InputError: the file does not follow Seal-Tools' format.
    """
    return seal_tools.documents_of(path)


def _trajectory(item: Mapping[str, Any], where: str) -> Trajectory:
    return read_trajectory(json.dumps(item), where)


def _prompt_completion(item: Mapping[str, Any], where: str) -> Trajectory:
    return openai_messages.decode_messages(chat_files.from_prompt_completion(item, where), where)


def _sharegpt(item: Mapping[str, Any], where: str) -> Trajectory:
    return openai_messages.decode_messages(chat_files.from_sharegpt(item, where), where)


_DECODERS: dict[DataFormat, Callable[[Mapping[str, Any], str], Trajectory]] = {
    "trajectory": _trajectory,
    "openai": openai_messages.decode_messages,
    "prompt_completion": _prompt_completion,
    "toolbench": toolbench.decode_conversation,
    "toolbench_tree": toolbench_trees.decode_search_tree,
    "api_bank": api_bank.read_api_bank,
    "sharegpt": _sharegpt,
}
