"""The public agent: built in a few lines, run from ordinary code, a notebook or asynchronous code."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.assembly.test_agents import PETS
from tests.models.endpoint import Said, completion, endpoint
from tests.tools.api_server import api

from toolmint import (
    Agent,
    AgentChoices,
    ConfigError,
    ScriptedModel,
    Settings,
    ToolCollection,
    ToolError,
    ToolmintError,
    tool,
)
from toolmint.core.kept_open import KeptOpen
from toolmint.core.sync import run_sync

SERVER = Path(__file__).parents[1] / "tools" / "mcp_server.py"
FOUNDED = {"Norda": 1987}


def founded(company: str) -> int:
    """Return the year in which a company was founded."""
    return FOUNDED[company]


def untold(*companies: str) -> int:
    """Take arguments that have no names."""
    return len(companies)


@tool
async def rain(town: str) -> str:
    """Tell the rain in a town."""
    await asyncio.sleep(0)
    return f"no rain in {town}"


def script(*calls: tuple[str, dict[str, Any]], answer: str = "Done.") -> ScriptedModel:
    replies: list[str] = []
    for name, arguments in calls:
        replies += ["I look.\nNext: caller", json.dumps({"name": name, "arguments": arguments})]
    return ScriptedModel([*replies, "All is known.\nNext: summarizer", answer])


def test_five_lines_run_an_agent_against_an_endpoint(settings: Settings) -> None:
    called = completion("")
    call = {"name": "founded", "arguments": '{"company": "Norda"}'}
    called["choices"][0]["message"]["tool_calls"] = [
        {"id": "x", "type": "function", "function": call}
    ]
    texts = [completion("I look.\nNext: caller"), called]
    texts += [completion("Done.\nNext: summarizer"), completion("In 1987.")]
    context = KeptOpen(lambda: endpoint([Said(200, one) for one in texts]))
    url, seen = run_sync(context.get())
    agent = Agent(f"openai:gpt-5-mini?base_url={url}", tools=[founded], settings=settings)
    done = agent.run("When was Norda founded?")
    run_sync(context.close())
    assert (done.outcome, done.answer) == ("answered", "In 1987.")
    assert done.path()[0].results[0].data == 1987
    assert [body["model"] for body in seen] == ["gpt-5-mini"] * 4


def test_tools_are_functions_documents_servers_and_boxes(
    settings: Settings, tmp_path: Path
) -> None:
    context = KeptOpen(api)
    url = run_sync(context.get())
    (tmp_path / "pets.json").write_text(json.dumps(PETS))
    (tmp_path / "own.py").write_text(
        "from toolmint import tool\n\n\n@tool\ndef own() -> int:\n    '''Own.'''\n    return 4\n"
    )
    sources = [
        founded,
        ToolCollection([rain]),
        f"{tmp_path / 'pets.json'}?base_url={url}",
        tmp_path / "own.py",
        f"mcp:{sys.executable} {SERVER}",
    ]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("founded", {"company": "Norda"}),
        ("rain", {"town": "Norda"}),
        ("pets", {}),
        ("own", {}),
        ("add", {"a": 2, "b": 3}),
    ]
    done = Agent(script(*calls), tools=sources, settings=settings).run("Try all.")
    run_sync(context.close())
    results = [step.results[0] for step in done.path() if step.results]
    assert [one.failure for one in results] == [None] * 5
    assert [results[0].data, results[1].data, results[3].data] == [1987, "no rain in Norda", 4]
    assert results[4].content == "5"


def test_it_runs_in_a_notebook_and_is_awaited_in_asynchronous_code(settings: Settings) -> None:
    async def cell() -> list[str | None]:
        agent = Agent(script(("rain", {"town": "x"})), tools=[rain], settings=settings)
        found = [agent.run("Rain?").answer]
        agent = Agent(script(("rain", {"town": "x"})), tools=[rain], settings=settings)
        return [*found, (await agent.solve("Rain?")).answer]

    assert asyncio.run(cell()) == ["Done.", "Done."]


def test_connections_stay_open_inside_with(settings: Settings) -> None:
    model = script(("add", {"a": 1, "b": 1}))
    again = script(("add", {"a": 2, "b": 2}))
    both = ScriptedModel([*model._replies, *again._replies])
    with Agent(both, tools=[f"mcp:{sys.executable} {SERVER}"], settings=settings) as agent:
        assert [agent.run("Add.").answer for _ in range(2)] == ["Done.", "Done."]
        with pytest.raises(ToolmintError, match="another event loop"):
            asyncio.run(agent.solve("Add."))

    async def work() -> str | None:
        async with Agent(
            script(), tools=[f"mcp:{sys.executable} {SERVER}"], settings=settings
        ) as agent:
            return (await agent.solve("Say it is done.")).answer

    assert asyncio.run(work()) == "Done."


def test_each_role_may_have_a_model_and_one_that_has_none_is_the_planners(
    settings: Settings,
) -> None:
    planner = ScriptedModel(["I look.\nNext: caller", "Done.\nNext: summarizer"], name="large")
    small = ScriptedModel(
        ['{"name": "founded", "arguments": {"company": "Norda"}}', "In 1987."], name="small"
    )
    roles = {"planner": planner, "caller": small, "summarizer": small}
    assert Agent(roles, tools=[founded], settings=settings).run("When?").answer == "In 1987."
    assert Agent({"planner": planner}, settings=settings).models.caller is planner
    mine = settings.model_copy(update={"model": "embedded:trio"})
    partly = Agent({"caller": small}, settings=mine).models
    assert (partly.caller, partly.planner.name, partly.reads) == (small, "embedded:trio", "marked")
    with pytest.raises(ConfigError, match="no role 'boss'"):
        Agent({"boss": planner}, settings=settings)


def test_the_search_and_every_step_can_be_chosen_and_watched(settings: Settings) -> None:
    thoughts: list[str] = []
    agent = Agent(
        script(("founded", {"company": "Norda"})),
        tools=[founded],
        search="dfsdt",
        choices=AgentChoices(max_steps=3),
        settings=settings,
        observe=lambda step: thoughts.append(step.thought),
    )
    done = agent.run("When?")
    assert done.run.search == "dfsdt"
    assert done.run.settings["max_steps"] == 3
    assert thoughts[0] == "I look."


def test_a_wrong_model_or_tool_is_refused_at_once(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="no model URI"):
        Agent("gpt-5", settings=settings)
    with pytest.raises(ConfigError, match="unknown option 'prefx'"):
        Agent(script(), tools=["a.json?prefx=x"], settings=settings)
    with pytest.raises(ToolError, match="cannot be passed by name"):
        Agent(script(), tools=[untold], settings=settings)
    with pytest.raises(ToolError, match="3 is no tool"):
        Agent(script(), tools=[3], settings=settings)  # pyright: ignore[reportArgumentType]
