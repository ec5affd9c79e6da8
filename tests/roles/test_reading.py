"""Every text has a defined reading."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolmint.core.messages import ToolCall
from toolmint.roles.reading import (
    missing_tool_in,
    read_action,
    read_answer,
    read_backbone,
    read_plan,
)

PIECES = st.lists(
    st.sampled_from(
        [
            "Next: caller",
            "Next: give up.",
            "next: Conclusion",
            "Action: a\n",
            "Action Input: {",
            "{}",
            '"',
            "</s>",
            "<tool_call>",
            "conclusion: ",
            "```python\n",
            "\n",
            "text ",
            '{"name": "b"}',
            "Missing tool: x",
            "\ud800",
        ]
    )
    | st.text(max_size=5),
    max_size=12,
)


@given(PIECES)
def test_readers_never_fail(pieces: list[str]) -> None:
    text = "".join(pieces)
    plan, action, answer, whole = (
        read_plan(text),
        read_action(text),
        read_answer(text),
        read_backbone(text),
    )
    assert plan.decision is not None or plan.notes
    assert action.name is not None or action.notes
    assert answer.text or answer.notes
    assert (whole.action is None) or (whole.answer is None)
    assert whole.plan.decision is not None
    assert read_action(text, program="python").notes is not None


@pytest.mark.parametrize(
    ("text", "thought", "decision"),
    [
        ("I look. Next: caller.", "I look.", "call"),
        ("I look.\n**Next: Caller**", "I look.", "call"),
        ("Done.\nNext: conclusion.", "Done.", "answer"),
        ("Done.\nNext: summarizer", "Done.", "answer"),
        ("No.\nNext: give up.", "No.", "give_up"),
        ("No.\nNext: give_up", "No.", "give_up"),
        ("Next: caller, then Next: give up", "Next: caller, then", "give_up"),
        ("just words", "just words", None),
    ],
)
def test_plans(text: str, thought: str, decision: str | None) -> None:
    plan = read_plan(text)
    assert (plan.thought, plan.decision) == (thought, decision)


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ('Action: a_b\nAction Input: {"x": 1}', "a_b", '{"x": 1}'),
        ('Thought.\nAction: a\nAction Input: {"x": "}"} and more', "a", '{"x": "}"}'),
        ("Action: a\nAction Input: not json", "a", "not json"),
        ("Action: \nAction Input: {}", "", "{}"),
        ('{"name": "a", "arguments": {"x": 1}}', "a", '{"x":1}'),
        ('<tool_call>\n{"name": "a", "arguments": "{}"}\n</tool_call>', "a", "{}"),
        ('{"function": {"name": "a", "parameters": {}}}', "a", "{}"),
        ("no call here", None, "no call here"),
    ],
)
def test_actions(text: str, name: str | None, arguments: str) -> None:
    action = read_action(text)
    assert (action.name, action.arguments) == (name, arguments)


def test_a_second_call_is_dropped_and_said() -> None:
    calls = tuple(ToolCall(id=str(n), name=f"t{n}", arguments="{}") for n in range(3))
    action = read_action("", calls)
    assert action.name == "t0"
    assert action.notes == ("2 further calls were dropped: one call a step",)


def test_a_fenced_program_is_a_call_where_programs_run() -> None:
    text = "I compute.\n```python\nprint(6 * 7)\n```"
    action = read_action(text, program="python")
    assert action.name == "python"
    assert json.loads(action.arguments) == {"code": "print(6 * 7)\n"}
    assert read_action(text).name is None


@pytest.mark.parametrize(
    ("text", "decision", "name", "answer"),
    [
        ("Look.\nAction: a\nAction Input: {}", "call", "a", None),
        ("All known.\nconclusion: It is 3.", "answer", None, "It is 3."),
        ("conclusion: give up.", "give_up", None, None),
        ("No tool. Next: give up", "give_up", None, None),
        ("It is 3.", "answer", None, "It is 3."),
        ("", "answer", None, ""),
    ],
)
def test_whole_steps(text: str, decision: str, name: str | None, answer: str | None) -> None:
    whole = read_backbone(text)
    assert whole.plan.decision == decision
    assert (whole.action.name if whole.action else None) == name
    assert (whole.answer.text if whole.answer else None) == answer


def test_another_roles_format_is_noted() -> None:
    assert "another role" in read_answer("Action: a\nAction Input: {}").notes[0]
    assert read_answer("conclusion: 5").text == "5"
    assert missing_tool_in("x\nMissing tool: adds numbers\n") == "adds numbers"
    assert missing_tool_in("x") is None
