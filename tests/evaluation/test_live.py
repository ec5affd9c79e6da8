"""Live measures, judges, simulated APIs, mathematics: each on scripted models and real data."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from toolmint.agent.agent import AgentLoop
from toolmint.agent.dfsdt import DFSDT
from toolmint.agent.policy import ThreeRolePolicy
from toolmint.agent.react import ReACT
from toolmint.agent.tree import Search
from toolmint.assembly.agents import AgentChoices
from toolmint.assembly.simulation import SimulatedApiSolver, simulated_box
from toolmint.core.errors import InputError, ModelUnavailable
from toolmint.core.messages import ToolCall
from toolmint.core.model import ModelRequest
from toolmint.core.task import Limits, Step, Task, Trajectory
from toolmint.evaluation.compare import compare
from toolmint.evaluation.compat import score_compat
from toolmint.evaluation.floors import Situation, predictions, three_calls
from toolmint.evaluation.gsm8k import AnnotatedSolver, Gsm8k, is_right, number_in, read_problems
from toolmint.evaluation.judge import JudgedRuns, ModelJudge
from toolmint.evaluation.rows import Header, RowSet, read_rows
from toolmint.evaluation.runner import RunConfig, run
from toolmint.evaluation.solvers import RecordedSolver
from toolmint.evaluation.toolalpaca import Api, GoldenCall, ToolAlpaca, execute_calls, read_apis
from toolmint.evaluation.toolbench import StaticToolBench, StepSolver, StepTask
from toolmint.evaluation.toolworld import Player, PlayerSolver, ToolWorld, replayed_world
from toolmint.models.scripted import AnsweringModel, ScriptedModel
from toolmint.roles.toolbench import decode_conversation
from toolmint.sandbox.forkserver import ForkServer
from toolmint.tools.program import ProgramTool
from toolmint.tools.toolbox import ToolCollection
from toolmint.world.generate import make_tasks
from toolmint.world.players import GivesUpEarly, RandomPlayer, Reference, play_task

pytestmark = pytest.mark.anyio
TASKS = list(make_tasks("unseen", 60))


async def played(player: Player, search: Search, concurrency: int = 8) -> RowSet:
    """Play the tasks with a share of injected faults."""
    faults = 0.2 if player is GivesUpEarly else 0.0
    rows = await run(
        ToolWorld(TASKS, faults=faults),
        PlayerSolver(player, search, faults=faults),
        config=RunConfig(concurrency=concurrency, trajectories=True),
    )
    return RowSet(Header.of("toolworld", search.name, {}), tuple(rows))


async def test_runs_are_scored_with_every_task_in_the_denominator() -> None:
    found = await played(Reference, ReACT(max_steps=16))
    assert [row.id for row in found.rows] == [task.id for task in TASKS]
    for row in found.rows:
        assert row.trajectory is not None
        assert len(row.trajectory.steps) == row.measures["steps"]
    cells = ToolWorld(TASKS).summary(found.rows).sections[0].lines[0].cells
    assert str(cells["passed"]) == str(cells["solvable"]) == str(cells["impossible"])
    assert str(cells["passed"]) == "100.0 [100.0, 100.0]"
    assert ToolWorld(TASKS).summary([]).sections[0].lines == ()


async def test_the_world_is_checked_by_making_the_calls_again_without_faults() -> None:
    for search in (ReACT(max_steps=16), DFSDT(max_steps=16)):
        for task in TASKS[:20]:
            for player in (Reference, RandomPlayer):
                done, box = await play_task(task, player(task), search, faults=0.3)
                again = await replayed_world(task, done)
                assert again.state.deeds == box.state.deeds
                assert again.check(done) == box.check(done)


async def test_searches_are_compared_task_by_task() -> None:
    chain, tree = await played(GivesUpEarly, ReACT()), await played(GivesUpEarly, DFSDT())
    found = compare(tree, chain)
    assert found.win_rate is not None
    values = [one.value or 0 for one in found.win_rate]
    assert sum(values) == pytest.approx(1) and values[0] > values[1]
    same = compare(chain, chain).win_rate
    assert same is not None and same[2].value == 1


async def test_the_same_seed_gives_the_same_faults() -> None:
    one = await played(GivesUpEarly, ReACT(), concurrency=1)
    other = await played(GivesUpEarly, ReACT(), concurrency=32)
    assert [row.measures for row in one.rows] == [row.measures for row in other.rows]


async def test_a_player_refuses_what_is_no_task_of_the_world() -> None:
    with pytest.raises(InputError, match="ToolWorld alone"):
        await PlayerSolver(Reference, ReACT()).solve(Task(input="hi"))


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
    judged = await ModelJudge(ScriptedModel([said])).passes(run_of("yes"))
    assert (judged.verdict, judged.usage.requests) == (verdict, 1)


@pytest.mark.parametrize(
    ("votes", "preference"),
    [
        (("Verdict: one", "Verdict: two"), "first"),
        (("Verdict: two", "Verdict: one"), "second"),
        (("Verdict: one", "Verdict: one"), "tie"),
        (("Verdict: tie", "Verdict: two"), "tie"),
        (("hm", "Verdict: two"), "tie"),
    ],
)
async def test_a_preference_must_hold_in_both_orders(
    votes: tuple[str, str], preference: str
) -> None:
    model = ScriptedModel(votes)
    assert (await ModelJudge(model).prefers(run_of("a"), run_of("b"))).preference == preference
    first, second = (request.messages[0].content for request in model.requests)
    assert first.index("Answer: a") < first.index("Answer: b")
    assert second.index("Answer: b") < second.index("Answer: a")


async def test_process_and_answer_are_judged_apart() -> None:
    judge = ModelJudge(ScriptedModel(["Right calls.\nProcess: pass\nAnswer: fail", "?"]))
    found = await judge.process_and_answer(run_of("x"), "docs", [{"name": "a"}])
    assert (found.process, found.answer) == ("pass", "fail")
    assert (await judge.process_and_answer(run_of("x"), "docs", [])).process == "unsure"


def apis_of(data: Path) -> list[Api]:
    return read_apis(data / "toolalpaca/eval_simulated.json")


async def test_every_simulated_api_answers_its_own_calls(data: Path) -> None:
    apis = apis_of(data)
    rows = await run(ToolAlpaca(apis), SimulatedApiSolver(apis, None, AgentChoices()))
    whole = [all(row.measures.values()) for row in rows]
    assert (len(rows), sum(whole)) == (100, 87)
    assert {row.cluster for row in rows} == {api.name for api in apis}


async def test_a_judges_spend_is_kept_apart_from_the_agents(data: Path) -> None:
    apis = apis_of(data)[:1]
    judge = ModelJudge(AnsweringModel(lambda _: "Process: pass\nAnswer: unsure"))
    benchmark = ToolAlpaca(apis, 3, judge)
    rows = await run(benchmark, SimulatedApiSolver(apis, None, AgentChoices()))
    assert [row.scoring.requests for row in rows] == [1, 1, 1]
    assert all(row.usage.requests == 0 and row.passed("unsure") for row in rows)
    assert benchmark.summary(rows).notes[-1].startswith("the judge: 3 calls")


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
        {
            "id": 0,
            "decision": "call",
            "calls": [{"id": "c", "name": "a", "arguments": '{"x": "Rome", "y": 1}'}],
            "results": [{"call_id": "c", "content": "", "data": {"temperature": "31 C"}}],
        }
    )
    golden = [GoldenCall("a", {"x": "rome", "y": "${y from b}"})]
    good = execute_calls(run_of("It is 31 C.", step), golden)
    assert (good.process, good.arguments, good.grounded) == (True, 1.0, True)
    invented = execute_calls(run_of("It is warm.", step), golden)
    assert (invented.process, invented.grounded) == (True, False)
    assert (
        execute_calls(
            run_of("It is 31 C.", step), [GoldenCall("a", {"x": "Oslo", "y": 1})]
        ).arguments
        == 0.5
    )
    missing = execute_calls(run_of("It is 31 C.", step), [*golden, GoldenCall("b", None)])
    assert (missing.process, missing.why) == (False, ("b was not called with success",))


@pytest.mark.parametrize("text", ["{", '[{"Name": "x"}]', "[3]"])
def test_a_file_that_is_not_toolalpacas_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "apis.json"
    path.write_text(text)
    with pytest.raises(InputError, match="ToolAlpaca"):
        read_apis(path)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so 1,234.5 dollars", "1234.5"),
        ("$-3", "-3"),
        ("3/4", "0.75"),
        ("first 5 then 6.", "6"),
        ("none", None),
        ("1/0", None),
        ("#### 72", "72"),
        ("-0.50", "-0.50"),
    ],
)
def test_the_last_number_of_a_text(text: str, number: str | None) -> None:
    found = number_in(text)
    assert (None if found is None else str(found)) == number


async def test_programs_solve_word_problems_in_the_sandbox(data: Path, sandbox: ForkServer) -> None:
    problems = read_problems(data / "gsm8k/test_first200.jsonl")[:12]
    solver = AnnotatedSolver(problems, ToolCollection([ProgramTool(sandbox)]))
    rows = await run(Gsm8k(problems), solver)
    assert sum(row.passed("right") for row in rows) >= 10
    assert all(row.error is None for row in rows)


async def test_a_models_program_is_run_and_its_answer_checked(sandbox: ForkServer) -> None:
    def reply(request: ModelRequest) -> str:
        last = request.messages[-1].content
        ran = any(message.role == "tool" for message in request.messages)
        if "planner's turn" in last:
            return "Computed.\nNext: summarizer" if ran else "I compute.\nNext: caller"
        return "The answer is 42." if ran else "```python\nprint(6 * 7)\n```"

    model = AnsweringModel(reply)
    done = await AgentLoop(
        ThreeRolePolicy(model, model, model), ToolCollection([ProgramTool(sandbox)])
    ).solve(Task(input="6 times 7?"))
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
    trajectories = [decode_conversation(item) for item in json.loads(path.read_text())[:2]]
    benchmark = StaticToolBench(trajectories)
    steps = len(benchmark.items)
    down = ModelUnavailable("down")
    planner = ScriptedModel([down, *["No.\nNext: give up"] * (steps - 1)])
    policy = ThreeRolePolicy(planner, planner, planner)
    rows = await run(benchmark, StepSolver(policy), config=RunConfig(concurrency=1))
    assert sum(row.usage.requests for row in rows) == steps - 1
    assert rows[0].error == "[model-unavailable] down" and rows[0].outcome == "failed"
    plans = [pair.predicted.plan for pair in benchmark.pairs(rows)]
    assert plans == ["call", *["give up"] * (steps - 1)]
    golds = {message.content for request in planner.requests for message in request.messages}
    assert any(
        result.content in golds for step in trajectories[0].path() for result in step.results
    )


async def test_predictions_in_rows_give_the_metrics_of_the_predictions_themselves(
    data: Path, tmp_path: Path
) -> None:
    path = data / "toolbench/static_out_of_domain_first120.json"
    trajectories = [decode_conversation(item) for item in json.loads(path.read_text())[:30]]
    benchmark = StaticToolBench(trajectories)

    class Floor:
        async def solve(self, task: Task, limits: Limits | None = None) -> Trajectory:
            del limits
            assert isinstance(task, StepTask)
            said = three_calls(Situation(Trajectory(task=task), task.before))
            call = ToolCall(id="c", name=said.action, arguments=said.arguments)
            decision = {"call": "call", "finish": "answer", "give up": "give_up"}[said.plan]
            calls = (call,) if decision == "call" else ()
            answer = said.answer if decision == "answer" else None
            step = Step.model_validate(
                {"id": 0, "decision": decision, "calls": calls, "answer": answer}
            )
            return Trajectory(task=task, steps=(step,), leaf=0)

    await run(benchmark, Floor(), tmp_path / "rows.jsonl")
    pairs = benchmark.pairs(read_rows(tmp_path / "rows.jsonl").rows)
    by_place = sorted(pairs, key=lambda pair: pair.trajectory)
    wanted = predictions(trajectories, three_calls)
    assert score_compat(by_place)[1:] == score_compat(wanted)[1:]
    assert score_compat(by_place).plan_acc == score_compat(wanted).plan_acc


async def test_recorded_runs_are_judged_row_by_row() -> None:
    runs = [run_of("a"), run_of("b"), run_of(None)]
    votes = ["Verdict: pass", "hm", ModelUnavailable("down")]
    benchmark = JudgedRuns(ModelJudge(ScriptedModel(votes)), runs)
    rows = await run(benchmark, RecordedSolver(runs), config=RunConfig(concurrency=1))
    assert [row.passed("pass") for row in rows] == [True, False, False]
    assert [row.passed("unsure") for row in rows] == [False, True, False]
    assert rows[2].error == "[model-unavailable] down"
    with pytest.raises(InputError, match="the same tasks"):
        JudgedRuns(ModelJudge(ScriptedModel([])), runs, runs[:1])
