"""What a task's world holds: records by category, and the deeds that calls have done."""

from datetime import date, timedelta
from random import Random
from typing import TypeAlias

from toolwright.core.messages import Frozen
from toolwright.core.values import Value
from toolwright.world.categories import CITIES, FIRST, HEADS, LAST, Category, Field

Record: TypeAlias = dict[str, Value]
RECORDS = 8
_DAY = date(2026, 1, 1)


class Deed(Frozen):
    """What a writing call did: for whom, how many, with which record."""

    category: str
    record: str
    person: str
    amount: int
    confirmation: str


def person(random: Random) -> str:
    """Give a person's name."""
    return f"{random.choice(FIRST)} {random.choice(LAST)}"


def _number(kind: str, random: Random) -> float:
    match kind:
        case "money":
            return round(random.uniform(5, 990), 2)
        case "score":
            return round(random.uniform(1.1, 9.9), 1)
        case _:
            return random.randrange(2, 480)


def _any(field: Field, random: Random) -> Value:
    match field.kind:
        case "city":
            return random.choice(CITIES)
        case "person":
            return person(random)
        case "date":
            return (_DAY + timedelta(days=random.randrange(700))).isoformat()
        case "word":
            return random.choice(field.words)
        case "flag":
            return random.random() < 0.5
        case _:
            return _number(field.kind, random)


def _value(field: Field, random: Random, used: set[Value]) -> Value:
    """Give a value; those of open kinds are unlike every other value of the field."""
    while True:
        value = _any(field, random)
        if field.kind in {"word", "flag"}:
            return value
        if value not in used:
            used.add(value)
            return value


def records_of(category: Category, random: Random, count: int = RECORDS) -> list[Record]:
    """Give records whose identifiers, names and open fields are all different."""
    used: dict[str, set[Value]] = {field.name: set() for field in category.fields}
    codes = random.sample(range(100, 1000), count)
    heads = random.sample(HEADS, count)
    records: list[Record] = []
    for code, head in zip(codes, heads, strict=True):
        record: Record = {
            "id": f"{category.code}{code}",
            "name": f"{head} {random.choice(category.tails)}",
        }
        for field in category.fields:
            record[field.name] = _value(field, random, used[field.name])
        records.append(record)
    return records


class State:
    """The changing part of a world: records to read, deeds to write."""

    def __init__(self, records: dict[str, list[Record]], deeds: tuple[Deed, ...] = ()) -> None:
        self.records = records
        self._by_id = {
            (name, str(record["id"])): record for name, some in records.items() for record in some
        }
        self.deeds = list(deeds)

    def record(self, category: str, identifier: object) -> Record | None:
        """Give a record by its identifier."""
        return self._by_id.get((category, str(identifier)))

    def do(self, category: str, record: str, who: str, amount: int) -> Deed:
        """Do a deed; the same deed done again is the first one."""
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
        """Undo a deed; None where there is none of that confirmation."""
        for deed in self.deeds:
            if (deed.category, deed.confirmation) == (category, confirmation):
                self.deeds.remove(deed)
                return deed
        return None
