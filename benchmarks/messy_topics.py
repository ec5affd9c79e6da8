"""Three kinds of requests in twenty phrasings each, and a maker that handles exactly what it was shown.

The phrasings are our own. The maker stands for a model that never sees more in a request than a person
would who copies its phrasing: its module reads the phrasings of the demonstrations that it has been shown so
far, with any numbers and words in their slots, and refuses all others.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import NamedTuple

from toolmint.core.model import ModelRequest, ModelResponse
from toolmint.core.tool import Demonstration
from toolmint.models.scripted import estimated_usage

_Values = Mapping[str, str]


class Topic(NamedTuple):
    """A kind of requests.

    Attributes:
        name: of the kind.
        phrasings: with slots such as ``{price}``.
        slots: each slot's pattern, and how its values are drawn.
        answer: computes the answer from the slots' values.
        solve: the same computation as the source of a made tool's ``solve``.
    """

    name: str
    phrasings: tuple[str, ...]
    slots: Mapping[str, tuple[str, Callable[[Random], str]]]
    answer: Callable[[_Values], str]
    solve: str


def _number(low: int, high: int) -> tuple[str, Callable[[Random], str]]:
    return r"[1-9][0-9]{0,5}", lambda rng: str(rng.randint(low, high))


def _of(words: str) -> tuple[str, Callable[[Random], str]]:
    return "|".join(words.split()), lambda rng: rng.choice(words.split())


def _interest(values: _Values) -> str:
    return str(int(values["sum"]) * int(values["rate"]) * int(values["years"]) // 100)


def _parcels(values: _Values) -> str:
    return str(-(-int(values["items"]) // int(values["box"])))


_POINTS = {"win": 3, "draw": 1, "loss": 0}


def _league(values: _Values) -> str:
    return str(3 * int(values["wins"]) + int(values["draws"]))


INTEREST = Topic(
    "interest",
    (
        "Simple interest on {sum} euros at {rate} percent over {years} years?",
        "How much interest do I earn if I leave {sum} euros at {rate} % for {years} years?",
        "{sum} euros, {rate} percent a year, {years} years: what is the interest?",
        "I lend a friend {sum} euros for {years} years at {rate} percent; what does he owe me on top?",
        "Work out the interest: principal {sum}, rate {rate}, term {years}.",
        "principal={sum} rate={rate} years={years} interest=?",
        "My bank pays {rate} percent. After {years} years with {sum} euros in it, what was paid to me?",
        "Could you tell me what {sum} euros bring in {years} years when the rate is {rate} percent?",
        "For {years} years we had {sum} euros deposited at {rate} percent without compounding. Gain?",
        "Interest please! Amount: {sum} EUR / rate: {rate} % / years: {years}",
        "Suppose a loan of {sum} euros costs {rate} percent yearly. Total cost after {years} years?",
        "Give me only the interest for {sum} at {rate} during {years} years.",
        "A deposit ({sum} euros, {rate} percent) runs {years} years. Compute what it yields.",
        "what would {years} yrs of {rate}% do on {sum}, simple not compound",
        "At {rate} percent simple interest, {sum} euros grow by how much in {years} years?",
        "Need the yield of {sum} euros: {years} years, {rate} percent per annum.",
        "Grandma put {sum} euros aside {years} years ago at {rate} percent. How much came on top?",
        "Calculate I = P r t with P {sum}, r {rate} percent and t {years}.",
        "Tell me quickly how many euros of interest {sum} euros at {rate} percent make by year {years}.",
        "Bond of {sum}, coupon {rate} percent, held for {years} years. Sum of coupons?",
    ),
    {"sum": _number(1, 90), "rate": _number(1, 9), "years": _number(2, 30)},
    _interest,
    "    return str(int(sum) * int(rate) * int(years) // 100)",
)
PARCELS = Topic(
    "parcels",
    (
        "How many boxes of {box} do {items} {what} need?",
        "Pack {items} {what} into boxes that hold {box}. Number of boxes?",
        "{items} {what}, {box} to a box: boxes?",
        "If one carton takes {box} {what}, how many cartons are wanted for all {items}?",
        "We ship {items} {what} and each crate has room for {box}; count the crates.",
        "boxes needed for {items} {what} @ {box} per box",
        "I have {items} {what} on the table. A tray carries {box}. Trays in total?",
        "Tell the warehouse the least number of boxes ({box} each) that fit {items} {what}.",
        "With {box} {what} going in every package, {items} fill how many packages?",
        "Our order says {items} {what}. Packs come in {box}. What do I buy, in packs?",
        "Smallest count of bins, every bin holding at most {box} of the {items} {what}, please.",
        "items={items} ({what}) capacity={box} boxes=?",
        "Someone must carry {items} {what} upstairs, {box} on each trip. How often does she walk?",
        "Storing {items} {what}: a shelf takes {box} of them. Shelves required?",
        "Divide {items} {what} among bags of {box} so that nothing is left over, and say how many bags.",
        "what is the minimum of parcels when {items} {what} have to go and {box} is the limit",
        "Need packaging for {items} {what}; units per parcel {box}. Parcels:",
        "The lorry loads {box} {what} per pallet. There are {items} in stock. Pallets?",
        "Could you compute how many jars I need for {items} {what} at {box} per jar?",
        "Fill drawers with {what}, {box} in a drawer, {items} altogether. How many drawers get used?",
    ),
    {
        "items": _number(30, 400),
        "box": _number(3, 24),
        "what": _of("apples bolts candles letters marbles onions pencils stamps"),
    },
    _parcels,
    "    return str(-(-int(items) // int(box)))",
)
LEAGUE = Topic(
    "league",
    (
        "A team won {wins} and drew {draws} matches. Points?",
        "How many points are {wins} wins plus {draws} draws in the league?",
        "{wins} wins / {draws} draws, three points a win. Total?",
        "Our girls took {wins} victories this season, with {draws} games level. What stands in the table?",
        "wins: {wins}; draws: {draws}; points:",
        "Give the table points for a club with {wins} games won and {draws} games drawn.",
        "Three for a win and one for a draw: {wins} won, {draws} drawn, sum it up.",
        "If we end on {wins} wins and {draws} ties, where do our points stand?",
        "Score our season! Won {wins}, tied {draws}.",
        "Compute league points from W={wins} D={draws}",
        "The coach says {wins} wins. The paper adds {draws} draws. So how many points did they get?",
        "Points after winning {wins} times while drawing {draws} times, please",
        "With {draws} draws on top of {wins} wins, what does a football side collect?",
        "I counted {wins} matches won. Also {draws} ended level. Points earned so far?",
        "tell me the points tally: {wins} victories, {draws} stalemates",
        "Under the usual rule, what are {wins} W and {draws} D worth?",
        "United have {wins} wins to their name and shared the spoils {draws} times; add up the points.",
        "Standing of a side which won {wins} and shared {draws}? Just the points.",
        "Suppose {wins} games go our way and {draws} end even. How many points would that give us?",
        "Work out what a record of {wins} won and {draws} drawn brings in points.",
    ),
    {"wins": _number(2, 30), "draws": _number(2, 15)},
    _league,
    "    return str(3 * int(wins) + int(draws))",
)
TOPICS = (INTEREST, PARCELS, LEAGUE)


def request_of(topic: Topic, phrasing: str, rng: Random) -> Demonstration:
    """Return a request in a phrasing, with its right answer."""
    values = {name: draw(rng) for name, (_, draw) in topic.slots.items()}
    return Demonstration(input=phrasing.format(**values), target=topic.answer(values))


def messy_file(
    topic: Topic, *, phrasings: int, count: int = 30, seed: int = 0
) -> list[Demonstration]:
    """Return ``count`` different requests in so many phrasings, in a random order."""
    rng = Random(seed)
    chosen = rng.sample(topic.phrasings, phrasings)
    found: dict[str, Demonstration] = {}
    while len(found) < count:
        one = request_of(topic, chosen[len(found) % phrasings], rng)
        found[one.input] = one
    mixed = list(found.values())
    rng.shuffle(mixed)
    return mixed


def _pattern(topic: Topic, phrasing: str) -> str:
    parts = re.split(r"\{(\w+)\}", phrasing)
    return "".join(
        f"(?P<{part}>{topic.slots[part][0]})" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )


def module_of(topic: Topic, phrasings: list[str]) -> str:
    """Return a made tool that reads these phrasings and no other."""
    patterns = [(_pattern(topic, one), one) for one in phrasings]
    names = ", ".join(topic.slots)
    return "\n".join(
        [
            f"# title: {topic.name.title()}",
            "import re",
            "WORDINGS = (",
            *(f"    ({pattern!r}, {text!r})," for pattern, text in patterns),
            ")",
            "def parse(request):",
            "    for number, (pattern, _) in enumerate(WORDINGS):",
            "        found = re.fullmatch(pattern, request)",
            "        if found:",
            "            return {'wording': number, **found.groupdict()}",
            "    return None",
            "def unparse(args):",
            "    return WORDINGS[args['wording']][1].format(**args)",
            f"def solve(wording, {names}):",
            topic.solve,
            "def render(args, result):",
            "    return result",
            "",
        ]
    )


def shown_phrasings(topic: Topic, text: str) -> list[str]:
    """Return the topic's phrasings of which a prompt shows a request."""
    return [one for one in topic.phrasings if re.search(_pattern(topic, one), text)]


