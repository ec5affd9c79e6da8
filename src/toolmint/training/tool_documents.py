"""Tool documents of public collections, with the schemas of their results, for synthetic tasks."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolSpec
from toolmint.core.text_files import json_items, read_text
from toolmint.core.values import Value
from toolmint.roles.chat_fields import object_of
from toolmint.training.documented_tools import documented_spec

_KINDS = {
    "string": "string",
    "str": "string",
    "number": "number",
    "int": "integer",
    "integer": "integer",
    "float": "number",
    "boolean": "boolean",
    "bool": "boolean",
    "array": "array",
    "list": "array",
    "object": "object",
    "date": "string",
    "date (yyyy-mm-dd)": "string",
}
_RENAMED = frozenset({"from", "class", "return", "false", "true", "id", "and"})
_NAME_LENGTH = 64
_MOST_ABOUT = 400


def seal_tool_documents(path: Path) -> dict[str, ToolSpec]:
    """Return Seal-Tools' tools by name, each with the schema of what it returns.

    Raises:
        InputError: the file does not follow Seal-Tools' format.
    """
    found: dict[str, ToolSpec] = {}
    for where, item in json_items(read_text(path), str(path)):
        one = object_of(item, where)
        try:
            about = one["api_description"]
            spec = documented_spec(
                one["api_name"], about, one["parameters"], one.get("required") or []
            )
            returned = documented_spec("", "", one.get("responses") or {}, [])
        except (KeyError, TypeError, AttributeError) as fault:
            raise InputError(f"{where} is no tool of Seal-Tools: {fault!r}") from fault
        found[spec.name] = spec.model_copy(update={"returns": returned.parameters})
    return found


def toolbench_name(api: str, tool: str) -> str:
    """Return the name of an API as ToolBench's agents see it: ``api_for_tool``, its last 64 characters."""
    parts = [_standard(api), _standard(tool)]
    named = f"is_{parts[0]}" if parts[0] in _RENAMED else parts[0]
    return f"{named}_for_{parts[1]}"[-_NAME_LENGTH:]


def _standard(text: str) -> str:
    plain = re.sub(r"_+", "_", re.sub(r"[^\w]", "_", text, flags=re.ASCII)).strip("_").lower()
    return f"get_{plain}" if plain[:1].isdigit() else plain


def toolbench_documents(path: Path) -> dict[str, dict[str, ToolSpec]]:
    """Return the APIs of a file of ToolBench's queries by tool and name; the queries are not read.

    Raises:
        InputError: the file does not follow that format.
    """
    found: dict[str, dict[str, ToolSpec]] = {}
    for where, item in json_items(read_text(path), str(path)):
        listed = object_of(item, where).get("api_list")
        if not isinstance(listed, list):
            raise InputError(f"{where} has no 'api_list', expected a query of ToolBench")
        for one in cast("list[object]", listed):
            api = object_of(one, f"{where}, api_list")
            try:
                spec = _api_spec(api)
            except (KeyError, TypeError, AttributeError) as fault:
                raise InputError(f"{where} documents no API of ToolBench: {fault!r}") from fault
            found.setdefault(str(api["tool_name"]), {})[spec.name] = spec
    return found


def _api_spec(api: Mapping[str, Any]) -> ToolSpec:
    required = [_field(one) for one in api["required_parameters"]]
    optional = [_field(one) for one in api["optional_parameters"]]
    name = toolbench_name(api["api_name"], api["tool_name"])
    about = " ".join(str(api["api_description"] or "").split())
    if len(about.split()) < 2:
        about = f"{api['api_name']} of {api['tool_name']}"
    parameters: dict[str, Value] = {
        "type": "object",
        "properties": dict([*required, *optional]),
        "required": [one for one, _ in required],
    }
    returns = _returned(api.get("template_response"))
    return ToolSpec(
        name=name, description=about[:_MOST_ABOUT], parameters=parameters, returns=returns
    )


def _field(one: Mapping[str, Any]) -> tuple[str, Value]:
    kind = _KINDS.get(str(one.get("type", "")).lower(), "string")
    schema: dict[str, Value] = {"type": kind}
    about = " ".join(str(one.get("description") or "").split())[:_MOST_ABOUT]
    if about:
        schema["description"] = about
    default = one.get("default")
    example = _example(default, kind) if default not in (None, "") else None
    if example is not None:
        schema["examples"] = [example]
    return str(one["name"]), schema


def _example(default: object, kind: str) -> Value:
    """Return a default as a value of its kind, None where it is none or long."""
    text = default if isinstance(default, str) else json.dumps(default)
    if len(text) > 60 or "\n" in text:
        return None
    if kind == "string":
        return text
    try:
        value = json.loads(text.lower() if kind == "boolean" else text)
    except ValueError:
        return None
    fits = {
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }
    return value if fits[kind] else None


def _returned(template: object) -> dict[str, Value] | None:
    """Return the schema of ToolBench's template of a response: its plain fields."""
    if not isinstance(template, dict):
        return None
    fields: dict[str, Value] = {}
    for name, kind in cast("dict[str, object]", template).items():
        known = _KINDS.get(kind) if isinstance(kind, str) else None
        if known in {"string", "integer", "number", "boolean"}:
            fields[str(name)] = {"type": known}
    return {"type": "object", "properties": fields} if fields else None
