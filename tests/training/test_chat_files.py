"""Chat files of other programs: every role, field and part is read or refused by its name and line."""

import json
from pathlib import Path
from typing import Any

import pytest

from toolmint.core.errors import InputError
from toolmint.core.task import Step, Trajectory
from toolmint.roles.marked import pieces_of
from toolmint.roles.openai_messages import decode_messages, encode_messages
from toolmint.roles.paper import Paper
from toolmint.training.paper_samples import step_samples
from toolmint.training.readers import read_file, read_located

ASK = {"role": "user", "content": "q"}
SAY = {"role": "assistant", "content": "a"}
FLAT: dict[str, Any] = {
    "name": "find",
    "description": "Finds.",
    "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}},
}
FIND: dict[str, Any] = {"type": "function", "function": FLAT}


def call(name: str = "find", arguments: object = '{"x": 1}', **more: object) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


def calling(*calls: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": list(calls), **more}


def read(tmp_path: Path, item: object) -> Trajectory:
    path = tmp_path / "chat.jsonl"
    path.write_text("\n" + json.dumps(item) + "\n")
    (run,) = read_file(path)
    return run


def learnt(run: Trajectory) -> list[tuple[str, str]]:
    """Return what gives a loss: role and text."""
    pieces = pieces_of(run.task, run.path())
    return [(one.role, one.text.removesuffix("<|end|>")) for one in pieces if one.role is not None]


def whole(run: Trajectory) -> str:
    return "".join(piece.text for piece in pieces_of(run.task, run.path()))


RESULTS: dict[str, dict[str, Any]] = {
    "tool by id": {"role": "tool", "tool_call_id": "1", "content": "seven"},
    "tool by name": {"role": "tool", "name": "find", "content": "seven"},
    "tool by place": {"role": "tool", "content": "seven"},
    "function": {"role": "function", "name": "find", "content": "seven"},
    "ipython": {"role": "ipython", "content": "seven"},
    "observation": {"role": "observation", "content": "seven"},
    "parts": {
        "role": "tool",
        "tool_call_id": "1",
        "content": [{"type": "text", "text": "sev"}, {"type": "text", "text": "en"}],
    },
    "nulls": {"role": "tool", "tool_call_id": "1", "content": "seven", "name": None, "x": None},
}
CALLS: dict[str, dict[str, Any]] = {
    "text": calling(call(id="1")),
    "object": calling(call(arguments={"x": 1}, id="1")),
    "JSON text of calls": {"role": "assistant", "tool_calls": json.dumps([call(id="1")])},
    "flat": calling({"id": "1", "name": "find", "arguments": {"x": 1}}),
    "no id": calling(call()),
    "legacy": {
        "role": "assistant",
        "content": None,
        "function_call": {"name": "find", "arguments": '{"x": 1}'},
    },
}
TOOLS: dict[str, dict[str, Any]] = {
    "list": {"tools": [FIND]},
    "JSON text": {"tools": json.dumps([FIND])},
    "flat": {"tools": [FLAT]},
    "functions": {"functions": [FLAT]},
    "strict": {"tools": [{"type": "function", "function": {**FLAT, "strict": True}}]},
    "nulls": {
        "tools": [
            {
                "type": "function",
                "function": {
                    **FLAT,
                    "parameters": {
                        "type": "object",
                        "properties": {"x": {"type": "integer", "enum": None}, "y": None},
                        "required": None,
                    },
                },
            }
        ],
        "functions": None,
    },
}


@pytest.mark.parametrize(
    ("made", "result"),
    [
        *(("text", result) for result in RESULTS),
        *(("legacy", result) for result, one in RESULTS.items() if "tool_call_id" not in one),
    ],
)
def test_results_of_every_kind_are_observations(tmp_path: Path, made: str, result: str) -> None:
    item = {"messages": [ASK, CALLS[made], RESULTS[result], SAY], "tools": [FIND]}
    run = read(tmp_path, item)
    first, last = run.path()
    assert [one.content for one in first.results] == ["seven"]
    assert first.results[0].call_id == first.calls[0].id
    assert (last.decision, run.answer, run.outcome) == ("answer", "a", "answered")
    assert learnt(run) == [
        ("caller", '{"name":"find","arguments":{"x":1}}'),
        ("summarizer", "a"),
    ]
    assert "<|observation|>seven" in whole(run)


@pytest.mark.parametrize("made", CALLS)
@pytest.mark.parametrize("shown", TOOLS)
def test_calls_and_tools_of_every_spelling_read_alike(
    tmp_path: Path, made: str, shown: str
) -> None:
    run = read(tmp_path, {"messages": [ASK, CALLS[made]], **TOOLS[shown]})
    assert learnt(run) == [("caller", '{"name":"find","arguments":{"x":1}}')]
    assert whole(run).startswith("<|tools|>Finds. find(x?: integer)<|task|>q")


def test_weights_decide_what_is_learnt_and_change_nothing_else(tmp_path: Path) -> None:
    def of(*weights: object) -> Trajectory:
        said = [
            calling(call(id="1"), content="I look."),
            RESULTS["tool by id"],
            SAY,
            {"role": "user", "content": "and?"},
            {"role": "assistant", "content": "b"},
        ]
        for place, weight in zip((0, 2, 4), weights, strict=True):
            said[place] = said[place] | ({} if weight is None else {"weight": weight})
        return read(tmp_path, {"messages": [ASK, *said], "tools": [FIND]})

    everything = [
        ("planner", "I look.\nNext: caller"),
        ("caller", '{"name":"find","arguments":{"x":1}}'),
        ("summarizer", "a"),
        ("summarizer", "b"),
    ]
    assert learnt(of(None, None, None)) == learnt(of(1, 1.0, 1)) == everything
    assert learnt(of(0, 1, 1)) == everything[2:]
    assert learnt(of(1, 0, 1)) == [*everything[:2], everything[3]]
    assert learnt(of(0, 0, 0)) == []
    assert whole(of(0, 1, 0)) == whole(of(1, 1, 1))
    paper = Paper.default()
    run = of(0, 1, 0)
    assert [
        len(list(step_samples(run, role, paper)))
        for role in ("planner", "caller", "summarizer", "backbone")
    ] == [2, 0, 1, 1]


def test_instructions_begin_the_task_and_later_ones_are_hints(tmp_path: Path) -> None:
    item = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            ASK,
            SAY,
            {"role": "system", "content": "Be quick."},
            {"role": "user", "content": "r"},
            {"role": "assistant", "content": "b"},
        ]
    }
    run = read(tmp_path, item)
    assert run.task.input == "Be brief.\n\nBe kind.\n\nq"
    assert [step.hints for step in run.path()] == [(), ("Be quick.", "r")]
    assert learnt(run) == [("summarizer", "a"), ("summarizer", "b")]


