"""The setting ``toolbox``: names of sources in a variable, and names or tables in a file."""

import json
import shlex
from collections.abc import Mapping
from typing import cast
from urllib.parse import quote, urlencode


def sources_of_setting(value: object) -> object:
    """Return the sources of a setting as the command line names them; what is no list stays as it is.

    A variable's text is a JSON list, or names with spaces between them, quoted as in a shell. A table has
    ``source`` and its options, such as ``{source = "pets.yaml", prefix = "pets_", key = ["a:A", "b:B"]}``.

    Raises:
        ValueError: a text or a table cannot be read.
    """
    if isinstance(value, str):
        value = json.loads(value) if value.lstrip().startswith("[") else shlex.split(value)
    if not isinstance(value, list | tuple):
        return value
    return tuple(
        _source(cast("Mapping[str, object]", one)) if isinstance(one, Mapping) else one
        for one in cast("list[object]", value)
    )


def _source(table: Mapping[str, object]) -> str:
    source = table.get("source")
    if not isinstance(source, str):
        raise ValueError(f"a table of a toolbox needs source = TEXT, got {source!r:.80}")  # noqa: TRY004
    pairs: list[tuple[str, str]] = []
    for name, value in table.items():
        if name == "source":
            continue
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        for one in values:
            if not isinstance(one, str):
                raise ValueError(f"{name} = {value!r:.80} must be a text or a list of texts")  # noqa: TRY004
            pairs.append((name, one))
    return f"{source}?{urlencode(pairs, quote_via=quote)}" if pairs else source
