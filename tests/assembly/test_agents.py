"""The agent put together: models by role, tools by source, and the junction with the maker."""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from benchmarks import junction
from tests.models.endpoint import Said, completion, endpoint
from tests.models.test_embeddings import served
from tests.tools.api_server import api

from toolmint.assembly.agents import AgentChoices, AgentSession, RoleModels, agent_policy, search_of
from toolmint.assembly.missing_tools import read_demonstrations
from toolmint.assembly.settings import Settings
from toolmint.assembly.toolboxes import functions_in, source_of, toolbox_of
from toolmint.assembly.uri import model_of
from toolmint.cli.agent_options import choices_of
from toolmint.core.errors import ConfigError, InputError, ToolError
from toolmint.models.scripted import ScriptedModel
from toolmint.sandbox.forkserver import ForkServer
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
TOOLS = f"python:{Path(__file__).parents[2] / 'examples' / 'company_tools.py'}"
PETS = {
    "openapi": "3.0.0",
    "paths": {"/pets": {"get": {"operationId": "pets"}}, "/bad": {"get": {"parameters": [3]}}},
}


async def test_a_tool_that_was_missing_is_made_and_the_task_succeeds(settings: Settings) -> None:
    cassette = settings.model_copy(update={"model": f"cassette:{junction.CASSETTE}"})
    before, record, after = await junction.run(cassette)
    assert (before.outcome, before.answer) == ("gave_up", None)
    assert before.wants == "converts a whole number from 1 to 3999 to a Roman numeral."
    assert [step.calls[0].name for step in before.path() if step.calls] == ["founded"]
    assert {one.verdict for one in record.evidence} == {"passed"}
    assert after.answer == "Norda was founded in MCMLXXXVII (1987)."
    last = after.path()[1]
    assert (last.calls[0].name, last.results[0].content) == (record.request_class, "MCMLXXXVII")
    store = SqlStore.open(settings.store)
    (missing_tool,) = await store.traces.missing_tools()
    assert missing_tool.request_class == record.request_class
    assert [one.outcome for one in await store.traces.traces()] == ["answered", "gave_up"]
    assert {entry.purpose for entry in await store.ledger()} == {"agent", "making", "second"}
    store.close()


async def test_each_role_can_have_a_model_of_its_own(settings: Settings) -> None:
    planner = [
        Said(200, completion("I look.\nNext: caller")),
        Said(200, completion("Done.\nNext: summarizer")),
    ]
    called = completion("")
    call = {"name": "founded", "arguments": '{"company": "Norda"}'}
    called["choices"][0]["message"]["tool_calls"] = [
        {"id": "x", "type": "function", "function": call}
    ]
    async with (
        endpoint(planner) as (large, seen),
        endpoint([Said(200, called), Said(200, completion("In 1987."))]) as (small, others),
    ):
        uris = {"planner_model": f"openai:big?base_url={large}"} | dict.fromkeys(
            ("caller_model", "summarizer_model"), f"openai:small?base_url={small}"
        )
        async with AgentSession.open(settings.model_copy(update=uris), [TOOLS]) as session:
            done = await session.solve("When was Norda founded?")
    assert done.answer == "In 1987."
    assert [body["model"] for body in seen] == ["big", "big"]
    assert [body["model"] for body in others] == ["small", "small"]
    assert [body.get("tool_choice") for body in others] == ["required", "none"]
    assert seen[0]["tools"][0]["function"]["name"] == "founded"
    assert seen[1]["messages"][:2] == others[1]["messages"][:2]


def test_an_agent_without_a_model_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="--planner, --caller and --summarizer; embedded:trio"):
        RoleModels(Settings())


def test_prompts_are_written_as_the_model_reads_them() -> None:
    models = RoleModels(Settings(model="embedded:trio"))
    assert models.reads == "marked"
    assert agent_policy(models, AgentChoices()).name.endswith("marked)")
    assert agent_policy(models, AgentChoices(family="paper")).name.endswith("paper)")
    given = RoleModels(Settings(), model_of("embedded:trio"))
    assert given.reads == "marked", "an object is read as its URI is"
    assert RoleModels(Settings(model="cassette:benchmarks/cassettes/bbh.jsonl")).reads == "native"


@pytest.mark.parametrize("search", ["react", "dfsdt", "dfsdt-paper"])
def test_searches_by_name(search: str) -> None:
    found = search_of(AgentChoices.model_validate({"search": search, "max_steps": 5}))
    assert found.name == search.partition("-")[0]
    assert found.settings()["max_steps"] == (12 if search == "dfsdt-paper" else 5)


