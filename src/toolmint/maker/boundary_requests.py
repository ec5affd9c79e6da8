"""Arguments that reach branches: values at and around the constants of a tool's source.

Mixed arguments of known requests rarely reach a rare branch. The constants that a tool compares with, and the
keys of its tables, say where its branches part.
"""

import random
from collections.abc import Sequence
from typing import cast

from toolmint.core.sandbox import FunctionCall, Sandbox, SandboxRun
from toolmint.core.values import Value


async def source_constants(sandbox: Sandbox, source: str) -> list[Value]:
    """Return the whole numbers and short texts of a tool's source; none where it cannot be read."""
    calls = (FunctionCall(function="arc_facts"),)
    told = await sandbox.run(SandboxRun(source=source, calls=calls, describe=True))
    facts = told.value[0] if told.status == "ok" else None
    found = facts.get("constants") if isinstance(facts, dict) else None
    return found if isinstance(found, list) else []


def boundary_arguments(
    known: Sequence[Value], constants: Sequence[Value], *, count: int, seed: int = 0
) -> list[dict[str, Value]]:
    """Return argument objects in which one value is a constant of the source, or a step beside it.

    Each constant takes its turn in each argument of its type, so that few of them reach all; many make no
    sensible request, which the tool may refuse.
    """
    parents = [cast("dict[str, Value]", one) for one in known if isinstance(one, dict) and one]
    rng, made = random.Random(seed), list[dict[str, Value]]()
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
    rng.shuffle(made)
    return made[:count]
