import re

HEAD = "Put these words into alphabetical order: "
WORD = "[a-z]+"


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(re.escape(HEAD) + rf"({WORD}(?:, {WORD})+)\.", text)
    if found is None:
        return None
    return {"words": found[1].split(", ")}


def unparse(args: dict) -> str:
    return HEAD + ", ".join(args["words"]) + "."


def solve(words):
    return sorted(words)


def render(args: dict, result) -> str:
    return ", ".join(result)
