import re

SLOT = r"\d\d:\d\d - \d\d:\d\d"
FORM = re.compile(
    r"A and B want to schedule a (\d+(?:\.\d+)?)-hour meeting together\.\n"
    rf"A's availability: ({SLOT}(?:, {SLOT})*)\n"
    rf"B's availability: ({SLOT}(?:, {SLOT})*)\n"
    r"What time slot works best\? \(if multiple, choose the earliest one(\)?)"
)


def parse(request: str) -> dict | None:
    found = FORM.fullmatch(request)
    if found is None:
        return None
    return {
        "hours": found[1],
        "a": [slot.split(" - ") for slot in found[2].split(", ")],
        "b": [slot.split(" - ") for slot in found[3].split(", ")],
        "closed": bool(found[4]),
    }


def unparse(args: dict) -> str:
    a = ", ".join(" - ".join(slot) for slot in args["a"])
    b = ", ".join(" - ".join(slot) for slot in args["b"])
    return (
        f"A and B want to schedule a {args['hours']}-hour meeting together.\n"
        f"A's availability: {a}\nB's availability: {b}\n"
        "What time slot works best? (if multiple, choose the earliest one"
        + (")" if args["closed"] else "")
    )


def minutes(clock):
    hours, rest = clock.split(":")
    if int(hours) > 24 or int(rest) > 59:
        raise ValueError("no time of day")
    return int(hours) * 60 + int(rest)


def span(slot):
    start, end = map(minutes, slot)
    if start >= end:
        raise ValueError("a slot ends before it starts")
    return start, end


def solve(hours, a, b, closed):
    length = round(float(hours) * 60)
    starts = []
    for a_start, a_end in map(span, a):
        for b_start, b_end in map(span, b):
            start, end = max(a_start, b_start), min(a_end, b_end)
            if end - start >= length:
                starts.append(start)
    if not starts:
        return None
    return [min(starts), min(starts) + length]


def render(args: dict, result) -> str:
    if result is None:
        return "No time slot works."
    return " - ".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in result)
