import re
from itertools import permutations

NUMBERS = {"three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
ORDINALS = {"second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
LETTERS = "ABCDEFG"
OPENING = (
    "The following paragraphs each describe a set of {} objects arranged in a fixed order. "
    "The statements are logically consistent within each paragraph."
)
# each scene: its opening, the names of its two ends in order, its comparisons
LINE = {"first": "leftmost", "last": "rightmost", "nth_first": "{} from the left",
        "nth_last": "{} from the right"}
AGE = {"first": "oldest", "last": "newest", "nth_first": "{}-oldest", "nth_last": "{}-newest"}
PRICE = {"first": "cheapest", "last": "most expensive", "nth_first": "{}-cheapest",
         "nth_last": "{}-most expensive"}
SCENES = {
    "branch": ("On a branch, there are {} birds: {}.", "line"),
    "shelf": ("On a shelf, there are {} books: {}.", "line"),
    "cars": ("In an antique car show, there are {} vehicles: {}.", "age"),
    "golf": ("In a golf tournament, there were {} golfers: {}.", "rank"),
    "fruit": ("A fruit stand sells {} fruits: {}.", "price"),
}
ENDS = {"line": LINE, "age": AGE, "price": PRICE}
BEFORE = {"line": "to the left of", "age": "older than", "rank": "above", "price": "less expensive than"}
AFTER = {"line": "to the right of", "age": "newer than", "rank": "below", "price": "more expensive than"}


def place_words(scale, count):
    """All place phrases of a scale, with the place (from 1) each one means."""
    words = {}
    if scale == "rank":
        words["finished first"] = 1
        words["finished last"] = count
        for word, n in ORDINALS.items():
            if n < count:
                words[f"finished {word}"] = n
                words[f"finished {word}-to-last"] = count + 1 - n
        return words
    ends = ENDS[scale]
    words[ends["first"]] = 1
    words[ends["last"]] = count
    for word, n in ORDINALS.items():
        if n < count:
            words[ends["nth_first"].format(word)] = n
            words[ends["nth_last"].format(word)] = count + 1 - n
    return words


def strip_article(text):
    found = re.fullmatch(r"(an?) (.+)", text)
    return (found[1], found[2]) if found else ("", text)


def say(scene, scale, name, phrase) -> str:
    """A statement that something has a place, with its subject."""
    if scale == "rank":
        return f"{name} {phrase}"
    verb = "are" if scene == "fruit" else "is"
    return f"The {name} {verb} the {phrase}"


def compare(scene, scale, one, how, other) -> str:
    words = {"before": BEFORE, "after": AFTER}[how][scale]
    if scale == "rank":
        return f"{one} finished {words} {other}"
    verb = "are" if scene == "fruit" else "is"
    return f"The {one} {verb} {words} the {other}"


def read_clue(sentence, scene, scale, names, words):
    for name in names:
        for phrase in words:
            if sentence == say(scene, scale, name, phrase):
                return [name, "at", phrase]
    for how in ("before", "after"):
        for one in names:
            for other in names:
                if one != other and sentence == compare(scene, scale, one, how, other):
                    return [one, how, other]
    return None


def parse(request: str) -> dict | None:
    text = request
    head, mark, tail = text.partition("\nOptions:\n")
    if not mark:
        return None
    for number, count in NUMBERS.items():
        opening = OPENING.format(number) + " "
        if head.startswith(opening):
            break
    else:
        return None
    rest = head[len(opening):]
    for scene, (form, scale) in SCENES.items():
        start = form[: form.index(": ")].format(number) + ": "
        if rest.startswith(start):
            break
    else:
        return None
    listed, dot, clues_text = rest[len(start):].partition(". ")
    if not dot or not clues_text.endswith("."):
        return None
    parts = listed.split(", ")
    if len(parts) != count or not parts[-1].startswith("and "):
        return None
    parts[-1] = parts[-1][4:]
    articles, names = zip(*(strip_article(part) for part in parts), strict=False)
    if len(set(names)) != count or not all(re.fullmatch(r"[A-Za-z]+(?: [a-z]+)?", n) for n in names):
        return None
    if any(bool(article) != (scene not in ("golf", "fruit")) for article in articles):
        return None
    if any(a and (a == "an") != (n[0] in "aeiou") for a, n in zip(articles, names, strict=False)):
        return None
    words = place_words(scale, count)
    clues = [read_clue(s, scene, scale, names, words) for s in clues_text[:-1].split(". ")]
    if None in clues:
        return None
    options = re.findall(r"\(([A-G])\) (.+?)(?=\n\([A-G]\) |$)", tail)
    if [letter for letter, _ in options] != list(LETTERS[: len(options)]):
        return None
    asked = [read_clue(option, scene, scale, names, words) for _, option in options]
    if not asked or None in asked:
        return None
    return {"number": number, "scene": scene, "articles": list(articles), "names": list(names),
            "clues": clues, "options": asked}


def write_clue(scene, scale, clue):
    one, how, what = clue
    return say(scene, scale, one, what) if how == "at" else compare(scene, scale, one, how, what)


def unparse(args: dict) -> str:
    form, scale = SCENES[args["scene"]]
    items = [f"{a} {n}".strip() for a, n in zip(args["articles"], args["names"], strict=False)]
    listed = ", ".join(items[:-1]) + ", and " + items[-1]
    clues = " ".join(write_clue(args["scene"], scale, clue) + "." for clue in args["clues"])
    options = "\n".join(
        f"({LETTERS[i]}) {write_clue(args['scene'], scale, clue)}"
        for i, clue in enumerate(args["options"])
    )
    return (OPENING.format(args["number"]) + " " + form.format(args["number"], listed) + " " + clues
            + "\nOptions:\n" + options)


def holds(clue, place, words):
    one, how, what = clue
    if how == "at":
        return place[one] == words[what]
    return place[one] < place[what] if how == "before" else place[one] > place[what]


def solve(number, scene, articles, names, clues, options):
    words = place_words(SCENES[scene][1], len(names))
    orders = []
    for order in permutations(names):
        place = {name: i + 1 for i, name in enumerate(order)}
        if all(holds(clue, place, words) for clue in clues):
            orders.append(place)
    if not orders:
        raise ValueError("the clues contradict each other")
    true = [i for i, option in enumerate(options) if all(holds(option, p, words) for p in orders)]
    if len(true) != 1:
        raise ValueError("not exactly one option must be true")
    return true[0]


def render(args: dict, result) -> str:
    return f"({LETTERS[result]})"
