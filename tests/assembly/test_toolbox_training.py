"""A trio for a toolbox: versions that serve where they are better, rewordings, the agent that takes them."""

import json
from pathlib import Path

import pytest
from tests.synthesis.test_synthesis import FOREIGN, STOP, TOOLS, WEATHER

from toolmint.assembly.agent_choices import AgentChoices
from toolmint.assembly.agents import AgentSession
from toolmint.assembly.mix import nearest_tools
from toolmint.assembly.rewording import reworded
from toolmint.assembly.settings import Settings
from toolmint.assembly.trio_versions import (
    TrioRegistry,
    TrioVersion,
    serving_trio,
    toolbox_digest,
)
from toolmint.core.errors import ModelUnavailable, StoreError
from toolmint.core.model import ModelRequest, ModelResponse
from toolmint.embedded import trio_path
from toolmint.models.scripted import ScriptedModel
from toolmint.synthesis.toolbox_tasks import TaskPlan, toolbox_tasks

pytestmark = pytest.mark.anyio


def version(number: int, low: float | None, folder: str = "v1/backbone") -> TrioVersion:
    return TrioVersion(
        version=number,
        state="not better",
        folder=folder,
        base="local:base",
        exact=0.8,
        base_exact=0.5,
        low=low,
        high=0.5,
        tasks=40,
        learnt=100,
        shown=4,
    )


def test_a_version_serves_only_where_it_is_better_by_its_interval(tmp_path: Path) -> None:
    registry = TrioRegistry(tmp_path)
    (registry.place(TOOLS) / "v2/backbone").mkdir(parents=True)
    assert registry.add(TOOLS, version(1, -0.01)).state == "not better"
    assert registry.serving(TOOLS) is None
    assert registry.add(TOOLS, version(2, 0.01, "v2/backbone")).state == "serving"
    assert registry.add(TOOLS, version(3, None)).state == "not better"
    uri, serving = registry.serving(TOOLS) or ("", version(0, 0))
    assert uri == f"local:{registry.place(TOOLS) / 'v2/backbone'}"
    assert serving.version == 2
    (registry.place(TOOLS) / "v4/backbone").mkdir(parents=True)
    registry.add(TOOLS, version(4, 0.2, "v4/backbone"))
    states = [one.state for one in registry.versions(TOOLS).versions]
    assert states == ["not better", "retired", "not better", "serving"]
    assert registry.next_version(TOOLS) == (5, registry.place(TOOLS) / "v5")


def test_a_toolbox_is_named_by_its_tools_whatever_their_order_or_words() -> None:
    other = WEATHER.model_copy(update={"description": "Forecast"})
    assert toolbox_digest(TOOLS) == toolbox_digest(TOOLS[::-1])
    assert toolbox_digest([WEATHER]) == toolbox_digest([other])
    assert toolbox_digest([WEATHER]) != toolbox_digest([WEATHER, STOP])


def test_versions_that_cannot_be_read_and_folders_that_are_gone_are_one_line(
    tmp_path: Path,
) -> None:
    registry = TrioRegistry(tmp_path)
    registry.add(TOOLS, version(1, 0.3))
    with pytest.raises(StoreError, match="version 1 of the trio for these tools serves, and its"):
        registry.serving(TOOLS)
    (registry.place(TOOLS) / "versions.json").write_text("{}")
    with pytest.raises(StoreError, match="does not list versions of a trio"):
        registry.versions(TOOLS)


def turn_on(place: str) -> str:
    """Turn on the light of a place."""
    return place


async def test_the_agent_takes_the_trio_of_its_tools_where_no_model_is_named(
    tmp_path: Path,
) -> None:
    settings = Settings(store=tmp_path / "tools.db")
    async with AgentSession.open(settings, [turn_on], model=ScriptedModel(["x"])) as session:
        specs = session.box.specs
    registry = TrioRegistry.of(settings)
    folder = registry.place(specs) / "v1/backbone"
    folder.mkdir(parents=True)
    registry.add(specs, version(1, 0.2))
    trained = serving_trio(settings, specs)
    assert trained is not None
    assert trained.choices(AgentChoices()).shown == 4
    assert trained.choices(AgentChoices(shown=9)).shown == 9
    for file in trio_path().iterdir():  # it need not be a good one here, only one that opens
        (folder / file.name).symlink_to(file)
    async with AgentSession.open(settings, [turn_on]) as session:
        assert "version 1 of the trio that was trained for these tools plays" in session.problems[0]
        assert "backbone" in session.policy.name
    async with AgentSession.open(settings, [turn_on], model=ScriptedModel(["x"])) as session:
        assert session.problems == ()


class Broken:
    name = "broken"

    async def complete(self, request: ModelRequest) -> ModelResponse:
        del request
        raise ModelUnavailable("no endpoint")


async def test_requests_are_worded_by_the_strong_model_checked_and_kept(tmp_path: Path) -> None:
    plan = TaskPlan(0, 30)
    runs = toolbox_tasks(TOOLS, nearest_tools(TOOLS), FOREIGN, plan).held_out
    one = next(
        run for run in runs if run.steps[0].calls and "city" in run.steps[0].calls[0].arguments
    )
    values = one.steps[0].calls[0].parsed()
    good = f"So, {' and '.join(map(str, values.values()))}: what will it be like?"
    kept, lines = tmp_path / "requests.jsonl", list[str]()
    found = await reworded([one], ScriptedModel([f'"{good}"']), kept, lines.append)
    assert found[0].task.input == good
    assert found[0].steps == one.steps
    assert await reworded([one], Broken(), kept, lines.append) == found, "nothing is asked again"
    assert json.loads(kept.read_text())["text"] == good
    lost = await reworded([one], ScriptedModel(["How is it?"]), tmp_path / "b.jsonl", lines.append)
    assert lost == [one], "a wording without the values is not taken"
    assert await reworded([one], Broken(), tmp_path / "c.jsonl", lines.append) == [one]
