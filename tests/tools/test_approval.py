"""Calls that change something are approved first; others run; a refusal is an observation."""

import json

import pytest

from toolmint.assembly.agent import Agent
from toolmint.assembly.agents import AgentSession
from toolmint.assembly.settings import Settings
from toolmint.cli.approval_prompt import question_of
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.models.scripted import ScriptedModel
from toolmint.tools.approval import ApprovalMode, Approve, ApprovedToolbox
from toolmint.tools.function import tool
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio
done: list[str] = []


@tool(read_only=True)
def look(town: str) -> str:
    """Look at a town."""
    done.append(f"look {town}")
    return "seen"


@tool(read_only=False)
def order(town: str) -> str:
    """Order something."""
    done.append(f"order {town}")
    return "ordered"


@tool
def silent(town: str) -> str:
    """Nobody says what this does."""
    done.append(f"silent {town}")
    return "done"


def call(name: str, arguments: str = '{"town": "Oslo"}') -> ToolCall:
    return ToolCall(id="c", name=name, arguments=arguments)


def allow(spec: ToolSpec, call: ToolCall) -> bool:
    return True


async def results(mode: ApprovalMode, asker: Approve | None = None) -> list[ToolResult]:
    done.clear()
    box = ApprovedToolbox(ToolCollection([look, order, silent]), mode, asker)
    return [await box.call(call(name)) for name in ("look", "order", "silent")]


async def test_modes_decide_about_calls_that_change_something_alone() -> None:
    assert [one.failure for one in await results("always")] == [None, None, None]
    assert done == ["look Oslo", "order Oslo", "silent Oslo"]
    for mode in ("never", "ask"):
        found = await results("never" if mode == "never" else "ask")
        assert [one.failure for one in found] == [None, "tool-approval", None]
        assert done == ["look Oslo", "silent Oslo"]
    assert "pass --approve always" in found[1].content


async def test_a_function_plain_or_async_is_asked_with_specification_and_call() -> None:
    asked: list[tuple[str, str]] = []

    def yes(spec: ToolSpec, call: ToolCall) -> bool:
        asked.append((spec.name, call.arguments))
        return True

    async def no(spec: ToolSpec, call: ToolCall) -> bool:
        return False

    def broken(spec: ToolSpec, call: ToolCall) -> bool:
        raise RuntimeError("no idea")

    assert (await results("ask", yes))[1].content == "ordered"
    assert asked == [("order", '{"town": "Oslo"}')]
    assert "the user did not approve" in (await results("ask", no))[1].content
    refused = (await results("ask", broken))[1]
    assert (refused.failure, done) == ("tool-approval", ["look Oslo", "silent Oslo"])
    assert "asking failed: RuntimeError: no idea" in refused.content


async def test_nobody_is_asked_about_a_call_that_cannot_be_done() -> None:
    def never(spec: ToolSpec, call: ToolCall) -> bool:
        raise AssertionError("asked")

    box = ApprovedToolbox(ToolCollection([order]), "ask", never)
    assert (await box.call(call("order", "{}"))).failure == "tool-arguments"
    assert (await box.call(call("order", "no json"))).failure == "tool-arguments"
    assert (await box.call(call("unknown"))).failure == "tool-not-found"


def test_what_cannot_be_asked_is_said_once_in_one_line() -> None:
    box = ToolCollection([look, order, silent])
    (line,) = ApprovedToolbox(box, "ask").warnings
    assert line.startswith(
        "1 of 3 tools change something (order) and are not called, as nobody can"
    )
    assert "\n" not in line
    assert ApprovedToolbox(box, "always").warnings == ApprovedToolbox(box, "never").warnings == []
    assert ApprovedToolbox(ToolCollection([look]), "ask").warnings == []
    assert ApprovedToolbox(box, "ask", allow).warnings == []


def test_a_question_shows_the_call_and_nothing_that_steers_a_terminal() -> None:
    arguments = json.dumps({"town": "\x1b[2J\u202eevil"}, ensure_ascii=False)
    text = question_of(order.spec, call("order", arguments.replace("\\u001b", "\x1b")))
    assert text.startswith('order {"town": "?[2J?evil"}\n  (Order something.)\n')
    assert all(sign.isprintable() or sign == "\n" for sign in text)


async def test_an_agent_asks_its_hook(settings: Settings) -> None:
    async with AgentSession.open(settings, [order, look], model=ScriptedModel([])) as session:
        assert any("1 of 2 tools change something" in one for one in session.problems)
        assert (await session.box.call(call("order"))).failure == "tool-approval"
    always = settings.model_copy(update={"approve": "always"})
    async with AgentSession.open(always, [order, look], model=ScriptedModel([])) as session:
        assert session.problems == ()
        assert (await session.box.call(call("order"))).content == "ordered"
    hook = Agent(ScriptedModel([]), tools=[order], settings=settings, approve=allow)
    async with hook._session() as session:
        assert (await session.box.call(call("order"))).content == "ordered"
    never = Agent(ScriptedModel([]), tools=[order], settings=always, approve="never")
    assert never.settings.approve == "never"
