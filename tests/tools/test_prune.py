"""Schemas that are shortened for a prompt: small enough, and never stricter than the whole ones."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from toolmint.core.messages import ToolSpec
from toolmint.core.schema import schema_fault
from toolmint.tools.prune import pruned, pruned_to, tokens_of_spec


def spec(
    parameters: dict[str, Any], name: str = "a", description: str = "Does a thing."
) -> ToolSpec:
    return ToolSpec(name=name, description=description, parameters=parameters)


def wide(fields: int, text: str = "word " * 30, required: int = 1) -> ToolSpec:
    properties = {f"field_{n}": {"type": "string", "description": text} for n in range(fields)}
    names = [f"field_{n}" for n in range(required)]
    return spec({"type": "object", "properties": properties, "required": names}, f"wide_{fields}")


NODE = {
    "type": "object",
    "required": ["value"],
    "properties": {
        "value": {"type": "integer", "description": "a number " * 20, "minimum": 0},
        "kind": {"enum": [f"kind {n}" for n in range(80)]},
        "next": {"$ref": "#/$defs/Node"},
        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
    "additionalProperties": False,
}
TREE = spec(
    {"type": "object", "properties": {"root": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": NODE}}
)


@pytest.mark.parametrize("tokens", [2000, 800, 300, 120, 60])
@pytest.mark.parametrize("given", [wide(200), wide(30), TREE], ids=["wide", "narrow", "tree"])
def test_a_schema_takes_no_more_than_its_tokens(given: ToolSpec, tokens: int) -> None:
    found = pruned(given, tokens)
    assert tokens_of_spec(found) <= tokens or (given is not TREE and tokens <= 120)
    assert schema_fault(found.parameters) is None
    assert found is given or "$ref" not in json.dumps(found.parameters)


def test_what_is_small_enough_stays_as_it_is() -> None:
    assert pruned(TREE, 10_000) is TREE


def test_what_is_cut_is_said() -> None:
    found = pruned(wide(40), 300)
    shown: Any = found.parameters["properties"]
    assert "characters cut]" in shown["field_0"]["description"]
    assert "More optional arguments: field_" in found.description
    assert found.parameters["required"] == ["field_0"]
    kinds: Any = pruned(TREE, 250).parameters
    text = json.dumps(kinds)
    assert '"kind 0\\", \\"kind 1\\"' in text
    assert "more]" in text


def test_alternatives_at_the_top_are_not_shown() -> None:
    given = spec(
        {
            "type": "object",
            "properties": {"a": {"type": "string", "description": "x" * 2000}, "b": {}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        }
    )
    assert set(pruned(given, 200).parameters) == {"type", "properties"}


def test_tools_share_what_they_may_take() -> None:
    small, large, huge = wide(1, "short"), wide(60), wide(400)
    found = pruned_to([huge, small, large], 3000)
    assert [one.name for one in found] == ["wide_400", "wide_1", "wide_60"]
    assert found[1] is small
    assert sum(map(tokens_of_spec, found)) <= 3000
    assert tokens_of_spec(found[0]) > 800
    assert pruned_to([small], 3000) == (small,)
    assert pruned_to([], 3000) == ()


leaves = st.sampled_from(
    [
        {"type": "string", "description": "text " * 40},
        {"type": "integer", "minimum": 3},
        {"enum": ["a", "b", 3, None]},
        {"type": ["string", "null"], "maxLength": 2},
        {"const": "a"},
        {"$ref": "#/$defs/D"},
        {"$ref": "#/$defs/D", "properties": {"c": {"type": "integer"}}},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
        {"not": {"type": "string"}},
    ]
)


def objects(inner: Any) -> Any:
    names = st.sampled_from("abc")
    return st.builds(
        lambda fields, needed, extra, pattern: {
            "type": "object",
            "properties": fields,
            "required": needed,
            **({} if extra is None else {"additionalProperties": extra}),
            **({"patternProperties": {"^c": {"type": "integer"}}} if pattern else {}),
        },
        st.dictionaries(names, inner, max_size=3),
        st.lists(names, unique=True, max_size=2),
        st.none() | st.booleans() | inner,
        st.booleans(),
    )


schemas = st.recursive(
    leaves,
    lambda inner: (
        objects(inner)
        | st.builds(lambda one: {"type": "array", "items": one, "maxItems": 3}, inner)
        | st.builds(
            lambda key, some: {key: some},
            st.sampled_from(["anyOf", "oneOf", "allOf"]),
            st.lists(inner, min_size=1, max_size=3),
        )
    ),
    max_leaves=8,
)
values = st.recursive(
    st.sampled_from(["a", "b", "", "long", 0, 3, 5, None, True]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    objects(schemas),
    st.dictionaries(st.sampled_from("abcd"), values, max_size=3),
    st.integers(10, 200),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_shortened_schema_takes_what_the_whole_one_takes(
    schema: dict[str, Any], value: dict[str, Any], tokens: int
) -> None:
    definition = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "additionalProperties": False,
    }
    whole = schema | {"$defs": {"D": definition}}
    found = pruned(spec(whole, description="d" * 1000), tokens)
    assert schema_fault(found.parameters) is None
    if Draft202012Validator(whole).is_valid(value):
        assert Draft202012Validator(found.parameters).is_valid(value)
