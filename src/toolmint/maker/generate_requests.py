"""Generates arguments of new requests without a model, by mixing and varying those of known ones.

The tool's own ``unparse`` turns them into requests. They have no labels; they are used where two
independent tools must agree.
"""

import random
from collections.abc import Sequence
from typing import cast

from toolmint.core.values import Value


def _vary(value: Value, rng: random.Random) -> Value:
    match value:
        case bool():
            return value
        case int():
            return max(0, value + rng.choice((-3, -2, -1, 1, 2, 3))) if value >= 0 else value - 1
        case list() if len(value) > 1:
            mixed = list(value)
            if rng.random() < 0.5:
                rng.shuffle(mixed)
            else:
                del mixed[rng.randrange(len(mixed))]
            return mixed
        case list():
            return [_vary(item, rng) for item in value]
        case dict():
            return _vary_one(value, rng)
        case str() if " " in value:
            # A tool that folds white space answers this as it answers the known request; most others do not.
            return value.replace(" ", "  ", 1)
        case _:
            return value


def _vary_one(args: dict[str, Value], rng: random.Random) -> dict[str, Value]:
    key = rng.choice(sorted(args)) if args else None
    return {name: _vary(item, rng) if name == key else item for name, item in args.items()}


def generate_requests(
    known: Sequence[Value], *, count: int, seed: int = 0
) -> list[dict[str, Value]]:
    """Return ``count`` new argument objects.

    Many of them are no sensible request. That does no harm: a tool may refuse them, and a refusal
    contradicts nothing.
    """
    parents = [cast("dict[str, Value]", args) for args in known if isinstance(args, dict) and args]
    rng = random.Random(seed)
    generated: list[dict[str, Value]] = []
    while parents and len(generated) < count:
        one, other = rng.choice(parents), rng.choice(parents)
        child = dict(one)
        if rng.random() < 0.5 and set(one) == set(other):
            key = rng.choice(sorted(one))
            child[key] = other[key]
        else:
            child = _vary_one(one, rng)
        generated.append(child)
    return generated
