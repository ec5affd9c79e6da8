"""The inventory of ToolWorld's tools: operations under the names and documents of invented providers."""

import re
from functools import cache, lru_cache
from random import Random
from typing import Any, Literal, NamedTuple

from toolwright.core.messages import ToolSpec
from toolwright.core.values import Value
from toolwright.world.categories import CATEGORIES, SEEN, Category, Field
from toolwright.world.operations import Arguments, Does, Operation
from toolwright.world.phrases import ARGUMENT_NAMES, ARGUMENT_WORDS, DESCRIPTIONS, PROVIDERS, VERBS

Split = Literal["train", "unseen"]
SCHEMAS: dict[str, dict[str, Value]] = {
    "city": {"type": "string"}, "person": {"type": "string"}, "word": {"type": "string"},
    "date": {"type": "string", "format": "date"}, "money": {"type": "number"},
    "count": {"type": "integer"}, "score": {"type": "number"}, "flag": {"type": "boolean"},
}  # fmt: skip
INPUTS: dict[Does, tuple[str, ...]] = {
    "find": ("value",), "details": ("id",), "many": ("ids",), "get": ("id",), "list": (),
    "extreme": ("order",), "quote": ("id", "amount"), "do": ("id", "person", "amount"),
    "deeds": ("person",), "undo": ("confirmation",),
}  # fmt: skip


class WorldTool(NamedTuple):
    """A tool of the world: what the model reads, what it does, and where each argument stands.

    ``paths`` leads from an argument's meaning (``id``, ``amount``) to its place in the call's JSON.
    """

    spec: ToolSpec
    operation: Operation
    provider: str
    split: Split
    paths: dict[str, tuple[str, ...]]

    def meanings(self, arguments: dict[str, Value]) -> Arguments:
        """Give a call's arguments under their meanings."""
        found: dict[str, Value] = {}
        for meaning, path in self.paths.items():
            value: Any = arguments
            for part in path:
                value = value.get(part)
            if value is not None:
                found[meaning] = value
        return found

    def arguments(self, meanings: Arguments) -> dict[str, Value]:
        """Give the arguments of a call that means this."""
        found: dict[str, Any] = {}
        for meaning, path in self.paths.items():
            if meaning not in meanings:
                continue
            place = found
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = meanings[meaning]
        return found


_PLAIN: tuple[Does, ...] = ("details", "many", "list", "do", "deeds", "undo")


def operations_of(category: Category) -> list[Operation]:
    """Give every operation that makes sense for a category."""
    name = category.name
    money = [field.name for field in category.fields if field.kind == "money"]
    numbers = [field.name for field in category.fields if field.kind in {"money", "count", "score"}]
    found = [Operation(does, name) for does in _PLAIN]
    found += [Operation("find", name, "name")]
    found += [
        Operation("find", name, one.name)
        for one in category.fields
        if one.kind not in {"flag", "money"}
    ]
    found += [Operation("get", name, one.name) for one in category.fields]
    found += [Operation("extreme", name, number) for number in numbers[:2]]
    found += [Operation("quote", name, field) for field in money[:1]]
    return found


def _cased(words: str, style: int) -> str:
    parts = re.findall(r"[A-Za-z0-9]+", words)
    if style == 0:
        return "_".join(part.lower() for part in parts)
    if style == 1:
        return parts[0].lower() + "".join(part.capitalize() for part in parts[1:])
    if style == 2:
        return "".join(part.capitalize() for part in parts)
    return "-".join(part.lower() for part in parts)


class _Provider(NamedTuple):
    """How one provider names and describes things."""

    name: str
    style: int
    suffixed: bool
    nested: bool
    seed: str

    def tool(self, category: Category, operation: Operation, split: Split) -> WorldTool:
        random = Random(f"{self.seed}/{operation}")
        words = {
            "noun": category.noun, "plural": category.name, "field": operation.field.replace("_", " "),
            "verb": category.verb, "deed": category.deed, "provider": self.name,
        }  # fmt: skip
        title = random.choice(VERBS[operation.does]).format(**words)
        name = _cased(title, self.style)
        if self.suffixed:
            name = f"{name}_for_{_cased(self.name, 0)}"
        properties: dict[str, Any] = {}
        required: list[str] = []
        paths: dict[str, tuple[str, ...]] = {}
        for meaning in INPUTS[operation.does]:
            label = _cased(random.choice(ARGUMENT_NAMES[meaning]).format(**words), self.style % 2)
            properties[label] = _schema(category, operation, meaning, words, random)
            required.append(label)
            paths[meaning] = (label,)
        if self.nested and operation.does in {"find", "do"}:
            outer = "query" if operation.does == "find" else "request"
            inner = {"type": "object", "properties": properties, "required": required}
            properties, required = {outer: inner}, [outer]
            paths = {meaning: (outer, *path) for meaning, path in paths.items()}
        if operation.does == "list" and random.random() < 0.5:
            paths |= {"limit": ("limit",), "names": ("names",)}
            properties["names"] = {
                "type": "boolean",
                "description": "Give the names too; true by default.",
            }
            properties["limit"] = {
                "type": "integer",
                "minimum": 1,
                "description": "How many to give at most; all by default.",
            }
        parameters: dict[str, Any] = {
            "type": "object",
            "properties": properties,
            "required": required,
        }
        description = random.choice(DESCRIPTIONS[operation.does]).format(**words)
        spec = ToolSpec(
            name=name[-64:],
            description=description,
            parameters=parameters | {"additionalProperties": False},
        )
        return WorldTool(spec, operation, self.name, split, paths)


