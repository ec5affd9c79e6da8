"""Parse the replies of roles with total functions: every text has a defined result.

Whatever was ambiguous or repaired is recorded in ``notes``, which go into the trajectory.
"""

import json
import re
from typing import Any, NamedTuple, cast

from toolmint.core.messages import Frozen, ToolCall
from toolmint.core.task import Decision
from toolmint.core.values import Value, canonical, clip, too_deep
from toolmint.roles.replies import first_block

NO_CALL = "none"
"""Name of a call that could not be parsed, as in the official evaluator."""

_MARK = re.compile(
    r"\**Next:\**\s*\**(caller|summarizer|conclusion|give[ _-]?up)\**\.?", re.IGNORECASE
)
_MISSING_TOOL = re.compile(r"^\W*Missing tool:[ \t]*(.+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_ACTION = re.compile(r"Action:[ \t]*(.*?)[ \t]*\n\s*Action Input:[ \t]*(.*)\Z", re.DOTALL)
_TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)
_CONCLUSION = re.compile(r"(?:^|\n)\s*conclusion:[ \t]*(.*)\Z", re.DOTALL | re.IGNORECASE)
_DECISIONS: dict[str, Decision] = {
    "caller": "call",
    "summarizer": "answer",
    "conclusion": "answer",
    "give up": "give_up",
}


class Plan(Frozen):
    """A planner's reply: rationale and decision (None: no marker)."""

    thought: str
    decision: Decision | None
    notes: tuple[str, ...] = ()


class Action(Frozen):
    """A caller's reply: one call; ``name`` is None where there is none, and a note says why."""

    name: str | None
    arguments: str = "{}"
    notes: tuple[str, ...] = ()


class Answer(Frozen):
    """A summarizer's reply."""

    text: str
    notes: tuple[str, ...] = ()


class BackboneReply(NamedTuple):
    """A backbone's reply: rationale, and the call or answer after it."""

    plan: Plan
    action: Action | None = None
    answer: Answer | None = None


def read_plan(text: str) -> Plan:
    """Parse a planner's reply: the last ``Next:`` marker decides, text after it is dropped.

    Without a marker there is no decision; the agent then asks the caller, as the official static evaluation
    does.
    """
    marks = list(_MARK.finditer(text))
    notes: list[str] = []
    if not marks:
        thought = text.strip()
        said = "the planner wrote no 'Next:' marker" if thought else "the planner said nothing"
        return Plan(thought=thought, decision=None, notes=(said,))
    mark = marks[-1]
    words = {_marker(one) for one in marks}
    if len(words) > 1:
        notes.append(f"the planner wrote {len(marks)} markers, the last one counts")
    rest = text[mark.end() :].strip()
    if rest:
        notes.append(f"text after the planner's marker was dropped: {clip(rest, 120)!r}")
    decision = _DECISIONS[_marker(mark)]
    return Plan(thought=text[: mark.start()].strip(), decision=decision, notes=tuple(notes))


def missing_tool_in(thought: str) -> str | None:
    """Return the description of a missing tool, if a line ``Missing tool: ...`` of a thought gives one."""
    found = _MISSING_TOOL.search(thought)
    return found[1] if found else None


def _marker(mark: re.Match[str]) -> str:
    word = mark[1].lower()
    return "give up" if word.startswith("give") else word


