"""The fields of chat files: a closed set, each one read or refused by its name and place."""

import json
from collections.abc import Collection, Mapping
from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolSpec
from toolmint.core.text_files import json_value

Fields = dict[str, Any]
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_FUNCTION = ("name", "description", "parameters", "returns", "return", "strict")
_SCHEMA_WORDS = ("type", "properties", "required", "enum", "items", "description")


def refused(where: str, name: str, value: object, expected: str) -> InputError:
    """Return the error of a field that is not understood."""
    return InputError(
        f"{where}: the field {name!r} ({value!r:.60}) is not understood; expected {expected}",
        code="unknown-field",
    )


def object_of(value: object, where: str, what: str = "a JSON object") -> Fields:
    """Return an object without the fields that are null: tables that became JSON hold null for absent.

    Raises:
        InputError: it is no object.
    """
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected {what}, got {value!r:.60}")
    given = cast("Fields", value)
    return {str(name): one for name, one in given.items() if one is not None}


def check_known(fields: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Raise for a field outside of a closed set.

    Raises:
        InputError: a field is not in the set; the message names it, its value and the known ones.
    """
    for name, value in fields.items():
        if name not in known:
            raise refused(where, name, value, f"only {', '.join(known)}")


def text_of(content: object, where: str) -> str:
    """Return the text of a message's content: a text, or the texts of its parts, joined as they are.

    Raises:
        InputError: it is neither, or a part is no text; the part's number and type are named.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise InputError(
            f"{where}: 'content' is {content!r:.60}; expected a text or a list of text parts"
        )
    texts: list[str] = []
    for number, part in enumerate(cast("list[object]", content), 1):
        place = f"{where}, part {number}"
        fields = object_of(part, place, "a part with 'type' and 'text'")
        if fields.get("type") not in _TEXT_PARTS:
            raise InputError(
                f"{place}: content of type {fields.get('type')!r} cannot be learnt; expected text",
                code="content-part",
            )
        check_known(fields, ("type", "text"), place)
        if not isinstance(fields.get("text"), str):
            raise InputError(f"{place}: 'text' is {fields.get('text')!r:.60}; expected a text")
        texts.append(fields["text"])
    return "".join(texts)


def list_of(value: object, where: str, name: str) -> list[Any]:
    """Return a list that is given as such or as a JSON text; null and an empty text are an empty list.

    Raises:
        InputError: it is neither.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if isinstance(value, str):
        value = json_text(value, where, name)
    if not isinstance(value, list):
        raise InputError(f"{where}: {name!r} is {value!r:.60}; expected a list, or its JSON text")
    return cast("list[Any]", value)


def json_text(text: str, where: str, name: str) -> object:
    """Return the value of a field that holds JSON as a text.

    Raises:
        InputError: it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise InputError(
            f"{where}: {name!r} is the text {text!r:.60}, which is no JSON ({fault})"
        ) from fault


def tool_specs(given: object, where: str, name: str = "tools") -> tuple[ToolSpec, ...]:
    """Return the tools of an item: a list or its JSON text; each one wrapped in ``function`` or flat.

    Raises:
        InputError: a tool is no function, has a field that is not understood, or is there twice.
    """
    found: dict[str, ToolSpec] = {}
    for number, one in enumerate(list_of(given, where, name), 1):
        place = f"{where}, {name} {number}"
        fields = object_of(one, place)
        if fields.get("type", "function") != "function":
            raise InputError(
                f"{place}: a tool of type {fields['type']!r} cannot be learnt; expected 'function'",
                code="unknown-field",
            )
        if "function" in fields:
            check_known(fields, ("type", "function"), place)
            fields = object_of(fields["function"], f"{place}, function")
        else:
            fields.pop("type", None)
        spec = _spec(fields, place)
        if spec.name in found:
            raise InputError(f"{place}: a tool named {spec.name!r} is there already")
        found[spec.name] = spec
    return tuple(found.values())


