"""An answer's values are looked for in what the run saw, however they are written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolmint.roles.grounding import ungrounded_values

SEEN = (
    "When was Norda founded?",
    (
        '{"year": 1987, "names": ["A", "B", "C"], "price": 12.345, "share": 0.457, '
        '"at": "2025-03-04T14:30:00Z", "sold": 12000}'
    ),
)


@pytest.mark.parametrize(
    "answer",
    [
        "Norda was founded in 1987.",
        "It costs 12.35, a share of 45.7 %.",
        "It costs about 12.",
        "It is on March 4, 2025 at 2:30 pm, a Tuesday.",
        "It is on 04.03.2025 at 14:30.",
        "12,000 were sold.",
        "12 thousand were sold.",
        "There are 3 names: A, B and C.",
        "Norda's year is `1987`.",
        "# Founding Year\n1. **Norda**: 1987",
        "Nothing was found.",
        "Yes.",
        "",
        "Die Firma Norda wurde 1987 gegründet und ist alt.",
    ],
)
def test_what_was_seen_is_grounded(answer: str) -> None:
    assert ungrounded_values(answer, SEEN) == ()


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        ("Norda was founded in 1988.", ("1988",)),
        ("The was Norda is cancelled: Companies is made: Companies.", ("Companies",)),
        ("It is on March 5, 2025.", ("March 5, 2025",)),
        ("It is at 15:30.", ("15:30",)),
        ('It says "hello world".', ("hello world",)),
        ("Its capital is Paris.", ("Paris",)),
        ("Paris", ("Paris",)),
        ("The order is AB-12x.", ("AB-12x",)),
        ("In total 13.", ("13",)),
        ("46.1 % of them.", ("46.1 %",)),
    ],
)
def test_what_was_never_seen_is_named(answer: str, values: tuple[str, ...]) -> None:
    assert ungrounded_values(answer, SEEN) == values


@settings(deadline=None)
@given(st.text(), st.lists(st.text(), max_size=3))
def test_every_text_has_a_verdict(answer: str, seen: list[str]) -> None:
    assert isinstance(ungrounded_values(answer, seen), tuple)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["1,", "2.5", "%", " 3rd", "May", " 4", ":30", "pm", "-", "/", "2025", "'"]
        ),
        max_size=10,
    )
)
def test_what_looks_like_values_has_a_verdict_and_stands_in_itself(pieces: list[str]) -> None:
    text = "".join(pieces)
    ungrounded_values(text, [text])
    assert ungrounded_values(text, []) is not None
