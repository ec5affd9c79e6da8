"""Recorded runs of ToolWorld, API-Bank and Seal-Tools, told again with rationales in plain English."""

import re
from collections.abc import Mapping, Sequence
from random import Random

from toolmint.core.errors import ToolArgumentsError
from toolmint.core.messages import ToolSpec
from toolmint.core.task import Step, Task, Trajectory
from toolmint.core.values import clip
from toolmint.synthesis.run_writer import RunWriter, Wanted, rationale_of
from toolmint.synthesis.tool_tasks import Nearest, shown_tools

SEARCHER = "ToolSearcher"
"""API-Bank's tool that searches for tools."""
_TIME = re.compile(r"[ .]*\(?TIME: ?([\d\-: ]+)\)?\s*$")
_MOST_RESULT = 600


def plain_request(text: str) -> str:
    """Return a request of API-Bank with its time in words."""
    found = _TIME.search(text)
    return f"{text[: found.start()]}. The time now is {found[1].strip()}." if found else text


def retold_run(
    run: Trajectory,
    random: Random,
    *,
    tools: Sequence[ToolSpec] | None = None,
    context: frozenset[str] = frozenset(),
) -> Trajectory | None:
    """Return a run with new rationales; None where a call's arguments are no JSON object.

    Calls, results and the answer stay. The rationales of the original, if any, are not read.

    Args:
        run: recorded.
        random: decides the wordings.
        tools: shown in place of the task's; calls of tools that are not among them are left out.
        context: names of tools whose calls are neither learnt nor scored.
    """
    known = {spec.name: spec for spec in (tools if tools is not None else run.task.tools)}
    task = Task(input=plain_request(run.task.input), tools=tuple(known.values()))
    writer = RunWriter(task, random)
    last: Step | None = None
    for step in run.path():
        call = step.calls[0] if step.calls else None
        if call is None or (tools is not None and call.name not in known):
            continue
        spec = known.get(call.name)
        try:
            arguments = call.parsed()
        except ToolArgumentsError:
            return None
        if spec is None or not step.results:
            return None
        again = last is not None and last.calls[0].name == call.name and failed(last)
        thought = rationale_of(spec, random, kind="again" if again else "next" if last else "first")
        output = clip(step.results[0].content, _MOST_RESULT)
        writer.call(spec, arguments, thought, output, learnt=call.name not in context)
        last = step
    if run.answer:
        return writer.answered(run.answer)
    if run.outcome != "gave_up":
        return None
    if last is not None and failed(last):
        return writer.out_of_order(known[last.calls[0].name])
    return writer.gave_up_after(last is not None)


def failed(step: Step) -> bool:
    """Return whether a step's call failed."""
    return any(one.failure is not None or one.content.startswith("Error") for one in step.results)


def seal_run(
    run: Trajectory, documents: Mapping[str, ToolSpec], nearest: Nearest, random: Random, size: int
) -> Trajectory | None:
    """Return a query of Seal-Tools with its gold calls as a run: distractors, rationales, results, an answer.

    None where a call takes its argument from a call before, whose result the data do not have.
    """
    wanted: list[Wanted] = []
    for step in run.path():
        call = step.calls[0]
        if call.name not in documents or "API_call" in call.arguments:
            return None
        wanted.append(Wanted(documents[call.name], call.parsed(), run.task.input))
    if not wanted:
        return None
    specs = [one.spec for one in wanted]
    tools = shown_tools(specs, run.task.input, nearest, random, max(size, len(specs) + 1))
    return RunWriter(Task(input=run.task.input, tools=tools), random).solved(wanted)
