"""One made tool as one readable file: its record as a comment, then its source."""

import json
from typing import Any

from pydantic import ValidationError

from toolmint.core.errors import InputError
from toolmint.core.tool import ToolRecord

_FIRST = "# toolmint tool, file format 1"
_FORMER_FIRST = "# toolwright tool, file format 1"
FENCE = "# ---- source ----"


def dump_tool(record: ToolRecord) -> str:
    """Return the file's text.

    Raises:
        InputError: it is a learned tool, which has weights in place of a source.
    """
    if record.learned:
        raise InputError(
            f"{record.label!r} is a learned tool: its weights are no readable source; fit one from its "
            "demonstrations with `toolmint make --profile learned`",
            code="tool-learned",
        )
    facts = record.model_dump(mode="json", exclude={"source"}) | {"source_digest": record.digest}
    comment = "\n".join(f"# {line}" for line in json.dumps(facts, indent=1).split("\n"))
    return f"{_FIRST}\n{comment}\n{FENCE}\n{record.source}"


def load_tool(text: str, name: str) -> ToolRecord:
    """Read the file's text.

    Raises:
        InputError: it is no such file, or the source is not the one that the record describes.
    """
    if f"{FENCE}\r\n" in text:
        # The file was checked out or sent with other line ends than it was written with.
        text = text.replace("\r\n", "\n")
    head, fence, source = text.partition(f"{FENCE}\n")
    lines = head.split("\n")[:-1]
    if not fence or not lines or lines[0] not in {_FIRST, _FORMER_FIRST}:
        raise InputError(f"{name} is no exported tool: the first line must be {_FIRST!r}")
    try:
        facts: dict[str, Any] = json.loads("\n".join(line[2:] for line in lines[1:]))
        wanted = facts.pop("source_digest")
        if lines[0] == _FORMER_FIRST and "compiled" in facts:
            facts["has_parser"] = facts.pop("compiled")
        record = ToolRecord.model_validate(facts | {"source": source})
    except (ValueError, KeyError, ValidationError) as fault:
        raise InputError(f"the record in {name} cannot be read: {str(fault)[:200]}") from fault
    if record.digest != wanted:
        raise InputError(f"the source in {name} was changed after export", code="tool-changed")
    return record