def test_two_calls_at_once_and_their_results_in_any_order(tmp_path: Path) -> None:
    messages = [
        ASK,
        calling(call(id="1"), call("other", {"y": 2}, id="2")),
        {"role": "tool", "tool_call_id": "2", "content": "two"},
        {"role": "tool", "tool_call_id": "1", "content": "one"},
        SAY,
    ]
    run = read(tmp_path, {"messages": messages, "parallel_tool_calls": True})
    assert [(one.call_id, one.content) for one in run.path()[0].results] == [
        ("2", "two"),
        ("1", "one"),
    ]
    assert [role for role, _ in learnt(run)] == ["caller", "caller", "summarizer"]


def test_where_an_item_is_from_stays_with_it(tmp_path: Path) -> None:
    run = read(tmp_path, {"messages": [ASK, SAY], "id": 7, "source": "s", "metadata": {"a": 1}})
    assert run.run.settings == {"id": 7, "source": "s", "metadata": {"a": 1}}


@pytest.mark.parametrize(
    ("item", "spoken"),
    [
        ({"prompt": "q", "completion": "a"}, [("summarizer", "a")]),
        ({"prompt": [ASK], "completion": [SAY]}, [("summarizer", "a")]),
        (
            {
                "prompt": [ASK, SAY, {"role": "user", "content": "r"}],
                "completion": [{"role": "assistant", "content": "b"}],
            },
            [("summarizer", "b")],
        ),
        (
            {"prompt": [ASK], "completion": [calling(call(arguments={"x": 1}))], "tools": [FIND]},
            [("caller", '{"name":"find","arguments":{"x":1}}')],
        ),
    ],
)
def test_of_prompt_and_completion_the_completion_is_learnt(
    tmp_path: Path, item: object, spoken: list[tuple[str, str]]
) -> None:
    run = read(tmp_path, item)
    assert run.task.input == "q"
    assert learnt(run) == spoken


