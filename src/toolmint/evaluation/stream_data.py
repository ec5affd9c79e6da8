"""Reads labelled requests: JSON lines, as everywhere, and comma-separated files such as BANKING77's."""

import csv
import io
from pathlib import Path

from toolmint.core.demonstrations import demonstration_of, parse_demonstrations
from toolmint.core.errors import InputError
from toolmint.core.text_files import read_text
from toolmint.core.tool import Demonstration

_COLUMNS = (("input", "target"), ("text", "category"))
"""Names of the columns of request and label; the second pair is BANKING77's."""


def read_labelled(path: Path) -> list[Demonstration]:
    """Return the labelled requests of a file, in its order.

    Raises:
        InputError: it cannot be read, or an entry is no request with a label; the line is named.
    """
    text = read_text(path)
    if path.suffix.lower() != ".csv":
        return parse_demonstrations(text, str(path))
    table = csv.DictReader(io.StringIO(text), strict=True)
    columns = next((pair for pair in _COLUMNS if set(pair) <= set(table.fieldnames or ())), None)
    if columns is None:
        raise InputError(
            f"{str(path)!r} has the columns {table.fieldnames!r}; expected 'input' and 'target', or 'text' "
            "and 'category'",
            code="stream-columns",
        )
    found: list[Demonstration] = []
    try:
        for row in table:
            entry = {"input": row[columns[0]], "target": row[columns[1]]}
            where = f"{path}:{table.line_num}"
            found.append(demonstration_of(entry, where, labelled=True))
    except csv.Error as fault:
        raise InputError(f"{path}:{table.line_num}: {fault}", code="stream-columns") from fault
    return found
