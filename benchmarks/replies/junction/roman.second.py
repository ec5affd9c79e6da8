import re


def parse(request):
    words = re.fullmatch(r"Write (\d+) as a Roman numeral\.", request)
    if words is None or words.group(1).startswith("0"):
        return None
    number = int(words.group(1))
    return {"value": number} if number < 4000 else None


def unparse(args):
    return "Write " + str(args["value"]) + " as a Roman numeral."


def _digit(digit, one, five, ten):
    table = ["", one, one * 2, one * 3, one + five, five, five + one, five + one * 2, five + one * 3, one + ten]
    return table[digit]


def solve(value):
    return (
        "M" * (value // 1000)
        + _digit(value // 100 % 10, "C", "D", "M")
        + _digit(value // 10 % 10, "X", "L", "C")
        + _digit(value % 10, "I", "V", "X")
    )


def render(args, result):
    return result
