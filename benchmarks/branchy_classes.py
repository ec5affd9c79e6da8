"""Four request classes whose tools have branches that ten demonstrations often do not reach.

Most requests of each are of its common kinds; the others are rare, as in real use. The tools are in
``replies/branches``; the answers here are computed in another way than theirs.
"""

from calendar import day_name
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from toolmint.core.tool import Demonstration

_SIZES = {"mm": 1, "cm": 10, "dm": 100, "m": 1000, "km": 1_000_000}


def parcel(rng: Random) -> Demonstration:
    """Ask what a parcel costs."""
    kg = rng.choice((rng.randint(1, 9), rng.randint(1, 9), rng.randint(1, 25), rng.randint(1, 60)))
    where = rng.choices(("city", "country", "abroad", "island"), (6, 4, 2, 1))[0]
    insured = rng.random() < 0.15
    price = {"city": 4, "country": 6, "abroad": 15, "island": 9}[where]
    price *= 1 if kg < 10 else 2 if kg < 20 else 3 if kg < 50 else 5
    price += (3 if kg < 15 else kg // 5) if insured else 0
    price += 25 if where == "abroad" and kg > 30 else 0
    said = " with insurance" if insured else ""
    asked = f"A parcel of {kg} kg{said} to {where}: what does it cost?"
    return Demonstration(input=asked, target=f"{price} euros")


def length(rng: Random) -> Demonstration:
    """Ask for a length in another unit."""
    of, to = rng.choices(list(_SIZES), (1, 5, 1, 5, 2), k=2)
    amount = rng.choice((rng.randint(1, 9), rng.randint(10, 99) * 100, rng.randint(1, 5000)))
    whole, rest = divmod(amount * _SIZES[of], _SIZES[to])
    said = f"{rest}/{_SIZES[to]}"
    target = (
        str(whole) if not rest else f"{whole} and {said}" if whole else f"less than one: {said}"
    )
    return Demonstration(input=f"How many {to} are {amount} {of}?", target=target)


def table(rng: Random) -> Demonstration:
    """Ask for a change of a table of numbers."""
    high, wide = rng.randint(1, 4), rng.randint(1, 4)
    rows = [[rng.randint(0, 99) for _ in range(wide)] for _ in range(high)]
    do = rng.choices(("transpose", "row", "column", "add", "turn"), (6, 2, 1, 4, 1))[0]
    number = rng.randint(1, 3) if rng.random() < 0.8 else rng.randint(0, 6)
    result: list[list[int]] | None = None
    if do == "transpose":
        asked = "Transpose it"
        result = [[row[place] for row in rows] for place in range(wide)]
    elif do == "row":
        asked = f"Delete row {number}"
        kept = [row for place, row in enumerate(rows, 1) if place != number]
        result = kept if 1 <= number <= high else None
    elif do == "column":
        asked = f"Delete column {number}"
        parts = [[one for place, one in enumerate(row, 1) if place != number] for row in rows]
        result = parts if 1 <= number <= wide else None
    elif do == "add":
        asked, result = "Add up its rows", [[sum(row)] for row in rows]
    else:
        asked, result = "Turn it upside down", list(reversed(rows))
    return Demonstration(input=f"Table: {_written(rows)}. {asked}.", target=_target(result))


def _written(rows: list[list[int]]) -> str:
    return " / ".join(" ".join(map(str, row)) for row in rows)


def _target(rows: list[list[int]] | None) -> str:
    if rows is None:
        return "there is none"
    return _written(rows) if rows and rows[0] else "nothing is left"


def calendar(rng: Random) -> Demonstration:
    """Ask for a date before or after another one."""
    count = 1 if rng.random() < 0.1 else rng.randint(2, 60)
    unit = rng.choices(("day", "week"), (5, 1))[0] + ("" if count == 1 else "s")
    way = rng.choices(("after", "before"), (5, 1))[0]
    year, month = rng.randint(1990, 2030), rng.randint(1, 12)
    day = rng.randint(1, 31) if rng.random() < 0.2 else rng.randint(1, 28)
    short = rng.random() < 0.1
    head = "What day is it " if rng.random() < 0.3 else "What date is "
    tail = " (weekday only)" if short else ""
    asked = f"{head}{count} {unit} {way} {year:04d}-{month:02d}-{day:02d}{tail}?"
    days = count * (7 if unit.startswith("w") else 1) * (1 if way == "after" else -1)
    try:
        found = date(year, month, day) + timedelta(days)
    except ValueError:
        return Demonstration(input=asked, target="no such date")
    name = day_name[found.weekday()]
    weekend = f", a {name}" if found.weekday() > 4 else ""
    return Demonstration(input=asked, target=name if short else f"{found}{weekend}")


BRANCHY: dict[str, Callable[[Random], Demonstration]] = {
    "parcels": parcel,
    "lengths": length,
    "tables": table,
    "calendars": calendar,
}
