"""The agent's chain: roles, observations, limits, streaming, cancelling, resuming."""

import asyncio
from contextlib import aclosing
from itertools import count

import pytest
from tests.agent.world import ANSWER, BOX, CALL, GIVE_UP, act, answering, single, three_roles

from toolmint.agent.agent import AgentLoop
from toolmint.agent.dfsdt import DFSDT
from toolmint.agent.policy import ThreeRolePolicy
from toolmint.agent.react import ReACT
from toolmint.core.errors import ModelUnavailable, SandboxError
from toolmint.core.model import ModelRequest, ModelResponse, Usage
from toolmint.core.task import Limits, Step, Task, Trajectory, read_trajectory
from toolmint.models.scripted import ScriptedModel
from toolmint.roles.paper import Paper
from toolmint.tools.function import tool
from toolmint.tools.toolbox import ToolCollection

pytestmark = pytest.mark.anyio
TASK = Task(input="What do a pen and a book cost?")
PEN = act("price", '{"item": "pen"}')


async def test_three_roles_solve_a_task_in_turns() -> None:
    agent = AgentLoop(
        three_roles(
            [CALL, CALL, ANSWER],
            [act("price", '{"item": "pen"}'), act("price", '{"item": "book"}')],
            ["A pen costs 2, a book 11."],
        ),
        BOX,
    )
    done = await agent.solve(TASK)
    assert (done.outcome, done.answer) == ("answered", "A pen costs 2, a book 11.")
    assert [step.decision for step in done.path()] == ["call", "call", "answer"]
    assert [step.results[0].content for step in done.path()[:2]] == ["2", "11"]
    assert [turn.role for step in done.steps for turn in step.turns] == [
        "planner",
        "caller",
        "planner",
        "caller",
        "planner",
        "summarizer",
    ]
    assert done.task.tools == tuple(BOX.specs)
    assert done.usage.requests == 6
    assert read_trajectory(done.model_dump_json()) == done


async def test_roles_share_the_prompt_up_to_their_instruction() -> None:
    models = [
        ScriptedModel([CALL, ANSWER]),
        ScriptedModel([act("price", '{"item": "pen"}')]),
        ScriptedModel(["2"]),
    ]
    await AgentLoop(ThreeRolePolicy(models[0], models[1], models[2]), BOX).solve(TASK)
    first, second = (model.requests[-1].messages for model in (models[0], models[2]))
    assert first[:-1] == second[: len(first) - 1]
    assert models[0].requests[0].messages[:-1] == models[1].requests[0].messages[:2]
    assert all(one.tools == tuple(BOX.specs) for model in models for one in model.requests)


async def test_a_single_model_takes_whole_steps() -> None:
    done = await AgentLoop(
        single("I look.\n" + PEN, "I know.\nconclusion: It costs 2."),
        BOX,
    ).solve(TASK)
    assert (done.outcome, done.answer) == ("answered", "It costs 2.")
    assert done.steps[0].thought == "I look."


async def test_the_papers_layout_is_one_text() -> None:
    policy = three_roles(
        ["I look. Next: caller.", "Done. Next: conclusion."],
        [act("price", '{"item": "pen"}')],
        ["2"],
        Paper.default(),
    )
    done = await AgentLoop(policy, BOX).solve(TASK)
    assert done.outcome == "answered"
    (prompt,) = done.steps[1].turns[1].prompt
    assert (
        '</s>caller: Action: price\nAction Input: {"item": "pen"}</s>observation: 2'
        in prompt.content
    )


@pytest.mark.parametrize(
    ("said", "failure", "note"),
    [
        (act("cost", "{}"), "tool-not-found", "'cost' does not exist"),
        (act("price", "{item}"), "tool-arguments", None),
        (act("price", '{"thing": 1}'), "tool-arguments", None),
        (act("price", '{"item": "gold"}'), "tool", None),
        ("I would rather not.", "no-call", "wrote no call"),
        ("", "no-call", "said nothing"),
        ("Next: summarizer", "no-call", "wrote no call"),
    ],
)
async def test_a_bad_call_is_an_observation(said: str, failure: str, note: str | None) -> None:
    done = await AgentLoop(three_roles([CALL, GIVE_UP], [said]), BOX).solve(TASK)
    (result,) = done.steps[0].results
    assert result.failure == failure
    assert result.content.startswith("Error: ")
    assert done.outcome == "gave_up"
    assert note is None or any(note in one for one in done.steps[0].notes)


