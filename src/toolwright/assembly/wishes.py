"""The junction of agent and maker: a tool for want of which an agent gave up is made, and joins its toolbox.

LATM makes tools of labelled requests (section 3.1). A wish has none, so the strong model writes some from
the trajectory; from there on the wish is a making like any other, with every stage of the gate. As its
labels are the model's own, an independent second tool is always made.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

from toolwright.assembly.workshop import Workshop, order_of
from toolwright.cache.queue import name_for
from toolwright.core.errors import ConfigError, MakerError
from toolwright.core.messages import UserMessage
from toolwright.core.model import ModelRequest
from toolwright.core.store import Wish
from toolwright.core.task import Trajectory
from toolwright.core.tool import Demonstration, ToolRecord
from toolwright.roles.prompts import fill
from toolwright.roles.story import story

WRITTEN = 12
TOKENS = 8192


def read_demonstrations(reply: str) -> list[Demonstration]:
    """Read the demonstrations of a reply: the JSON list in it; what is no pair of texts is left out."""
    start = reply.find("[")
    try:
        found: object = json.JSONDecoder().raw_decode(reply[start:])[0] if start >= 0 else []
    except ValueError:
        return []
    pairs: list[Demonstration] = []
    for one in cast("Sequence[object]", found) if isinstance(found, list) else ():
        if isinstance(one, dict):
            item = cast("dict[str, Any]", one)
            if isinstance(item.get("input"), str) and isinstance(item.get("target"), str):
                pairs.append(Demonstration(input=item["input"], target=item["target"]))
    return pairs


async def write_demonstrations(
    workshop: Workshop, wish: Wish, trajectory: Trajectory
) -> list[Demonstration]:
    """Let the strong model write labelled requests of the class that a wish is about.

    Raises:
        ConfigError: there is no strong model.
        MakerError: its reply holds no list of demonstrations.
    """
    strong = workshop.models.strong
    if strong is None:
        raise ConfigError(
            "granting a wish needs a strong model; set one with --model", code="no-model"
        )
    text = fill(
        "wish_demonstrations", wants=wish.wants, task=trajectory.task.input, run=story(trajectory),
        count=str(WRITTEN),
    )  # fmt: skip
    metered = workshop.dispatcher.ledger.metered(strong, "making", None)
    reply = await metered.complete(
        ModelRequest(messages=(UserMessage(content=text),), max_tokens=TOKENS)
    )
    found = read_demonstrations(reply.content)
    if not found:
        raise MakerError(f"no demonstrations were written for the wish {wish.wants!r}")
    return found


async def grant(workshop: Workshop, wish: Wish) -> ToolRecord:
    """Make the tool of a wish, through the whole gate, and begin to serve it.

    Raises:
        MakerError: no demonstrations were written, or no tool passed; the wish stays.
    """
    trajectory = await workshop.store.traces.trace(wish.trace)
    written = await write_demonstrations(workshop, wish, trajectory)
    order = order_of(name_for(wish.wants), written, workshop.settings, second="always")
    record = await workshop.make(order)
    await workshop.store.traces.granted(wish.id, record.request_class)
    return record
