import re

HEAD = (
    "Complete the rest of the sequence, making sure that the parentheses are closed properly. Input:"
)
PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(re.escape(HEAD) + r"((?: [()\[\]{}<>])+)", text)
    if found is None:
        return None
    return {"brackets": found[1][1:].split(" ")}


def unparse(args: dict) -> str:
    return HEAD + " " + " ".join(args["brackets"])


def solve(brackets):
    waiting = []
    for mark in brackets:
        if mark in PAIRS:
            waiting.append(PAIRS[mark])
        elif not waiting or waiting.pop() != mark:
            raise ValueError("a bracket is closed that was not open")
    if not waiting:
        raise ValueError("nothing is open")
    return waiting[::-1]


def render(args: dict, result) -> str:
    return " ".join(result)
