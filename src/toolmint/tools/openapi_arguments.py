"""The arguments of an operation: one flat object of parameters and of the body's fields."""

import re
from typing import Any, NamedTuple, cast

from toolmint.tools.openapi_body import BINARY_NOTE, BodyForm, part_place
from toolmint.tools.openapi_styles import ArgumentPlace
from toolmint.tools.schemas import Read, Schemas

_Json = dict[str, Any]
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.-]+")
_VARIANTS = ("oneOf", "anyOf", "not", "if", "patternProperties", "enum", "const")
_MOST_NESTED = 16


class _Fields(NamedTuple):
    """The fields of a body that is a plain object, as the document writes them."""

    properties: dict[str, list[Any]]
    required: list[str]
    extra: object


class ArgumentList:
    """Collects an operation's arguments under unique names that models' endpoints take."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._properties: _Json = {}
        self._required: list[str] = []
        self._depending: dict[str, list[str]] = {}
        self._extra: object = None
        self._uses: frozenset[str] = frozenset()
        self.slots: dict[str, ArgumentPlace] = {}
        self.in_path: set[str] = set()

    def add(self, read: Read, slot: ArgumentPlace, *, required: bool) -> str:
        """Add an argument, and return the name that it has here."""
        name = (_ILLEGAL.sub("_", slot.name).strip("_") or slot.place)[:64]
        label, number = name, 2
        if label in self._properties:
            label = f"{slot.place}_{name}"[:64]
        while label in self._properties:
            label, number = f"{name[:56]}_{number}", number + 1
        if label != slot.name and isinstance(read.schema, dict):
            said = f"{slot.name!r} in the {slot.place}. {read.schema.get('description', '')}"
            read = read._replace(schema=read.schema | {"description": said.strip()})
        self._properties[label] = read.schema
        self._uses |= read.uses
        self.slots[label] = slot
        if required:
            self._required.append(label)
        return label

    def parameter(self, parameter: _Json) -> None:
        """Add a parameter.

        Raises:
            InputError: a reference in it leads nowhere.
            KeyError: it has no name or place.
        """
        name, place = str(parameter["name"]), str(parameter["in"])
        if place == "path":
            self.in_path.add(name)
        content = cast("dict[str, _Json]", parameter.get("content") or {})
        media_type = next(iter(content), "")
        schema = content[media_type].get("schema") if content else parameter.get("schema")
        style = str(parameter.get("style") or "")
        explode = parameter.get("explode", (style or _default_style(place)) in _EXPLODED)
        reserved = parameter.get("allowReserved") is True and place == "query"
        slot = ArgumentPlace(place, name, style, bool(explode), reserved, media_type)
        required = place == "path" or parameter.get("required") is True
        self.add(self._noted(self._schemas.read(schema), parameter), slot, required=required)

    def _noted(self, read: Read, holder: _Json) -> Read:
        said = holder.get("description")
        if not isinstance(said, str) or not isinstance(read.schema, dict):
            return read
        if "description" in read.schema:
            return read
        return read._replace(schema={**read.schema, "description": said})

    def body(self, form: BodyForm, media: _Json, *, optional: bool) -> None:
        """Add a body: its fields where it is a plain object, else all of it as one argument.

        Args:
            form: how it is written.
            media: the media type object: schema and encodings.
            optional: the document says ``required: false``, so that a call may have none of its fields.
        """
        schema = media.get("schema")
        fields = self._fields(schema) if form.kind in {"json", "form", "multipart"} else None
        if fields is None:
            self._whole(form, schema, optional=optional)
            return
        encodings = cast("dict[str, _Json]", media.get("encoding") or {})
        labels: dict[str, str] = {}
        for name, parts in fields.properties.items():
            read = self._schemas.read(parts[0] if len(parts) == 1 else {"allOf": parts})
            raw = self._schemas.resolved(parts[0])
            items = self._schemas.resolved(raw.get("items"))
            slot = part_place(name, items or raw, dict(encodings.get(name) or {}), form.kind)
            if slot.binary:
                read = self._binary(read)
            required = name in fields.required and not optional
            labels[name] = self.add(read, slot, required=required)
        needed = [labels[name] for name in fields.required if name in labels]
        if optional and needed:
            self._depending |= {
                label: [one for one in needed if one != label] for label in labels.values()
            }
        self._extra = fields.extra

    def _whole(self, form: BodyForm, schema: object, *, optional: bool) -> None:
        read = self._schemas.read(schema)
        if form.kind in {"text", "binary"}:
            said = self._schemas.resolved(schema).get("description")
            note = BINARY_NOTE if form.kind == "binary" else f"The body, as {form.media_type}"
            text = {"type": "string", "description": f"{said}. {note}" if said else note}
            read = Read(text)
        self.add(read, ArgumentPlace("whole", "body"), required=not optional)

    def _binary(self, read: Read) -> Read:
        if isinstance(read.schema, bool):
            return read
        said = read.schema.get("description")
        note = f"{said} {BINARY_NOTE}" if said else BINARY_NOTE
        return read._replace(schema=read.schema | {"description": note})

    def _fields(self, schema: object) -> _Fields | None:
        """Return the fields of an object without alternatives; None for anything else."""
        found = _Fields({}, [], None)
        hidden: set[str] = set()
        extra = self._collect(schema, found, hidden, 0)
        if extra is _OTHER or not found.properties:
            return None
        properties = {name: one for name, one in found.properties.items() if name not in hidden}
        required = [name for name in dict.fromkeys(found.required) if name in properties]
        return _Fields(properties, required, extra) if properties else None

    def _collect(self, schema: object, found: _Fields, hidden: set[str], depth: int) -> object:
        """Collect a schema's fields and those of what it is all of; ``_OTHER`` if it has alternatives."""
        given = self._schemas.resolved(schema)
        kinds = given.get("type", "object")
        names = cast("list[Any]", kinds) if isinstance(kinds, list) else [kinds]
        if depth > _MOST_NESTED or "object" not in names or any(one in given for one in _VARIANTS):
            return _OTHER
        extra: object = given.get("additionalProperties")
        extra = True if extra == {} else extra
        for name, about in cast("dict[str, Any]", given.get("properties") or {}).items():
            found.properties.setdefault(str(name), []).append(about)
            own = self._schemas.resolved(about)
            if own.get("readOnly") is True:
                hidden.add(str(name))
            if own.get("required") is True:
                found.required.append(str(name))
        required = given.get("required")
        if isinstance(required, list):
            found.required.extend(map(str, cast("list[object]", required)))
        for part in cast("list[object]", given.get("allOf") or []):
            inner = self._collect(part, found, hidden, depth + 1)
            if inner is _OTHER:
                return _OTHER
            extra = inner if extra is None else extra
        return extra

    def schema(self) -> _Json:
        """Return the JSON Schema of all arguments."""
        found: _Json = {"type": "object", "properties": self._properties}
        if self._required:
            found["required"] = self._required
        if self._depending:
            found["dependentRequired"] = self._depending
        if self._extra:
            read = self._schemas.read(self._extra)
            found["additionalProperties"] = read.schema
            self._uses |= read.uses
        if self._uses:
            found["$defs"] = self._schemas.definitions(self._uses)
        return found


_OTHER = object()
_EXPLODED = frozenset({"form", "deepObject"})


def _default_style(place: str) -> str:
    return "form" if place in {"query", "cookie"} else "simple"
