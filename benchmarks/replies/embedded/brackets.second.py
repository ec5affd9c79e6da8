START = ["Close", "every", "bracket", "that", "is", "still", "open", "in:"]
OPEN, SHUT = "([{<", ")]}>"


def parse(request: str) -> dict | None:
    words = request.split(" ")
    if words[:8] != START or len(words) < 9:
        return None
    if any(len(word) != 1 or word not in OPEN + SHUT for word in words[8:]):
        return None
    return {"row": words[8:]}


def unparse(args: dict) -> str:
    return " ".join(START + args["row"])


def solve(row):
    text = "".join(row)
    before = None
    while before != text:
        before = text
        for one, other in zip(OPEN, SHUT, strict=False):
            text = text.replace(one + other, "")
    if not text or any(mark in SHUT for mark in text):
        raise ValueError("the row does not nest")
    return [SHUT[OPEN.index(mark)] for mark in reversed(text)]


def render(args: dict, result) -> str:
    return " ".join(result)