async def test_many_tools_are_narrowed_to_those_that_fit(
    settings: Settings, tmp_path: Path
) -> None:
    lines = [
        f"@tool\ndef tool_{n}(x: int) -> int:\n    '''Do thing {n}.'''\n    return x\n"
        for n in range(40)
    ]
    rain = (
        "@tool\ndef rain(town: str) -> str:\n    '''Tell the rain in a town.'''\n    return town\n"
    )
    (tmp_path / "many.py").write_text("from toolmint import tool\n" + "".join(lines) + rain)
    async with AgentSession.open(
        settings, [f"python:{tmp_path / 'many.py'}"], AgentChoices(shown=5), model=ScriptedModel([])
    ) as session:
        shown = (await session.task("Will there be rain in my town?")).tools
    assert len(shown) == 5
    assert shown[0].name == "rain"


async def test_embeddings_narrow_the_tools_where_they_are_named(settings: Settings) -> None:
    async with served() as url:
        given: dict[str, object] = {"embed": f"openai:small?base_url={url}", "shown": 1}
        choices = choices_of(given)
        async with AgentSession.open(
            settings, [TOOLS], choices, model=ScriptedModel([])
        ) as session:
            shown = (await session.task("In which year was Norda founded?")).tools
    assert (given, [tool.name for tool in shown]) == ({}, ["founded"])


async def test_sources_are_read_and_merged(
    store: SqlStore, sandbox: ForkServer, tmp_path: Path
) -> None:
    (tmp_path / "pets.json").write_text(json.dumps(PETS))
    async with api() as url, AsyncExitStack() as stack:
        sources = [
            f"{tmp_path / 'pets.json'}?base_url={url}&prefix=shop_",
            TOOLS,
            "program",
            "made",
        ]
        box, problems = await toolbox_of(sources, stack, store, sandbox)
        assert [spec.name for spec in box.specs] == ["shop_pets", "founded", "companies", "python"]
        assert len(problems) == 1
        assert "GET /bad was left out" in problems[0]
        with pytest.raises(ToolError, match="two tools are named 'founded'"):
            await toolbox_of([TOOLS, TOOLS], stack, store, sandbox)


async def test_a_document_can_come_from_a_server(store: SqlStore, sandbox: ForkServer) -> None:
    async with api() as url, AsyncExitStack() as stack:
        with pytest.raises(InputError, match="no field 'openapi'"):
            await toolbox_of([f"{url}/openapi.json"], stack, store, sandbox)
        with pytest.raises(InputError, match="HTTP 404"):
            await toolbox_of([f"{url}/missing"], stack, store, sandbox)


@pytest.mark.parametrize(
    ("source", "kind", "where"),
    [
        ("made", "made", ""),
        ("program", "program", ""),
        ("mcp:npx server --x", "mcp", "npx server --x"),
        ("mcp:http://h/mcp?a=b", "mcp", "http://h/mcp?a=b"),
        ("python:a.py", "python", "a.py"),
        ("http://h/openapi.json?v=3", "openapi", "http://h/openapi.json?v=3"),
        ("http://h/o.json?v=3&base_url=http://g", "openapi", "http://h/o.json?v=3"),
        ("a.json?prefix=x_", "openapi", "a.json"),
    ],
)
def test_names_of_sources(source: str, kind: str, where: str) -> None:
    assert source_of(source)[:2] == (kind, where)


def test_an_unknown_option_of_a_source_is_named() -> None:
    with pytest.raises(ConfigError, match="unknown option 'prefx'"):
        source_of("a.json?prefx=x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "no function with @tool"),
        ("import nothing_at_all\n", "cannot be loaded: ModuleNotFoundError"),
        ("def (", "SyntaxError"),
        (None, "no Python file"),
    ],
)
def test_a_file_without_tools_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=said):
        functions_in(path)


@pytest.mark.parametrize(
    ("reply", "count"),
    [
        ('[{"input": "a", "target": "b"}]', 1),
        ('Here:\n```json\n[{"input": "a", "target": "b"}, 3]\n```', 1),
        ('[{"input": 1, "target": "b"}]', 0),
        ("none", 0),
        ("[", 0),
        ("[1, 2]", 0),
    ],
)
def test_written_demonstrations_are_read_without_guessing(reply: str, count: int) -> None:
    assert len(read_demonstrations(reply)) == count