def _spec(fields: Fields, place: str) -> ToolSpec:
    # ``strict`` holds anyway: local models decode calls under the grammar of the schema.
    check_known(fields, _FUNCTION, place)
    name, description = fields.get("name"), fields.get("description", "")
    if not isinstance(name, str) or not name:
        raise InputError(f"{place}: 'name' is {name!r:.60}; expected the tool's name")
    if not isinstance(description, str):
        raise InputError(f"{place}: 'description' is {description!r:.60}; expected a text")
    if not isinstance(fields.get("strict", False), bool):
        raise refused(place, "strict", fields["strict"], "true or false")
    empty: Fields = {"type": "object", "properties": {}}
    returns = fields.get("returns", fields.get("return"))
    return ToolSpec(
        name=name,
        description=description,
        parameters=_schema(fields.get("parameters", empty), f"{place}, parameters"),
        returns=None if returns is None else _schema(returns, f"{place}, returns"),
    )


def _schema(value: object, where: str) -> Fields:
    """Return a JSON Schema, also from its JSON text, without the words that are null."""
    if isinstance(value, str):
        value = json_text(value, where, "parameters")
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected a JSON Schema (an object), got {value!r:.60}")
    given = cast("Fields", value)
    found = {
        name: one for name, one in given.items() if one is not None or name not in _SCHEMA_WORDS
    }
    properties = found.get("properties", {})
    if not isinstance(properties, dict):
        raise InputError(f"{where}: 'properties' is {properties!r:.60}; expected an object")
    if properties:
        known = cast("Fields", properties)
        found["properties"] = {
            name: _schema(one, f"{where}.{name}") for name, one in known.items() if one is not None
        }
    if not isinstance(found.get("required", []), list):
        raise InputError(f"{where}: 'required' is {found['required']!r:.60}; expected a list")
    return found


def tool_calls(given: object, where: str, *, learnt: bool = True) -> list[Fields]:
    """Return an assistant's calls in OpenAI's form; arguments may be a text or an object.

    ``learnt``: see ``function_call``.

    Raises:
        InputError: a call is no call of a function, or has a field that is not understood.
    """
    found: list[Fields] = []
    for number, one in enumerate(list_of(given, where, "tool_calls"), 1):
        place = f"{where}, call {number}"
        fields = object_of(one, place)
        if fields.get("type", "function") != "function":
            raise InputError(
                f"{place}: a call of type {fields['type']!r} cannot be learnt; expected 'function'",
                code="unknown-field",
            )
        name = fields.get("id", "")
        if not isinstance(name, str):
            raise refused(place, "id", name, "a text")
        if "function" in fields:
            check_known(fields, ("id", "type", "function"), place)
            call = function_call(fields["function"], place, learnt=learnt)
        else:
            flat = {key: value for key, value in fields.items() if key not in {"id", "type"}}
            call = function_call(flat, place, learnt=learnt)
        found.append({"id": name, "type": "function", "function": call})
    return found


def function_call(given: object, where: str, *, learnt: bool = True) -> Fields:
    """Return ``{"name", "arguments"}`` with the arguments as a text; an empty text is no arguments.

    ``learnt``: a role learns the call, so its arguments have to be a JSON object; what is context alone,
    or was written by a model of ours, may be anything.

    Raises:
        InputError: a name or arguments are missing or malformed, or another field is there.
    """
    fields = object_of(given, where, "a call with 'name' and 'arguments'")
    check_known(fields, ("name", "arguments"), where)
    name, arguments = fields.get("name"), fields.get("arguments")
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}: 'name' is {name!r:.60}; expected the tool's name")
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments, ensure_ascii=False)
    if not isinstance(arguments, str):
        raise InputError(
            f"{where}: 'arguments' is {arguments!r:.60}; expected an object, or its JSON text"
        )
    if learnt:
        arguments = arguments if arguments.strip() else "{}"
        _check_object(arguments, where)
    return {"name": name, "arguments": arguments}


def _check_object(arguments: str, where: str) -> None:
    """Raise InputError where a text is no JSON object."""
    try:
        value: object = json_value(arguments)
    except ValueError as fault:
        raise InputError(
            f"{where}: 'arguments' is the text {arguments!r:.60}, which is no JSON ({fault})"
        ) from fault
    if not isinstance(value, dict):
        raise InputError(
            f"{where}: 'arguments' is the text {arguments!r:.60}; expected the JSON of an object"
        )
