"""Schemas from outside are checked in bounded time, without fetching anything, and never raise."""

import time
from typing import Any

import pytest

from toolmint.core.messages import ToolSpec
from toolmint.core.schema import is_bounded, matches_schema, violations


def nested(depth: int) -> dict[str, Any]:
    """Return a schema of lists in lists."""
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


DOUBLING = {f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(40)}
UNBOUNDED: list[dict[str, Any]] = [
    {"pattern": "^(a+)+$"},
    {"properties": {"v": {"type": "string", "pattern": "^(a+)+$"}}},
    {"patternProperties": {"^(a+)+$": {}}},
    {"anyOf": [{"not": {"$ref": "http://127.0.0.1:9/schema"}}]},
    {"$ref": "file:///etc/passwd"},
    {"$ref": "other.json#/a"},
    {"$dynamicRef": "#a"},
    {"properties": {"v": {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#"}}},
    {"unevaluatedProperties": False},
    {"description": "x" * 40_000},
    nested(300),
]
ODD: list[dict[str, Any]] = [
    {"$ref": "#/$defs/nope"},
    {"$ref": "#"},
    {"$ref": "#/allOf/x", "allOf": [True]},
    {"$ref": "#/title/x", "title": "t"},
    {"$defs": DOUBLING | {"d40": {"type": "object"}}, "$ref": "#/$defs/d0"},
    {"type": {}},
    {"type": ["text"]},
    {"$id": []},
    {"enum": 3},
    {"required": [[]]},
    {"properties": []},
]


@pytest.mark.parametrize("schema", UNBOUNDED, ids=lambda one: str(one)[:40])
def test_a_schema_that_is_not_bounded_is_never_checked(schema: dict[str, Any]) -> None:
    begun = time.process_time()
    assert not is_bounded(schema)
    assert not matches_schema(schema, {"v": "a" * 40 + "b"})
    assert not matches_schema(schema, "a" * 40 + "b")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("schema", ODD, ids=lambda one: str(one)[:40])
def test_a_schema_that_cannot_be_applied_fits_nothing(schema: dict[str, Any]) -> None:
    begun = time.process_time()
    values: list[Any] = [{"v": "a"}, "a", [[1]], None]
    for value in values:
        assert not matches_schema(schema, value)
    assert time.process_time() - begun < 5


def test_common_schemas_are_bounded_and_checked() -> None:
    schema: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$defs": {"word": {"type": "string", "format": "date"}},
        "type": "object",
        "properties": {
            "v": {"$ref": "#/$defs/word"},
            "pattern": {"type": "string"},
            "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        },
        "required": ["v"],
        "additionalProperties": False,
    }
    assert is_bounded(schema)
    assert matches_schema(schema, {"v": "a", "next": {"v": "b", "next": None}})
    assert not matches_schema(schema, {"v": "a", "next": {"v": 3}})


def test_a_tool_whose_schema_leads_elsewhere_says_so_and_fetches_nothing() -> None:
    for to in ("http://127.0.0.1:9/schema", "#/$defs/nope", "#"):
        spec = ToolSpec(name="t", description="", parameters={"properties": {"v": {"$ref": to}}})
        found = violations(spec, {"v": {"v": 1}} if to != "#" else {"v": 1})
        assert all("cannot be applied" in one for one in found) and (to == "#") == (not found)
