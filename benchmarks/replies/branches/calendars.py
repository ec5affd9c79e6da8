import re
from datetime import date, timedelta

FORM = re.compile(
    r"What (?:day|date) is (?:it )?(\d+) (days?|weeks?) (after|before) (\d{4})-(\d\d)-(\d\d)"
    r"( \(weekday only\))?\?"
)
NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def parse(request: str) -> dict | None:
    found = FORM.fullmatch(request)
    if found is None:
        return None
    if (found[1] == "1") == found[2].endswith("s"):
        return None
    year, month, day = int(found[4]), int(found[5]), int(found[6])
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    head = request[: request.index(found[1] + " " + found[2])]
    return {
        "head": head, "count": int(found[1]), "unit": found[2], "way": found[3],
        "start": [year, month, day], "short": bool(found[7]),
    }


def unparse(args: dict) -> str:
    year, month, day = args["start"]
    tail = " (weekday only)" if args["short"] else ""
    return (
        f"{args['head']}{args['count']} {args['unit']} {args['way']} "
        f"{year:04d}-{month:02d}-{day:02d}{tail}?"
    )


def solve(head, count, unit, way, start, short):
    days = count * 7 if unit.startswith("week") else count
    try:
        first = date(*start)
    except ValueError:
        return None
    found = first + timedelta(days=days if way == "after" else -days)
    return [found.isoformat(), found.weekday()]


def render(args: dict, result) -> str:
    if result is None:
        return "no such date"
    if args["short"]:
        return NAMES[result[1]]
    if result[1] >= 5:
        return f"{result[0]}, a {NAMES[result[1]]}"
    return result[0]
