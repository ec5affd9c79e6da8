"""Samples: one tokenisation for all roles, the paper's form, truncation, readers."""

import json
from pathlib import Path
from typing import Any

import pytest

from toolmint.core.errors import InputError
from toolmint.core.task import Trajectory
from toolmint.roles.marked import END_MARK, MARK, ROLE_MARKS, Marked, pieces_of, signature
from toolmint.roles.paper import Paper, instructions_of
from toolmint.roles.reading import read_action, read_answer, read_plan
from toolmint.roles.toolbench import decode_conversation
from toolmint.roles.view import AgentRole, View
from toolmint.training.paper_samples import step_samples
from toolmint.training.readers import read_file, seal_documents
from toolmint.training.samples import IGNORED, TRAINED_ROLES, sample_of
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_tasks
from toolmint.world.players import Reference, play_task

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def runs(anyio_backend: str) -> list[Trajectory]:
    return [
        (await play_task(task, Reference(task, argument_errors=0.1)))[0]
        for task in make_tasks("train", 60)
    ]


@pytest.fixture(scope="module")
def tokenizer(runs: list[Trajectory]) -> Tokenizer:
    return Tokenizer.train(runs, 1500)


def test_a_prompt_is_the_beginning_of_the_sequence_that_training_reads(
    runs: list[Trajectory],
) -> None:
    family = Marked()
    for run in runs:
        path = run.path()
        whole = "".join(piece.text for piece in pieces_of(run.task, path))
        for place, step in enumerate(path):
            plan = read_plan(step.turns[0].answer.content)
            view = View(run.task, path[:place], step.hints)
            roles: list[tuple[AgentRole, View]] = [("planner", view)]
            if step.decision != "give_up":
                roles.append(("caller" if step.calls else "summarizer", view._replace(plan=plan)))
            for role, seen in roles:
                prompt = family.prompt(role, seen).text
                assert whole.startswith(prompt)
                assert prompt.endswith(MARK[role])
                reply = whole[len(prompt) :].partition(END_MARK)[0]
                assert _reads_back(role, reply, step.model_dump())


def _reads_back(role: AgentRole, reply: str, step: dict[str, Any]) -> bool:
    match role:
        case "planner":
            plan = read_plan(reply)
            return (plan.thought, plan.decision) == (step["thought"], step["decision"])
        case "caller":
            action = read_action(reply)
            call = step["calls"][0]
            return (action.name, json.loads(action.arguments)) == (
                call["name"],
                json.loads(call["arguments"]),
            )
        case _:
            return read_answer(reply).text == step["answer"]


def test_stage_two_labels_are_a_partition_of_stage_one(
    runs: list[Trajectory], tokenizer: Tokenizer
) -> None:
    for run in runs:
        sample = sample_of(run, tokenizer)
        whole = sample.labels()
        parts = [sample.labels({role}) for role in TRAINED_ROLES]
        for place, label in enumerate(whole):
            mine = [part[place] for part in parts if part[place] != IGNORED]
            assert mine == ([label] if label != IGNORED else [])
        for role in TRAINED_ROLES:
            spoken = sum(turn.role == role for step in run.path() for turn in step.turns)
            assert sample.span_count(role) == spoken


def test_a_roles_labels_are_its_words_and_their_end(
    runs: list[Trajectory], tokenizer: Tokenizer
) -> None:
    run = next(run for run in runs if run.answer)
    sample = sample_of(run, tokenizer)
    summarizer = [label for label in sample.labels({"summarizer"}) if label != IGNORED]
    assert tokenizer.decode(summarizer) == f"{run.answer}{END_MARK}"
    caller = tokenizer.decode(label for label in sample.labels({"caller"}) if label != IGNORED)
    assert [json.loads(text)["name"] for text in caller.split(END_MARK) if text] == [
        call.name for step in run.path() for call in step.calls
    ]
    assert tokenizer.decode(sample.ids) == "".join(
        piece.text for piece in pieces_of(run.task, run.path())
    )


