"""Loops of tool calls that official clients run through the gateway, and a tool's hits beside them."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from benchmarks.conformance import ANSWER, TEXT
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI
from pydantic import SecretStr
from tests.gateway.tool_endpoint import CITY, DEGREES, FINAL, ToolHouse, tool_house

pytestmark = pytest.mark.anyio
ASK = "How warm is it in Oslo?"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION = {"name": "temperature_in", "description": "Return it.", "parameters": SCHEMA}
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
HERE = Path(__file__).parent / "ai_sdk"
MODULES = os.environ.get("AI_SDK_MODULES", "")


def measured(arguments: str) -> str:
    """Return the tool's result for a call."""
    return {CITY: DEGREES}[json.loads(arguments)["city"]]


def client_of(here: ToolHouse) -> OpenAI:
    return OpenAI(base_url=here.url, api_key="any", max_retries=0)


def chat_loop(here: ToolHouse, stream: bool) -> str | None:
    """Run a loop over chat completions; return the last answer."""
    messages: list[Any] = [{"role": "user", "content": ASK}]
    tools: Any = [{"type": "function", "function": FUNCTION}]
    with client_of(here) as client:
        for _ in range(3):
            if stream:
                with client.chat.completions.stream(
                    model="gpt-5", messages=messages, tools=tools
                ) as events:
                    message: Any = events.get_final_completion().choices[0].message
            else:
                said = client.chat.completions.create(model="gpt-5", messages=messages, tools=tools)
                message = said.choices[0].message
            if not message.tool_calls:
                return message.content
            messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
            for call in messages[-1]["tool_calls"]:
                call["function"].pop("parsed_arguments", None)
                result = measured(call["function"]["arguments"])
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return None


def response_loop(here: ToolHouse, stream: bool, store: bool | None) -> str:
    """Run a loop over responses: by ``previous_response_id`` where they are stored, else with all items."""
    asked: list[Any] = [{"role": "user", "content": ASK}]
    more: dict[str, Any] = {"tools": [{"type": "function", "strict": True, **FUNCTION}]}
    if store is not None:
        more["store"] = store
    if store is False:
        more["include"] = ["reasoning.encrypted_content"]
    with client_of(here) as client:
        responses: Any = client.responses
        for _ in range(3):
            if stream:
                with responses.stream(model="gpt-5", input=asked, **more) as events:
                    said = events.get_final_response()
            else:
                said = responses.create(model="gpt-5", input=asked, **more)
            calls = [one for one in said.output if one.type == "function_call"]
            if not calls:
                return said.output_text
            if store is False:
                dumped = [one.to_dict(mode="json") for one in said.output]
                for one in dumped:
                    one.pop("parsed_arguments", None)
                asked += dumped
            else:
                asked, more = [], more | {"previous_response_id": said.id}
            for call in calls:
                output = {"type": "function_call_output", "call_id": call.call_id}
                asked.append(output | {"output": measured(call.arguments)})
    return ""


@WAYS
async def test_the_sdk_runs_a_loop_over_chat_completions(tmp_path: Path, stream: bool) -> None:
    async with tool_house(tmp_path) as here:
        assert await asyncio.to_thread(chat_loop, here, stream) == FINAL
        assert [len(one["messages"]) for one in here.endpoint.seen] == [1, 3]


@WAYS
@pytest.mark.parametrize("store", [None, True, False])
async def test_the_sdk_runs_a_loop_over_responses(
    tmp_path: Path, stream: bool, store: bool | None
) -> None:
    async with tool_house(tmp_path) as here:
        assert await asyncio.to_thread(response_loop, here, stream, store) == FINAL
        kinds = [one.get("type") for one in here.endpoint.seen[1]["input"]]
        whole = [None, "reasoning", "function_call", "function_call_output"]
        assert kinds == (whole if store is False else ["function_call_output"])


async def test_what_was_answered_can_be_continued(tmp_path: Path) -> None:
    async with tool_house(tmp_path) as here, AsyncOpenAI(base_url=here.url, api_key="x") as client:
        create: Any = client.responses.create
        for more in ({}, {"store": True}):
            first = await create(model="gpt-5", input=TEXT, **more)
            assert first.id.startswith("resp_") and first.output_text == "Hello."
            again = await create(model="gpt-5", input="And now?", previous_response_id=first.id)
            assert again.output_text == "Hello."
            reference = {"type": "item_reference", "id": first.output[0].id}
            items = [reference, {"role": "user", "content": "And now?"}]
            again = await create(model="gpt-5", input=items)
            assert again.output_text == "Hello."


