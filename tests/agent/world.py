"""A toolbox of two Python functions, and models that speak by script, for tests of the agent."""

from collections.abc import Callable, Sequence

from toolwright.agent.policy import Sampling, Single, Team
from toolwright.core.model import Model, ModelRequest
from toolwright.models.scripted import AnsweringModel, ScriptedModel
from toolwright.roles.native import Native
from toolwright.roles.view import Family
from toolwright.tools.box import Box
from toolwright.tools.function import tool


@tool
def price(item: str) -> int:
    """Give the price of an item."""
    return {"pen": 2, "book": 11}[item]


@tool
def long(words: int) -> str:
    """Give a long text."""
    return "word " * words


BOX = Box([price, long])


def team(
    planner: Sequence[str],
    caller: Sequence[str] = (),
    summarizer: Sequence[str] = (),
    family: Family | None = None,
) -> Team:
    """Give a team that says what it is told to."""
    return Team(
        ScriptedModel(planner, name="planner"), ScriptedModel(caller, name="caller"),
        ScriptedModel(summarizer, name="summarizer"), family=family or Native(),
        sampling=Sampling(max_tokens=99),
    )  # fmt: skip


def act(name: str, arguments: str) -> str:
    """Give a call in the paper's two lines."""
    return f"Action: {name}\nAction Input: {arguments}"


CALL, ANSWER, GIVE_UP = (
    "I look.\nNext: caller",
    "I know.\nNext: summarizer",
    "I cannot.\nNext: give up",
)


def answering(answer: Callable[[ModelRequest], str]) -> Model:
    """Give a model that computes its answers."""
    return AnsweringModel(answer)


def single(*replies: str) -> Single:
    """Give a single model that says what it is told to."""
    return Single(ScriptedModel(replies))
