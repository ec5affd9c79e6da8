"""Names of tools that every endpoint takes, and the way back to the tools' own names."""

import re
from collections.abc import Iterable, Sequence

LONGEST_NAME = 64
_LEGAL = re.compile(rf"[a-zA-Z0-9_-]{{1,{LONGEST_NAME}}}\Z")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")
_PREFIXES = ("functions.", "function.", "tools.", "tool.")
NAMELESS = "none"


def legal_name(name: str) -> str:
    """Return a name as endpoints take it: letters, digits, ``_`` and ``-``, at most 64 characters."""
    if _LEGAL.match(name):
        return name
    return _ILLEGAL.sub("_", name)[:LONGEST_NAME] or NAMELESS


def legal_names(names: Iterable[str]) -> dict[str, str]:
    """Return a legal name for each name; legal ones keep theirs, and no two are alike."""
    listed = list(dict.fromkeys(names))
    found = {name: name for name in listed if _LEGAL.match(name)}
    taken = set(found)
    for name in listed:
        if name not in found:
            plain, number = legal_name(name), 1
            while plain in taken:
                number += 1
                tail = f"_{number}"
                plain = legal_name(name)[: LONGEST_NAME - len(tail)] + tail
            found[name] = plain
            taken.add(plain)
    return found


def resolved_name(written: str, names: Sequence[str]) -> str:
    """Return the tool's own name for the one that a model wrote; that one where no tool is meant.

    Understood are the legal form that an endpoint showed the model, prefixes such as ``functions.``, and
    other capitals, each where it means one tool alone.
    """
    if written in names:
        return written
    bare = written.strip().strip("`\"'")
    for prefix in _PREFIXES:
        bare = bare.removeprefix(prefix)
    if bare in names:
        return bare
    back = {legal: name for name, legal in legal_names(names).items()}
    if bare in back:
        return back[bare]
    alike = [name for name in names if name.casefold() == bare.casefold()]
    return alike[0] if len(alike) == 1 else written
