"""Calls that open models write as text are read, all of them, and names lead to the tools that they mean."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolmint.core.messages import ToolSpec
from toolmint.core.tool_names import legal_names, resolved_name
from toolmint.roles.dialects import written_calls
from toolmint.roles.reading import read_actions, read_backbone

SPECS = (
    ToolSpec(
        name="weather",
        description="",
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        },
    ),
    ToolSpec(name="shop.price", description="", parameters={"type": "object"}),
)
OSLO = '{"city": "Oslo", "days": 2}'


@pytest.mark.parametrize(
    "text",
    [
        f'<tool_call>\n{{"name": "weather", "arguments": {OSLO}}}\n</tool_call>',
        f'<tool_call>\n{{"name": "weather", "arguments": {OSLO}}}',
        (
            "<tool_call>\n<function=weather>\n<parameter=city>\nOslo\n</parameter>\n<parameter=days>\n2\n"
            "</parameter>\n</function>\n</tool_call>"
        ),
        f"<function=weather>{OSLO}</function>",
        f'<|python_tag|>{{"name": "weather", "parameters": {OSLO}}}',
        '<|python_tag|>weather.call(city="Oslo", days=2)',
        "[weather(city='Oslo', days=2)]",
        f'[TOOL_CALLS][{{"name": "weather", "arguments": {OSLO}, "id": "a1"}}]',
        f"[TOOL_CALLS]weather[ARGS]{OSLO}",
        f"<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{OSLO}<|call|>",
        f'```json\n{{"name": "weather", "arguments": {OSLO}}}\n```',
        f'I call {{it}}: {{"name": "weather", "arguments": {OSLO}}} now',
        f'{{"tool": "weather", "args": {OSLO}}}',
        f'{{"action": "weather", "action_input": {OSLO}}}',
        f'{{"name": "functions.weather", "arguments": {json.dumps(OSLO)}}}',
    ],
)
def test_every_dialect_is_read_alike(text: str) -> None:
    (action,) = read_actions(text, tools=SPECS)
    assert action.name == "weather"
    assert json.loads(action.arguments) == {"city": "Oslo", "days": 2}
    whole = read_backbone("I look it up.\n" + text, tools=SPECS)
    assert whole.plan.decision == "call"
    assert whole.action is not None and whole.action.name == "weather"


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>{"name": "a"}</tool_call>\n<tool_call>{"name": "b"}</tool_call>',
        '[TOOL_CALLS][{"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}]',
        "[TOOL_CALLS]a[ARGS]{}[TOOL_CALLS]b[ARGS]{}",
        '<|python_tag|>{"name": "a", "parameters": {}}; {"name": "b", "parameters": {}}',
        '```json\n[{"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}]\n```',
        "[a(), b(x=[1, 'y', {'z': None}])]",
    ],
)
def test_several_calls_are_all_read(text: str) -> None:
    assert [one.name for one in read_actions(text)] == ["a", "b"]


def test_a_result_that_the_model_made_up_is_no_call() -> None:
    text = '{"name": "weather", "arguments": {}}\nObservation: {"name": "Norda", "year": 1}'
    assert [one.name for one in read_actions(text)] == ["weather"]


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [('{"x": NaN}', '{"x": NaN}'), ("null", "{}"), ("[1]", "[1]"), ('{"x": "\\ud800"}', None)],
)
def test_odd_arguments_have_a_text(arguments: str, kept: str | None) -> None:
    (action,) = read_actions(f'{{"name": "a", "arguments": {arguments}}}')
    action.arguments.encode()
    assert kept is None or action.arguments == kept


def test_a_call_nested_a_thousand_deep_is_no_call_and_no_crash() -> None:
    deep = "[" * 1000 + "]" * 1000
    (action,) = read_actions(f'{{"name": "a", "arguments": {{"x": {deep}}}}}')
    assert action.name is None and action.notes


PIECES = st.lists(
    st.sampled_from(
        [
            "<tool_call>",
            "</tool_call>",
            "<function=",
            "<function=a>",
            "<parameter=b>",
            "<|python_tag|>",
            "[TOOL_CALLS]",
            "[ARGS]",
            "to=functions.a",
            "<|message|>",
            "```json\n",
            "a(x=",
            "'",
            '"',
            "{",
            "}",
            "[",
            "]",
            ")",
            '{"name": "a", "arguments": ',
            "\n",
        ]
    )
    | st.text(max_size=4),
    max_size=16,
)


@settings(deadline=None)
@given(PIECES)
def test_every_text_has_a_reading(pieces: list[str]) -> None:
    text = "".join(pieces)
    for call in written_calls(text, SPECS):
        call.arguments.encode()
    assert read_actions(text, tools=SPECS)
    assert read_backbone(text, tools=SPECS).plan.decision is not None


@settings(deadline=None)
@given(st.lists(st.text(max_size=80), max_size=8, unique=True))
def test_names_are_legal_differ_and_lead_back(names: list[str]) -> None:
    legal = legal_names(names)
    assert len(set(legal.values())) == len(names)
    for own, sent in legal.items():
        assert 1 <= len(sent) <= 64 and sent.replace("_", "a").replace("-", "a").isalnum()
        assert sent.isascii()
        if sent not in names:
            assert resolved_name(sent, names) == own
