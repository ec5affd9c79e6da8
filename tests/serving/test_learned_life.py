"""A learned tool lives the life of any tool: it is proved, audited, demoted, fitted anew, and abstains."""

import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest
from tests.serving.learned_world import SAID, label_world, stream

from toolmint.serving.billing import read_bill

pytestmark = pytest.mark.anyio
BOUND = {"epsilon": 0.1, "confidence": 0.8, "learned_after": 150}
FIRST = 300


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose store has a learned tool that serves the freely worded class."""
    folder = tmp_path_factory.mktemp("served")

    async def work() -> None:
        async with label_world(folder, **BOUND) as world:
            await world.play(iter(stream(FIRST)), FIRST)
            assert [one.state for one in (await world.server()).entries.values()] == ["serving"]

    # In a thread of its own: a test of another file may hold a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, work).result()
    return folder


@pytest.fixture
def folder(served: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder."""
    shutil.copytree(served, tmp_path / "world")
    return tmp_path / "world"


def later(count: int) -> Iterator[tuple[str, str]]:
    """Return requests that come after those that the tool was fitted on."""
    return iter(stream(FIRST + count)[FIRST:])


async def test_freely_worded_labels_become_one_class_that_a_learned_tool_answers(
    folder: Path,
) -> None:
    requests = later(100)
    async with label_world(folder, **BOUND) as world:
        server = await world.server()
        ((name, entry),) = server.entries.items()
        assert name == server.classes.free.name and entry.state == "serving"
        assert entry.record.kind == "learned" and entry.record.weights and not entry.record.source
        tiers, before, answered = Counter[str](), world.calls, 0
        for text, label in requests:
            found = await world.ask(text, label)
            assert found.served is not None
            tiers[found.served.tier] += 1
            if found.served.tier == "learned":
                answered += found.answer == label
                assert found.served.version == entry.record.version
                assert "is sure of" in found.served.why and found.served.usage.requests == 0
        assert tiers["learned"] >= 50 and answered >= 0.95 * tiers["learned"]
        assert world.calls - before == tiers["strong"] > 0, "some are audited"
        await world.session.flush()
        drawn = {one.drawn for one in await server.store.learnable(name, 1000)}
        assert "all" in drawn and "audit" in drawn
        bill = await read_bill(world.session.store, world.session.store.traffic)
        (row,) = (one for one in bill.classes if one.key == name)
        assert row.by_tier["learned"] == tiers["learned"]
        assert row.making.total == 0 and row.making_tokens == 0, "a fit calls no model"
        assert row.title == (await server.store.classes())[name].title
        assert row.title.startswith("4 labels, such as")
        *before_it, report = await server.store.reports(name)
        assert not any(one.made for one in before_it), "with fewer examples nothing was proven"
        assert report.made and report.body["profile"] == "learned"
        assert "no model is called" in str(report.body["steps"])


async def test_labels_that_change_their_meaning_demote_the_tool_and_a_new_one_takes_over(
    folder: Path,
) -> None:
    requests = later(1000)
    names = list(SAID)
    now = dict(zip(names, names[1:] + names[:1], strict=True))
    async with label_world(folder, **BOUND) as world:
        server = await world.server()
        (name,) = server.entries
        wrong = asked = 0
        while any(one.state == "serving" for one in server.entries.values()):
            text, label = next(requests)
            found = await world.ask(text, now[label])
            asked, wrong = asked + 1, wrong + (found.answer != now[label])
        for text, label in (next(requests) for _ in range(40)):
            found = await world.ask(text, now[label])
            assert found.served is not None and found.served.tier == "strong"
        ((_, state),) = await server.store.versions(name)
        assert state == "demoted" and asked + 20 <= 60 and wrong <= 20
        again: list[bool] = []
        while len(again) < 40:
            text, label = next(requests)
            found = await world.ask(text, now[label])
            if found.served is not None and found.served.tier == "learned":
                again.append(found.answer == now[label])
        assert sum(again) >= 0.95 * len(again), "the old meaning is forgotten"
        versions = await server.store.versions(name)
        assert [one.version for one, state in versions if state == "serving"] == [2]


async def test_what_the_tool_does_not_know_goes_to_the_model(folder: Path) -> None:
    strange = [
        ("Quel temps fera-t-il demain à Lyon ?", "weather"),
        ("Napiš mi básničku, prosím ještě dnes", "poem"),
        ("x" * 100_000, "noise"),
    ]
    async with label_world(folder, **BOUND) as world:
        for text, label in strange:
            found = await world.ask(text, label)
            assert found.served is not None and found.served.tier == "strong"
            assert any("abstains" in said for said in found.served.attempts)
            assert found.answer == label
        server = await world.server()
        await world.session.flush()
        assert len(server.classes.waiting) == 1 + len(strange), "they wait by their wording"


async def test_a_restart_goes_on_where_the_class_was(folder: Path) -> None:
    async with label_world(folder, **BOUND) as again:
        server = await again.server()
        (name,) = server.entries
        assert server.classes.free.found and server.classes.free.name == name
        assert len(server.learned) == 1 and len(again.session.servers.models) == 0, "not read yet"
        tiers = Counter[str]()
        for text, label in later(40):
            found = await again.ask(text, label)
            assert found.served is not None
            tiers[found.served.tier] += 1
        assert tiers["learned"] >= 20 and len(again.session.servers.models) == 1
        assert set(server.entries) == {name}
