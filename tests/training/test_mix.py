"""The mix: parts from small files in the public formats, held-out parts that share no tool; same bytes."""

import json
from pathlib import Path

import pytest

from toolmint.assembly.mix import nearest_tools
from toolmint.core.errors import InputError
from toolmint.training.mix import MIX, MIX_CARD, MixRecipe, make_mix
from toolmint.training.mix_card import MixCard, file_digest
from toolmint.training.mix_files import MixFiles
from toolmint.training.readers import read_file

TOPICS = ("weather", "train", "hotel", "book", "music", "tax", "flower", "bridge")


def lines(path: Path, items: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(one)}\n" for one in items))


def seal_tool(topic: str) -> dict[str, object]:
    return {
        "api_name": f"get{topic.title()}",
        "api_description": f"Retrieve the {topic} report of a city",
        "parameters": {"city": {"type": "str", "description": "The city (e.g., Oslo, Rome)"}},
        "required": ["city"],
        "responses": {"report": {"type": "str", "description": "The report"}},
    }


def seal_query(number: int, *topics: str) -> dict[str, object]:
    calls: list[dict[str, object]] = [
        {"api": f"get{topic.title()}", "parameters": {"city": "Oslo"}, "responses": []}
        for topic in topics
    ]
    return {"id": f"dev-{number}", "query": f"{' and '.join(topics)} of Oslo?", "calling": calls}


def api_bank(number: int) -> list[dict[str, str]]:
    searcher: dict[str, object] = {
        "apiCode": "ToolSearcher",
        "description": "Finds tools",
        "parameters": {},
    }
    found: dict[str, object] = {
        "name": f"Api{number}",
        "description": "Does it",
        "input_parameters": {},
    }
    head = f"{json.dumps(searcher)}\nUser: Do thing {number}.TIME: 2034-01-01 10:00:00\n"
    search = f"API-Request: [ToolSearcher(keywords='x')]->{found!r}\n"
    call = f"API-Request: [Api{number}()]"
    made = [(head, call), (f"{head}{search}", call), (f"{head}{search}{call}->ok\n", "AI: Done.")]
    return [{"instruction": "", "input": text, "output": said} for text, said in made[1:]]


def api(tool: str, name: str) -> dict[str, object]:
    field = {"name": "q", "type": "STRING", "description": "What", "default": "tea"}
    return {
        "tool_name": tool,
        "api_name": name,
        "api_description": f"Search the {name} of the shop",
        "required_parameters": [field],
        "optional_parameters": [],
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    files = MixFiles(folder)
    lines(files.seal_documents, [seal_tool(topic) for topic in TOPICS])
    singles = [seal_query(n, topic) for n, topic in enumerate(TOPICS[:2])]
    many = [seal_query(9, *TOPICS[2:4]), seal_query(10, TOPICS[0], TOPICS[5])]
    lines(files.seal_queries, [*singles, *many])
    files.api_bank.parent.mkdir(parents=True)
    samples = [one for number in range(130) for one in api_bank(number)]
    files.api_bank.write_text(json.dumps(samples))
    for path in files.toolbench_apis:
        listed = [api(f"Shop {n}", f"list {topic}") for n, topic in enumerate(TOPICS)]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([{"query": "a test item", "api_list": listed}]))
    return folder


def make(data: Path, out: Path, *never: Path, size: int = 120) -> MixCard:
    files = MixFiles(data, never)
    return make_mix(files, out, nearest_tools, MixRecipe(size=size), notify=lambda _: None)


def test_held_out_parts_share_no_tool_with_the_mix(data: Path, tmp_path: Path) -> None:
    card = make(data, tmp_path)
    runs = list(read_file(tmp_path / MIX))
    assert len(runs) == card.runs == 120
    assert card.missing == ("toolbench",)
    shown = {tool.name for run in runs for tool in run.task.tools}
    for part in card.held_out:
        assert part.sha256 == file_digest(tmp_path / part.file)
        assert not shown & set(part.tools), part.name
    kept = {part.name: part.runs for part in card.held_out}
    assert kept["seal-tools"] == kept["irrelevant"] == 2
    assert kept["api-bank"] >= 100
    assert "a test item" not in (tmp_path / MIX).read_text()
    assert card == MixCard.model_validate_json((tmp_path / MIX_CARD).read_text())
    assert {file.file for part in card.parts for file in part.files} <= set(MixFiles(data).names())


def test_the_same_seed_gives_the_same_bytes(data: Path, tmp_path: Path) -> None:
    first, second = make(data, tmp_path / "a"), make(data, tmp_path / "b")
    assert first == second


def test_requests_and_tools_of_a_test_are_never_learnt(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "a")
    test = tmp_path / "test.jsonl"
    test.write_text((tmp_path / "a" / MIX).read_text().splitlines()[0] + "\n")
    (run,) = read_file(test)
    card = make(data, tmp_path / "b", test)
    assert card.never[0].sha256 == file_digest(test)
    learnt = list(read_file(tmp_path / "b" / MIX))
    called = {call.name for one in learnt for step in one.steps for call in step.calls}
    assert not called & {tool.name for tool in run.task.tools}


def test_an_empty_folder_and_too_small_a_mix_are_one_line(data: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"none of the files of the mix is in .*; expected seal_tools"
    ):
        make(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match=r"a mix of 3 cannot hold the .* give it a larger size"):
        make(data, tmp_path / "out", size=3)
