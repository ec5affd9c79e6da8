import re

METRES = {"mm": 1, "cm": 10, "dm": 100, "m": 1000, "km": 1000000}
FORM = re.compile(r"How many (mm|cm|dm|m|km) are (\d+) (mm|cm|dm|m|km)\?")


def parse(request: str) -> dict | None:
    found = FORM.fullmatch(request)
    return {"to": found[1], "amount": int(found[2]), "of": found[3]} if found else None


def unparse(args: dict) -> str:
    return f"How many {args['to']} are {args['amount']} {args['of']}?"


def solve(to, amount, of):
    size = amount * METRES[of]
    if size % METRES[to]:
        whole, rest = divmod(size, METRES[to])
        return [whole, rest, METRES[to]]
    return [size // METRES[to], 0, 1]


def render(args: dict, result) -> str:
    whole, rest, of = result
    if not rest:
        return str(whole)
    if whole == 0:
        return f"less than one: {rest}/{of}"
    return f"{whole} and {rest}/{of}"
