import re

NAME = "[A-Z][a-z]+"
HOLDS = rf"({NAME}) holds the ([a-z]+) card"


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(rf"(.+? card)\. (First .+ swap cards\.) Which card does ({NAME}) hold at the end\?", text)
    if found is None:
        return None
    head, word, last = found[1].rpartition(" and ")
    if not word:
        return None
    held = []
    for part in [*head.split(", "), last]:
        said = re.fullmatch(HOLDS, part)
        if said is None:
            return None
        held.append([said[1], said[2]])
    people = [name for name, _ in held]
    if len(set(people)) != len(people) or found[3] not in people:
        return None
    moves = []
    for number, sentence in enumerate(found[2][:-1].split(". ")):
        start = "First" if number == 0 else "Then"
        said = re.fullmatch(rf"{start} ({NAME}) and ({NAME}) swap cards", sentence)
        if said is None or said[1] == said[2] or said[1] not in people or said[2] not in people:
            return None
        moves.append([said[1], said[2]])
    return {"held": held, "moves": moves, "asked": found[3]}


def unparse(args: dict) -> str:
    held = [f"{name} holds the {color} card" for name, color in args["held"]]
    moves = [
        f"{'Then' if number else 'First'} {one} and {other} swap cards."
        for number, (one, other) in enumerate(args["moves"])
    ]
    return (
        ", ".join(held[:-1]) + " and " + held[-1] + ". " + " ".join(moves)
        + f" Which card does {args['asked']} hold at the end?"
    )


def solve(held, moves, asked):
    now = dict(held)
    for one, other in moves:
        now[one], now[other] = now[other], now[one]
    return now[asked]


def render(args: dict, result) -> str:
    return result
