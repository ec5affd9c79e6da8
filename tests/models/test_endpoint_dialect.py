"""Endpoints differ: what they send is read in one way, and what they refuse by name is put otherwise."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.endpoint import Said, completion, endpoint

from toolmint.core.errors import ContextOverflow, ModelError
from toolmint.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from toolmint.core.model import ModelRequest, ModelResponse
from toolmint.models.endpoint_dialect import Dialect, alternating, shaped
from toolmint.models.openai import OpenAIModel
from toolmint.models.openai_wire import StreamReader, decode_response

pytestmark = pytest.mark.anyio
TOOL = ToolSpec(name="shop.price (all)", description="Price.", parameters={"type": "object"})
CALL = ToolCall(id="1", name=TOOL.name, arguments="{}")
ASK = ModelRequest(
    messages=(
        SystemMessage(content="s"),
        UserMessage(content="u"),
        AssistantMessage(content="I look.", tool_calls=(CALL,)),
        ToolMessage(tool_call_id="1", content="2"),
        UserMessage(content="i"),
    ),
    tools=(TOOL,),
    tool_choice="required",
)


async def asked(replies: Sequence[Said], **options: Any) -> tuple[ModelResponse, list[Any]]:
    async with endpoint(replies) as (url, seen):
        model = OpenAIModel("m", api_key=None, base_url=url, **options)
        try:
            return await model.complete(ASK), seen
        finally:
            await model.close()


def message(**fields: Any) -> dict[str, Any]:
    body = completion("")
    body["choices"][0]["message"] = {"role": "assistant", "content": None} | fields
    return body


def refusal(text: str, status: int = 400) -> Said:
    return Said(status, {"error": {"message": text}})


async def test_a_refused_tool_choice_is_left_out() -> None:
    no = refusal("Invalid parameter: 'tool_choice' must be one of 'none', 'auto'")
    response, seen = await asked([no, Said(200, completion("ok"))])
    assert response.content == "ok"
    assert ["tool_choice" in body for body in seen] == [True, False]
    assert "tools" in seen[1]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Conversation roles must alternate user/assistant/user/assistant/...", 400),
        ("Unexpected role 'user' after role 'tool'", 400),
        ("After the optional system message, conversation roles must alternate", 500),
    ],
)
async def test_roles_take_turns_where_the_template_asks_it(text: str, status: int) -> None:
    _, seen = await asked([refusal(text, status), Said(200, completion("ok"))])
    roles = [one["role"] for one in seen[1]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "user"]
    _, seen = await asked([Said(200, completion("ok"))], alternate=True)
    assert [one["role"] for one in seen[0]["messages"]] == roles


async def test_a_system_message_that_is_refused_begins_the_users() -> None:
    _, seen = await asked([refusal("System role not supported"), Said(200, completion("ok"))])
    assert seen[1]["messages"][0] == {"role": "user", "content": "s\n\nu"}


@pytest.mark.parametrize(
    "text",
    [
        "registry.ollama.ai/library/gemma:2b does not support tools",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    ],
)
async def test_tools_that_are_refused_are_described_in_the_text(text: str) -> None:
    _, seen = await asked([refusal(text), Said(200, completion("ok"))])
    assert "tools" not in seen[1] and "tool_choice" not in seen[1]
    texts = [one["content"] for one in seen[1]["messages"]]
    assert '"name": "shop_price__all_"' in texts[0]
    assert "<tool_call>" in texts[2] and "<tool_response>\n2" in texts[3]
    assert {one["role"] for one in seen[1]["messages"]} == {"system", "user", "assistant"}


async def test_the_limit_of_tokens_takes_the_name_that_is_asked_for() -> None:
    no = refusal("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    _, seen = await asked([no, Said(200, completion("ok"))])
    assert "max_tokens" not in seen[1] and seen[1]["max_completion_tokens"] == 2048


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "request (5000 tokens) exceeds the available context size (4096 tokens)"),
        (400, "This model's maximum context length is 4096 tokens"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (413, "too large"),
        (500, "the request exceeds the available context size"),
    ],
)
async def test_a_prompt_that_is_too_long_is_told_from_other_refusals(
    status: int, text: str
) -> None:
    with pytest.raises(ContextOverflow):
        await asked([refusal(text, status)])


async def test_names_are_made_legal_and_mapped_back() -> None:
    calls = [{"id": "a", "function": {"name": "shop_price__all_", "arguments": "{}"}}]
    response, seen = await asked([Said(200, message(tool_calls=calls))])
    assert seen[0]["tools"][0]["function"]["name"] == "shop_price__all_"
    assert seen[0]["messages"][2]["tool_calls"][0]["function"]["name"] == "shop_price__all_"
    assert response.tool_calls[0].name == TOOL.name


def decoded(**fields: Any) -> ModelResponse:
    return decode_response(message(**fields), 0.0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"a": 1}, '{"a":1}'),
        (None, "{}"),
        ("", "{}"),
        ([1], "[1]"),
        ('{"a"', '{"a"'),
        (float("nan"), "NaN"),
    ],
)
def test_arguments_have_a_text_in_every_form(arguments: Any, text: str) -> None:
    response = decoded(tool_calls=[{"function": {"name": "f", "arguments": arguments}}])
    assert [(one.id, one.name, one.arguments) for one in response.tool_calls] == [
        ("call_0", "f", text)
    ]


def test_calls_without_ids_or_with_one_id_get_their_own() -> None:
    one: dict[str, Any] = {"id": "a", "function": {"name": "f"}}
    response = decoded(tool_calls=[one, one, {"name": "g", "arguments": {}}, "odd", None])
    assert [call.id for call in response.tool_calls] == ["a", "call_1", "call_2"]
    assert decoded(function_call={"name": "h", "arguments": "{}"}).tool_calls[0].name == "h"


def test_contents_of_parts_and_reasoning_under_every_name() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"text": "4"}]
    assert (decoded(content=parts).content, decoded(content=parts).reasoning) == ("4", "hm")
    for name in ("reasoning_content", "reasoning", "thinking"):
        response = decoded(content="4", **{name: "hm"})
        assert (response.content, response.reasoning) == ("4", "hm")
    details = [{"type": "reasoning.text", "text": "hm"}]
    assert decoded(content="4", reasoning_details=details).reasoning == "hm"
    assert decoded(refusal="I cannot.").content == "I cannot."


def test_a_stream_without_indexes_is_put_together() -> None:
    reader = StreamReader()
    for part in (
        {"id": "a", "function": {"name": "f", "arguments": '{"x"'}},
        {"function": {"arguments": ": 1}"}},
        {"id": "b", "function": {"name": "g", "arguments": {"y": 2}}},
    ):
        reader.feed(json.dumps({"choices": [{"delta": {"tool_calls": [part]}}]}))
    reader.feed('{"choices": [{"delta": {"reasoning_content": "hm"}}]}')
    response = reader.response(0.0)
    assert response.reasoning == "hm"
    assert [(one.name, one.arguments) for one in response.tool_calls] == [
        ("f", '{"x": 1}'),
        ("g", '{"y":2}'),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "name", "arguments", "function", "type", "text", "index", "content"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON, JSON, JSON, JSON)
def test_every_message_has_a_reading(content: Any, calls: Any, thought: Any, usage: Any) -> None:
    fields = {"content": content, "tool_calls": calls, "reasoning_content": thought}
    response = decode_response({"choices": [{"message": fields}], "usage": usage}, 0.0)
    assert isinstance(response.content, str)
    reader = StreamReader()
    reader.feed(json.dumps({"choices": [{"delta": fields}], "usage": usage}))
    assert isinstance(reader.response(0.0).content, str)


@settings(deadline=None)
@given(JSON)
def test_what_is_no_reply_is_a_model_error(wire: Any) -> None:
    with pytest.raises(ModelError):
        decode_response(wire, 0.0)


MESSAGES: st.SearchStrategy[list[Message]] = st.lists(
    st.builds(SystemMessage, content=st.just("s"))
    | st.builds(UserMessage, content=st.just("u"))
    | st.builds(AssistantMessage, content=st.just("a"))
    | st.builds(ToolMessage, tool_call_id=st.just("1"), content=st.just("r")),
    max_size=8,
)


@settings(deadline=None)
@given(MESSAGES)
def test_no_two_neighbours_have_one_role_after_alternating(messages: list[Message]) -> None:
    roles = [one.role for one in alternating(messages)]
    pairs = list(pairwise(roles))
    assert not any(a == b for a, b in pairs if a != "tool")
    assert ("tool", "user") not in pairs
    plain = shaped(messages, (TOOL,), Dialect(system=False, tools=False))
    assert {one.role for one in plain} <= {"user", "assistant"}
