import re

SLOT = r"\d\d:\d\d-\d\d:\d\d"
FORM = re.compile(
    r"Find the earliest common slot of (\d+) minutes\. "
    rf"([A-Z][a-z]+) is free ({SLOT}(?:, {SLOT})*)\. "
    rf"([A-Z][a-z]+) is free ({SLOT}(?:, {SLOT})*)\."
)


def parse(request: str) -> dict | None:
    found = FORM.fullmatch(request)
    if found is None:
        return None
    return {
        "minutes": int(found[1]), "one": found[2], "first": found[3].split(", "),
        "other": found[4], "second": found[5].split(", "),
    }


def unparse(args: dict) -> str:
    return (
        f"Find the earliest common slot of {args['minutes']} minutes. "
        f"{args['one']} is free {', '.join(args['first'])}. "
        f"{args['other']} is free {', '.join(args['second'])}."
    )


def clock(text):
    hours, minutes = text.split(":")
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("no time of day")
    return int(hours) * 60 + int(minutes)


def span(slot):
    start, end = clock(slot[:5]), clock(slot[6:])
    if start >= end:
        raise ValueError("a slot ends before it starts")
    return start, end


def solve(minutes, one, first, other, second):
    starts = []
    for a_start, a_end in map(span, first):
        for b_start, b_end in map(span, second):
            start, end = max(a_start, b_start), min(a_end, b_end)
            if end - start >= minutes:
                starts.append(start)
    return [min(starts), min(starts) + minutes] if starts else None


def render(args: dict, result) -> str:
    if result is None:
        return "no common slot"
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in result)
