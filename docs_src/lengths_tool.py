"""A made tool, as a strong model proposes it for `lengths.jsonl`."""

import re


def parse(request: str) -> dict[str, str | int] | None:
    found = re.fullmatch(r"Convert (\d+) (km|miles) to (km|miles)\.", request)
    if found is None or found[2] == found[3]:
        return None
    return {"amount": int(found[1]), "unit": found[2], "wanted": found[3]}


def unparse(args: dict[str, str | int]) -> str:
    return f"Convert {args['amount']} {args['unit']} to {args['wanted']}."


def solve(amount: int, unit: str, wanted: str) -> float:
    return amount / 1.609344 if unit == "km" else amount * 1.609344


def render(args: dict[str, str | int], result: float) -> str:
    return f"{result:.1f} {args['wanted']}"
