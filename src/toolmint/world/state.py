"""The mutable state of a world: records by category, and deeds, the effects of writing calls."""

from datetime import date, timedelta
from random import Random
from typing import TypeAlias

from toolmint.core.messages import Frozen
from toolmint.core.values import Value
from toolmint.world.categories import CITIES, FIRST_NAMES, HEAD_WORDS, LAST_NAMES, Category, Field

Record: TypeAlias = dict[str, Value]
_RECORDS = 8
_FIRST_DAY = date(2026, 1, 1)


class Deed(Frozen):
    """The effect of one writing call: record, person, amount and confirmation code."""

    category: str
    record: str
    person: str
    amount: int
    confirmation: str


def person(random: Random) -> str:
    """Return a random full name."""
    return f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"


def _number(kind: str, random: Random) -> float:
    match kind:
        case "money":
            return round(random.uniform(5, 990), 2)
        case "score":
            return round(random.uniform(1.1, 9.9), 1)
        case _:
            return random.randrange(2, 480)


def _draw(field: Field, random: Random) -> Value:
    match field.kind:
        case "city":
            return random.choice(CITIES)
        case "person":
            return person(random)
        case "date":
            return (_FIRST_DAY + timedelta(days=random.randrange(700))).isoformat()
        case "word":
            return random.choice(field.words)
        case "flag":
            return random.random() < 0.5
        case _:
            return _number(field.kind, random)


def _draw_unused(field: Field, random: Random, used: set[Value]) -> Value:
    """Return a random value; only ``word`` and ``flag`` values may repeat within a field.

    Unique values let a query point at exactly one record by a field.
    """
    while True:
        value = _draw(field, random)
        if field.kind in {"word", "flag"}:
            return value
        if value not in used:
            used.add(value)
            return value


def records_of(category: Category, random: Random, count: int = _RECORDS) -> list[Record]:
    """Return random records; identifiers, names and all fields but ``word`` and ``flag`` are unique."""
    used: dict[str, set[Value]] = {field.name: set() for field in category.fields}
    codes = random.sample(range(100, 1000), count)
    heads = random.sample(HEAD_WORDS, count)
    records: list[Record] = []
    for code, head in zip(codes, heads, strict=True):
        record: Record = {
            "id": f"{category.code}{code}",
            "name": f"{head} {random.choice(category.tails)}",
        }
        for field in category.fields:
            record[field.name] = _draw_unused(field, random, used[field.name])
        records.append(record)
    return records


class WorldState:
    """The state that tools read and change.

    Args:
        records: records by category name.
        deeds: the deeds that exist at the start.
    """

    def __init__(self, records: dict[str, list[Record]], deeds: tuple[Deed, ...] = ()) -> None:
        self.records = records
        self._by_id = {
            (name, str(record["id"])): record for name, some in records.items() for record in some
        }
        self.deeds = list(deeds)

    def record(self, category: str, identifier: object) -> Record | None:
        """Return the record with this identifier, or None."""
        return self._by_id.get((category, str(identifier)))

    def do(self, category: str, record: str, who: str, amount: int) -> Deed:
        """Add a deed and return it. Idempotent: an equal deed is returned, not added again."""
        for deed in self.deeds:
            if (deed.category, deed.record, deed.person, deed.amount) == (
                category,
                record,
                who,
                amount,
            ):
                return deed
        number = (
            sum(ord(letter) for letter in f"{record}{who}") * 37 % 9000 + 1000 + len(self.deeds)
        )
        deed = Deed(
            category=category, record=record, person=who, amount=amount, confirmation=f"C{number}"
        )
        self.deeds.append(deed)
        return deed

    def undo(self, category: str, confirmation: str) -> Deed | None:
        """Remove and return the deed with this confirmation, or return None."""
        for deed in self.deeds:
            if (deed.category, deed.confirmation) == (category, confirmation):
                self.deeds.remove(deed)
                return deed
        return None