@pytest.mark.parametrize(
    "made",
    [
        '{"name": "find", "arguments": {"x": 1}}',
        '{"name": "find", "arguments": "{\\"x\\": 1}"}',
        '[{"name": "find", "arguments": {"x": 1}}]',
    ],
)
def test_sharegpt_with_calls_is_read(tmp_path: Path, made: str) -> None:
    item = {
        "conversations": [
            {"from": "human", "value": "q"},
            {"from": "function_call", "value": made},
            {"from": "observation", "value": "seven"},
            {"from": "gpt", "value": "a"},
            {"from": "user", "value": "r"},
            {"from": "assistant", "value": "b", "weight": 0},
        ],
        "system": "Be brief.",
        "tools": json.dumps([FLAT]),
    }
    run = read(tmp_path, item)
    assert run.task.input == "Be brief.\n\nq"
    assert learnt(run) == [("caller", '{"name":"find","arguments":{"x":1}}'), ("summarizer", "a")]
    assert [one.content for one in run.path()[0].results] == ["seven"]


def test_a_decoded_chat_survives_our_own_form(tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        ASK,
        calling(call(id="1"), content="I look.", weight=0),
        RESULTS["tool by id"],
        calling(call(id="2")),
        {"role": "tool", "tool_call_id": "2", "content": "eight"},
        SAY,
        {"role": "user", "content": "r"},
        {"role": "assistant", "content": "b", "weight": 0},
    ]
    run = read(tmp_path, {"messages": messages, "tools": [FIND], "id": "x"})
    assert [(one.decision, len(one.results)) for one in run.path()] == [
        ("call", 1),
        ("call", 1),
        ("answer", 0),
        ("answer", 0),
    ]
    assert decode_messages(json.loads(json.dumps(encode_messages(run)))) == run
    assert Trajectory.model_validate_json(run.model_dump_json()) == run
    first: Step = run.path()[0]
    assert [(turn.role, turn.weight) for turn in first.turns] == [("planner", 0), ("caller", 0)]


def chat(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [ASK, *messages], **more}


def shared(*turns: tuple[object, object], **more: object) -> dict[str, Any]:
    said = [{"from": speaker, "value": value} for speaker, value in turns]
    return {"conversations": [{"from": "human", "value": "q"}, *said], **more}


