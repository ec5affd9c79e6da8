import re

HEAD = "Sort the following words alphabetically: List:"
WORD = r"[a-z0-9][a-z0-9&'.\-]*"


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(re.escape(HEAD) + rf"((?: {WORD})+)", text)
    if found is None:
        return None
    return {"words": found[1][1:].split(" ")}


def unparse(args: dict) -> str:
    return HEAD + " " + " ".join(args["words"])


def solve(words):
    return sorted(words)


def render(args: dict, result) -> str:
    return " ".join(result)
