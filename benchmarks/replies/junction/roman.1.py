import re

_PATTERN = re.compile(r"Write ([1-9][0-9]*) as a Roman numeral\.")
_SIGNS = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
]


def parse(request):
    found = _PATTERN.fullmatch(request)
    if not found or int(found.group(1)) > 3999:
        return None
    return {"number": int(found.group(1))}


def unparse(args):
    return f"Write {args['number']} as a Roman numeral."


def solve(number):
    if not 1 <= number <= 3999:
        raise ValueError("Roman numerals go from 1 to 3999")
    text = ""
    for value, sign in _SIGNS:
        while number >= value:
            text += sign
            number -= value
    return text


def render(args, result):
    return result
