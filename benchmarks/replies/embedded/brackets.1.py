import re

HEAD = "Close every bracket that is still open in: "
CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(re.escape(HEAD) + r"([()\[\]{}<>](?: [()\[\]{}<>])*)", text)
    return {"marks": found[1].split(" ")} if found else None


def unparse(args: dict) -> str:
    return HEAD + " ".join(args["marks"])


def solve(marks):
    waiting = []
    for mark in marks:
        if mark in CLOSING:
            waiting.append(CLOSING[mark])
        elif not waiting or waiting.pop() != mark:
            raise ValueError("a bracket closes that is not open")
    if not waiting:
        raise ValueError("no bracket is open")
    waiting.reverse()
    return waiting


def render(args: dict, result) -> str:
    return " ".join(result)
