"""Where agent and maker meet: a tool for want of which an agent gave up is made, and joins its toolbox.

LATM makes tools of labelled requests (section 3.1). A missing tool has none, so the strong model writes some
from the trajectory. From there on it is a making like any other, with every stage of verification. As the
labels are the model's own, an independent second tool is always made.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

from toolmint.assembly.session import Session, make_request_of
from toolmint.core.errors import ConfigError, MakerError
from toolmint.core.messages import UserMessage
from toolmint.core.model import ModelRequest
from toolmint.core.store import MissingTool
from toolmint.core.task import Trajectory
from toolmint.core.tool import Demonstration, ToolRecord
from toolmint.roles.prompts import fill
from toolmint.roles.transcript import transcript
from toolmint.serving.request_classes import class_name_for, title_for

WRITTEN = 12
_TOKENS = 8192


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
    client: Session, missing_tool: MissingTool, trajectory: Trajectory
) -> list[Demonstration]:
    """Let the strong model write labelled requests of the class that a missing tool is for.

    Raises:
        ConfigError: there is no strong model.
        MakerError: its reply holds no list of demonstrations.
    """
    strong = client.models.strong
    if strong is None:
        raise ConfigError(
            "making a missing tool needs a strong model; set one with --model", code="no-model"
        )
    text = fill(
        "missing_tool_demonstrations",
        wants=missing_tool.wants,
        task=trajectory.task.input,
        run=transcript(trajectory),
        count=str(WRITTEN),
    )
    metered = client.ledger.metered(strong, "making", None)
    reply = await metered.complete(
        ModelRequest(messages=(UserMessage(content=text),), max_tokens=_TOKENS)
    )
    found = read_demonstrations(reply.content)
    if not found:
        raise MakerError(
            f"no demonstrations were written for the missing tool {missing_tool.wants!r}"
        )
    return found


async def make_missing_tool(client: Session, missing_tool: MissingTool) -> ToolRecord:
    """Make a missing tool, through all of verification, and begin to serve it.

    Raises:
        MakerError: no demonstrations were written, or no tool passed; the tool stays missing.
    """
    trajectory = await client.store.traces.trace(missing_tool.trace)
    written = await write_demonstrations(client, missing_tool, trajectory)
    order = make_request_of(
        class_name_for(missing_tool.wants),
        written,
        client.settings,
        title=title_for(missing_tool.wants),
        second="always",
    )
    record = await client.make(order)
    await client.store.traces.made(missing_tool.id, record.request_class)
    return record
