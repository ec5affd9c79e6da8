import re

HEAD = "If you follow these instructions, do you return to the starting point?"
TAIL = "Options:\n- Yes\n- No"
FACING = "Always face forward."
SIDES = {"forward": (0, 1), "backward": (0, -1), "left": (-1, 0), "right": (1, 0)}
TURNS = {"Turn left.": 3, "Turn right.": 1, "Turn around.": 2}


def parse(request: str) -> dict | None:
    text = request
    if not text.startswith(HEAD + " ") or not text.endswith("\n" + TAIL):
        return None
    body = text[len(HEAD) + 1 : -len(TAIL) - 1]
    facing = body.startswith(FACING + " ")
    if facing:
        body = body[len(FACING) + 1 :]
    moves = []
    for sentence in re.findall(r"[^.]+\.", body):
        sentence = sentence.strip()
        step = re.fullmatch(r"Take (\d+) (steps?)(?: (forward|backward|left|right))?\.", sentence)
        if step:
            if (step[1] == "1") != (step[2] == "step") or facing != bool(step[3]):
                return None
            moves.append(["step", int(step[1]), step[3]])
        elif sentence in TURNS and not facing:
            moves.append(["turn", sentence[5:-1], None])
        else:
            return None
    return {"facing": facing, "moves": moves} if moves else None


def sentence(move):
    kind, amount, side = move
    if kind == "turn":
        return f"Turn {amount}."
    words = f"Take {amount} step" + ("" if amount == 1 else "s")
    return words + (f" {side}." if side else ".")


def unparse(args: dict) -> str:
    body = " ".join(sentence(move) for move in args["moves"])
    facing = FACING + " " if args["facing"] else ""
    return f"{HEAD} {facing}{body}\n{TAIL}"


def solve(facing, moves):
    ways = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    x = y = way = 0
    for kind, amount, side in moves:
        if kind == "turn":
            way = (way + TURNS[f"Turn {amount}."]) % 4
            continue
        dx, dy = SIDES[side] if side else ways[way]
        x, y = x + dx * amount, y + dy * amount
    return x == 0 and y == 0


def render(args: dict, result) -> str:
    return "Yes" if result else "No"
