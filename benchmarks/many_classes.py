"""A store file with many classes, each with a verified tool of its own wording: for benchmarks."""

import asyncio
import random
import sqlite3
from pathlib import Path

from toolmint.core.namespace import Namespace
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.core.values import digest
from toolmint.store.sql import SqlStore

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SOURCE = """import re

WORDING = {wording!r}
ASKED = re.compile(re.escape(WORDING) + r" (-?[0-9]+) and (-?[0-9]+)\\.")

def parse(request):
    found = ASKED.fullmatch(request)
    return {{"a": int(found[1]), "b": int(found[2])}} if found else None

def unparse(args):
    return f"{{WORDING}} {{args['a']}} and {{args['b']}}."

def solve(a, b):
    return {number} * a + b

def render(args, result):
    return str(result)
"""


def wordings(count: int) -> list[str]:
    """Return wordings of 6 to 12 words of a vocabulary of 3,000; no two are equal."""
    rng = random.Random(5)
    words = ["".join(rng.choice(LETTERS) for _ in range(rng.randint(3, 9))) for _ in range(3000)]
    found: dict[str, None] = {}
    while len(found) < count:
        found[" ".join(rng.choice(words) for _ in range(rng.randint(6, 12))).capitalize()] = None
    return list(found)


def source_of(wording: str, number: int) -> str:
    """Return a class's tool."""
    return SOURCE.format(wording=wording, number=number)


def request_of(wording: str, number: int, rng: random.Random) -> tuple[str, str]:
    """Return a request of a class, and its right answer."""
    a, b = rng.randint(-999, 999), rng.randint(-999, 999)
    return f"{wording} {a} and {b}.", str(number * a + b)


def record_of(wording: str, number: int) -> ToolRecord:
    """Return the verified version of a class, with five demonstrations."""
    rng = random.Random(number)
    asked = [request_of(wording, number, rng) for _ in range(5)]
    return ToolRecord(
        request_class=f"class-{number}",
        source=source_of(wording, number),
        has_parser=True,
        demonstrations=tuple(Demonstration(input=text, target=answer) for text, answer in asked),
        provenance=Provenance(model="none", demonstrations_digest="", prompts_digest=""),
    )


def write_store(path: Path, found: list[str]) -> None:
    """Write a store with a serving version for each wording.

    The first one is written as the program does; the others' rows are copies of its rows with their own
    names and records, in one transaction, as a hundred thousand of them would take minutes.
    """

    async def first() -> None:
        opened = SqlStore.open(path)
        await opened.namespace(Namespace()).add(record_of(found[0], 0), "serving", "a benchmark's")
        opened.close()

    asyncio.run(first())
    database = sqlite3.connect(path)
    with database:
        _copy(database, "tools", found)
        _copy(database, "transitions", found)
        _copy(database, "classes", found)
    database.close()


def _copy(database: sqlite3.Connection, table: str, found: list[str]) -> None:
    cursor = database.execute(f"SELECT * FROM {table}")
    names = [one[0] for one in cursor.description]
    row = dict(zip(names, cursor.fetchone(), strict=True))
    row.pop("id", None)

    def filled(number: int) -> tuple[object, ...]:
        own: dict[str, object] = {"request_class": f"class-{number}"}
        if table == "tools":
            record = record_of(found[number], number).model_copy(update={"version": 1})
            own |= {"record": record.model_dump_json(), "digest": digest(record.source)}
        if table == "classes":
            own |= {"title": found[number][:60], "example": f"{found[number]} 1 and 2."}
        return tuple((row | own).values())

    marks = ", ".join("?" * len(row))
    database.executemany(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})",
        (filled(number) for number in range(1, len(found))),
    )
