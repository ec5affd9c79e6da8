TOKENS = ("True", "False", "and", "or", "not", "(", ")")


def parse(request: str) -> dict | None:
    words = request.split(" ")
    if len(words) < 2 or words[-1] != "is" or any(word not in TOKENS for word in words[:-1]):
        return None
    try:
        tree, rest = read_or(words[:-1])
    except ValueError:
        return None
    return {"tree": tree} if not rest else None


def read_or(words):
    return read_chain(words, "or", read_and)


def read_and(words):
    return read_chain(words, "and", read_not)


def read_chain(words, operator, read_part):
    part, rest = read_part(words)
    parts = [part]
    while rest and rest[0] == operator:
        part, rest = read_part(rest[1:])
        parts.append(part)
    return (parts[0] if len(parts) == 1 else [operator, *parts]), rest


def read_not(words):
    if not words:
        raise ValueError("the expression ends too early")
    if words[0] == "not":
        inner, rest = read_not(words[1:])
        return ["not", inner], rest
    if words[0] == "(":
        inner, rest = read_or(words[1:])
        if not rest or rest[0] != ")":
            raise ValueError("a bracket stays open")
        return ["group", inner], rest[1:]
    if words[0] in ("True", "False"):
        return words[0] == "True", words[1:]
    raise ValueError("an operator where a value is due")


def write(tree):
    if isinstance(tree, bool):
        return str(tree)
    head, *parts = tree
    if head == "not":
        return "not " + write(parts[0])
    if head == "group":
        return "( " + write(parts[0]) + " )"
    return f" {head} ".join(write(part) for part in parts)


def unparse(args: dict) -> str:
    return write(args["tree"]) + " is"


def value(tree):
    if isinstance(tree, bool):
        return tree
    head, *parts = tree
    values = [value(part) for part in parts]
    if head == "not":
        return not values[0]
    if head == "group":
        return values[0]
    return all(values) if head == "and" else any(values)


def solve(tree):
    return value(tree)


def render(args: dict, result) -> str:
    return str(result)
