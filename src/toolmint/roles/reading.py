"""Parse the replies of roles with total functions: every text has a defined result.

Whatever was ambiguous or repaired is recorded in ``notes``, which go into the trajectory.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from toolmint.core.messages import Frozen, ToolCall, ToolSpec
from toolmint.core.task import Decision
from toolmint.core.tool_names import resolved_name
from toolmint.core.values import Value, canonical, clip
from toolmint.roles.dialects import MOST_CALLS, written_calls
from toolmint.roles.json_text import object_at
from toolmint.roles.replies import first_block

NO_CALL = "none"
"""Name of a call that could not be parsed, as in the official evaluator."""

_MARK = re.compile(
    r"\**Next:\**\s*\**(caller|summarizer|conclusion|give[ _-]?up)\**\.?", re.IGNORECASE
)
_MISSING_TOOL = re.compile(r"^\W*Missing tool:[ \t]*(.+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_ACTION = re.compile(r"Action:[ \t]*(.*?)[ \t]*\n\s*Action Input:[ \t]*(.*)\Z", re.DOTALL)
_CALL_MARKS = (
    "<tool_call",
    "<function=",
    "<|python_tag|>",
    "[TOOL_CALLS]",
    "to=functions.",
)
"""Marks of a call in a whole step; JSON and Python need a known tool's name to be one."""
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
    """A backbone's reply: rationale, and the calls or the answer after it."""

    plan: Plan
    actions: tuple[Action, ...] = ()
    answer: Answer | None = None

    @property
    def action(self) -> Action | None:
        """The first call, or None."""
        return self.actions[0] if self.actions else None


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
    found = object_at(text, start) if start >= 0 else None
    return None if found is None else (found[0], text[found[1] :].strip())


def _arguments(raw: str) -> tuple[str, tuple[str, ...]]:
    """Return the arguments as the model wrote them, without text after the object, and notes."""
    text = raw.strip()
    found = _object(text) if text.startswith("{") else None
    if found is None or not found[1]:
        return text, ()
    kept = text[: len(text) - len(found[1])].strip()
    return kept, (f"text after the arguments was dropped: {clip(found[1], 120)!r}",)


def read_actions(
    text: str,
    calls: tuple[ToolCall, ...] = (),
    *,
    program: str | None = None,
    tools: Sequence[ToolSpec] = (),
) -> tuple[Action, ...]:
    """Parse a caller's reply: tool calls, the paper's two lines, a dialect of open models, or a program.

    Args:
        text: the reply's text, without its reasoning.
        calls: the reply's tool calls; where there are any, they count and no others.
        program: name of the tool that runs programs (alpha-UMi appendix D); a fenced block is a call of it.
        tools: those that may be called; names and values are read by them.

    Returns:
        the calls in order, at least one; where there is none, one whose name is None.
    """
    names = [tool.name for tool in tools]
    if calls:
        return tuple(_named(one.name, one.arguments, names) for one in calls[:MOST_CALLS])
    lines = _ACTION.search(text)
    if lines:
        arguments, notes = _arguments(lines[2])
        return (_named(lines[1].strip(), arguments, names, notes),)
    code = first_block(text) if program else None
    if program and code and _object(code) is None:
        return (Action(name=program, arguments=canonical({"code": code})),)
    found = written_calls(text, tools)
    if found:
        return tuple(_named(one.name, one.arguments, names) for one in found)
    why = (
        f"the caller wrote no call: {clip(text.strip(), 160)!r}"
        if text.strip()
        else "the caller said nothing"
    )
    return (Action(name=None, arguments=text, notes=(why,)),)


def _named(name: str, arguments: str, names: Sequence[str], notes: tuple[str, ...] = ()) -> Action:
    """Return a call of the tool that a name means."""
    own = resolved_name(name, names) if names else name
    if own != name:
        notes = (*notes, f"{clip(name, 80)!r} was read as the tool {own!r}")
    return Action(name=own, arguments=arguments, notes=notes)


def read_action(
    text: str, calls: tuple[ToolCall, ...] = (), *, program: str | None = None
) -> Action:
    """Parse a caller's reply as one call: the first one counts; see ``read_actions``."""
    first, *further = read_actions(text, calls, program=program)
    if not further:
        return first
    note = f"{len(further)} further calls were dropped: one call a step"
    return first.model_copy(update={"notes": (*first.notes, note)})


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
    text: str,
    calls: tuple[ToolCall, ...] = (),
    *,
    program: str | None = None,
    tools: Sequence[ToolSpec] = (),
) -> BackboneReply:
    """Parse a backbone's reply: rationale with calls, an answer, or a give-up (alpha-UMi equation 1).

    A call takes precedence, as a run that calls has not ended; then ``conclusion:``.
    """
    start = _call_start(text, program, tools)
    if calls or start is not None:
        thought = text[:start].strip() if start is not None else text.strip()
        actions = read_actions(text, calls, program=program, tools=tools)
        return BackboneReply(Plan(thought=thought, decision="call"), actions)
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
        return BackboneReply(plan, read_actions(text, tools=tools))
    said = plan.thought
    notes = () if said else ("the model said nothing",)
    return BackboneReply(
        Plan(thought=said, decision="answer", notes=notes), answer=read_answer(said)
    )


def _call_start(text: str, program: str | None, tools: Sequence[ToolSpec]) -> int | None:
    """Return where the first call of a whole step begins; None where it has none."""
    lines = _ACTION.search(text)
    if lines:
        return lines.start()
    marks = [at for at in (text.find(mark) for mark in _CALL_MARKS) if at >= 0]
    if marks:
        return min(marks)
    if program is not None and first_block(text) is not None:
        return len(text)
    names = [tool.name for tool in tools]
    found = written_calls(text, tools) if names else []
    known = [one.start for one in found if resolved_name(one.name, names) in names]
    return known[0] if known else None
