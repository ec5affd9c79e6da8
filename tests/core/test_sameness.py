"""What "the same answer" means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolmint.core.sameness import same_answer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris", "Paris"),
        ("Paris", " Paris\n"),
        ("a  b", "\ta  b\u00a0"),
        ("", " \n"),
        ("{not json}", "{not json} "),
        ('{"a":1,"a":2}', ' {"a":1,"a":2}'),
    ],
)
def test_texts_are_the_same_but_for_their_ends(one: str, other: str) -> None:
    assert same_answer(one, other) == same_answer(other, one) == "text"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": [2]}', '{"b":[2],"a":1}\n'),
        ('{"a": 1}', '{"a": 1.0}'),
        ("[1e0, 100]", "[1, 1E2]"),
        ('{"price": 1.50}', '{"price": 1.5}'),
        ('["\\u00e9"]', '["é"]'),
        ("[]", "[ ]"),
        ('{"a": {"x": 1, "y": 2}}', '{\n  "a": {"y": 2,\t"x": 1}\n}'),
        ("[9007199254740993]", "[9007199254740993.0]"),
    ],
)
def test_json_answers_are_the_same_by_their_value(one: str, other: str) -> None:
    assert same_answer(one, other) == same_answer(other, one) == "json"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a  b", "a b"),
        ("a\nb", "a b"),
        ("a\u00a0b", "a b"),
        ("line\r\nline", "line\nline"),
        ("Paris", "paris"),
        ("caf\u00e9", "cafe\u0301"),
        ("Paris", "Paris."),
        # A bare scalar is text: its form is the answer.
        ("1", "1.0"),
        ("true", "True"),
        ('"a"', "a"),
        ('"\\u00e9"', '"é"'),
        # What JSON does not take for the same value.
        ("[1, 2]", "[2, 1]"),
        ("[1]", "[true]"),
        ("[0]", "[false]"),
        ("[null]", "[false]"),
        ('["1"]', "[1]"),
        ('{"a": "x  y"}', '{"a": "x y"}'),
        ('{"a": "x "}', '{"a": "x"}'),
        ('{"a ": 1}', '{"a": 1}'),
        ('{"a": null}', "{}"),
        ("[]", "{}"),
        ("[9007199254740993]", "[9007199254740992]"),
        ("[0.1]", "[0.1000000000000000055511151231257827]"),
        ("[1e400]", "[1e401]"),
        # What is no sound JSON is text.
        ('{"a": 1, "a": 2}', '{"a": 2}'),
        ('{"a": 1, "a": 2}', '{"a": 1,  "a": 2}'),
        ("[NaN]", "[ NaN]"),
        ("[Infinity]", "[1e999, ]"),
        ("{a: 1}", "{a:  1}"),
        ("[1] and", "[1]  and"),
        ('```json\n{"a": 1}\n```', '```json\n{"a":1}\n```'),
        ("[" * 100_000, "[ " * 100_000),
        ("[" * 100_000 + "]" * 100_000, "[ " + "[" * 99_999 + "]" * 100_000),
        ("[1e99999999999999999999]", "[ 1e99999999999999999999]"),
    ],
    ids=lambda text: text[:24],
)
def test_everything_else_differs(one: str, other: str) -> None:
    assert same_answer(one, other) is None and same_answer(other, one) is None


@given(JSON)
def test_a_json_answer_is_the_same_however_it_is_laid_out(value: Any) -> None:
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"))
    wide = json.dumps(value, ensure_ascii=False, indent=3)
    found = same_answer(plain, wide)
    if isinstance(value, (dict, list)):
        assert found == ("text" if plain == wide else "json")
    else:
        assert found == ("text" if plain == wide else None)


@given(JSON, JSON)
def test_two_json_answers_are_the_same_just_where_their_values_are(one: Any, other: Any) -> None:
    same = same_answer(json.dumps([one]), json.dumps([other], indent=1)) is not None
    exact = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert same == exact
