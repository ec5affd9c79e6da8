"""What several commands share: options, the console, and how a workshop is opened for them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import click

from toolwright.assembly.settings import Settings, load

if TYPE_CHECKING:
    from rich.console import Console

    from toolwright.assembly.workshop import Workshop

F = TypeVar("F", bound=Callable[..., Any])

store_option = click.option(
    "--store", help="The store's file, or postgresql://user@host/name [.toolwright/tools.db]."
)
model_option = click.option("--model", help="The strong model, such as openai:gpt-5.")


def model_options(command: F) -> F:
    """Add the options that name models."""
    for option in (
        click.option("--user-model", help="The light model that uses tools (tier 2)."),
        click.option(
            "--second-model", help="Makes the independent second tool [the strong model]."
        ),
        model_option,
    ):
        command = option(command)
    return command


def engine_options(command: F) -> F:
    """Add the options that say where the work is done."""
    for option in (
        click.option(
            "--workers", type=click.IntRange(1), help="Copies of a sandbox or model there."
        ),
        click.option("--cluster", help="Address of a Ray cluster [begin one on this machine]."),
        click.option(
            "--engine", type=click.Choice(["local", "ray"]), help="Where it runs [local]."
        ),
    ):
        command = option(command)
    return command


@cache
def console() -> "Console":
    """Give the console that results go to."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal else Console(width=150)


def say(text: str) -> None:
    """Write one line as it is."""
    console().print(text, markup=False, highlight=False, soft_wrap=True)


def settings_of(**given: object) -> Settings:
    """Give the settings of a call: flags, then the environment, then the defaults."""
    return load(**given)


def without_models(settings: Settings) -> Settings:
    """Give the settings for a command that only reads or moves what is stored."""
    none: dict[str, object] = {"model": None, "user_model": None, "second_model": None}
    return settings.model_copy(update=none)


def opened(
    settings: Settings, observe: Callable[[str], None] | None = None
) -> "AbstractAsyncContextManager[Workshop]":
    """Open the workshop of a call."""
    from toolwright.assembly.workshop import Workshop

    return Workshop.open(settings, observe=observe or (lambda _: None))


def money(cost: object) -> str:
    """Write a cost in US dollars; an unknown one is a question mark."""
    return "?" if cost is None else f"${float(str(cost)):,.4f}"