IMAGE: dict[str, Any] = {"type": "image_url", "image_url": {"url": "x"}}
REFUSED: list[tuple[dict[str, Any], str]] = [
    # roles
    (chat({"role": "critic", "content": "a"}), r"message 2: the role 'critic'.*expected system"),
    (chat({"content": "a"}), r"message 2: the role None"),
    (chat("a"), r"message 2: expected a message"),
    (chat({"role": ["user"], "content": "a"}), r"message 2: the role \['user'\]"),
    ({"messages": [SAY]}, "must begin with the user's task"),
    ({"messages": [{"role": "system", "content": "s"}, SAY]}, "must begin with the user's task"),
    ({"messages": []}, "must begin with the user's task"),
    ({"messages": {"role": "user"}}, "'messages' is .*expected a list"),
    # fields of messages
    (chat({**SAY, "name": "bob"}), r"message 2 \(assistant\): the field 'name' \('bob'\)"),
    ({"messages": [{**ASK, "name": "ann"}, SAY]}, r"message 1 \(user\): the field 'name'"),
    (chat({**SAY, "refusal": "no"}), "the field 'refusal'"),
    (chat({**SAY, "audio": {"id": "1"}}), "the field 'audio'"),
    (chat({**SAY, "prefix": False}), "the field 'prefix'"),
    (chat({**SAY, "images": []}), "the field 'images'"),
    (chat({**SAY, "weight": 0.5}), r"'weight' \(0\.5\).*expected 0 \(context\) or 1"),
    (chat({**SAY, "weight": True}), r"'weight' \(True\)"),
    (chat({**SAY, "weight": "0"}), r"'weight' \('0'\)"),
    ({"messages": [{**ASK, "weight": 1}, SAY]}, "a message of role 'user' is never learnt"),
    (chat({"role": "assistant"}), "needs 'content' or 'tool_calls'"),
    (chat({"role": "assistant", "content": None, "tool_calls": []}), "needs 'content' or"),
    ({"messages": [{"role": "user", "content": None}, SAY]}, "message 1: 'content' is None"),
    (chat({**SAY, "role_tag": "critic"}), "'role_tag' .*expected backbone"),
    # content
    ({"messages": [{"role": "user", "content": [IMAGE]}, SAY]}, "part 1: content of type 'image_"),
    (chat({**SAY, "content": {"text": "a"}}), "message 2: 'content' is"),
    (chat({**SAY, "content": ["a"]}), "part 1: expected a part"),
    (chat({**SAY, "content": [{"type": "refusal", "refusal": "no"}]}), "of type 'refusal'"),
    (chat({**SAY, "content": [{"type": "text", "text": 3}]}), "part 1: 'text' is 3"),
    (
        chat({**SAY, "content": [{"type": "text", "text": "a", "cache_control": {}}]}),
        "part 1: the field 'cache_control'",
    ),
    # calls and results
    (chat(calling(call(arguments=None))), "call 1: 'arguments' is None"),
    (chat(calling(call(arguments='{"x": '))), "which is no JSON"),
    (chat(calling(call(arguments='{"x": 1, "x": 2}'))), "'x' stands twice"),
    (chat(calling(call(arguments='{"x": NaN}'))), "NaN is no value of JSON"),
    (chat(calling(call(arguments="[1]"))), "expected the JSON of an object"),
    (chat(calling(call(arguments='"Paris"'))), "expected the JSON of an object"),
    (chat(calling(call(arguments=[1]))), r"call 1: 'arguments' is \[1\]"),
    (chat(calling(call(name=""))), "call 1: 'name' is ''"),
    (chat(calling(call(index=0))), "call 1: the field 'index'"),
    (chat(calling({"type": "custom", "custom": {}})), "call 1: a call of type 'custom'"),
    (chat(calling(call(id="1"), call(id="1"))), "two open calls have the id '1'"),
    (chat(calling(call(), call()), parallel_tool_calls=False), "2 calls in one message"),
    (chat(calling(call(), function_call={"name": "f", "arguments": "{}"})), "'function_call'"),
    (chat({"role": "tool", "content": "x"}), "of no call before it.*without a result: none"),
    (
        chat(calling(call(id="1")), {"role": "tool", "tool_call_id": "2", "content": ""}),
        "'1' of 'fi",
    ),
    (
        chat(calling(call()), {"role": "function", "name": "g", "content": ""}),
        "name 'g' is of no call",
    ),
    (chat({"role": "ipython", "content": "x"}), "of no call before it"),
    (chat({"role": "observation", "content": "x"}), "of no call before it"),
    # tools
    (chat(SAY, tools="[oops"), "'tools' is the text .*no JSON"),
    (chat(SAY, tools={"name": "f"}), "'tools' is .*expected a list"),
    (chat(SAY, tools=[{"type": "web_search"}]), "tools 1: a tool of type 'web_search'"),
    (chat(SAY, tools=[{"name": "f", "input_schema": {}}]), "tools 1: the field 'input_schema'"),
    (chat(SAY, tools=[FIND, FIND]), "tools 2: a tool named 'find' is there already"),
    (chat(SAY, tools=[{"name": "f", "parameters": True}]), "expected a JSON Schema"),
    (chat(SAY, tools=[{"name": "f", "parameters": {"properties": {"x": 3}}}]), r"parameters\.x"),
    (chat(SAY, tools=[{"name": 3}]), "tools 1: 'name' is 3"),
    (chat(SAY, tools=[FIND], functions=[FLAT]), "'functions' .*either it or 'tools'"),
    # the item
    (chat(SAY, n=2), "the field 'n' .*expected only messages"),
    (chat(SAY, response_format={}), "the field 'response_format'"),
    (chat(SAY, prompt="q"), "the field 'prompt'"),
    (chat(SAY, chat_template_kwargs={}), "the field 'chat_template_kwargs'"),
    (chat(SAY, parallel_tool_calls="no"), "'parallel_tool_calls'.*true or false"),
    ({"prompt": "q", "chosen": "a", "rejected": "b"}, "which are preferences"),
    ({"text": "q a"}, "which are plain text without roles"),
    ({"prompt": "q"}, "which are prompts without completions"),
    ({"prompt": "q", "completion": [SAY]}, "two texts or two lists"),
    ({"prompt": "q", "completion": "a", "label": True}, "the field 'label'"),
    ({"prompt": [ASK, {**SAY, "weight": 1}], "completion": [SAY]}, "a prompt is never learnt"),
    ({"instruction": "i", "input": "x", "output": "y"}, "API-Bank"),
    # ShareGPT
    (shared(("critic", "a")), "turn 2: the speaker 'critic'.*expected human"),
    (shared(("gpt", 3)), "turn 2: 'value' is 3"),
    (shared(("function_call", "find(x=1)")), "turn 2: 'value' is the text .*no JSON"),
    (shared(("function_call", "3")), "call 1: expected a JSON object"),
    (shared(("observation", "x")), "of no call before it"),
    (shared(("gpt", "a"), images=["x"]), "the field 'images'"),
    (shared(("gpt", "a"), system=3), "'content' is 3"),
    ({"conversations": [{"role": "user", "content": "q"}]}, "turn 1: the field 'role'"),
]


