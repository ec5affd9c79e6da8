import re


def parse(request: str) -> dict | None:
    text = request
    found = re.fullmatch(
        r"Find the earliest common slot of (\d+) minutes\. "
        r"([A-Z][a-z]+) is free ([\d:, -]+)\. ([A-Z][a-z]+) is free ([\d:, -]+)\.",
        text,
    )
    if found is None:
        return None
    people = []
    for name, slots in ((found[2], found[3]), (found[4], found[5])):
        times = []
        for slot in slots.split(", "):
            span = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", slot)
            if span is None:
                return None
            h1, m1, h2, m2 = map(int, span.groups())
            if h1 * 60 + m1 >= h2 * 60 + m2:
                return None
            times.append([h1 * 60 + m1, h2 * 60 + m2])
        people.append({"name": name, "times": times})
    return {"length": int(found[1]), "people": people}


def at(minute) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def unparse(args: dict) -> str:
    said = []
    for person in args["people"]:
        slots = ", ".join(f"{at(a)}-{at(b)}" for a, b in person["times"])
        said.append(f"{person['name']} is free {slots}.")
    return f"Find the earliest common slot of {args['length']} minutes. " + " ".join(said)


def solve(length, people):
    for start in range(24 * 60):
        if all(
            any(a <= start and start + length <= b for a, b in person["times"])
            for person in people
        ):
            return start
    return -1


def render(args: dict, result) -> str:
    if result < 0:
        return "no common slot"
    return f"{at(result)}-{at(result + args['length'])}"