def test_documents_are_one_line_each(runs: list[Trajectory]) -> None:
    lines = [signature(tool) for run in runs for tool in run.task.tools]
    assert all("\n" not in line and "(" in line for line in lines)
    assert any("{" in line for line in lines)
    assert any("lowest|highest" in line for line in lines)


def long_run(runs: list[Trajectory]) -> Trajectory:
    run = max(runs, key=lambda one: len(one.steps))
    steps = [
        step.model_copy(
            update={
                "results": tuple(
                    one.model_copy(update={"content": "word " * 400}) for one in step.results
                )
            }
        )
        for step in run.steps
    ]
    return run.model_copy(update={"steps": tuple(steps)})


def test_truncation_keeps_documents_query_and_the_last_step(
    runs: list[Trajectory], tokenizer: Tokenizer
) -> None:
    run = long_run(runs)
    whole = sample_of(run, tokenizer, 10**6)
    head = tokenizer.encode("".join(piece.text for piece in pieces_of(run.task, ())))
    for context in (len(whole.ids) - 1, len(whole.ids) // 2, len(head) + 200):
        cut = sample_of(run, tokenizer, context)
        assert len(cut.ids) <= context
        assert list(cut.ids[: len(head)]) == head
        assert cut.ids[-5:] == whole.ids[-5:]
        assert cut.truncation.tokens == len(whole.ids) - len(cut.ids)
        assert cut.truncation.observations > 0
    assert sample_of(run, tokenizer, len(head) + 200).truncation.steps > 0
    assert whole.truncation == (0, 0, 0)
    with pytest.raises(InputError, match="the context is 50"):
        sample_of(run, tokenizer, 50)


def paper_of(folder: Path) -> Paper:
    roles: tuple[AgentRole, ...] = ("planner", "caller", "summarizer", "backbone")
    return Paper(
        instructions_of(
            {role: json.loads((folder / f"train_{role}.json").read_text())[0] for role in roles}
        )
    )


@pytest.mark.parametrize(
    ("role", "count"), [("planner", 79), ("caller", 59), ("summarizer", 14), ("backbone", 79)]
)
def test_the_papers_samples_are_made_byte_for_byte(data: Path, role: AgentRole, count: int) -> None:
    folder = data / "toolbench/umi_train_example"
    raw = json.loads((folder / "raw_data/raw_data_stage_2.json").read_text())
    official = [
        (one["input"], one["target"])
        for one in json.loads((folder / f"train_{role}.json").read_text())
    ]
    paper = paper_of(folder)
    made = {
        stale: [
            tuple(one)
            for item in raw
            for one in step_samples(decode_conversation(item), role, paper, stale_give_up=stale)
        ]
        for stale in (True, False)
    }
    assert len(official) == count
    assert made[True] == official
    differing = [one for one, other in zip(made[False], official, strict=True) if one != other]
    assert len(differing) == (6 if role == "backbone" else 0)


def test_one_pass_reads_far_fewer_tokens_than_a_sample_a_step(data: Path) -> None:
    items = json.loads((data / "toolbench/static_out_of_domain_first120.json").read_text())
    trajectories = [decode_conversation(item) for item in items]
    tokens = Tokenizer.train(trajectories, 2000)
    paper = Paper.default()
    once = sum(len(sample_of(one, tokens, 10**6).ids) for one in trajectories)
    stepped = sum(
        len(tokens.encode(sample.prompt + sample.target))
        for one in trajectories
        for role in TRAINED_ROLES
        for sample in step_samples(one, role, paper)
    )
    assert stepped > 4 * once


def test_files_of_every_maker_become_trajectories(data: Path) -> None:
    assert len(list(read_file(data / "toolbench/static_out_of_domain_first120.json"))) == 120
    banked = list(read_file(data / "api_bank/lv3-response-train.json"))
    assert len(banked) == 338
    assert all(one.answer and one.task.tools[0].name == "ToolSearcher" for one in banked)
    assert sum(len(one.task.tools) > 1 for one in banked) > 300
    tools = seal_documents(data / "seal_tools/tool.jsonl")
    sealed = list(read_file(data / "seal_tools/dev.jsonl", tools))
    assert len(sealed) == 700
    for one in sealed:
        assert {call.name for step in one.steps for call in step.calls} <= {
            tool.name for tool in one.task.tools
        }
    tokenizer = Tokenizer.train(sealed, 1000)
    sample = sample_of(sealed[0], tokenizer)
    assert (sample.span_count("caller"), sample.span_count("planner")) == (1, 0)
    golden = list(read_file(data / "toolalpaca/eval_simulated.json"))
    assert len(golden) == 100
    assert all(step.calls[0].parsed() is not None for step in golden[1].steps)


def test_a_simulated_run_of_toolalpaca_teaches_every_role(tmp_path: Path) -> None:
    takes = '{"about": "string. Required. The thing.", "most": "integer."}'
    described = f"Finds a fact.\nParameters: {takes}\nOutput: a fact"
    log = "ASSISTANT Thought: I look it up.\nASSISTANT Action: find\nASSISTANT Action Input: {}"
    api = {
        "Name": "Facts",
        "Function_Description": {"find": described, "components": "shared"},
        "Instances": [
            {
                "input": "A fact about owls?",
                "output": "Owls turn their heads.",
                "Final Thought": "I know.",
                "intermediate_steps": [
                    [["find", '{"most": 1, "about": "owls"}', log], "Status Code: 200."]
                ],
            }
        ],
    }
    path = tmp_path / "train_data.json"
    path.write_text(json.dumps([api]))
    (run,) = read_file(path)
    assert [tool.name for tool in run.task.tools] == ["find"]
    assert dict(run.task.tools[0].parameters)["required"] == ["about"]
    first, last = run.steps
    assert (first.thought, first.calls[0].arguments) == (
        "I look it up.",
        '{"about":"owls","most":1}',
    )
    assert (last.thought, run.answer) == ("I know.", "Owls turn their heads.")
    sample = sample_of(run, Tokenizer.train([run], 400))
    assert [sample.span_count(role) for role in TRAINED_ROLES] == [2, 1, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"question": "a", "answer": "b"}', "unknown columns answer, question"),
        ("[3]", "no JSON object"),
        ("{", "cannot be read as JSON"),
        ('{"messages": []}', "must begin with the user"),
        ('{"query": "q", "calling": [{"apo": 1}]}', "no query of Seal-Tools"),
        ('{"instruction": "", "input": "hello", "output": ""}', "document of its searcher"),
        ('{"task": {"input": "q"}, "steps": 3}', "steps"),
        ('{"Function_Description": {"f": 3}}', "no API of ToolAlpaca"),
    ],
)
def test_a_dataset_that_cannot_be_read_says_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        list(read_file(path))


