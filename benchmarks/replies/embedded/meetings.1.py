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
    return int(hours) * 60 + int(minutes)


def solve(minutes, one, first, other, second):
    for a in first:
        for b in second:
            start = max(clock(a[:5]), clock(b[:5]))
            end = min(clock(a[6:]), clock(b[6:]))
            if end - start > minutes:
                return [start, start + minutes]
    return None


def render(args: dict, result) -> str:
    if result is None:
        return "no common slot"
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in result)
