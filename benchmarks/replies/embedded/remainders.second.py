import re


def parse(request: str) -> dict | None:
    text = request
    head = re.match(r"A ([a-z]+) holds fewer than (\d+) ([a-z]+)\. Packed in ", text)
    if head is None:
        return None
    place, limit, thing = head[1], int(head[2]), head[3]
    tail = f". How many {thing} does the {place} hold?"
    if not text.endswith(tail):
        return None
    body = "in " + text[head.end() : -len(tail)]
    sizes, rests = [], []
    for piece in body.replace("; packed in ", "; in ").split("; "):
        fact = re.fullmatch(r"in bags of (\d+), (\d+) remain", piece)
        if fact is None:
            return None
        sizes.append(int(fact[1]))
        rests.append(int(fact[2]))
    return {"place": place, "limit": limit, "thing": thing, "sizes": sizes, "rests": rests}


def unparse(args: dict) -> str:
    facts = [f"acked in bags of {s}, {r} remain" for s, r in zip(args["sizes"], args["rests"], strict=False)]
    return (
        f"A {args['place']} holds fewer than {args['limit']} {args['thing']}. P"
        + "; p".join(facts)
        + f". How many {args['thing']} does the {args['place']} hold?"
    )


def solve(place, limit, thing, sizes, rests):
    if limit > 2_000_000:
        raise ValueError("too many to try")
    fitting = [
        n for n in range(limit) if all(n % size == rest for size, rest in zip(sizes, rests, strict=False))
    ]
    if len(fitting) != 1:
        raise ValueError("not exactly one number fits")
    return fitting[0]


def render(args: dict, result) -> str:
    return str(result)