async def test_misreadings_are_visible() -> None:
    done = await AgentLoop(
        three_roles(["hm", "", "Next: caller\nNext: summarizer\nbye"], ["", ""], [""]), BOX
    ).solve(TASK)
    notes = [" | ".join(step.notes) for step in done.steps]
    assert "no 'Next:' marker" in notes[0]
    assert "the planner said nothing" in notes[1]
    assert "the last one counts" in notes[2]
    assert "dropped: 'bye'" in notes[2]
    assert (done.outcome, done.answer) == ("failed", None)
    assert "the summarizer said nothing" in done.run.stopped


async def test_a_long_observation_is_cut_visibly() -> None:
    policy = three_roles([CALL, GIVE_UP], [act("long", '{"words": 1000}')])
    done = await AgentLoop(policy, BOX, observation=50).solve(TASK)
    content = done.steps[0].results[0].content
    assert content.endswith("… [4950 characters cut]")
    assert len(content) < 100


def loops() -> ThreeRolePolicy:
    numbers = count()
    model = answering(lambda _: CALL + "\n" + act("price", f'{{"item": "pen {next(numbers)}"}}'))
    return ThreeRolePolicy(model, model, model)


@pytest.mark.parametrize(
    ("limits", "stopped"),
    [
        (Limits(steps=3), "steps: 3 spent"),
        (Limits(tool_calls=2), "tool_calls: 2 spent"),
        (Limits(model_calls=4), "model calls: 4 made"),
        (Limits(tokens=900), "tokens spent, 900 are allowed"),
        (Limits(cost="0.1"), "the price of 'answering' is unknown"),  # pyright: ignore[reportArgumentType]
        (Limits(), "the chain has 5 steps"),
    ],
)
async def test_every_limit_ends_the_run_and_is_named(limits: Limits, stopped: str) -> None:
    done = await AgentLoop(loops(), BOX, ReACT(max_steps=5)).solve(TASK, limits)
    assert done.outcome == "limit"
    assert stopped in done.run.stopped
    assert done.leaf == (done.steps[-1].id if done.steps else None)
    assert done.run.usage.requests >= done.usage.requests


class Silent:
    """A model that never answers."""

    name = "silent"

    async def complete(self, request: ModelRequest) -> ModelResponse:
        await asyncio.Event().wait()
        raise AssertionError(request)


async def test_a_slow_model_ends_in_the_limit_of_seconds() -> None:
    done = await AgentLoop(ThreeRolePolicy(Silent(), Silent(), Silent()), BOX).solve(
        TASK, Limits(seconds=0.05)
    )
    assert (done.outcome, done.steps) == ("limit", ())
    assert "seconds" in done.run.stopped


async def test_a_models_fault_ends_the_run_and_keeps_the_steps() -> None:
    down = ModelUnavailable("the endpoint is down")
    policy = ThreeRolePolicy(
        ScriptedModel([CALL, down]),
        ScriptedModel([act("price", '{"item": "pen"}')]),
        ScriptedModel([]),
    )
    done = await AgentLoop(policy, BOX).solve(TASK)
    assert (done.outcome, len(done.steps)) == ("failed", 1)
    assert done.run.stopped == "[model-unavailable] the endpoint is down"


async def test_what_a_cut_off_step_spent_is_not_forgotten() -> None:
    done = await AgentLoop(loops(), BOX).solve(TASK, Limits(tool_calls=1))
    assert (len(done.steps), done.usage.requests, done.run.usage.requests) == (1, 2, 4)


async def test_a_run_is_resumed_where_it_stopped() -> None:
    calls = [act("price", '{"item": "pen"}'), act("price", '{"item": "book"}')]
    stopped = await AgentLoop(three_roles([CALL], calls[:1]), BOX).solve(TASK, Limits(steps=1))
    assert stopped.outcome == "limit"
    policy = three_roles([CALL, ANSWER], calls[1:], ["2 and 11"])
    done = await AgentLoop(policy, BOX).begin(TASK, resume=stopped).finish()
    assert (done.outcome, done.answer) == ("answered", "2 and 11")
    assert done.steps[0] == stopped.steps[0]
    assert len(done.steps) == 3


async def test_a_search_is_resumed_where_it_stopped() -> None:
    planner = [CALL, GIVE_UP, GIVE_UP, CALL, CALL, ANSWER]
    calls = [
        act("price", '{"item": "gold"}'),
        act("price", '{"item": "pen"}'),
        act("price", '{"item": "book"}'),
    ]
    search = DFSDT(back_after_give_up=1)
    whole = await AgentLoop(three_roles(planner, calls, ["13"]), BOX, search).solve(TASK)
    assert whole.outcome == "answered"
    for cut in range(len(whole.steps)):
        stopped = whole.model_copy(update={"steps": whole.steps[:cut], "outcome": "limit"})
        policy = three_roles(
            planner[cut:], calls[sum(len(s.calls) for s in whole.steps[:cut]) :], ["13"]
        )
        done = await AgentLoop(policy, BOX, search).begin(TASK, resume=stopped).finish()
        assert [_core(step) for step in done.steps] == [_core(step) for step in whole.steps]


