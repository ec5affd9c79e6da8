"""What a comparison says of the arcs that an answer took: agreements verify them.

A demonstration is the user's word, so one is enough for an arc. A stronger model's answer may equal a
wrong one by chance, as yes and no do in half of all cases, so an arc needs several of those, and many more
once an answer that took it was wrong.
"""

from toolmint.core.arcs import Arcs, arc_numbers, read_arcs, write_arcs
from toolmint.core.store import Tally


def unverified_arcs(known: Arcs, tally: Tally, taken: str) -> int:
    """Return the arcs of an answer that neither making nor live comparisons have verified."""
    return read_arcs(taken) & ~(read_arcs(known.verified) | read_arcs(tally.verified_arcs))


def branch_disputed(tally: Tally) -> bool:
    """Return whether comparisons contradicted a version along a branch that is not verified."""
    return any(count < 0 for count in tally.arc_agreements.values())


def omitted_arcs(known: Arcs, tally: Tally, before: str | None) -> str:
    """Return the verified arcs that a version's process need not record, in hexadecimal.

    A process is bound to them, so a new one takes its place where they change: with each doubling of what
    live comparisons have verified, and where what was verified is so no longer.

    Args:
        known: the tool's arcs.
        tally: with the arcs that comparisons have verified.
        before: what it omits so far; None: there is no process yet.
    """
    live = read_arcs(tally.verified_arcs) & ~read_arcs(known.verified)
    verified = live | read_arcs(known.verified)
    if before is None or read_arcs(before) & ~verified:
        return write_arcs(verified)
    new = verified & ~read_arcs(before)
    return write_arcs(verified) if new and 2 * new.bit_count() >= live.bit_count() else before


def count_arcs(
    tally: Tally, known: Arcs, taken: str, *, agreed: bool, needed: int, recheck: int
) -> Tally:
    """Return a tally in which a comparison counts for the arcs of the answer.

    Args:
        tally: before the comparison.
        known: the tool's arcs.
        taken: those of the answer.
        agreed: whether the stronger answer was the same.
        needed: agreements that verify an arc.
        recheck: agreements that an arc needs beyond those once an answer that took it was wrong, as a
            version does.
    """
    open_arcs = unverified_arcs(known, tally, taken)
    if not open_arcs:
        return tally
    counts, verified = dict(tally.arc_agreements), read_arcs(tally.verified_arcs)
    for arc in arc_numbers(open_arcs):
        name = str(arc)
        counts[name] = counts.get(name, 0) + 1 if agreed else -recheck
        if counts[name] >= needed:
            del counts[name]
            verified |= 1 << arc
    return tally.model_copy(
        update={"arc_agreements": counts, "verified_arcs": write_arcs(verified)}
    )