def _object(text: str) -> tuple[dict[str, Value], str] | None:
    """Return the first JSON object of a text and the text after it, or None."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or too_deep(cast("object", value)):
        return None
    return cast("dict[str, Value]", value), text[end:].strip()


def _arguments(raw: str) -> tuple[str, tuple[str, ...]]:
    """Return the arguments as the model wrote them, without text after the object, and notes."""
    text = raw.strip()
    found = _object(text) if text.startswith("{") else None
    if found is None or not found[1]:
        return text, ()
    kept = text[: len(text) - len(found[1])].strip()
    return kept, (f"text after the arguments was dropped: {clip(found[1], 120)!r}",)


def _json_call(value: dict[str, Value]) -> Action | None:
    """Parse ``{"name": ..., "arguments": ...}``, optionally wrapped in ``function``."""
    function = value.get("function")
    body = cast("dict[str, Value]", function) if isinstance(function, dict) else value
    name = body.get("name")
    if not isinstance(name, str):
        return None
    arguments: Any = body.get("arguments", body.get("parameters", {}))
    return Action(
        name=name, arguments=arguments if isinstance(arguments, str) else canonical(arguments)
    )


def read_action(
    text: str, calls: tuple[ToolCall, ...] = (), *, program: str | None = None
) -> Action:
    """Parse a caller's reply: a tool call, the paper's two lines, a JSON object, or a program.

    Args:
        text: the reply's text.
        calls: the reply's tool calls; the first one counts.
        program: name of the tool that runs programs (alpha-UMi appendix D); a fenced block is a call of it.
    """
    if calls:
        dropped = len(calls) - 1
        notes = (f"{dropped} further calls were dropped: one call a step",) if dropped else ()
        return Action(name=calls[0].name, arguments=calls[0].arguments, notes=notes)
    lines = _ACTION.search(text)
    if lines:
        arguments, notes = _arguments(lines[2])
        return Action(name=lines[1].strip(), arguments=arguments, notes=notes)
    code = first_block(text) if program else None
    if program and code and _object(code) is None:
        return Action(name=program, arguments=canonical({"code": code}))
    tagged = _TAGGED.search(text)
    found = _object(tagged[1] if tagged else text)
    action = _json_call(found[0]) if found else None
    if action is not None:
        return action
    why = (
        f"the caller wrote no call: {clip(text.strip(), 160)!r}"
        if text.strip()
        else "the caller said nothing"
    )
    return Action(name=None, arguments=text, notes=(why,))


def read_answer(text: str, calls: tuple[ToolCall, ...] = ()) -> Answer:
    """Parse a summarizer's reply: the text itself; another role's format is noted, not interpreted."""
    notes: list[str] = []
    stripped = text.strip()
    if stripped.lower().startswith("conclusion:"):
        stripped = stripped[len("conclusion:") :].strip()
    if not stripped:
        notes.append("the summarizer said nothing")
    if calls:
        notes.append(f"the summarizer called {calls[0].name!r}; the call was dropped")
    if _ACTION.search(stripped) or _MARK.search(stripped):
        notes.append("the summarizer wrote in another role's format")
    return Answer(text=stripped, notes=tuple(notes))


def read_backbone(
    text: str, calls: tuple[ToolCall, ...] = (), *, program: str | None = None
) -> BackboneReply:
    """Parse a backbone's reply: rationale with a call, an answer, or a give-up (alpha-UMi equation 1).

    A call takes precedence, as a run that calls has not ended; then ``conclusion:``.
    """
    lines = _ACTION.search(text)
    fenced = program is not None and first_block(text) is not None
    if calls or lines or _TAGGED.search(text) or fenced:
        action = read_action(text, calls, program=program)
        thought = (
            text[: lines.start()].strip()
            if lines
            else text.split("<tool_call>", maxsplit=1)[0].strip()
        )
        return BackboneReply(Plan(thought=thought, decision="call"), action=action)
    ending = _CONCLUSION.search(text)
    if ending:
        plan = read_plan(text[: ending.start()])
        said = ending[1].strip()
        if said.lower().rstrip(".") == "give up":
            return BackboneReply(Plan(thought=plan.thought, decision="give_up"))
        return BackboneReply(
            Plan(thought=plan.thought, decision="answer"), answer=read_answer(said)
        )
    plan = read_plan(text)
    if plan.decision == "give_up":
        return BackboneReply(plan)
    if plan.decision == "call":
        return BackboneReply(plan, action=read_action(text))
    said = plan.thought
    notes = () if said else ("the model said nothing",)
    return BackboneReply(
        Plan(thought=said, decision="answer", notes=notes), answer=read_answer(said)
    )
