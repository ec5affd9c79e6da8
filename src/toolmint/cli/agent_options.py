"""The options that every command with an agent has: models by role, search, family, limits."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from toolmint.cli.common import engine_options, model_option
from toolmint.core.task import Limits

if TYPE_CHECKING:
    from toolmint.assembly.agents import AgentChoices

_F = TypeVar("_F", bound=Callable[..., Any])
FAMILIES = ("native", "paper", "marked", "chat")
SEARCHES = ("react", "dfsdt", "dfsdt-paper")
_LIMITS = ("tool_calls", "model_calls", "tokens", "seconds", "cost")
REPLIES = ("temperature", "max_tokens", "planner_tokens", "caller_tokens", "summarizer_tokens")
CHOICES = (
    "single",
    "family",
    "words",
    "search",
    "max_steps",
    "width",
    "queries",
    "shown",
    "embed",
    "observation",
    *REPLIES,
    "all_calls",
    "check",
)


def model_role_options(command: _F) -> _F:
    """Add the options that name each role's model and its prompt format."""
    for option in (
        click.option(
            "--words",
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder of the paper's train_<role>.json files; its instructions are read from them.",
        ),
        click.option(
            "--family",
            type=click.Choice(FAMILIES),
            help="Prompt format: OpenAI messages, the paper's, or role marks [what the model reads].",
        ),
        click.option(
            "--single",
            is_flag=True,
            default=None,
            help="Use one model for whole steps, without roles (the baseline).",
        ),
        click.option(
            "--summarizer", "summarizer_model", help="Model of the summarizer [the planner's]."
        ),
        click.option("--caller", "caller_model", help="Model of the caller [the planner's]."),
        click.option("--planner", "planner_model", help="Model of the planner [--model]."),
        model_option,
    ):
        command = option(command)
    return engine_options(command)


def bound_options(command: _F) -> _F:
    """Add the bounds of a search, and what a task may spend."""
    for option in (
        click.option(
            "--max-cost",
            "limit_cost",
            type=float,
            help="US dollars that a task may cost [no limit].",
        ),
        click.option(
            "--max-seconds",
            "limit_seconds",
            type=click.FloatRange(min=0, min_open=True),
            help="Seconds that a task may take [no limit].",
        ),
        click.option(
            "--max-tokens",
            "limit_tokens",
            type=click.IntRange(0),
            help="Tokens that a task may use [no limit].",
        ),
        click.option(
            "--max-model-calls",
            "limit_model_calls",
            type=click.IntRange(0),
            help="Model calls of a task [no limit].",
        ),
        click.option(
            "--max-tool-calls",
            "limit_tool_calls",
            type=click.IntRange(0),
            help="Tool calls of a task [no limit].",
        ),
        click.option(
            "--observation",
            type=click.IntRange(1),
            help="Characters of a tool's result that are kept [4096].",
        ),
        click.option(
            "--queries",
            type=click.IntRange(1),
            help="Steps of a whole search, over all its branches [60].",
        ),
        click.option(
            "--width", type=click.IntRange(1), help="Alternatives tried at each step of dfsdt [2]."
        ),
        click.option(
            "--max-steps",
            type=click.IntRange(1),
            help="Steps of one branch, from the root to the answer [12].",
        ),
    ):
        command = option(command)
    return command


def search_options(command: _F) -> _F:
    """Add the choice of a search, and of the tools that a task is shown, to the bounds."""
    for option in (
        click.option(
            "--embed",
            help="Embedding model that ranks tools by meaning, such as openai:NAME [wording only].",
        ),
        click.option(
            "--tool-tokens",
            type=click.IntRange(1),
            help="Tokens that the tools may take of a prompt; schemas are shortened to that [8000].",
        ),
        click.option(
            "--shown",
            type=click.IntRange(1),
            help="Tools shown to the model for a task; of more, the best matches [20].",
        ),
        click.option(
            "--search",
            type=click.Choice(SEARCHES),
            help="One chain (react), or depth-first search (dfsdt; dfsdt-paper: its limits) [react].",
        ),
    ):
        command = option(command)
    return bound_options(command)


def reply_options(command: _F) -> _F:
    """Add what is asked of a role's reply, and how calls and answers are treated."""
    tokens = click.IntRange(1)
    for option in (
        click.option(
            "--check/--no-check",
            default=None,
            help="Flag an answer whose values stand in no result and not in the task [check].",
        ),
        click.option(
            "--all-calls/--one-call",
            default=None,
            help="Make all calls that a role writes at once, or the first one alone [all].",
        ),
        click.option("--summarizer-tokens", type=tokens, help="Tokens of the answer."),
        click.option("--caller-tokens", type=tokens, help="Tokens of the caller's reply."),
        click.option("--planner-tokens", type=tokens, help="Tokens of the planner's reply."),
        click.option(
            "--reply-tokens",
            "max_tokens",
            type=tokens,
            help="Tokens of a role's reply, its reasoning included [1024].",
        ),
        click.option(
            "--temperature",
            type=click.FloatRange(min=0),
            help="Sampling temperature of the roles; 0 is greedy [0].",
        ),
    ):
        command = option(command)
    return command


def agent_options(command: _F) -> _F:
    """Add the options of an agent."""
    return model_role_options(search_options(reply_options(command)))


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
    from toolmint.assembly.agents import AgentChoices

    taken = {name: given.pop(name, None) for name in CHOICES}
    return AgentChoices.model_validate(
        {name: value for name, value in taken.items() if value is not None}
    )
