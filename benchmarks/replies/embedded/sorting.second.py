import re


def parse(request: str) -> dict | None:
    words = request.split(" ")
    if words[:6] != ["Put", "these", "words", "into", "alphabetical", "order:"] or len(words) < 8:
        return None
    items = words[6:]
    for item in items[:-1]:
        if not re.fullmatch("[a-z]+,", item):
            return None
    if not re.fullmatch(r"[a-z]+\.", items[-1]):
        return None
    return {"items": [item[:-1] for item in items]}


def unparse(args: dict) -> str:
    return "Put these words into alphabetical order: " + ", ".join(args["items"]) + "."


def solve(items):
    left = list(items)
    ordered = []
    while left:
        smallest = min(left)
        left.remove(smallest)
        ordered.append(smallest)
    return ordered


def render(args: dict, result) -> str:
    return ", ".join(result)
