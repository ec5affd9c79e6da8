"""The bundled classes, stream and cassette: deterministic, right, and enough for the demo."""

from itertools import islice
from random import Random

import pytest

from toolmint.assembly import demo
from toolmint.embedded import cassette_path
from toolmint.embedded.classes import CLASSES
from toolmint.embedded.stream import stream


def test_a_seed_fixes_everything() -> None:
    assert list(stream(50, seed=3)) == list(islice(stream(80, seed=3), 50))
    assert list(stream(50, seed=3)) != list(stream(50, seed=4))


def test_every_class_varies() -> None:
    for generate in CLASSES.values():
        rng = Random(0)
        made = [generate(rng) for _ in range(100)]
        assert len({one.input for one in made}) > 90
        assert all(one.target for one in made)


def test_known_answers() -> None:
    sorting = CLASSES["sorting"](Random(1))
    words = sorting.input.removeprefix("Put these words into alphabetical order: ")[:-1].split(", ")
    assert sorting.target == ", ".join(sorted(words))
    remainders = CLASSES["remainders"](Random(1))
    assert remainders.target is not None and remainders.target.isdigit()


@pytest.mark.anyio
async def test_the_demo_makes_its_tools_from_the_bundled_cassette_and_is_never_wrong() -> None:
    arrivals = demo.arrivals_of(150)
    heard: list[str] = []
    async with demo.demo_session(
        arrivals, demo.recorded_maker(cassette_path()), heard.append
    ) as shop:
        answered = [one async for one in demo.run_stream(shop, arrivals)]
        tools = len(await shop.store.serving())
    assert all(one.right for one in answered)
    assert tools == 6 and any("failed" in line for line in heard)
    has_parser = [
        one for one in answered if one.trajectory.served and one.trajectory.served.tier == "code"
    ]
    assert len(has_parser) > 50
    assert all(one.arrival.kind is not None for one in has_parser)
