"""All 120 trajectories of the data survive both formats, and prompts equal the paper's byte for byte."""

import json
from pathlib import Path
from typing import Any

import pytest

from toolmint.core.errors import InputError
from toolmint.core.task import read_trajectory
from toolmint.roles import openai_messages, toolbench, toolbench_trees
from toolmint.roles.paper import Paper, history_text, instructions_of
from toolmint.roles.view import AgentRole


def conversations(data: Path) -> list[dict[str, Any]]:
    static = json.loads((data / "toolbench/static_out_of_domain_first120.json").read_text())
    raw = data / "toolbench/umi_train_example/raw_data/raw_data_stage_2.json"
    assert len(static) == 120
    return static + json.loads(raw.read_text())


def test_every_conversation_file_round_trips(data: Path) -> None:
    for item in conversations(data):
        assert toolbench.encode_conversation(toolbench.decode_conversation(item)) == item


def test_every_trajectory_round_trips_through_openai_messages_and_json(data: Path) -> None:
    for item in conversations(data):
        trajectory = toolbench.decode_conversation(item)
        wire = json.loads(json.dumps(openai_messages.encode_messages(trajectory)))
        assert openai_messages.decode_messages(wire) == trajectory
        assert read_trajectory(trajectory.model_dump_json()) == trajectory


def test_messages_say_most_by_themselves(data: Path) -> None:
    facts = 0
    for item in conversations(data):
        for message in openai_messages.encode_messages(toolbench.decode_conversation(item))[
            "messages"
        ]:
            facts += "step" in message.get("toolmint", {})
    assert facts < 20


def test_messages_without_our_field_are_read_too(data: Path) -> None:
    for item in conversations(data):
        trajectory = toolbench.decode_conversation(item)
        wire = openai_messages.encode_messages(trajectory)
        del wire["toolmint"]
        for message in wire["messages"]:
            message.pop("toolmint", None)
        read = openai_messages.decode_messages(wire)
        assert [step.calls for step in read.steps if step.calls] == [
            step.calls for step in trajectory.steps if step.calls
        ]


@pytest.mark.parametrize("role", ["planner", "caller", "summarizer", "backbone"])
def test_prompts_equal_the_papers_training_samples(data: Path, role: AgentRole) -> None:
    folder = data / "toolbench/umi_train_example"
    samples = json.loads((folder / f"train_{role}.json").read_text())
    paper = Paper(instructions_of({role: samples[0]}))
    differing = [one for one in samples if _text(paper, role, one) != one["input"]]
    # The official preprocessing pairs each give-up of the backbone with the step before it.
    assert all("give up" in one["target"] for one in differing)
    assert len(differing) == (6 if role == "backbone" else 0)


def _text(paper: Paper, role: AgentRole, one: dict[str, Any]) -> str:
    said = [(turn["from"], turn["value"]) for turn in one["history"]]
    return paper.text(role, one["tools"], said, said[-1][1])


def test_a_history_has_no_end_after_an_observation() -> None:
    said = [
        ("user", "q"),
        ("assistant", "t Next: caller."),
        ("caller", "Action: a"),
        ("observation", "o"),
    ]
    assert history_text(said) == (
        "user: q</s>assistant: t Next: caller.</s>caller: Action: a</s>observation: o"
    )


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({}, "no conversation"),
        ({"tools": [], "instruction": "q", "conversations": []}, "must begin"),
        (
            {
                "tools": [],
                "instruction": "q",
                "conversations": [{"from": "user", "value": "q"}, {"from": "robot", "value": ""}],
            },
            "turn 2",
        ),
        ({"tools": [{"Name": 3}], "instruction": "q", "conversations": []}, "no conversation"),
    ],
)
def test_a_broken_conversation_is_refused_by_name(item: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        toolbench.decode_conversation(item)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "must be a JSON object"),
        ("{", "not JSON"),
        ('{"schema_version": 2}', "upgrade"),
        ('{"schema_version": 1}', "task"),
        ('{"task": {"input": "q"}, "steps": [{"id": 0, "parent": 7}]}', "names step 7"),
        ('{"task": {"input": "q"}, "steps": [{"id": 0}, {"id": 0}]}', "two steps 0"),
        ('{"task": {"input": "q"}, "leaf": 3}', "ends in step 3"),
    ],
)
def test_a_broken_or_newer_trajectory_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_trajectory(text)


def test_search_trees_of_toolbench_keep_every_branch(data: Path) -> None:
    files = sorted((data / "toolbench/dfs_trees").glob("*/*.json"))
    assert len(files) == 15
    for path in files:
        item = json.loads(path.read_text())
        read = toolbench_trees.decode_search_tree(item)
        kinds = json.dumps(item["tree"])
        assert (
            sum(bool(step.turns) for step in read.steps)
            == kinds.count('"node_type": "Action Input"') - 1
        )
        assert read_trajectory(read.model_dump_json()) == read
        names = {tool.name for tool in read.task.tools}
        assert "Finish" not in names
        assert names


def test_the_ending_of_a_search_tree_is_its_own(data: Path) -> None:
    endings: dict[str, int] = {}
    for path in sorted((data / "toolbench/dfs_trees").glob("*/*.json")):
        item = json.loads(path.read_text())
        read = toolbench_trees.decode_search_tree(item)
        endings[read.outcome] = endings.get(read.outcome, 0) + 1
        said = item["answer_generation"]["final_answer"]
        if item["win"] and said:
            assert read.answer == json.loads(said)["final_answer"]
    assert endings["answered"] >= 9
    assert endings["gave_up"] >= 3


@pytest.mark.parametrize(
    "item", [{}, {"answer_generation": {"function": [], "query": "q"}, "tree": {"tree": 3}}]
)
def test_what_is_no_search_tree_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no search tree"):
        toolbench_trees.decode_search_tree(item)