@pytest.mark.parametrize(("item", "said"), REFUSED)
def test_what_is_not_understood_is_refused_by_name(
    tmp_path: Path, item: dict[str, Any], said: str
) -> None:
    path = tmp_path / "chat.jsonl"
    path.write_text("\n" + json.dumps(item) + "\n")
    with pytest.raises(InputError, match=said) as caught:
        list(read_file(path))
    assert f"{path}:2" in str(caught.value)


RESEARCH: list[tuple[dict[str, Any], str]] = [
    ({"query": "q", "calling": [], "weight": 0}, r"seal_tools\): the field 'weight'"),
    (
        {"query": "q", "calling": [{"api": "f", "parameters": {}, "weight": 0}]},
        "call 1: the field 'weight'",
    ),
    (
        {
            "instruction": "q",
            "tools": [],
            "conversations": [{"from": "user", "value": "q"}, {"from": "assistant", "value": 3}],
        },
        "turn 2: 'value' is 3",
    ),
    (
        {
            "instruction": "q",
            "tools": [],
            "conversations": [{"from": "user", "value": "q", "weight": 0}],
        },
        "turn 1: the field 'weight'",
    ),
    ({"Function_Description": {}, "Instances": [], "weight": 0}, "the field 'weight'"),
    ({"tree": {}, "answer_generation": {}, "weight": 0}, "the field 'weight'"),
    ({"task": {"input": "q"}, "steps": [], "weight": 0}, "weight"),
]


@pytest.mark.parametrize(("item", "said"), RESEARCH)
def test_the_formats_of_research_are_closed_sets_too(
    tmp_path: Path, item: dict[str, Any], said: str
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(item))
    with pytest.raises(InputError, match=said) as caught:
        list(read_file(path))
    assert f"{path}:1" in str(caught.value)


def test_a_place_is_a_line_or_an_item(tmp_path: Path) -> None:
    lines, listed = tmp_path / "a.jsonl", tmp_path / "a.json"
    items = [chat(SAY), chat(SAY)]
    lines.write_text("\n".join(map(json.dumps, items)))
    listed.write_text(json.dumps(items, indent=1))
    assert [one.where for one in read_located(lines)] == [f"{lines}:1", f"{lines}:2"]
    assert [one.where for one in read_located(listed)] == [f"{listed}, item 1", f"{listed}, item 2"]
