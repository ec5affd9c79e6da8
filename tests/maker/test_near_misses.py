"""Near misses and generated requests: made without a model, and never a known request."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from toolmint.core.values import Value
from toolmint.embedded.classes import CLASSES
from toolmint.maker.generate_requests import generate_requests
from toolmint.maker.near_miss import common_words, leaves, near_misses, wording


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _parsed(kind: str, count: int = 10) -> list[tuple[str, Value]]:
    rng = Random(1)
    return [(CLASSES[kind](rng).input, {}) for _ in range(count)]


def test_every_class_gives_three_hundred() -> None:
    for kind in CLASSES:
        parsed = _parsed(kind, 30)
        made = near_misses(parsed, count=300)
        assert len({words(miss.text) for miss in made}) == 300
        assert not {words(miss.text) for miss in made} & {words(text) for text, _ in parsed}


def test_each_kind_of_change_occurs() -> None:
    parsed: list[tuple[str, Value]] = [
        (f"Find the earliest time of day for {name}.", {"name": name}) for name in ("Ann", "Ben")
    ]
    kinds = {miss.kind for miss in near_misses(parsed, count=500)}
    assert kinds == {
        "invented",
        "opposite",
        "deleted",
        "negated",
        "reordered",
        "prefixed",
        "suffixed",
    }
    texts = {miss.text for miss in near_misses(parsed, count=500)}
    assert "Find the latest time of day for Ann." in texts


def test_slots_are_left_alone_but_shared_words_in_slots_are_not() -> None:
    requests = [f"Sort these words: {word} pear." for word in ("fig", "plum", "kiwi")]
    common = common_words(requests)
    assert {"these", "words", "pear"} <= common
    spans = wording(requests[0], {"words": ["fig", "pear"]}, common)
    words = {requests[0][span.start : span.end]: span.in_slot for span in spans}
    assert "fig" not in words and words["pear"] is True and words["Sort"] is False


def test_leaves_are_every_scalar() -> None:
    value: Value = {"a": [1, "x", {"b": 2.5}], "c": None, "d": True}
    assert list(leaves(value)) == ["a", "1", "x", "b", "2.5", "c", "d", "True"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=4), max_size=5), st.integers(0, 20)
)
def test_generating_requests_never_fails(parents: list[dict[str, Value]], count: int) -> None:
    children = generate_requests(parents, count=count)
    assert len(children) == (count if any(parents) else 0)


@given(st.lists(st.tuples(st.text(max_size=60), JSON), max_size=6))
def test_near_misses_never_fail(parsed: list[tuple[str, Value]]) -> None:
    for miss in near_misses(parsed, count=50):
        assert words(miss.text) not in {words(text) for text, _ in parsed}