def _schema(
    category: Category, operation: Operation, meaning: str, words: dict[str, str], random: Random
) -> dict[str, Any]:
    said = random.choice(ARGUMENT_WORDS[meaning]).format(**words | {"amount": category.amount})
    schema: dict[str, Any] = {"type": "string", "description": said}
    if meaning == "value":
        field = (
            Field("name", "word") if operation.field == "name" else category.field(operation.field)
        )
        schema |= SCHEMAS[field.kind]
        if field.words and random.random() < 0.5:
            schema["enum"] = list(field.words)
    elif meaning == "ids":
        schema |= {"type": "array", "items": {"type": "string"}, "minItems": 1}
    elif meaning == "order":
        schema["enum"] = ["lowest", "highest"]
    elif meaning == "amount":
        schema |= {"type": "integer", "minimum": 1}
    return schema


def _provider(name: str, number: int, edition: int = 0) -> _Provider:
    seed = f"{number}/{name}" + (f"/{edition}" if edition else "")
    random = Random(f"provider/{seed}")
    return _Provider(name, random.randrange(4), random.random() < 0.4, random.random() < 0.25, seed)


@cache
def inventory(split: Split) -> tuple[WorldTool, ...]:
    """Give a split's tools: at least 200 to train on, at least 100 that training never shows.

    Unseen tools are other providers' tools of the seen categories, and all tools of the unseen ones.
    """
    return tuple(tool for name in categories_of(split) for tool in tools_of(split, name))


def categories_of(split: Split) -> tuple[str, ...]:
    """Give the names of the categories that a split has tools for."""
    return tuple(one.name for one in (CATEGORIES[:SEEN] if split == "train" else CATEGORIES))


@lru_cache(maxsize=256)
def tools_of(split: Split, name: str, edition: int = 0) -> tuple[WorldTool, ...]:
    """Give a split's tools of one category.

    Args:
        split: to train on, or unseen.
        name: the category's.
        edition: 0 is the inventory. Any other number gives the same operations under names and documents
            of other providers, for a learner that shall read documents rather than know them; none has an
            unseen tool's provider or name.
    """
    number = next(at for at, one in enumerate(CATEGORIES) if one.name == name)
    category, operations = CATEGORIES[number], operations_of(CATEGORIES[number])
    main, second, third = (PROVIDERS[(number * 3 + step) % len(PROVIDERS)] for step in range(3))
    if split == "train" and edition:
        main, second = Random(f"edition/{edition}/{number}").sample(
            [one for one in PROVIDERS if one != third], 2
        )
    whole, part, draw = (main, second, "second") if split == "train" else (third, main, "fourth")
    made = [_provider(whole, number, edition).tool(category, one, split) for one in operations]
    if split == "train" or number >= SEEN:
        some = Random(f"{draw}/{number}").sample(operations, len(operations) // 2)
        made += [_provider(part, number, edition).tool(category, one, split) for one in some]
    taken = set[str]()
    if split == "unseen" and number < SEEN:
        taken = {tool.spec.name for tool in tools_of("train", name)}
    elif edition:
        taken = {tool.spec.name for tool in tools_of("unseen", name)}
    return _unique(made, taken)


def _unique(tools: list[WorldTool], taken: set[str]) -> tuple[WorldTool, ...]:
    """Give tools whose names are all different: a repeated name takes its provider's with it."""
    found: list[WorldTool] = []
    for tool in tools:
        name = tool.spec.name
        if name in taken:
            name = f"{name}_{_cased(tool.provider, 0)}"[-64:]
        taken.add(name)
        found.append(tool._replace(spec=tool.spec.model_copy(update={"name": name})))
    return tuple(found)