def literal_maker(request: ModelRequest) -> str:
    """Reply to a maker's prompt with a module for exactly the phrasings that the conversation has shown."""
    text = "\n".join(one.content for one in request.messages if one.role == "user")
    topic = max(TOPICS, key=lambda one: len(shown_phrasings(one, text)))
    return f"```python\n{module_of(topic, shown_phrasings(topic, text))}```"


def named_kinds(request: ModelRequest) -> str:
    """Reply to a prompt that asks for the kinds of requests, as a model would that knows the topics."""
    listed = request.messages[-1].content.partition("Requests:")[2]
    lines = list[str]()
    for line in listed.splitlines():
        number, colon, text = line.partition(": ")
        if not (colon and number.isdigit()):
            continue
        kinds = [topic.name for topic in TOPICS if shown_phrasings(topic, text)]
        lines.append(f"{number}: {_known_name(request, kinds[0]) if kinds else 'none'}")
    return "\n".join(lines)


def _known_name(request: ModelRequest, kind: str) -> str:
    """Return the name under which a prompt knows a kind already, by the example below it."""
    known = request.messages[-1].content.partition("Known kinds:")[2].partition("Requests:")[0]
    topic = next(one for one in TOPICS if one.name == kind)
    lines = known.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("  such as") and shown_phrasings(topic, line):
            above = [one for one in lines[:number] if one and not one.startswith(" ")]
            return above[-1]
    return kind


class StrongModel:
    """Answers requests by their labels, proposes tools as ``literal_maker``, and names kinds.

    Attributes:
        calls: how many calls there were of each purpose.
    """

    name = "a literal strong model"

    def __init__(self, labelled: Sequence[Demonstration]) -> None:
        self._labels = {one.input: one.target or "" for one in labelled}
        self.calls: Counter[str] = Counter()

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the reply that the prompt asks for, with estimated tokens."""
        text = request.messages[-1].content
        if text in self._labels:
            purpose, reply = "answers", self._labels[text]
        elif "Known kinds:" in text:
            purpose, reply = "kinds", named_kinds(request)
        else:
            purpose, reply = "making", literal_maker(request)
        self.calls[purpose] += 1
        usage = estimated_usage(request, reply)
        return ModelResponse(content=reply, model=self.name, usage=usage)
