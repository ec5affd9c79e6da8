"""Counts processes, some of which end while they are counted."""

from pathlib import Path


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[int(stat.parent.name)] = int(fields[1])
    return found


def children(pid: int) -> int:
    """Return how many processes have this parent."""
    return list(_parents().values()).count(pid)


def descendants(pid: int) -> int:
    """Return how many processes descend from this one."""
    parents, mine = _parents(), {pid}
    while new := {
        child for child, parent in parents.items() if parent in mine and child not in mine
    }:
        mine |= new
    return len(mine) - 1
