import re

NAME = r"[A-Z][A-Za-z'\-]*"
SAYING = rf"({NAME}) says ({NAME}) (tells the truth|lies)"


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(
        rf"Question: ({NAME}) (tells the truth|lies)\. (.+)\. Does ({NAME}) tell the truth\?", text
    )
    if found is None:
        return None
    sayings = []
    for sentence in found[3].split(". "):
        said = re.fullmatch(SAYING, sentence)
        if said is None:
            return None
        sayings.append([said[1], said[2], said[3] == "lies"])
    return {"first": found[1], "first_lies": found[2] == "lies", "sayings": sayings, "asked": found[4]}


def word(lies) -> str:
    return "lies" if lies else "tells the truth"


def unparse(args: dict) -> str:
    sayings = " ".join(f"{one} says {other} {word(lies)}." for one, other, lies in args["sayings"])
    return (
        f"Question: {args['first']} {word(args['first_lies'])}. {sayings} "
        f"Does {args['asked']} tell the truth?"
    )


def solve(first, first_lies, sayings, asked):
    honest = {first: not first_lies}
    for one, other, lies in sayings:
        if other not in honest or one in honest:
            raise ValueError("the chain of sayings is broken")
        honest[one] = honest[other] != lies
    if asked not in honest:
        raise ValueError("nobody of that name")
    return honest[asked]


def render(args: dict, result) -> str:
    return "Yes" if result else "No"
