"""Which trio plays an agent where nobody names a model: one that is installed and speaks English, or none."""

import json
from importlib.util import find_spec

from toolmint.assembly.settings import load_settings
from toolmint.core.base_model import read_base
from toolmint.embedded import english_trio_path

ENGLISH_TRIO = "embedded:english"
"""A trio that is trained on natural requests, where it is installed beside the package."""


def preferred_trio() -> str | None:
    """Return the URI of the installed trio that may stand in for a model; None where none can play.

    Its base must have been fetched, as nobody who names no model expects a download. The trio of ToolWorld is
    never that one: with other tools it answers in confidence and is wrong.
    """
    ready = _plays_agents() and missing_base() == "" and find_spec("torch") is not None
    return ENGLISH_TRIO if ready else None


def _plays_agents() -> bool:
    """Return whether the installed trio's card says that it is good for tasks of several calls."""
    card = english_trio_path() / "card.json"
    return (
        card.is_file()
        and json.loads(card.read_text(encoding="utf-8")).get("plays_agents", False) is True
    )


def missing_base() -> str | None:
    """Return the base that the English trio lacks, ``""`` where it has it; None: no trio is installed."""
    named = read_base(english_trio_path())
    if named is None:
        return None
    folder = load_settings().models.expanduser() / named.name
    return "" if (folder / "config.json").is_file() else named.name


def how_to_install() -> str:
    """Return what makes the English trio play, as the end of a message; empty where nothing is missing."""
    base = missing_base()
    if base is None or not _plays_agents() or preferred_trio() is not None:
        return ""
    steps = [] if find_spec("torch") is not None else ["pip install 'toolmint[local]'"]
    steps += [f"toolmint models fetch {base}"] if base else []
    return f"; for the English trio that ships: {' and '.join(steps)}"
