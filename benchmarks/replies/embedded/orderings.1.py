import re
from itertools import permutations

COUNTS = {"Three": 3, "Four": 4, "Five": 5, "Six": 6}
PLACES = ["first", "second", "third", "fourth", "fifth", "sixth"]
NAME = "[A-Z][a-z]+"


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(
        rf"(Three|Four|Five|Six) runners finished a race: ({NAME}(?:, {NAME})*) and ({NAME})\. "
        rf"(.+) Who finished ({'|'.join(PLACES)})\?",
        text,
    )
    if found is None:
        return None
    names = [*found[2].split(", "), found[3]]
    if len(names) != COUNTS[found[1]] or len(set(names)) != len(names):
        return None
    if PLACES.index(found[5]) >= len(names) or not found[4].endswith("."):
        return None
    clues = []
    for sentence in found[4][:-1].split(". "):
        said = re.fullmatch(rf"({NAME}) finished (?:(before|after) ({NAME})|({'|'.join(PLACES)}))", sentence)
        if said is None or said[1] not in names or (said[3] and said[3] not in names):
            return None
        clues.append([said[1], said[2] or "at", said[3] or said[4]])
    return {"count": found[1], "names": names, "clues": clues, "asked": found[5]}


def unparse(args: dict) -> str:
    names = ", ".join(args["names"][:-1]) + " and " + args["names"][-1]
    clues = " ".join(
        f"{who} finished {what}." if how == "at" else f"{who} finished {how} {what}."
        for who, how, what in args["clues"]
    )
    return f"{args['count']} runners finished a race: {names}. {clues} Who finished {args['asked']}?"


def fits(order, clue):
    who, how, what = clue
    if how == "at":
        return order.index(who) == PLACES.index(what)
    if how == "before":
        return order.index(who) < order.index(what)
    return order.index(who) > order.index(what)


def solve(count, names, clues, asked):
    found = {
        order[PLACES.index(asked)]
        for order in permutations(names)
        if all(fits(order, clue) for clue in clues)
    }
    if len(found) != 1:
        raise ValueError("the clues do not say who it was")
    return found.pop()


def render(args: dict, result) -> str:
    return result
