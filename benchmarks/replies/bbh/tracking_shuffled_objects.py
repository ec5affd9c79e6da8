import re

LETTERS = "ABCDEFG"
NAME = r"[A-Z][a-z]+"
# each scene: how it opens, how a holding is said, what follows, a swap, how the question ends
SCENES = {
    "dance": (
        "{} are dancers at a square dance. At the start of a song, they each have a partner: ",
        "{} is dancing with {}",
        "Throughout the song, the dancers often trade partners.",
        "{} and {} switch partners", "At the end of the dance, {} is dancing with", "{}",
    ),
    "books": (
        ("{} are friends and avid readers who occasionally trade books. At the start of the "
        "semester, they each buy one new book: "),
        "{} gets {}",
        "As the semester proceeds, they start trading around the new books.",
        "{} and {} swap books", "At the end of the semester, {} has", "{}",
    ),
    "soccer": (
        ("{} are on the same team in a soccer match. At the start of the match, they are each "
        "assigned to a position: "),
        "{} is playing {}",
        "As the game progresses, pairs of players occasionally swap positions.",
        "{} and {} trade positions", "At the end of the match, {} is playing", "{}",
    ),
    "gifts": (
        ("{} are holding a white elephant gift exchange. At the start of the event, they are each "
        "holding a present of a different color: "),
        "{} has a {}",
        "As the event progresses, pairs of people swap gifts.",
        "{} and {} swap their gifts", "At the end of the event, {} has the", "{}",
    ),
    "balls": (
        "{} are playing a game. At the start of the game, they are each holding a ball: ",
        "{} has a {}",
        "As the game progresses, pairs of players trade balls.",
        "{} and {} swap balls", "At the end of the game, {} has the", "{}",
    ),
}


def listed(items):
    return ", ".join(items[:-1]) + ", and " + items[-1]


def unlist(text):
    head, mark, last = text.rpartition(", and ")
    return [*head.split(", "), last] if mark else None


def pattern(form, *groups):
    text = re.escape(form)
    for group in groups:
        text = text.replace(re.escape("{}"), group, 1)
    return text


def read(scene, text):
    opening, holding, middle, swap, question, _ = SCENES[scene]
    found = re.fullmatch(
        pattern(opening, "(.+?)") + r"(.+?)\.\n" + re.escape(middle) + " (.+) "
        + pattern(question, f"({NAME})") + r"\nOptions:\n((?:.|\n)+)",
        text,
    )
    if found is None:
        return None
    people, holdings = unlist(found[1]), unlist(found[2])
    if people is None or holdings is None or len(people) != len(holdings):
        return None
    if len(set(people)) != len(people) or not all(re.fullmatch(NAME, p) for p in people):
        return None
    things = []
    for person, said in zip(people, holdings, strict=False):
        held = re.fullmatch(pattern(holding, re.escape(person), r"([A-Za-z0-9 '\-]+)"), said)
        if held is None:
            return None
        things.append(held[1])
    if len(set(things)) != len(things):
        return None
    swaps = []
    sentences = re.findall(r"(\w+), (.+?)\.(?: |$)", found[3])
    if " ".join(f"{w}, {s}." for w, s in sentences) != found[3] or len(sentences) < 2:
        return None
    words = ["First"] + ["Then"] * (len(sentences) - 2) + ["Finally"]
    for expected, (word, sentence) in zip(words, sentences, strict=False):
        pair = re.fullmatch(pattern(swap, f"({NAME})", f"({NAME})"), sentence)
        if word != expected or pair is None or pair[1] == pair[2]:
            return None
        if pair[1] not in people or pair[2] not in people:
            return None
        swaps.append([pair[1], pair[2]])
    options = re.findall(r"\(([A-G])\) (.+?)(?=\n\([A-G]\) |$)", found[5])
    if [letter for letter, _ in options] != list(LETTERS[: len(things)]):
        return None
    if [text for _, text in options] != things or found[4] not in people:
        return None
    return {"scene": scene, "people": people, "things": things, "swaps": swaps, "asked": found[4]}


def parse(request: str) -> dict | None:
    text = request
    for scene in SCENES:
        args = read(scene, text)
        if args is not None:
            return args
    return None


def unparse(args: dict) -> str:
    opening, holding, middle, swap, question, _ = SCENES[args["scene"]]
    holdings = [holding.format(p, t) for p, t in zip(args["people"], args["things"], strict=False)]
    count = len(args["swaps"])
    words = ["First"] + ["Then"] * (count - 2) + ["Finally"]
    swaps = " ".join(f"{w}, {swap.format(*pair)}." for w, pair in zip(words, args["swaps"], strict=False))
    options = "\n".join(f"({LETTERS[i]}) {thing}" for i, thing in enumerate(args["things"]))
    return (
        opening.format(listed(args["people"])) + listed(holdings) + ".\n" + middle + " " + swaps
        + " " + question.format(args["asked"]) + "\nOptions:\n" + options
    )


def solve(scene, people, things, swaps, asked):
    held = dict(zip(people, things, strict=False))
    for one, other in swaps:
        held[one], held[other] = held[other], held[one]
    return held[asked]


def render(args: dict, result) -> str:
    return f"({LETTERS[args['things'].index(result)]})"