def _core(step: Step) -> tuple[object, ...]:
    return step.id, step.parent, step.decision, step.thought, step.calls, step.pruned


async def test_steps_stream_as_they_are_taken_and_closing_cancels() -> None:
    agent = AgentLoop(three_roles([CALL, ANSWER], [act("price", '{"item": "pen"}')], ["2"]), BOX)
    seen = [one async for one in agent.stream(TASK)]
    assert [type(one) for one in seen] == [Step, Step, Trajectory]
    endless = AgentLoop(loops(), BOX, ReACT(max_steps=10**6))
    async with aclosing(endless.stream(TASK)) as stream:
        async for one in stream:
            assert isinstance(one, Step)
            if one.id == 3:
                break


async def test_a_cancelled_run_can_be_read_and_resumed() -> None:
    started = asyncio.Event()

    def watch(step: Step) -> None:
        if step.id == 4:
            started.set()

    attempt = AgentLoop(loops(), BOX, ReACT(max_steps=10**6)).begin(TASK, observe=watch)
    work = asyncio.create_task(attempt.finish())
    await started.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    so_far = attempt.so_far()
    assert (so_far.outcome, so_far.run.stopped) == ("limit", "cancelled")
    policy = three_roles([ANSWER], [], ["done"])
    done = await AgentLoop(policy, BOX, ReACT(max_steps=100)).begin(TASK, resume=so_far).finish()
    assert done.answer == "done"


async def test_sixty_four_agents_share_one_loop() -> None:
    done = await asyncio.gather(
        *(
            AgentLoop(
                three_roles([CALL, ANSWER], [act("price", '{"item": "pen"}')], [f"{n}"]), BOX
            ).solve(TASK)
            for n in range(64)
        )
    )
    assert [one.answer for one in done] == [str(n) for n in range(64)]


async def test_a_give_up_for_want_of_a_tool_says_which() -> None:
    missing_tool = "None can sort.\nMissing tool: sorts a list of numbers.\nNext: give up"
    done = await AgentLoop(three_roles([missing_tool]), BOX).solve(TASK)
    assert (done.outcome, done.wants) == ("gave_up", "sorts a list of numbers.")


class Endless:
    """A model that writes until it is cut off."""

    name = "endless"

    async def complete(self, request: ModelRequest) -> ModelResponse:
        assert request.max_tokens == 1024
        return ModelResponse(
            content="and so on " * 50,
            finish_reason="length",
            model=self.name,
            usage=Usage(requests=1),
        )


async def test_an_endless_role_is_cut_and_noted() -> None:
    done = await AgentLoop(
        ThreeRolePolicy(Endless(), Endless(), Endless()), BOX, ReACT(max_steps=2)
    ).solve(TASK)
    assert (done.outcome, len(done.steps)) == ("limit", 2)
    assert "the planner's reply was cut at 1024 tokens" in done.steps[0].notes
    assert "the caller's reply was cut at 1024 tokens" in done.steps[0].notes
    assert done.steps[0].results[0].failure == "no-call"


@tool
def broken_text() -> dict[str, str]:
    """Return half of a surrogate pair."""
    return {"half": chr(0xD83D)}


async def test_half_a_surrogate_pair_is_mended_and_the_run_can_be_kept() -> None:
    half = chr(0xD800)
    policy = three_roles(
        [f"Look {half}\nNext: caller", ANSWER], [act("broken_text", "{}")], [f"Done {half}"]
    )
    done = await AgentLoop(policy, ToolCollection([broken_text])).solve(TASK)
    assert done.answer == "Done \ufffd"
    assert done.steps[0].results[0].data == {"half": "\ufffd"}
    assert read_trajectory(done.model_dump_json()) == done


async def test_data_as_long_as_a_cut_observation_is_not_kept() -> None:
    done = await AgentLoop(
        three_roles([CALL, GIVE_UP], [act("long", '{"words": 1000}')]), BOX, observation=50
    ).solve(TASK)
    assert done.steps[0].results[0].data is None


@tool
def in_a_broken_house() -> str:
    """Need a sandbox that is not there."""
    raise SandboxError("no sandbox here")


async def test_a_broken_sandbox_ends_the_run_and_keeps_what_was_done() -> None:
    policy = three_roles([CALL, CALL], [PEN, act("in_a_broken_house", "{}")])
    done = await AgentLoop(policy, ToolCollection([*BOX.tools, in_a_broken_house])).solve(TASK)
    assert (done.outcome, len(done.steps), done.run.stopped) == (
        "failed",
        1,
        "[sandbox] no sandbox here",
    )
