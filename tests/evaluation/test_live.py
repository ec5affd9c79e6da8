"""Live measures, judges, simulated APIs, mathematics: each on scripted models and real data."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from toolwright.agent.agent import Agent
from toolwright.agent.policy import Team
from toolwright.agent.search import Dfsdt, React
from toolwright.assembly.agents import AgentChoices
from toolwright.assembly.simulation import Simulation, simulated_box
from toolwright.core.errors import InputError, ModelUnavailable
from toolwright.core.messages import ToolCall
from toolwright.core.model import ModelRequest
from toolwright.core.task import Limits, Step, Task, Trajectory
from toolwright.evaluation.gsm8k import Written, is_right, number_in, read_problems
from toolwright.evaluation.judge import Judge
from toolwright.evaluation.live import Played, run_world, score, win_rate
from toolwright.evaluation.static_run import predict
from toolwright.evaluation.toolalpaca import Api, GoldenCall, execute, read_apis
from toolwright.models.scripted import AnsweringModel, ScriptedModel
from toolwright.roles.toolbench import decode
from toolwright.sandbox.forkserver import ForkServer
from toolwright.tools.box import Box
from toolwright.tools.program import ProgramTool
from toolwright.world.generate import make_tasks
from toolwright.world.players import Hasty, Reference
from toolwright.world.task import WorldTask

pytestmark = pytest.mark.anyio
TASKS = list(make_tasks("unseen", 60))


async def test_runs_are_scored_with_every_task_in_the_denominator() -> None:
    ended: list[str] = []

    def done(task: WorldTask, played: Played, trajectory: Trajectory) -> None:
        assert len(trajectory.steps) == played.steps
        ended.append(task.id)

    played = await run_world(TASKS, Reference, React(max_steps=16), done=done)
    found = score(played)
    assert [one.task for one in played] == [task.id for task in TASKS]
    assert sorted(ended) == sorted(task.id for task in TASKS)
    assert found.pass_rate.value == found.pass_solvable.value == found.pass_unsolvable.value == 1
    assert score([]).pass_rate.value is None


async def test_searches_are_compared_task_by_task() -> None:
    chain = await run_world(TASKS, Hasty, React(), faults=0.2)
    tree = await run_world(TASKS, Hasty, Dfsdt(), faults=0.2)
    rate = win_rate(tree, chain)
    values = [one.value for one in rate]
    assert all(value is not None for value in values)
    assert sum(value or 0 for value in values) == pytest.approx(1)
    assert (rate.first.value or 0) > (rate.second.value or 0)
    assert win_rate(chain, chain).ties.value == 1


async def test_the_same_seed_gives_the_same_faults() -> None:
    one = await run_world(TASKS, Hasty, React(), faults=0.2, concurrency=1)
    other = await run_world(TASKS, Hasty, React(), faults=0.2, concurrency=32)
    assert [played.passed for played in one] == [played.passed for played in other]


def run_of(answer: str | None, *steps: Step) -> Trajectory:
    leaf = len(steps) - 1 if steps else None
    outcome = "answered" if answer is not None else "gave_up"
    return Trajectory(
        task=Task(input="What?"), steps=steps, leaf=leaf, answer=answer, outcome=outcome
    )


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("Fine.\nVerdict: pass", "pass"),
        ("**Verdict**: Fail.", "fail"),
        ("Verdict: unsure", "unsure"),
        ("It is good.", "unsure"),
        ("", "unsure"),
        ("Verdict: pass at first, but\nVerdict: fail", "fail"),
    ],
)
async def test_a_judges_words_are_read_without_guessing(said: str, verdict: str) -> None:
    judge = Judge(ScriptedModel([said]))
    assert (await judge.passes(run_of("yes"))).verdict == verdict
    assert judge.usage.requests == 1


@pytest.mark.parametrize(
    ("votes", "preference"),
    [
        (("Verdict: one", "Verdict: two"), "first"), (("Verdict: two", "Verdict: one"), "second"),
        (("Verdict: one", "Verdict: one"), "tie"), (("Verdict: tie", "Verdict: two"), "tie"),
        (("hm", "Verdict: two"), "tie"),
    ],
)  # fmt: skip
async def test_a_preference_must_hold_in_both_orders(
    votes: tuple[str, str], preference: str
) -> None:
    model = ScriptedModel(votes)
    assert (await Judge(model).prefers(run_of("a"), run_of("b"))).preference == preference
    first, second = (request.messages[0].content for request in model.requests)
    assert first.index("Answer: a") < first.index("Answer: b")
    assert second.index("Answer: b") < second.index("Answer: a")


async def test_process_and_answer_are_judged_apart() -> None:
    judge = Judge(ScriptedModel(["Right calls.\nProcess: pass\nAnswer: fail", "?"]))
    found = await judge.process_and_answer(run_of("x"), "docs", [{"name": "a"}])
    assert (found.process, found.answer) == ("pass", "fail")
    assert (await judge.process_and_answer(run_of("x"), "docs", [])).process == "unsure"


def apis_of(data: Path) -> list[Api]:
    return read_apis(data / "toolalpaca/eval_simulated.json")


async def test_every_simulated_api_answers_its_own_calls(data: Path) -> None:
    played = rows = 0
    for api in apis_of(data):
        simulation = Simulation(None, AgentChoices(), Limits())
        async for row in simulation.play(api):
            rows += 1
            played += row.executed.process and row.executed.grounded and row.executed.arguments == 1
    assert rows == 100
    assert played >= 87


async def test_a_simulated_server_checks_and_repeats_itself(data: Path) -> None:
    api = next(one for one in apis_of(data) if one.name == "AniAPI")
    box, server = simulated_box(api)
    call = ToolCall(id="c", name="getCastAndCrew", arguments='{"animeId": 7}')
    first, second = await box.call(call), await box.call(call)
    assert first.data == second.data
    assert first.failure is None
    search = ToolCall(id="c", name="searchAnime", arguments='{"query": "x"}')
    assert (await box.call(search)).failure is None
    assert [entry[0] for entry in server.log] == ["getCastAndCrew", "getCastAndCrew", "searchAnime"]
    wrong = ToolCall(id="c", name="getCastAndCrew", arguments='{"animeId": "seven"}')
    assert (await box.call(wrong)).failure == "tool-arguments"


def test_execution_asks_for_the_right_calls_and_a_grounded_answer() -> None:
    step = Step.model_validate(
        {"id": 0, "decision": "call",
         "calls": [{"id": "c", "name": "a", "arguments": '{"x": "Rome", "y": 1}'}],
         "results": [{"call_id": "c", "content": "", "data": {"temperature": "31 C"}}]}
    )  # fmt: skip
    golden = [GoldenCall("a", {"x": "rome", "y": "${y from b}"})]
    good = execute(run_of("It is 31 C.", step), golden)
    assert (good.process, good.arguments, good.grounded) == (True, 1.0, True)
    invented = execute(run_of("It is warm.", step), golden)
    assert (invented.process, invented.grounded) == (True, False)
    assert (
        execute(run_of("It is 31 C.", step), [GoldenCall("a", {"x": "Oslo", "y": 1})]).arguments
        == 0.5
    )
    missing = execute(run_of("It is 31 C.", step), [*golden, GoldenCall("b", None)])
    assert (missing.process, missing.why) == (False, ("b was not called with success",))


@pytest.mark.parametrize("text", ["{", '[{"Name": "x"}]', "[3]"])
def test_a_file_that_is_not_toolalpacas_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "apis.json"
    path.write_text(text)
    with pytest.raises(InputError, match="ToolAlpaca"):
        read_apis(path)


@pytest.mark.parametrize(
    ("text", "number"),
    [("so 1,234.5 dollars", "1234.5"), ("$-3", "-3"), ("3/4", "0.75"), ("first 5 then 6.", "6"),
     ("none", None),
     ("1/0", None), ("#### 72", "72"), ("-0.50", "-0.50")],
)  # fmt: skip
def test_the_last_number_of_a_text(text: str, number: str | None) -> None:
    found = number_in(text)
    assert (None if found is None else str(found)) == number


async def test_programs_solve_word_problems_in_the_sandbox(data: Path, sandbox: ForkServer) -> None:
    problems = read_problems(data / "gsm8k/test_first200.jsonl")[:12]
    box = Box([ProgramTool(sandbox)])
    done = [await Agent(Written(one), box).solve(Task(input=one.question)) for one in problems]
    right = [
        is_right(one.answer, problem.answer) for one, problem in zip(done, problems, strict=True)
    ]
    assert sum(right) >= 10


async def test_a_models_program_is_run_and_its_answer_checked(sandbox: ForkServer) -> None:
    def reply(request: ModelRequest) -> str:
        last = request.messages[-1].content
        ran = any(message.role == "tool" for message in request.messages)
        if "planner's turn" in last:
            return "Computed.\nNext: summarizer" if ran else "I compute.\nNext: caller"
        return "The answer is 42." if ran else "```python\nprint(6 * 7)\n```"

    model = AnsweringModel(reply)
    done = await Agent(Team(model, model, model), Box([ProgramTool(sandbox)])).solve(
        Task(input="6 times 7?")
    )
    assert done.steps[0].results[0].content == "42"
    assert is_right(done.answer, Decimal(42))


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", ":1"), ('{"question": "a"}', ":1"), ('{"question": "a", "answer": "b"}', "#### number")],
)
def test_a_line_that_is_no_problem_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text(line)
    with pytest.raises(InputError, match=said):
        read_problems(path)


async def test_static_prediction_is_teacher_forced_and_outlives_a_failing_model(data: Path) -> None:
    path = data / "toolbench/static_out_of_domain_first120.json"
    trajectories = [decode(item) for item in json.loads(path.read_text())[:2]]
    steps = sum(step.decision is not None for one in trajectories for step in one.path())
    down = ModelUnavailable("down")
    planner = ScriptedModel([down, *["No.\nNext: give up"] * (steps - 1)])
    pairs, meter, faults = await predict(
        Team(planner, planner, planner), trajectories, lambda: None
    )
    assert len(pairs) == steps
    assert meter.usage.requests == steps - 1
    assert len(faults) == 1
    assert [pair.predicted.plan for pair in pairs] == ["call", *["give up"] * (steps - 1)]
    golds = {message.content for request in planner.requests for message in request.messages}
    assert any(
        result.content in golds for step in trajectories[0].path() for result in step.results
    )
