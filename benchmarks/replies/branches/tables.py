import re

FORM = re.compile(
    r"Table: (\d+(?: \d+)*(?: / \d+(?: \d+)*)*)\. "
    r"(Transpose it|Delete row (\d+)|Delete column (\d+)|Add up its rows|Turn it upside down)\."
)


def parse(request: str) -> dict | None:
    found = FORM.fullmatch(request)
    if found is None:
        return None
    rows = [[int(one) for one in row.split(" ")] for row in found[1].split(" / ")]
    if len({len(row) for row in rows}) != 1:
        return None
    words = found[2].split(" ")
    number = found[3] or found[4]
    return {"rows": rows, "do": " ".join(words[:2]), "number": int(number) if number else None}


def unparse(args: dict) -> str:
    rows = " / ".join(" ".join(str(one) for one in row) for row in args["rows"])
    do = args["do"]
    rest = {"Transpose it": "", "Add up": " its rows", "Turn it": " upside down"}.get(do)
    if rest is None:
        rest = f" {args['number']}"
    return f"Table: {rows}. {do}{rest}."


def solve(rows, do, number):
    if do == "Transpose it":
        return [list(column) for column in zip(*rows)]
    if do == "Delete row":
        if number < 1 or number > len(rows):
            return None
        return rows[: number - 1] + rows[number:]
    if do == "Delete column":
        if number < 1 or number > len(rows[0]):
            return None
        return [row[: number - 1] + row[number:] for row in rows]
    if do == "Add up":
        return [[sum(row)] for row in rows]
    return rows[::-1]


def render(args: dict, result) -> str:
    if result is None:
        return "there is none"
    if not result or not result[0]:
        return "nothing is left"
    return " / ".join(" ".join(str(one) for one in row) for row in result)
