import re

FORM = re.compile(
    r"A parcel of (\d+) kg( with insurance)? to (city|country|abroad|island): what does it cost\?"
)
PRICES = {"city": 4, "country": 6, "abroad": 15, "island": 9}
STEPS = [(50, 5), (20, 3), (10, 2), (0, 1)]


def parse(request: str) -> dict | None:
    found = FORM.fullmatch(request)
    if found is None:
        return None
    return {"weight": int(found[1]), "insured": found[2] is not None, "where": found[3]}


def unparse(args: dict) -> str:
    insured = " with insurance" if args["insured"] else ""
    return f"A parcel of {args['weight']} kg{insured} to {args['where']}: what does it cost?"


def solve(weight, insured, where):
    price = PRICES[where]
    for least, times in STEPS:
        if weight >= least:
            price *= times
            break
    if insured:
        price += max(3, weight // 5)
    if where == "abroad" and weight > 30:
        price += 25
    return price


def render(args: dict, result) -> str:
    return f"{result} euros"
