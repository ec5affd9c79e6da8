"""Classes by meaning: requests of one kind in many wordings end in one class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from benchmarks.messy_topics import INTEREST, TOPICS, StrongModel, messy_file, module_of
from tests.maker.tools import RIGHT, demos

from toolmint.assembly.session import Models, Session, make_request_of
from toolmint.assembly.settings import Settings
from toolmint.core.errors import InputError, ModelUnavailable
from toolmint.core.tool import Demonstration, Provenance, ToolRecord
from toolmint.maker.neighbours import with_strangers
from toolmint.maker.verification_input import VerificationInput
from toolmint.models.scripted import AnsweringModel, ScriptedModel
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.kinds import name_kinds

pytestmark = pytest.mark.anyio


def mixed(count: int = 30, phrasings: int = 16, seed: int = 0) -> list[Demonstration]:
    every = [
        one
        for topic in TOPICS
        for one in messy_file(topic, phrasings=phrasings, count=count, seed=seed)
    ]
    Random(seed).shuffle(every)
    return every


async def classes_after(
    folder: Path, requests: Sequence[Demonstration], **settings: object
) -> tuple[set[str], StrongModel]:
    strong = StrongModel(requests)
    chosen = Settings.model_validate({"store": folder / "t.db", "second": "never"} | settings)
    async with Session.open(chosen, models=Models(strong)) as session:
        for one in requests:
            found = await session.solve(one.input)
            assert found.answer == one.target
        await session.sort_rest()
        await session.maker.idle()
        waiting = await session.store.waiting()
        made = [record.request_class for record, _ in await session.store.versions()]
    return {*waiting, *made}, strong


async def test_ninety_requests_of_three_kinds_make_at_most_five_classes(tmp_path: Path) -> None:
    names, strong = await classes_after(tmp_path, mixed())
    assert len(names) <= 5 and 1 <= strong.calls["kinds"] <= 5
    assert strong.calls["answers"] < 90, "tools answered the others"


async def test_without_naming_each_phrasing_is_a_class(tmp_path: Path) -> None:
    names, strong = await classes_after(tmp_path, mixed(12), kinds_after=0)
    assert len(names) > 15 and strong.calls["kinds"] == 0


async def test_a_call_that_fails_ends_nothing_and_comes_later(tmp_path: Path) -> None:
    requests = mixed(12)
    labels = {one.input: one.target or "" for one in requests}
    asked = list[str]()

    def answer(request: object) -> str:
        text = str(getattr(request, "messages")[-1].content)  # noqa: B009
        if text not in labels:
            asked.append(text)
            raise ModelUnavailable("down for now")
        return labels[text]

    chosen = Settings(store=tmp_path / "t.db", needed=50)
    async with Session.open(chosen, models=Models(AnsweringModel(answer))) as session:
        for one in requests:
            assert (await session.solve(one.input)).answer == one.target
        await session.sort_rest()
    assert 1 <= len(asked) <= 3


async def test_classes_that_one_tool_answers_are_joined(tmp_path: Path) -> None:
    record = ToolRecord(
        request_class="interest",
        source=module_of(INTEREST, list(INTEREST.phrasings)),
        has_parser=True,
        demonstrations=tuple(messy_file(INTEREST, phrasings=1, count=6)),
        provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
    )
    others = messy_file(INTEREST, phrasings=8, count=16, seed=4)
    requests = [*others, *demos(6)]
    strong = StrongModel([*requests, *record.demonstrations])
    chosen = Settings(store=tmp_path / "t.db", kinds_after=0, second="never", needed=50)
    async with Session.open(chosen, models=Models(strong)) as session:
        for one in requests:
            await session.solve(one.input)
        before = set(await session.store.waiting())
        labelled = (*messy_file(INTEREST, phrasings=20, count=40, seed=9),)
        await session.make(make_request_of("interest", labelled, chosen))
        after = set(await session.store.waiting())
        server = await session.solver.server()
        assert server.classes.alike(others[0].input) == "interest"
    assert len(before) > 5 and len(after) == 2 and "interest" in after


async def test_a_neighbour_that_is_answered_rightly_is_no_stranger(sandbox: ForkServer) -> None:
    right, wrong = demos(2, seed=9)
    swaps = demos(1, "swaps")[0]
    wrong = wrong.model_copy(update={"target": "another"})
    inputs = VerificationInput(
        source=RIGHT, labelled=demos(), neighbours=(right, wrong, swaps), foreign=("x",)
    )
    found = await with_strangers(inputs, sandbox)
    assert found.foreign == ("x", wrong.input, swaps.input)


@pytest.mark.parametrize(
    ("reply", "kinds"),
    [
        ("1: sums\n2: none\n3: sums", ["sums", None, "sums"]),
        ("1. sums\n- 3: `two words`\nI hope that this helps.", ["sums", None, "two words"]),
        ("**2**: sums\n9: sums", [None, "sums", None]),
        ("", [None, None, None]),
    ],
)
async def test_kinds_are_read_leniently(reply: str, kinds: list[str | None]) -> None:
    known: Mapping[str, Sequence[str]] = {"sums": ["1 + 2 ="]}
    model = ScriptedModel([reply])
    assert await name_kinds(model, known, ["a", "b", "c"]) == kinds
    prompt = model.requests[0].messages[0].content
    assert "such as: '1 + 2 ='" in prompt and "3: 'c'" in prompt


async def test_what_a_tool_refuses_becomes_a_repair_that_goes_on_from_it(tmp_path: Path) -> None:
    first = messy_file(INTEREST, phrasings=3, count=9)
    later = messy_file(INTEREST, phrasings=20, count=40, seed=3)
    strong = StrongModel([*first, *later])
    chosen = Settings(store=tmp_path / "t.db", second="never", needed=8)
    async with Session.open(chosen, models=Models(strong)) as session:
        await session.make(make_request_of("interest", first, chosen))
        for one in later:
            await session.solve(one.input, request_class="interest")
        await session.maker.idle()
        versions = [record for record, _ in await session.store.versions("interest")]
        answered = 0
        for one in later:
            found = await session.solve(one.input, request_class="interest")
            assert found.answer == one.target
            answered += found.served is not None and found.served.tier == "code"
    assert len(versions) > 1 and answered > 25


async def test_the_refused_demonstrations_of_a_made_tool_are_queued(tmp_path: Path) -> None:
    labelled = messy_file(INTEREST, phrasings=12, count=30)
    phrasings = list(INTEREST.phrasings)
    some = f"```python\n{module_of(INTEREST, phrasings[:13])}```"
    chosen = Settings(store=tmp_path / "t.db", second="never")
    async with Session.open(chosen, models=Models(ScriptedModel([some, some]))) as session:
        record = await session.make(make_request_of("interest", labelled, chosen))
        queued = (await session.store.queued("interest"))["interest"]
    assert {one.input for one in (*queued, *record.demonstrations)} == {
        one.input for one in labelled
    }
    assert queued and len(queued) + len(record.demonstrations) == len(labelled)


async def test_a_making_that_cannot_begin_leaves_a_report(tmp_path: Path) -> None:
    chosen = Settings(store=tmp_path / "t.db")
    async with Session.open(chosen, models=Models(ScriptedModel([]))) as session:
        with pytest.raises(InputError):
            await session.make(make_request_of("few", demos(2), chosen))
        reports = await session.store.reports("few")
    assert len(reports) == 1 and "making needs 6" in str(reports[0].body["ending"])


async def test_a_request_that_was_looked_up_before_its_class_was_joined_follows_it(
    tmp_path: Path,
) -> None:
    async with Session.open(Settings(store=tmp_path / "t.db"), models=Models(None)) as session:
        classes = (await session.solver.server()).classes
        old, _ = classes.join("boxes for 12 stamps at 3 each", None)
        new, _ = classes.join("Count the crates, every one of 5 stamps", None)
        classes.merge(old, new)
        assert classes.join("boxes for 40 stamps at 8 each", old) == (new, True)
        assert classes.waiting == {new: 3} and classes.merged(old) == new
        assert classes.alike("boxes for 9 stamps at 2 each") == new
