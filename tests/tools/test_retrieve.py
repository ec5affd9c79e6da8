"""Finding the right tools among thousands."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks import tool_retrieval

from toolmint.core.messages import ToolSpec
from toolmint.core.values import Value
from toolmint.tools.retrieve import EmbeddingRetriever, Retriever, query_words

pytestmark = pytest.mark.anyio


def seal_specs(data: Path) -> list[ToolSpec]:
    specs: list[ToolSpec] = []
    for line in (data / "seal_tools/tool.jsonl").read_text().splitlines():
        one = json.loads(line)
        fields: dict[str, Value] = {
            name: {"description": about["description"]} for name, about in one["parameters"].items()
        }
        parameters: dict[str, Value] = {"properties": fields}
        specs.append(
            ToolSpec(
                name=one["api_name"], description=one["api_description"], parameters=parameters
            )
        )
    return specs


def spec(name: str, description: str) -> ToolSpec:
    return ToolSpec(name=name, description=description, parameters={})


def test_five_tools_of_four_thousand_hold_most_of_those_needed(data: Path) -> None:
    retriever = Retriever(seal_specs(data))
    recalls: list[float] = []
    for line in (data / "seal_tools/dev.jsonl").read_text().splitlines():
        one = json.loads(line)
        gold = {call["api"] for call in one["calling"]}
        found = {found.spec.name for found in retriever.rank(one["query"], 5)}
        recalls.append(len(gold & found) / len(gold))
    assert len(recalls) == 700
    assert sum(recalls) / len(recalls) > 0.9


def test_names_are_cut_at_humps_and_underscores() -> None:
    assert query_words("getHTTPResponses for_user2") == ["http", "respons", "user", "2"]


def test_an_empty_toolbox_and_an_empty_query_find_nothing_and_anything() -> None:
    assert Retriever([]).rank("weather") == []
    two = [spec("a", "b"), spec("c", "d")]
    assert [found.spec.name for found in Retriever(two).rank("")] == ["a", "c"]


def test_few_tools_are_all_shown() -> None:
    two = [spec("weather", "the weather"), spec("stocks", "share prices")]
    assert Retriever(two).choose("shares", most=2) == tuple(two)
    assert Retriever(two).choose("share prices", most=1) == (two[1],)


def test_a_word_finds_what_means_the_same_and_phrases_what_they_stand_for() -> None:
    tools = [
        spec("bill_send", "Send an invoice."),
        spec("session_login", "Authenticate a user."),
        spec("item_remove", "Delete an item."),
        spec("linkedin_finder", "Find an address."),
    ]
    questions = {
        "Mail the invoice": "bill_send",
        "Let Ann log in": "session_login",
        "Throw away the thing": "item_remove",
        "Search on LinkedIn": "linkedin_finder",
    }
    retriever = Retriever(tools)
    assert {text: retriever.rank(text, 1)[0].spec.name for text in questions} == questions


def test_what_a_tool_does_to_things_counts() -> None:
    about = "Works on disputes."
    tools = [
        spec("PostDisputes", about).model_copy(update={"read_only": False}),
        spec("DeleteDisputes", about).model_copy(update={"read_only": False}),
        spec("GetDisputes", about).model_copy(update={"read_only": True}),
    ]
    questions = {
        "Which disputes are open?": "GetDisputes",
        "Cancel the disputes": "DeleteDisputes",
        "Open a dispute": "PostDisputes",
        "Show me my disputes": "GetDisputes",
    }
    retriever = Retriever(tools)
    assert {text: retriever.rank(text, 1)[0].spec.name for text in questions} == questions


def test_questions_in_other_words_find_the_right_tool(data: Path) -> None:
    found = tool_retrieval.asked(tool_retrieval.pooled_specs(data), tool_retrieval.POOLED)
    assert sum(question.hit for question in found) >= 32


async def test_embeddings_find_what_wording_cannot() -> None:
    tools = [spec("rain_radar", "precipitation map"), spec("quotes", "share prices")]

    async def embed(texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [
            [1.0, 0.0] if ("precipitation" in text or "umbrella" in text) else [0.0, 1.0]
            for text in texts
        ]

    found = await EmbeddingRetriever(tools[::-1], embed).rank("Do I take an umbrella?", 1)
    assert found[0].spec.name == "rain_radar"
