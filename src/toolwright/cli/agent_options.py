"""The options that every command with an agent has: models by role, search, family, limits."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from toolwright.cli.common import engine_options, model_option
from toolwright.core.task import Limits

if TYPE_CHECKING:
    from toolwright.assembly.agents import AgentChoices

F = TypeVar("F", bound=Callable[..., Any])
FAMILIES = ("native", "paper", "marked")
SEARCHES = ("react", "dfsdt", "dfsdt-paper")
_LIMITS = ("tool_calls", "model_calls", "tokens", "seconds", "cost")
CHOICES = (
    "single", "family", "words", "search", "max_steps", "width", "queries", "shown", "embed", "observation",
)  # fmt: skip


def model_role_options(command: F) -> F:
    """Add the options that name the roles' models and how they are asked."""
    for option in (
        click.option("--words", type=click.Path(path_type=Path, file_okay=False),
                     help="For the paper's family: a folder of train_<role>.json with its instructions."),
        click.option("--family", type=click.Choice(FAMILIES), help="How prompts are written [the model's]."),
        click.option("--single", is_flag=True, default=None, help="One model for whole steps."),
        click.option("--summarizer", "summarizer_model", help="The summarizer's model [the planner's]."),
        click.option("--caller", "caller_model", help="The caller's model [the planner's]."),
        click.option("--planner", "planner_model", help="The planner's model [--model]."),
        model_option,
    ):  # fmt: skip
        command = option(command)
    return engine_options(command)


def bound_options(command: F) -> F:
    """Add the bounds of a search, and what a task may spend."""
    for option in (
        click.option("--max-cost", "limit_cost", type=float, help="US dollars for a task."),
        click.option("--max-seconds", "limit_seconds", type=click.FloatRange(min=0, min_open=True)),
        click.option("--max-tokens", "limit_tokens", type=click.IntRange(0), help="Tokens for a task."),
        click.option("--max-model-calls", "limit_model_calls", type=click.IntRange(0)),
        click.option("--max-tool-calls", "limit_tool_calls", type=click.IntRange(0)),
        click.option("--observation", type=click.IntRange(1), help="Characters of an observation [4096]."),
        click.option("--queries", type=click.IntRange(1), help="Moves of a whole search [60]."),
        click.option("--width", type=click.IntRange(1), help="Children of a step in a search [2]."),
        click.option("--max-steps", type=click.IntRange(1), help="Steps of one chain."),
    ):  # fmt: skip
        command = option(command)
    return command


def search_options(command: F) -> F:
    """Add the choice of a search, and of the tools that a task is shown, to the bounds."""
    for option in (
        click.option("--embed", help="Embeddings that narrow the tools, such as openai:NAME."),
        click.option("--shown", type=click.IntRange(1), help="Tools that a task is shown [20]."),
        click.option("--search", type=click.Choice(SEARCHES), help="How the tree grows [react]."),
    ):
        command = option(command)
    return bound_options(command)


def agent_options(command: F) -> F:
    """Add everything that an agent can be told."""
    return model_role_options(search_options(command))


def limits_of(given: dict[str, object]) -> Limits:
    """Take the limits out of a command's options."""
    found: dict[str, Any] = {}
    for name in _LIMITS:
        value = given.pop(f"limit_{name}", None)
        if value is not None:
            found[name] = Decimal(str(value)) if name == "cost" else value
    return Limits(**found)


def choices_of(given: dict[str, object]) -> "AgentChoices":
    """Take the agent's choices out of a command's options."""
    from toolwright.assembly.agents import AgentChoices

    taken = {name: given.pop(name, None) for name in CHOICES}
    return AgentChoices.model_validate(
        {name: value for name, value in taken.items() if value is not None}
    )
