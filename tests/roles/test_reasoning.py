"""Reasoning is kept apart from speech and decides nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolmint.roles.openai_messages import decode_messages, encode_messages
from toolmint.roles.reasoning import split_reasoning


@pytest.mark.parametrize(
    ("text", "said", "reasoning"),
    [
        (
            "<think>a\nNext: caller</think>\n\nI say.\nNext: give up",
            "I say.\nNext: give up",
            "a\nNext: caller",
        ),
        ("thought</think>\n\nsaid", "said", "thought"),
        ("<think>cut off", "", "cut off"),
        ("<thinking>a</thinking>b", "b", "a"),
        ("[THINK]a[/THINK]b", "b", "a"),
        ("one\n<think>two</think>\nthree\n<think>four</think>", "one\nthree", "two\nfour"),
        ("<think>a<think>b</think>c</think> d", "d", "a<think>b\nc"),
        ('Action: f\nAction Input: {"text": "</think>"}',) * 2 + ("",),
        ("plain <b>text</b> [1]", "plain <b>text</b> [1]", ""),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
            "4",
            "hm",
        ),
    ],
)
def test_what_was_thought_is_told_from_what_was_said(text: str, said: str, reasoning: str) -> None:
    assert split_reasoning(text) == (said, reasoning)


PIECES = st.lists(
    st.sampled_from(
        ["<think>", "</think>", "\n", " ", "[THINK]", "[/THINK]", "<|channel|>", "<|message|>"]
    )
    | st.text(max_size=4)
)


@settings(deadline=None)
@given(PIECES)
def test_every_text_has_a_reading(pieces: list[str]) -> None:
    found = split_reasoning("".join(pieces))
    assert isinstance(found.said, str) and isinstance(found.reasoning, str)


def test_reasoning_in_chat_files_is_kept_apart_and_written_back() -> None:
    item = {
        "messages": [
            {"role": "user", "content": "When?"},
            {"role": "assistant", "content": "<think>hm</think>1987", "reasoning_content": "so"},
        ]
    }
    read = decode_messages(item)
    assert read.answer == "1987"
    assert read.steps[0].turns[0].reasoning == "so\nhm"
    assert decode_messages(encode_messages(read)) == read
