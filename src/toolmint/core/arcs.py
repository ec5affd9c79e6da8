"""The arcs of a made tool: which outcomes of its branches were taken by requests that were verified.

A tool may be wrong where nothing exercised it. An answer is served only where all its arcs were verified; any
other is compared first. Arcs are evidence about an honest tool: they are recorded in its own process,
which the sandbox holds whatever they say.
"""

from collections.abc import Iterable, Iterator

from toolmint.core.messages import Frozen
from toolmint.core.values import clip

ARCS_SCHEME = 1
"""How arcs are numbered; a change of what is instrumented is a new scheme."""
NO_ARCS = "0"
NO_SUCH_ARC = ": there is none"
"""How the line of a number ends that is kept for an arc which the program does not have."""
_SHOWN = 2


def read_arcs(taken: str) -> int:
    """Return the set of arcs that a text in hexadecimal holds, as the bits of a number."""
    return int(taken or NO_ARCS, 16)


def write_arcs(taken: int) -> str:
    """Return the text of a set of arcs."""
    return format(taken, "x")


def arc_numbers(taken: int) -> Iterator[int]:
    """Yield the numbers of the arcs in a set, lowest first."""
    number = 0
    while taken:
        zeros = (taken & -taken).bit_length() - 1
        number += zeros
        yield number
        taken >>= zeros + 1
        number += 1


class Arcs(Frozen):
    """The arcs of a tool's source.

    Attributes:
        scheme: how they are numbered.
        lines: what each is, in words, by its number: ``line 14: x < 3 is false``.
        verified: those that verified requests took, in hexadecimal.
    """

    scheme: int = ARCS_SCHEME
    lines: tuple[str, ...]
    verified: str = NO_ARCS

    def said(self, arcs: Iterable[int], most: int = _SHOWN) -> str:
        """Return arcs in words: the first few, and how many more there are."""
        names = [
            clip(self.lines[one], 160) if one < len(self.lines) else f"arc {one}" for one in arcs
        ]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        return "; ".join(names[:most]) + more


def coverage_said(arcs: Arcs) -> str:
    """Return how many arcs were verified, and the first that were not, in words."""
    verified = read_arcs(arcs.verified)
    existing = [one for one, line in enumerate(arcs.lines) if not line.endswith(NO_SUCH_ARC)]
    missing = [one for one in existing if not verified >> one & 1]
    taken = sum(1 for _ in arc_numbers(verified))
    said = f"{taken} of {len(existing)} arcs were taken by verified requests"
    return f"{said}; not taken: {arcs.said(missing, 6)}" if missing else said
