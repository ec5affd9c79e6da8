"""Nothing that a model or a tool says ends a run without its trace; what happened stands in it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from benchmarks.reply_fuzz import run_fuzz
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.agent.world import ANSWER, BOX, CALL, GIVE_UP, act, answering, single, three_roles

from toolmint.agent.agent import AgentLoop
from toolmint.agent.dfsdt import DFSDT
from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.core.errors import ContextOverflow, ToolmintError
from toolmint.core.messages import ToolCall, ToolResult
from toolmint.core.model import Model, ModelRequest, ModelResponse, Usage
from toolmint.core.task import Limits, Step, Task, Trajectory, read_trajectory
from toolmint.models.scripted import ScriptedModel
from toolmint.roles.native import Native
from toolmint.tools.function import tool
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio
TASK = Task(input="What does a pen cost?")
PEN = act("price", '{"item": "pen"}')


class Says:
    """A model whose replies are whole responses."""

    name = "says"

    def __init__(self, *replies: ModelResponse | ToolmintError) -> None:
        self.requests: list[ModelRequest] = []
        self._replies = list(replies)

    async def complete(self, request: ModelRequest) -> ModelResponse:
        self.requests.append(request)
        reply = self._replies.pop(0)
        if isinstance(reply, ToolmintError):
            raise reply
        return reply


def said(text: str = "", *calls: ToolCall, reasoning: str = "", cut: bool = False) -> ModelResponse:
    return ModelResponse(
        content=text,
        tool_calls=calls,
        reasoning=reasoning,
        finish_reason="length" if cut else "stop",
        model="says",
        usage=Usage(requests=1),
    )


def called(name: str, arguments: str = "{}") -> ToolCall:
    return ToolCall(id="x", name=name, arguments=arguments)


class Order(BaseModel):
    item: int


@tool
def leaves() -> int:
    """End the program."""
    raise SystemExit(3)


@tool
async def leaves_slowly() -> int:
    """End the program from a coroutine."""
    raise SystemExit(3)


@tool
def checks_itself() -> int:
    """Raise a ValidationError of its own."""
    return Order.model_validate({"item": "x"}).item


@tool
async def cancels_itself() -> int:
    """Raise what a cancelled task raises."""
    raise asyncio.CancelledError


@tool
def stops() -> int:
    """Raise what ends an iterator."""
    raise StopIteration(3)


@tool
def falls_in_a_group() -> int:
    """Raise a group with an exit in it."""
    raise BaseExceptionGroup("several", [SystemExit(3)])


@tool
def recurses() -> int:
    """Recurse without end."""
    return recurses()


@tool
def yields() -> Iterator[int]:
    """Yield three numbers."""
    yield from (1, 2, 3)


@tool
async def yields_slowly() -> AsyncIterator[int]:
    """Yield three numbers."""
    for number in (1, 2, 3):
        yield number


@tool
def yields_forever() -> Iterator[int]:
    """Yield without end."""
    while True:
        yield 1


@tool
def gives_nan() -> dict[str, float]:
    """Return what JSON does not have."""
    return {"x": float("nan")}


@tool
def gives_bytes() -> bytes:
    """Return bytes that are no text."""
    return b"\xff"


@tool
def gives_a_knot() -> list[object]:
    """Return a list that holds itself."""
    knot: list[object] = []
    knot.append(knot)
    return knot


ODD = ToolCollection(
    [
        *(leaves, leaves_slowly, checks_itself, cancels_itself, stops, falls_in_a_group, recurses),
        *(yields, yields_slowly, yields_forever, gives_nan, gives_bytes, gives_a_knot),
    ]
)


async def observed(name: str) -> ToolResult:
    """Return what an agent sees of a tool; its trajectory can be kept and read."""
    done = await AgentLoop(three_roles([CALL, GIVE_UP], [act(name, "{}")]), ODD).solve(TASK)
    assert done.outcome == "gave_up"
    assert read_trajectory(done.model_dump_json()) == done
    return done.steps[0].results[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("leaves", "SystemExit: 3"),
        ("leaves_slowly", "SystemExit: 3"),
        ("checks_itself", "ValidationError: 1 validation error for Order"),
        ("cancels_itself", "CancelledError"),
        ("stops", "StopIteration: 3"),
        ("falls_in_a_group", "BaseExceptionGroup"),
        ("recurses", "RecursionError"),
        ("gives_a_knot", "the result has no JSON form"),
    ],
)
async def test_whatever_a_tool_raises_is_an_observation(name: str, content: str) -> None:
    result = await observed(name)
    assert result.failure == "tool"
    assert content in result.content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("yields", "[1,2,3]"),
        ("yields_slowly", "[1,2,3]"),
        ("gives_nan", '{"x": NaN}'),
        ("gives_bytes", "\ufffd"),
    ],
)
async def test_odd_results_have_a_text(name: str, content: str) -> None:
    result = await observed(name)
    assert (result.failure, result.content) == (None, content)


async def test_an_endless_iterator_ends() -> None:
    assert (await observed("yields_forever")).content.startswith("[1,1,1")


class Wild:
    """A toolbox that keeps no promise."""

    def __init__(self, fault: BaseException | None) -> None:
        self._fault = fault
        self.specs = BOX.specs

    async def call(self, call: ToolCall) -> ToolResult:
        if self._fault is not None:
            raise self._fault
        return call  # pyright: ignore[reportReturnType] - a lie


@pytest.mark.parametrize("fault", [None, SystemExit(1), ValueError("x"), KeyError()])
async def test_a_toolbox_that_breaks_its_promise_is_an_observation(
    fault: BaseException | None,
) -> None:
    done = await AgentLoop(three_roles([CALL, GIVE_UP], [PEN]), Wild(fault)).solve(TASK)
    assert (done.outcome, done.steps[0].results[0].failure) == ("gave_up", "tool")


async def test_a_fault_of_the_program_itself_keeps_the_steps() -> None:
    def watch(step: Step) -> None:
        if step.id == 1:
            raise ZeroDivisionError("here")

    policy = three_roles([CALL, ANSWER], [PEN], ["2"])
    done = await AgentLoop(policy, BOX).begin(TASK, observe=watch).finish()
    assert (done.outcome, len(done.steps)) == ("failed", 2)
    assert done.run.stopped == "[bug] ZeroDivisionError: here"


async def test_a_model_whose_code_fails_ends_the_run_and_keeps_the_steps() -> None:
    def fail(_: ModelRequest) -> str:
        raise ValueError("no")

    broken = answering(fail)
    policy = ThreeRolePolicy(ScriptedModel([CALL, ANSWER]), ScriptedModel([PEN]), broken)
    done = await AgentLoop(policy, BOX).solve(TASK)
    assert (done.outcome, len(done.steps)) == ("failed", 1)
    assert "[model-fault] the model 'answering' failed: ValueError: no" in done.run.stopped


async def test_reasoning_is_kept_and_neither_shown_nor_read() -> None:
    planner = Says(
        said("<think>Next: give up</think>I look.\nNext: caller"),
        said("It is known.\nNext: summarizer", reasoning="Next: give up"),
    )
    caller = Says(said(f"<think>{act('long', '{}')}</think>{PEN}"))
    summarizer = Says(said("<think>so</think>It costs 2."))
    done = await AgentLoop(ThreeRolePolicy(planner, caller, summarizer), BOX).solve(TASK)
    assert (done.outcome, done.answer) == ("answered", "It costs 2.")
    turns = [turn for step in done.steps for turn in step.turns]
    assert [turn.reasoning for turn in turns] == [
        "Next: give up",
        act("long", "{}"),
        "Next: give up",
        "so",
    ]
    shown = "".join(one.content for one in summarizer.requests[0].messages)
    assert "give up" not in shown and "long" not in shown
    assert "<think>" not in done.model_dump_json(include={"steps": {"__all__": {"thought"}}})


@pytest.mark.parametrize("all_calls", [True, False])
async def test_several_calls_are_all_made_or_all_noted(*, all_calls: bool) -> None:
    both = said("", called("price", '{"item": "pen"}'), called("price", '{"item": "book"}'))
    policy = ThreeRolePolicy(ScriptedModel([CALL, GIVE_UP]), Says(both), ScriptedModel([]))
    done = await AgentLoop(policy, BOX, all_calls=all_calls).solve(TASK)
    step = done.steps[0]
    assert [one.content for one in step.results] == (["2", "11"] if all_calls else ["2"])
    assert [one.call_id for one in step.results] == [one.id for one in step.calls]
    expected = "2 calls at once" if all_calls else "1 further calls were dropped: one call a step"
    assert expected in step.notes


async def test_read_only_calls_run_side_by_side_and_others_one_after_the_other() -> None:
    running, most = 0, {"look": 0, "change": 0}

    async def work(name: str) -> str:
        nonlocal running
        running += 1
        most[name] = max(most[name], running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running -= 1
        return name

    @tool(read_only=True)
    async def look(n: int) -> str:
        return await work("look")

    @tool
    async def change(n: int) -> str:
        return await work("change")

    calls = [called(name, f'{{"n": {n}}}') for name in ("look", "change") for n in range(3)]
    policy = ThreeRolePolicy(
        ScriptedModel([CALL, GIVE_UP]), Says(said("", *calls)), ScriptedModel([])
    )
    done = await AgentLoop(policy, ToolCollection([look, change])).solve(TASK)
    assert [one.content for one in done.steps[0].results] == ["look"] * 3 + ["change"] * 3
    assert most == {"look": 3, "change": 1}


async def test_a_limit_in_the_middle_of_a_step_keeps_what_was_called() -> None:
    both = said("", called("price", '{"item": "pen"}'), called("price", '{"item": "book"}'))
    policy = ThreeRolePolicy(ScriptedModel([CALL]), Says(both), ScriptedModel([]))
    done = await AgentLoop(policy, BOX).solve(TASK, Limits(tool_calls=1))
    assert (done.outcome, len(done.steps)) == ("limit", 1)
    assert [one.failure for one in done.steps[0].results] == [None, "limit"]


async def test_a_call_that_hangs_is_in_the_trajectory_of_the_run_that_it_ended() -> None:
    @tool
    async def hang() -> int:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()  # it goes on after the first cancellation
        return 1

    policy = three_roles([CALL], [act("hang", "{}")])
    done = await AgentLoop(policy, ToolCollection([hang])).solve(TASK, Limits(seconds=0.05))
    assert done.outcome == "limit"
    assert done.steps[0].results[0].failure == "tool-timeout"


async def test_an_identical_call_a_third_time_ends_the_branch() -> None:
    spelled = [PEN, act("price", '{ "item":"pen" }'), PEN]
    done = await AgentLoop(three_roles([CALL] * 3, spelled), BOX).solve(TASK)
    assert (done.outcome, len(done.steps)) == ("failed", 3)
    assert done.run.stopped.startswith("the same call was made three times: price")
    assert done.steps[2].results[0].failure == "repeated-call"
    assert any("a third time ends the branch" in note for note in done.steps[2].notes)
    goes_back = three_roles([CALL] * 3 + [ANSWER], spelled, ["2"])
    found = await AgentLoop(goes_back, BOX, DFSDT()).solve(TASK)
    assert (found.outcome, found.answer) == ("answered", "2")


async def test_a_call_whose_result_changes_may_be_repeated() -> None:
    seen: list[int] = []

    @tool
    def poll() -> int:
        seen.append(1)
        return len(seen)

    policy = three_roles([CALL] * 5 + [GIVE_UP], [act("poll", "{}")] * 5)
    done = await AgentLoop(policy, ToolCollection([poll])).solve(TASK)
    assert (done.outcome, len(seen)) == ("gave_up", 5)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("A pen costs 2.", "A pen costs 2."),
        ("Final answer: 2", "2"),
        ("I will call price next.", None),
        ("hm", None),
    ],
)
async def test_a_planner_that_answers_has_answered(text: str, answer: str | None) -> None:
    policy = three_roles([CALL, text, GIVE_UP], [PEN, act("price", '{"item": "book"}')])
    done = await AgentLoop(policy, BOX).solve(TASK)
    assert done.answer == answer
    assert done.outcome == ("gave_up" if answer is None else "answered")


async def test_a_greeting_is_answered_without_any_call() -> None:
    done = await AgentLoop(three_roles(["Hello, nice to meet you!"]), BOX).solve(Task(input="Hi"))
    assert (done.answer, done.flags) == ("Hello, nice to meet you!", ())


async def test_an_answer_that_is_cut_or_made_up_is_flagged() -> None:
    cut = ThreeRolePolicy(
        ScriptedModel([CALL, ANSWER]), ScriptedModel([PEN]), Says(said("A pen costs", cut=True))
    )
    done = await AgentLoop(cut, BOX).solve(TASK)
    assert [flag.kind for flag in done.flags] == ["cut"]
    assert done.steps[-1].turns[-1].cut
    assert read_trajectory(done.model_dump_json()) == done
    made_up = three_roles([CALL, ANSWER], [PEN], ["A pen costs 3."])
    flags = (await AgentLoop(made_up, BOX).solve(TASK)).flags
    assert [(flag.kind, flag.values) for flag in flags] == [("ungrounded", ("3",))]
    unchecked = three_roles([CALL, ANSWER], [PEN], ["A pen costs 3."])
    assert (await AgentLoop(unchecked, BOX, check=False).solve(TASK)).flags == ()


async def test_a_history_that_is_too_long_is_compacted_and_said() -> None:
    def reads(request: ModelRequest) -> str:
        if sum(len(message.content) for message in request.messages) > 4000:
            raise ContextOverflow("too long")
        seen = "".join(message.content for message in request.messages)
        return GIVE_UP if "characters cut" in seen else CALL

    planner = answering(reads)
    caller = ScriptedModel([act("long", '{"words": 2000}')])
    policy = ThreeRolePolicy(planner, caller, ScriptedModel([]))
    done = await AgentLoop(policy, BOX, observation=20_000).solve(TASK)
    assert done.outcome == "gave_up"
    assert any("the history was compacted" in note for note in done.steps[1].notes)
    assert len(done.steps[0].results[0].content) == 10_000, "the trajectory keeps the whole"
    never = Says(*[ContextOverflow("too long")] * 9)
    failed = await AgentLoop(ThreeRolePolicy(never, never, never), BOX).solve(TASK)
    assert failed.run.stopped == "[context-overflow] too long"


async def test_each_role_has_its_own_limit_of_tokens() -> None:
    models = [Says(said(CALL), said(ANSWER)), Says(said(PEN)), Says(said("2"))]
    sampling = Sampling(temperature=0.5, max_tokens=100, by_role={"planner": 7, "summarizer": 9})
    policy = ThreeRolePolicy(*models, family=Native(), sampling=sampling)
    assert (await AgentLoop(policy, BOX).solve(TASK)).answer == "2"
    asked = [[(one.max_tokens, one.temperature) for one in model.requests] for model in models]
    assert asked == [[(7, 0.5)] * 2, [(100, 0.5)], [(9, 0.5)]]


async def test_names_that_endpoints_showed_otherwise_lead_to_the_tool() -> None:
    @tool(name="shop.price of (all)")
    def odd_name(item: str) -> int:
        return 5

    for written in ("shop_price_of__all_", "functions.shop.price of (all)", "Shop.Price of (all)"):
        policy = three_roles([CALL, GIVE_UP], [act(written, '{"item": "pen"}')])
        done = await AgentLoop(policy, ToolCollection([odd_name])).solve(TASK)
        assert done.steps[0].results[0].content == "5"


async def test_a_single_model_makes_several_calls_too() -> None:
    two = "\n".join(
        json.dumps({"name": "price", "arguments": {"item": item}}) for item in ("pen", "book")
    )
    done = await AgentLoop(single(f"Both.\n{two}", "conclusion: 2 and 11"), BOX).solve(TASK)
    assert [one.content for one in done.steps[0].results] == ["2", "11"]


REPLIES = st.lists(
    st.lists(
        st.sampled_from(
            [CALL, ANSWER, GIVE_UP, PEN, "<think>", "</think>", "<tool_call>", "{", "\ud800", "\n"]
        )
        | st.text(max_size=6),
        max_size=4,
    ).map("".join),
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(REPLIES)
async def test_every_run_leaves_a_trace_that_can_be_read(replies: Sequence[str]) -> None:
    model: Model = ScriptedModel(replies)
    for search in (None, DFSDT(queries=6)):
        done: Trajectory = await AgentLoop(ThreeRolePolicy(model, model, model), BOX, search).solve(
            TASK
        )
        assert read_trajectory(done.model_dump_json()) == done


async def test_a_small_fuzz_of_replies_loses_no_trace() -> None:
    report = await run_fuzz(200, seed=1)
    assert (report.crashes, report.lost) == ((), ())
    assert report.runs == 200
