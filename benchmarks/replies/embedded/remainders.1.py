import re
from math import gcd

CLAUSE = r"packed in bags of (\d+), (\d+) remain"


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(
        r"A ([a-z]+) holds fewer than (\d+) ([a-z]+)\. P(.+)\. "
        r"How many ([a-z]+) does the ([a-z]+) hold\?",
        text,
    )
    if found is None or found[1] != found[6] or found[3] != found[5]:
        return None
    bags = []
    for part in ("p" + found[4]).split("; "):
        clause = re.fullmatch(CLAUSE, part)
        if clause is None:
            return None
        bags.append([int(clause[1]), int(clause[2])])
    return {"place": found[1], "limit": int(found[2]), "things": found[3], "bags": bags}


def unparse(args: dict) -> str:
    clauses = "; ".join(f"packed in bags of {size}, {left} remain" for size, left in args["bags"])
    place, things = args["place"], args["things"]
    return (
        f"A {place} holds fewer than {args['limit']} {things}. P{clauses[1:]}. "
        f"How many {things} does the {place} hold?"
    )


def solve(place, limit, things, bags):
    value, step = 0, 1
    for size, left in bags:
        if not 0 <= left < size:
            raise ValueError("more remain than a bag holds")
        common = gcd(step, size)
        if (left - value) % common:
            raise ValueError("no number fits")
        part = size // common
        value += step * ((left - value) // common * pow(step // common, -1, part) % part)
        step *= part
        value %= step
    if value >= limit or value + step < limit:
        raise ValueError("not exactly one number fits")
    return value


def render(args: dict, result) -> str:
    return str(result)