def test_a_tokenizer_is_kept_and_must_know_the_marks(tmp_path: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    again = Tokenizer.load(tmp_path / "tokenizer.json")
    assert again.size == tokenizer.size == 1500
    assert all(len(again.encode(mark)) == 1 for mark in ROLE_MARKS)
    assert again.decode(again.encode("né 1234 <|end|>")) == "né 1234 <|end|>"
    (tmp_path / "other.json").write_text(
        (tmp_path / "tokenizer.json").read_text().replace("<|caller|>", "<|callee|>")
    )
    with pytest.raises(InputError, match=r"no token for <\|caller\|>"):
        Tokenizer.load(tmp_path / "other.json")
    (tmp_path / "none.json").write_text("{}")
    with pytest.raises(InputError, match=r"no tokenizer\.json"):
        Tokenizer.load(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot hold 256 bytes"):
        Tokenizer.train([], 100)


def test_a_trajectory_without_words_of_a_role_is_refused(
    runs: list[Trajectory], tokenizer: Tokenizer
) -> None:
    silent = runs[0].model_copy(
        update={"steps": tuple(step.model_copy(update={"turns": ()}) for step in runs[0].steps)}
    )
    with pytest.raises(InputError, match="no role has a span"):
        sample_of(silent, tokenizer)
