from itertools import permutations

NUMBER = {"Three": 3, "Four": 4, "Five": 5, "Six": 6}
RANK = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6}


def parse(request: str) -> dict | None:
    text = request
    head, colon, rest = text.partition(" runners finished a race: ")
    if not colon or head not in NUMBER or not rest.endswith("?"):
        return None
    sentences = rest[:-1].split(". ")
    first, last = sentences[0], sentences[-1]
    before, word, final = first.rpartition(" and ")
    names = [*before.split(", "), final]
    if not word or len(set(names)) != NUMBER[head] or len(names) != NUMBER[head]:
        return None
    if not all(name.isalpha() and name.istitle() for name in names):
        return None
    facts = []
    for sentence in sentences[1:-1]:
        words = sentence.split(" ")
        if len(words) == 3 and words[1] == "finished" and words[0] in names and words[2] in RANK:
            facts.append([words[0], "=", words[2]])
        elif (
            len(words) == 4 and words[1] == "finished" and words[2] in ("before", "after")
            and words[0] in names and words[3] in names
        ):
            facts.append([words[0], words[2], words[3]])
        else:
            return None
    question = last.split(" ")
    if len(question) != 3 or question[:2] != ["Who", "finished"] or question[2] not in RANK:
        return None
    if not facts or RANK[question[2]] > len(names):
        return None
    return {"number": head, "runners": names, "facts": facts, "place": question[2]}


def unparse(args: dict) -> str:
    runners = args["runners"]
    parts = [f"{args['number']} runners finished a race: {', '.join(runners[:-1])} and {runners[-1]}"]
    for who, how, what in args["facts"]:
        parts.append(f"{who} finished {what}" if how == "=" else f"{who} finished {how} {what}")
    return ". ".join(parts) + f". Who finished {args['place']}?"


def solve(number, runners, facts, place):
    winners = []
    for order in permutations(runners):
        rank = {name: position for position, name in enumerate(order, 1)}
        ok = True
        for who, how, what in facts:
            if how == "=":
                ok = ok and rank[who] == RANK[what]
            elif how == "before":
                ok = ok and rank[who] < rank[what]
            else:
                ok = ok and rank[who] > rank[what]
        if ok:
            winners.append(order[RANK[place] - 1])
    if not winners or len(set(winners)) > 1:
        raise ValueError("the facts leave it open or contradict each other")
    return winners[0]


def render(args: dict, result) -> str:
    return result
