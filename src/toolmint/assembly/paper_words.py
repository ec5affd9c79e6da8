"""The paper's exact instructions, read from its own training samples where a user has them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolmint.core.errors import InputError
from toolmint.roles.paper import PAPER_ROLES, Paper, instructions_of
from toolmint.roles.view import AgentRole


def paper_family(folder: Path | None) -> Paper:
    """Return the paper's family: with its own words where a folder of ``train_<role>.json`` is named.

    Raises:
        InputError: the folder has none of the files, or one is no list of samples.
    """
    if folder is None:
        return Paper.default()
    samples: dict[AgentRole, Mapping[str, Any]] = {}
    for role in PAPER_ROLES:
        path = folder / f"train_{role}.json"
        if path.is_file():
            try:
                samples[role] = json.loads(path.read_text(encoding="utf-8-sig"))[0]
            except (ValueError, LookupError, TypeError) as fault:
                raise InputError(
                    f"{str(path)!r} is no list of training samples: {fault!r}"
                ) from fault
    if not samples:
        raise InputError(f"{str(folder)!r} holds no train_planner.json, train_caller.json, ...")
    return Paper(instructions_of(samples))
