"""Arguments that reach branches: values at and around the constants of a tool's source.

Mixed arguments of known requests rarely reach a rare branch. The constants that a tool compares with, and the
keys of its tables, say where its branches part.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple, cast

from toolmint.core.sandbox import FunctionCall, Sandbox, SandboxRun
from toolmint.core.values import Value


class SourceFacts(NamedTuple):
    """What a tool's source says of where its branches part.

    Attributes:
        constants: whole numbers and short texts.
        alternatives: groups of words of which its regular expressions take one.
    """

    constants: list[Value]
    alternatives: list[list[str]]


async def source_facts(sandbox: Sandbox, source: str) -> SourceFacts:
    """Return what a tool's source says; nothing where it cannot be read."""
    calls = (FunctionCall(function="arc_facts"),)
    told = await sandbox.run(SandboxRun(source=source, calls=calls, describe=True))
    facts = told.value[0] if told.status == "ok" else None
    facts = facts if isinstance(facts, dict) else {}
    constants, groups = facts.get("constants"), facts.get("alternatives")
    return SourceFacts(
        constants if isinstance(constants, list) else [],
        [[str(word) for word in one] for one in groups if isinstance(one, list)]
        if isinstance(groups, list)
        else [],
    )


def boundary_arguments(
    known: Sequence[Value], constants: Sequence[Value], *, count: int, seed: int = 0
) -> list[dict[str, Value]]:
    """Return argument objects in which one value is a constant of the source, or a step beside it.

    Each constant takes its turn in each argument of its type, so that few of them reach all; many make no
    sensible request, which the tool may refuse.
    """
    parents = [cast("dict[str, Value]", one) for one in known if isinstance(one, dict) and one]
    rng, made, again = random.Random(seed), list[dict[str, Value]](), list[dict[str, Value]]()
    numbers = {one + step for one in constants if type(one) is int for step in (0, -1, 1)}
    texts = [one for one in constants if isinstance(one, str)]
    names = sorted({name for one in parents for name in one})
    for name in names:
        having = [one for one in parents if name in one]
        kinds = {type(one[name]) for one in having}
        values: list[Value] = [*sorted(numbers)] if int in kinds else []
        values += texts if str in kinds else []
        values += [not one[name] for one in having[:1]] if bool in kinds else []
        made += [rng.choice(having) | {name: value} for value in values]
        again += [rng.choice(having) | {name: value} for value in values]
    rng.shuffle(made)
    rng.shuffle(again)
    # Each value twice where there is room: one request alone may be refused for its other values.
    return [*made, *again][:count]
