"""Tools of a file class by class: each gets what fits it, and the failure of one stops no other."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from benchmarks.messy_topics import INTEREST, LEAGUE, literal_maker, messy_file
from tests.evaluation.intents import shop
from tests.maker.test_survey import LETTERS

from toolmint import AnsweringModel, InputError, MakerError, ScriptedModel, Settings, Toolmint
from toolmint.core.tool import Demonstration


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=tmp_path / "tools.db", second="never")


def together(*parts: Sequence[Demonstration]) -> list[Demonstration]:
    every = [one for part in parts for one in part]
    Random(1).shuffle(every)
    return every


SUMS = messy_file(INTEREST, phrasings=1, count=12, seed=1)
POINTS = messy_file(LEAGUE, phrasings=1, count=10, seed=1)


def test_three_classes_get_two_tools_and_one_reason(settings: Settings) -> None:
    model = AnsweringModel(literal_maker)
    lines: list[str] = []
    with Toolmint(model, settings=settings, observe=lines.append) as client:
        sums, points, letters = client.make_each(together(SUMS, POINTS, LETTERS))
        assert sums.record is not None and points.record is not None
        assert (sums.record.demonstrations, sums.seen.requests) == (
            tuple(one for one in together(SUMS, POINTS, LETTERS) if one in SUMS),
            12,
        )
        assert letters.record is None and not letters.tried
        assert isinstance(letters.error, MakerError) and letters.error.code == "no-tool-fits"
        for one in (SUMS[0], POINTS[0]):
            assert client.solve(one.input).answer == one.target
        assert not any(letters.seen.name in line for line in lines)


def test_what_goes_wrong_with_one_class_stops_no_other(settings: Settings) -> None:
    wrong = SUMS[0].model_copy(update={"target": "0"})
    with Toolmint(AnsweringModel(literal_maker), settings=settings) as client:
        sums, points = client.make_each(together([*SUMS, wrong], POINTS))
    assert isinstance(sums.error, InputError) and sums.error.code == "demonstrations-contradict"
    assert sums.tried and sums.record is None
    assert points.record is not None and points.error is None


def test_one_tool_of_several_classes_is_made_for_a_name_alone(settings: Settings) -> None:
    model = ScriptedModel([])
    with Toolmint(model, settings=settings) as client:
        with pytest.raises(InputError, match="the demonstrations are of 2 classes") as refused:
            client.make(together(SUMS, POINTS))
        assert refused.value.code == "several-classes" and "make_each" in str(refused.value)
        assert model.requests == []
        with pytest.raises(MakerError):
            client.make(together(SUMS, POINTS), name="both")
        assert len(model.requests) == 1


def test_a_look_asks_nobody_and_leaves_no_store(settings: Settings, tmp_path: Path) -> None:
    with Toolmint(settings=settings) as client:
        seen = client.look(together(SUMS, POINTS))
        assert [(one.requests, one.fits) for one in seen.classes] == [(12, "code"), (10, "code")]
        (whole,) = client.look(together(SUMS, POINTS), name="both").classes
        assert (whole.name, whole.requests) == ("both", 22)
    assert list(tmp_path.iterdir()) == []


def test_free_text_is_said_and_not_tried(settings: Settings) -> None:
    model = ScriptedModel([])
    with Toolmint(model, settings=settings) as client:
        with pytest.raises(MakerError, match="no kind of tool fits") as refused:
            client.make(LETTERS, name="letters")
        assert "free text" in str(refused.value)
        assert model.requests == []
        with pytest.raises(MakerError, match="script has no reply left"):
            client.make(LETTERS, name="letters", profile="proved")  # a person who insists


def test_a_learned_tool_is_made_of_a_file_without_a_model(settings: Settings) -> None:
    with Toolmint(settings=settings) as client:
        record = client.make(shop(500), name="shop", profile="learned")
        assert (record.profile, record.source, record.usage.requests) == ("learned", "", 0)
        found = client.solve("where is my lamp, thanks in advance")
        assert found.answer == "track_order" and found.served is not None
        assert (found.served.tier, found.served.usage.requests) == ("learned", 0)
