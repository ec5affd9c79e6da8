import re


def parse(request: str) -> dict | None:
    sentences = request.split(". ")
    if len(sentences) < 3:
        return None
    start, *moves, question = sentences
    asked = re.fullmatch(r"Which card does ([A-Z][a-z]+) hold at the end\?", question)
    if asked is None:
        return None
    names, colors = [], []
    rows = start.split(", ")
    rows = rows[:-1] + rows[-1].split(" and ")
    for row in rows:
        words = row.split(" ")
        if len(words) != 5 or words[1:3] != ["holds", "the"] or words[4] != "card":
            return None
        if not (words[0].isalpha() and words[0].istitle() and words[3].isalpha() and words[3].islower()):
            return None
        names.append(words[0])
        colors.append(words[3])
    if len(rows) < 2 or " and " not in start or len(set(names)) != len(names) or asked[1] not in names:
        return None
    pairs = []
    for number, move in enumerate(moves):
        words = move.split(" ")
        if len(words) != 6 or words[0] != ("Then" if number else "First") or words[2] != "and":
            return None
        if words[4:] != ["swap", "cards"] or words[1] == words[3]:
            return None
        if words[1] not in names or words[3] not in names:
            return None
        pairs.append([names.index(words[1]), names.index(words[3])])
    return {"names": names, "colors": colors, "pairs": pairs, "asked": names.index(asked[1])}


def unparse(args: dict) -> str:
    names = args["names"]
    rows = [f"{name} holds the {color} card" for name, color in zip(names, args["colors"], strict=False)]
    text = ", ".join(rows[:-1]) + " and " + rows[-1] + "."
    for number, (one, other) in enumerate(args["pairs"]):
        text += f" {'Then' if number else 'First'} {names[one]} and {names[other]} swap cards."
    return text + f" Which card does {names[args['asked']]} hold at the end?"


def solve(names, colors, pairs, asked):
    place = asked
    for one, other in reversed(pairs):
        if place == one:
            place = other
        elif place == other:
            place = one
    return colors[place]


def render(args: dict, result) -> str:
    return result