async def test_a_hit_can_be_continued_with_its_items(tmp_path: Path) -> None:
    async with tool_house(tmp_path) as here, AsyncOpenAI(base_url=here.url, api_key="x") as client:
        hit = await client.responses.create(model="gpt-5", input=TEXT, store=False)
        assert (
            hit.output_text == ANSWER
            and hit.to_dict()["store"] is False
            and here.endpoint.seen == []
        )
        asked: Any = [
            {"role": "user", "content": TEXT},
            *(one.to_dict(mode="json") for one in hit.output),
            {"role": "user", "content": ASK},
        ]
        tools: Any = [{"type": "function", "strict": True, **FUNCTION}]
        said = await client.responses.create(model="gpt-5", input=asked, tools=tools, store=False)
        assert said.output[-1].type == "function_call"
        assert here.endpoint.seen[0]["input"] == asked


@tool
def temperature_in(city: str) -> str:
    """Return the temperature in a city."""
    return {CITY: DEGREES}[city]


LANGCHAIN: dict[str, dict[str, Any]] = {
    "chat": {},
    "responses": {"use_responses_api": True},
    "responses, not stored": {
        "use_responses_api": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
    },
    "responses, continued": {"use_responses_api": True, "use_previous_response_id": True},
}


async def _said(chat: Any, messages: list[BaseMessage], stream: bool) -> AIMessage:
    if not stream:
        return await chat.ainvoke(messages)
    whole: Any = None
    async for part in chat.astream(messages):
        whole = part if whole is None else whole + part
    return whole


@WAYS
@pytest.mark.parametrize("mode", list(LANGCHAIN))
async def test_langchain_runs_a_loop(tmp_path: Path, mode: str, stream: bool) -> None:
    async with tool_house(tmp_path) as here:
        chat: Any = ChatOpenAI(
            base_url=here.url,
            api_key=SecretStr("any"),
            model="gpt-5",
            max_retries=0,
            **LANGCHAIN[mode],
        )
        messages: list[BaseMessage] = [HumanMessage(ASK)]
        for _ in range(3):
            said = await _said(chat.bind_tools([temperature_in]), messages, stream)
            messages.append(said)
            if not said.tool_calls:
                break
            messages += [await temperature_in.ainvoke(call) for call in said.tool_calls]
        assert messages[-1].text == FINAL and len(here.endpoint.seen) == 2
        hit = await _said(chat, [HumanMessage(TEXT)], stream)
        served = mode in {"chat", "responses, not stored"}
        assert hit.text == (ANSWER if served else "Hello.")
        assert len(here.endpoint.seen) == (2 if served else 3)


@WAYS
@pytest.mark.parametrize("mode", ["chat", "responses", "responses, not stored", "continued"])
async def test_the_agents_sdk_runs_a_loop(tmp_path: Path, mode: str, stream: bool) -> None:
    agents: Any = pytest.importorskip("agents")
    agents.set_tracing_disabled(True)
    made: list[str] = []

    @agents.function_tool
    def temperature_in_city(city: str) -> str:
        """Return the temperature in a city."""
        made.append(city)
        return {CITY: DEGREES}[city]

    async with (
        tool_house(tmp_path) as here,
        AsyncOpenAI(base_url=here.url, api_key="any", max_retries=0) as client,
    ):
        kind = agents.OpenAIChatCompletionsModel if mode == "chat" else agents.OpenAIResponsesModel
        settings = agents.ModelSettings(store=False if mode == "responses, not stored" else None)
        model = kind(model="gpt-5", openai_client=client)
        agent = agents.Agent(
            name="a", model=model, tools=[temperature_in_city], model_settings=settings
        )
        more = {"auto_previous_response_id": True} if mode == "continued" else {}
        if stream:
            run = agents.Runner.run_streamed(agent, ASK, **more)
            async for _ in run.stream_events():
                pass
        else:
            run = await agents.Runner.run(agent, ASK, **more)
        assert (run.final_output, made) == (FINAL, [CITY]) and len(here.endpoint.seen) == 2
        plain = agents.Agent(name="b", model=model, model_settings=settings)
        hit = await agents.Runner.run(plain, TEXT)
        served = mode in {"chat", "responses, not stored"}
        assert hit.final_output == (ANSWER if served else "Hello.")


@pytest.mark.skipif(not MODULES, reason="AI_SDK_MODULES names no node_modules")
async def test_the_vercel_ai_sdk_runs_a_loop(tmp_path: Path) -> None:
    async with tool_house(tmp_path) as here:
        script = tmp_path / "loop.mjs"
        script.write_text((HERE / "loop.mjs").read_text())
        (tmp_path / "node_modules").symlink_to(MODULES)
        process = await asyncio.create_subprocess_exec(
            "node",
            str(script),
            here.url,
            ASK,
            TEXT,
            DEGREES,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, fault = await process.communicate()
        assert process.returncode == 0, fault.decode()
        found = json.loads(out)
        loops = {"whole": FINAL, "streamed": FINAL, "calls": 2}
        assert found == {
            "chat": loops | {"plain": ANSWER},
            "responses": loops | {"plain": "Hello."},
            "responses, not stored": loops | {"plain": ANSWER},
        }
