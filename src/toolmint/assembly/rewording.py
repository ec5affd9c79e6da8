"""Other wordings of synthetic requests by the strong model; each is checked for its values, and kept."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from toolmint.assembly.uri import model_of
from toolmint.core.errors import InputError, ToolmintError
from toolmint.core.messages import UserMessage
from toolmint.core.model import Model, ModelRequest
from toolmint.core.task import Trajectory
from toolmint.core.text_files import lines_of, read_text
from toolmint.core.values import Value, canonical, digest
from toolmint.models.wrap import close
from toolmint.roles.prompts import fill, template_digest
from toolmint.synthesis.toolbox_tasks import ToolboxTasks

_AT_ONCE = 8
_MAX_TOKENS = 256


async def worded_by(
    uri: str, tasks: ToolboxTasks, kept: Path, notify: Callable[[str], None]
) -> ToolboxTasks:
    """Return a toolbox's tasks with requests worded by the model that a URI names; see ``reworded``."""
    model = model_of(uri)
    try:
        learnt = await reworded(tasks.learnt, model, kept, notify)
        held_out = await reworded(tasks.held_out, model, kept, notify)
    finally:
        await close(model)
    return tasks._replace(learnt=learnt, held_out=held_out)


async def reworded(
    runs: Sequence[Trajectory], model: Model, kept: Path, notify: Callable[[str], None]
) -> list[Trajectory]:
    """Return runs of one call whose requests a model has worded anew; the others as they are.

    A wording that lacks a value of the call, or that the model does not give, leaves the run as it is.

    Args:
        runs: synthetic.
        model: words them.
        kept: the file of wordings, JSON lines; what is there is not asked for again.
        notify: receives a line at the end.
    """
    known = _read(kept)
    limit = asyncio.Semaphore(_AT_ONCE)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:

        async def one(run: Trajectory) -> Trajectory:
            call = next((call for step in run.path() for call in step.calls), None)
            if call is None or sum(len(step.calls) for step in run.path()) > 1:
                return run
            key = digest([template_digest("reword_request"), run.task.input, call.arguments])
            if key not in known:
                async with limit:
                    known[key] = await _ask(run, model)
                file.write(json.dumps({"key": key, "text": known[key]}, ensure_ascii=False) + "\n")
                file.flush()
            text = known[key]
            if not text or not _has_values(text, call.parsed()):
                return run
            task = run.task.model_copy(update={"input": text})
            return run.model_copy(update={"task": task})

        found = await asyncio.gather(*(one(run) for run in runs))
    changed = sum(a.task.input != b.task.input for a, b in zip(runs, found, strict=True))
    notify(f"{changed} of {len(runs)} requests worded by {model.name}")
    return found


def _read(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for number, line in lines_of(read_text(path)):
        try:
            item = json.loads(line)
            found[str(item["key"])] = str(item["text"])
        except (ValueError, KeyError, TypeError) as fault:
            raise InputError(f"{path}:{number} is no kept wording: {fault!r}") from fault
    return found


async def _ask(run: Trajectory, model: Model) -> str:
    call = next(call for step in run.path() for call in step.calls)
    spec = next((one for one in run.task.tools if one.name == call.name), None)
    prompt = fill(
        "reword_request",
        request=run.task.input,
        tool=call.name,
        about=spec.description if spec is not None else "",
        arguments=call.arguments,
    )
    try:
        reply = await model.complete(
            ModelRequest(messages=(UserMessage(content=prompt),), max_tokens=_MAX_TOKENS)
        )
    except ToolmintError:
        return ""
    return " ".join(reply.content.strip().strip('"').split())


def _has_values(text: str, value: Value) -> bool:
    """Return whether a text has every text and number of a value; dates may be in words."""
    if isinstance(value, dict):
        return all(_has_values(text, one) for one in value.values())
    if isinstance(value, list):
        return all(_has_values(text, one) for one in value)
    if isinstance(value, bool) or value is None:
        return True
    said = value if isinstance(value, str) else canonical(value)
    return said.casefold() in text.casefold()
