"""A file of requests goes on whatever happens to one of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from toolmint.assembly.apply import apply_all
from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.core.errors import (
    ConfigError,
    ModelError,
    ModelUnavailable,
    SandboxError,
    StoreError,
)
from toolmint.core.task import Step, Task, Trajectory
from toolmint.core.tool import Demonstration
from toolmint.models.scripted import AnsweringModel

pytestmark = pytest.mark.anyio
REQUESTS = [Demonstration(input=text, target=None) for text in ("one", "odd", "two")]


def solver(fault: BaseException) -> Callable[[str], object]:
    async def solve(text: str) -> Trajectory:
        if text == "odd":
            raise fault
        return Trajectory(task=Task(input=text), steps=(Step(id=0),), leaf=0, answer=text)

    return solve


@pytest.mark.parametrize(
    "fault",
    [
        RecursionError("too deep"),
        ZeroDivisionError("of our own"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        ModelError("no usable reply"),
        SandboxError("a worker broke"),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_a_fault_with_one_request_is_its_error_and_the_others_are_answered(
    fault: BaseException,
) -> None:
    found = [one async for one in apply_all(solver(fault), REQUESTS, 2)]  # pyright: ignore[reportArgumentType]
    assert [one.answer for one in found] == ["one", None, "two"]
    assert found[1].error is not None and str(fault.args[-1]) in str(found[1].error)


@pytest.mark.parametrize(
    "fault", [ModelUnavailable("down"), StoreError("disk full"), ConfigError("no model")]
)
async def test_a_fault_that_is_not_about_one_request_ends_the_file(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        _ = [one async for one in apply_all(solver(fault), REQUESTS, 2)]  # pyright: ignore[reportArgumentType]


async def test_texts_that_are_no_unicode_are_answered_and_recorded(tmp_path: Path) -> None:
    strong = AnsweringModel(lambda request: f"\udfff {request.messages[-1].content}")
    settings = Settings(store=tmp_path / "tools.db")
    async with Session.open(settings, models=Models(strong)) as session:
        for text in ("odd \ud800 one", "nul \x00 one", "a plain one"):
            assert (await session.solve(text)).answer == f"\udfff {text}"
        queued = await session.store.queued()
    texts = sorted(one.input for some in queued.values() for one in some)
    assert texts == ["a plain one", "nul \x00 one", "odd � one"]
