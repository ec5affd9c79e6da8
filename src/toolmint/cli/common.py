"""Options, console output and the opening of a session, shared by several commands."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import click

from toolmint.assembly.settings import Settings, load_settings
from toolmint.core.values import sound

if TYPE_CHECKING:
    from rich.console import Console

    from toolmint.assembly.session import Session

_F = TypeVar("_F", bound=Callable[..., Any])

store_option = click.option(
    "--store", help="The store's file, or postgresql://user@host/name [.toolmint/tools.db]."
)
accept_option = click.option(
    "--accept-unverified",
    is_flag=True,
    default=None,
    help="Take answers of tools too that took a branch which nothing has verified.",
)
model_option = click.option("--model", help="The strong model, such as openai:gpt-5.")


def model_options(command: _F) -> _F:
    """Add the options that name models to a command."""
    for option in (
        click.option("--light-model", help="The light model that calls tools without a parser."),
        click.option(
            "--second-model", help="Makes the independent second tool [the strong model]."
        ),
        model_option,
    ):
        command = option(command)
    return command


def engine_options(command: _F) -> _F:
    """Add the options that choose the engine to a command."""
    for option in (
        click.option(
            "--workers", type=click.IntRange(1), help="Replicas of each sandbox or model."
        ),
        click.option("--cluster", help="Address of a Ray cluster [start one on this machine]."),
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            help="Where sandboxes and models run [local].",
        ),
    ):
        command = option(command)
    return command


@cache
def console() -> "Console":
    """Return the console for results; 150 columns wide where output is not a terminal.

    Texts are those of users, models and tools, so nothing in them is read as markup or as an emoji's name.
    """
    from rich.console import Console

    found = Console(markup=False, emoji=False)
    return found if found.is_terminal else Console(width=150, markup=False, emoji=False)


def say(text: str) -> None:
    """Print one line unchanged: no markup, no wrapping."""
    console().print(printable(text), markup=False, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """Return a text that every terminal takes: valid Unicode, without sequences that steer the terminal."""
    return sound(text).replace("\x1b", "\u241b")


def settings_of(**given: object) -> Settings:
    """Return the settings of a command: options, then the environment, then the defaults."""
    return load_settings(**given)


def without_models(settings: Settings) -> Settings:
    """Return the settings of a command that needs no model, so that no key is asked for."""
    none: dict[str, object] = {"model": None, "light_model": None, "second_model": None}
    return settings.model_copy(update=none)


def opened(
    settings: Settings, observe: Callable[[str], None] | None = None
) -> "AbstractAsyncContextManager[Session]":
    """Return the session of a command, as a context manager."""
    from toolmint.assembly.session import Session

    return Session.open(settings, observe=observe or (lambda _: None))


def money(cost: object) -> str:
    """Return a cost in US dollars as text; ``?`` if unknown."""
    return "?" if cost is None else f"${float(str(cost)):,.4f}"
