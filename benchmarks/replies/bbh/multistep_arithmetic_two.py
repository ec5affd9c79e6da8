import re


def parse(request: str) -> dict | None:
    text = request
    if not text.endswith(" ="):
        return None
    tokens = re.findall(r"-?\d+|[()+*-]", text[:-2])
    if "".join(tokens) != text[:-2].replace(" ", ""):
        return None
    try:
        tree, rest = read_sum(split_signs(text[:-2]))
    except (ValueError, IndexError):
        return None
    return {"tree": tree} if not rest else None


def split_signs(text):
    """Tokens; a minus that follows a number or a closed bracket and a space is an operator."""
    tokens = []
    at = 0
    while at < len(text):
        mark = text[at]
        if mark == " ":
            at += 1
            continue
        after_value = bool(tokens) and (isinstance(tokens[-1], int) or tokens[-1] == ")")
        found = re.compile(r"-?\d+" if not after_value else r"(?!)").match(text, at)
        if found:
            if re.fullmatch(r"-?0\d+|-0", found[0]):
                raise ValueError("a number written oddly")
            tokens.append(int(found[0]))
            at = found.end()
        elif mark in "()+-*":
            tokens.append(mark)
            at += 1
        else:
            raise ValueError("an unknown sign")
    return tokens


def read_sum(tokens):
    return read_chain(tokens, ("+", "-"), read_product, "sum")


def read_product(tokens):
    return read_chain(tokens, ("*",), read_atom, "product")


def read_chain(tokens, operators, read_part, name):
    part, rest = read_part(tokens)
    chain = [name, part]
    while rest and rest[0] in operators:
        operator = rest[0]
        part, rest = read_part(rest[1:])
        chain += [operator, part]
    return (chain if len(chain) > 2 else part), rest


def read_atom(tokens):
    if isinstance(tokens[0], int):
        return tokens[0], tokens[1:]
    if tokens[0] != "(":
        raise ValueError("a number was due")
    inner, rest = read_sum(tokens[1:])
    if rest[0] != ")":
        raise ValueError("a bracket stays open")
    return ["group", inner], rest[1:]


def write(tree):
    if isinstance(tree, int):
        return str(tree)
    if tree[0] == "group":
        return "(" + write(tree[1]) + ")"
    return " ".join(part if part in ("+", "-", "*") else write(part) for part in tree[1:])


def unparse(args: dict) -> str:
    return write(args["tree"]) + " ="


def value(tree):
    if isinstance(tree, int):
        return tree
    if tree[0] == "group":
        return value(tree[1])
    total = value(tree[1])
    for operator, part in zip(tree[2::2], tree[3::2], strict=False):
        number = value(part)
        if operator == "+":
            total += number
        elif operator == "-":
            total -= number
        else:
            total *= number
    return total


def solve(tree):
    return value(tree)


def render(args: dict, result) -> str:
    return str(result)
