"""A toolbox of two Python functions, and models that speak by script, for tests of the agent."""

from collections.abc import Callable, Sequence

from toolmint.agent.policy import Sampling, SingleModelPolicy, ThreeRolePolicy
from toolmint.core.model import Model, ModelRequest
from toolmint.models.scripted import AnsweringModel, ScriptedModel
from toolmint.roles.native import Native
from toolmint.roles.view import Family
from toolmint.tools.function import tool
from toolmint.tools.toolbox import ToolCollection


@tool
def price(item: str) -> int:
    """Return the price of an item."""
    return {"pen": 2, "book": 11}[item]


@tool
def long(words: int) -> str:
    """Return a long text."""
    return "word " * words


BOX = ToolCollection([price, long])


def three_roles(
    planner: Sequence[str],
    caller: Sequence[str] = (),
    summarizer: Sequence[str] = (),
    family: Family | None = None,
) -> ThreeRolePolicy:
    """Return a policy of three roles with scripted replies."""
    return ThreeRolePolicy(
        ScriptedModel(planner, name="planner"),
        ScriptedModel(caller, name="caller"),
        ScriptedModel(summarizer, name="summarizer"),
        family=family or Native(),
        sampling=Sampling(max_tokens=99),
    )


def act(name: str, arguments: str) -> str:
    """Return a call in the paper's two lines."""
    return f"Action: {name}\nAction Input: {arguments}"


CALL, ANSWER, GIVE_UP = (
    "I look.\nNext: caller",
    "I know.\nNext: summarizer",
    "I cannot.\nNext: give up",
)


def answering(answer: Callable[[ModelRequest], str]) -> Model:
    """Return a model that computes its answers."""
    return AnsweringModel(answer)


def single(*replies: str) -> SingleModelPolicy:
    """Return a policy of one model with scripted replies."""
    return SingleModelPolicy(ScriptedModel(replies))
