"""Tools for tests: one that is right, and ways to spoil it."""

from random import Random

from toolmint.core.tool import Demonstration
from toolmint.embedded.classes import CLASSES

RIGHT = """import re


def parse(request):
    found = re.fullmatch(r"Put these words into alphabetical order: ([a-z]+(?:, [a-z]+)+)\\.", request)
    return {"words": found[1].split(", ")} if found else None


def unparse(args):
    return "Put these words into alphabetical order: " + ", ".join(args["words"]) + "."


def solve(words):
    return sorted(words)


def render(args, result):
    return ", ".join(result)
"""


def demos(count: int = 10, kind: str = "sorting", seed: int = 3) -> tuple[Demonstration, ...]:
    rng = Random(seed)
    return tuple(CLASSES[kind](rng) for _ in range(count))


def fenced(source: str) -> str:
    return f"Here it is:\n```python\n{source}```\n"
