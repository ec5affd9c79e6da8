"""ToolWorld's tools: operations under the names and documents of invented providers."""

import re
from functools import cache, lru_cache
from random import Random
from typing import Any, Literal, NamedTuple

from toolmint.core.messages import ToolSpec
from toolmint.core.values import Value
from toolmint.world.categories import CATEGORIES, SEEN_CATEGORIES, Category, Field
from toolmint.world.operations import Arguments, OperationKind, WorldOperation
from toolmint.world.phrases import ARGUMENT_NAMES, ARGUMENT_WORDS, DESCRIPTIONS, PROVIDERS, VERBS

Split = Literal["train", "unseen"]
_FIELD_SCHEMAS: dict[str, dict[str, Value]] = {
    "city": {"type": "string"},
    "person": {"type": "string"},
    "word": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "money": {"type": "number"},
    "count": {"type": "integer"},
    "score": {"type": "number"},
    "flag": {"type": "boolean"},
}
_INPUTS: dict[OperationKind, tuple[str, ...]] = {
    "find": ("value",),
    "details": ("id",),
    "many": ("ids",),
    "get": ("id",),
    "list": (),
    "extreme": ("order",),
    "quote": ("id", "amount"),
    "do": ("id", "person", "amount"),
    "deeds": ("person",),
    "undo": ("confirmation",),
}


class WorldTool(NamedTuple):
    """A tool: the spec that a model reads, the operation, and where each argument is.

    Attributes:
        spec: name, description and JSON schema.
        operation: what a call does.
        provider: the invented provider.
        split: which split has the tool.
        paths: from an argument's canonical name (``id``, ``amount``) to its path in the call's JSON.
    """

    spec: ToolSpec
    operation: WorldOperation
    provider: str
    split: Split
    paths: dict[str, tuple[str, ...]]

    def meanings(self, arguments: dict[str, Value]) -> Arguments:
        """Return a call's arguments by canonical name."""
        found: dict[str, Value] = {}
        for meaning, path in self.paths.items():
            value: Any = arguments
            for part in path:
                value = value.get(part)
            if value is not None:
                found[meaning] = value
        return found

    def arguments(self, meanings: Arguments) -> dict[str, Value]:
        """Return the call arguments for canonical ones; the inverse of ``meanings``."""
        found: dict[str, Any] = {}
        for meaning, path in self.paths.items():
            if meaning not in meanings:
                continue
            place = found
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = meanings[meaning]
        return found


_FIELDLESS: tuple[OperationKind, ...] = ("details", "many", "list", "do", "deeds", "undo")


def operations_of(category: Category) -> list[WorldOperation]:
    """Return every operation that a category supports."""
    name = category.name
    money = [field.name for field in category.fields if field.kind == "money"]
    numbers = [field.name for field in category.fields if field.kind in {"money", "count", "score"}]
    found = [WorldOperation(does, name) for does in _FIELDLESS]
    found += [WorldOperation("find", name, "name")]
    found += [
        WorldOperation("find", name, one.name)
        for one in category.fields
        if one.kind not in {"flag", "money"}
    ]
    found += [WorldOperation("get", name, one.name) for one in category.fields]
    found += [WorldOperation("extreme", name, number) for number in numbers[:2]]
    found += [WorldOperation("quote", name, field) for field in money[:1]]
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
    """How one provider names and describes its tools."""

    name: str
    style: int
    suffixed: bool
    nested: bool
    seed: str

    def tool(self, category: Category, operation: WorldOperation, split: Split) -> WorldTool:
        # The seed text is the operation's first repr, spelt out: a renamed class would draw other documents,
        # and published figures and the bundled model depend on these.
        kind, where, field = operation
        random = Random(
            f"{self.seed}/Operation(does={kind!r}, category={where!r}, field={field!r})"
        )
        words = {
            "noun": category.noun,
            "plural": category.name,
            "field": operation.field.replace("_", " "),
            "verb": category.verb,
            "deed": category.deed,
            "provider": self.name,
        }
        title = random.choice(VERBS[operation.does]).format(**words)
        name = _cased(title, self.style)
        if self.suffixed:
            name = f"{name}_for_{_cased(self.name, 0)}"
        properties: dict[str, Any] = {}
        required: list[str] = []
        paths: dict[str, tuple[str, ...]] = {}
        for meaning in _INPUTS[operation.does]:
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
    category: Category,
    operation: WorldOperation,
    meaning: str,
    words: dict[str, str],
    random: Random,
) -> dict[str, Any]:
    said = random.choice(ARGUMENT_WORDS[meaning]).format(**words | {"amount": category.amount})
    schema: dict[str, Any] = {"type": "string", "description": said}
    if meaning == "value":
        field = (
            Field("name", "word") if operation.field == "name" else category.field(operation.field)
        )
        schema |= _FIELD_SCHEMAS[field.kind]
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
    """Return all tools of a split: at least 200 for training, at least 100 unseen ones.

    Unseen tools are other providers' tools of the training categories, and all tools of the other categories.
    """
    return tuple(tool for name in categories_of(split) for tool in world_tools(split, name))


def categories_of(split: Split) -> tuple[str, ...]:
    """Return the names of a split's categories."""
    return tuple(
        one.name for one in (CATEGORIES[:SEEN_CATEGORIES] if split == "train" else CATEGORIES)
    )


@lru_cache(maxsize=256)
def world_tools(split: Split, name: str, edition: int = 0) -> tuple[WorldTool, ...]:
    """Return a split's tools of one category.

    Args:
        split: ``train`` or ``unseen``.
        name: of the category.
        edition: 0 is the inventory. Any other number gives the same operations under other providers'
            names and documents, so that a model learns to read documents instead of memorising them. No
            edition uses an unseen tool's provider or name.
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
    if split == "train" or number >= SEEN_CATEGORIES:
        some = Random(f"{draw}/{number}").sample(operations, len(operations) // 2)
        made += [_provider(part, number, edition).tool(category, one, split) for one in some]
    taken = set[str]()
    if split == "unseen" and number < SEEN_CATEGORIES:
        taken = {tool.spec.name for tool in world_tools("train", name)}
    elif edition:
        taken = {tool.spec.name for tool in world_tools("unseen", name)}
    return _unique(made, taken)


def _unique(tools: list[WorldTool], taken: set[str]) -> tuple[WorldTool, ...]:
    """Return tools with unique names: a repeated name gets its provider as a suffix."""
    found: list[WorldTool] = []
    for tool in tools:
        name = tool.spec.name
        if name in taken:
            name = f"{name}_{_cased(tool.provider, 0)}"[-64:]
        taken.add(name)
        found.append(tool._replace(spec=tool.spec.model_copy(update={"name": name})))
    return tuple(found)
