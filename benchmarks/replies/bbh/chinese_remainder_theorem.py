import re
from math import gcd

NAME = r"[a-z]+(?: [a-z]+)?"
CLAUSE = rf"if we divide them equally among (\d+) ({NAME}), we have (\d+) left"


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(
        rf"There is a ([a-z]+) of no more than (\d+) ({NAME})\. If we (.+?)\. "
        rf"How many ({NAME}) are in the ([a-z]+)\?",
        text,
    )
    if found is None or found[1] != found[6] or found[3] != found[5]:
        return None
    groups = []
    for part in ("if we " + found[4]).split("; "):
        clause = re.fullmatch(CLAUSE, part)
        if clause is None:
            return None
        groups.append([int(clause[1]), clause[2], int(clause[3])])
    return {"place": found[1], "limit": int(found[2]), "things": found[3], "groups": groups}


def unparse(args: dict) -> str:
    clauses = [
        f"if we divide them equally among {n} {name}, we have {left} left"
        for n, name, left in args["groups"]
    ]
    body = "; ".join(clauses)
    return (
        f"There is a {args['place']} of no more than {args['limit']} {args['things']}. "
        f"{body[0].upper()}{body[1:]}. How many {args['things']} are in the {args['place']}?"
    )


def solve(place, limit, things, groups):
    value, step = 0, 1
    for n, _, left in groups:
        if not 0 <= left < n:
            raise ValueError("a remainder is not smaller than its divisor")
        common = gcd(step, n)
        if (left - value) % common:
            raise ValueError("no number has these remainders")
        value += step * ((left - value) // common * pow(step // common, -1, n // common) % (n // common))
        step = step // common * n
        value %= step
    if value > limit:
        raise ValueError("no such number within the limit")
    return value


def render(args: dict, result) -> str:
    return str(result)
