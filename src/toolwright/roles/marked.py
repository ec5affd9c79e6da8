"""The text family of models that this project trains: one sequence with a mark before each role's words.

What a role reads is the beginning of the very sequence that training reads, so a trajectory is tokenised
once and gives every role's samples as masks, and one cache serves all roles at inference.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from toolwright.core.errors import ToolArgumentsError
from toolwright.core.messages import SystemMessage, ToolCall, ToolSpec, UserMessage
from toolwright.core.model import ToolChoice
from toolwright.core.task import Decision, Step, Task
from toolwright.roles.view import AgentRole, Prompt, View

TOOLS, TASK, HINT, OBSERVATION, END = (
    "<|tools|>",
    "<|task|>",
    "<|hint|>",
    "<|observation|>",
    "<|end|>",
)
MARK: dict[AgentRole, str] = {
    "planner": "<|planner|>", "caller": "<|caller|>", "summarizer": "<|summarizer|>",
    "backbone": "<|backbone|>",
}  # fmt: skip
MARKS = (TOOLS, TASK, HINT, OBSERVATION, END, *MARK.values())
"""The special tokens that a tokenizer must have."""
NEXT: dict[Decision | None, str] = {
    "call": "\nNext: caller", "answer": "\nNext: summarizer", "give_up": "\nNext: give up", None: "",
}  # fmt: skip


class Piece(NamedTuple):
    """A stretch of the sequence: its text, whose words they are (None: context), and whether it must stay."""

    text: str
    role: AgentRole | None = None
    keep: bool = False
    step: int | None = None


def plain(text: str) -> str:
    """Give a text in which nothing reads as a mark: who writes a task or a result gives no role its turn."""
    return text.replace("<|", "< |")


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return "|".join(map(str, schema["enum"]))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"[{_kind(cast('dict[str, Any]', schema.get('items') or {}))}]"
    if kind == "object" and schema.get("properties"):
        return f"{{{_fields(schema)}}}"
    return kind if isinstance(kind, str) else "|".join(kind)


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required") or ()
    known = cast("dict[str, dict[str, Any]]", schema.get("properties") or {})
    return ", ".join(
        f"{name}{'' if name in required else '?'}: {_kind(one)}" for name, one in known.items()
    )


def signature(spec: ToolSpec) -> str:
    """Give a tool's document in one line: ``description name(argument: kind, optional?: kind)``.

    The name comes last because a decoder reads forward: who looks for a tool by what it does finds a name
    that has read it, and copies on from there.
    """
    fields = _fields(cast("dict[str, Any]", spec.parameters))
    return f"{' '.join(spec.description.split())} {spec.name}({fields})".lstrip()


def _in_order(value: Any, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Give a value with its keys in the schema's order, the order in which a caller reads them."""
    if not isinstance(value, dict):
        return value
    known = cast("dict[str, dict[str, Any]]", schema.get("properties") or {})
    given = cast("dict[str, Any]", value)
    keys = [name for name in known if name in given] + [name for name in given if name not in known]
    return {name: _in_order(given[name], known.get(name) or {}) for name in keys}


def call_text(call: ToolCall, tools: Sequence[ToolSpec] = ()) -> str:
    """Give a call as the caller writes it: one JSON object, the name first, arguments as documented."""
    try:
        arguments: object = call.parsed()
    except ToolArgumentsError:
        arguments = call.arguments
    spec = next((tool for tool in tools if tool.name == call.name), None)
    if spec is not None:
        arguments = _in_order(arguments, cast("dict[str, Any]", spec.parameters))
    shape = {"name": call.name, "arguments": arguments}
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":"))


def head(task: Task) -> list[Piece]:
    """Give the beginning that every prompt has: tools and task, which no truncation touches."""
    tools = "\n".join(signature(tool) for tool in task.tools)
    return [
        Piece(f"{TOOLS}{plain(tools)}", keep=True),
        Piece(f"{TASK}{plain(task.input)}", keep=True),
    ]


def step_pieces(step: Step, tools: Sequence[ToolSpec] = ()) -> list[Piece]:
    """Give a step's stretch: hints, then each role's words behind its mark, then the observation.

    A role's words are marked as its own only where it took a turn; all else is context.
    """
    number = step.id
    pieces = [Piece(f"{HINT}{plain(hint)}", step=number) for hint in step.hints]
    spoke = {turn.role for turn in step.turns}
    if step.thought or step.decision is not None:
        pieces += _said(
            "planner", f"{step.thought}{NEXT[step.decision]}", number, own="planner" in spoke
        )
    for call in step.calls:
        pieces += _said("caller", call_text(call, tools), number, own="caller" in spoke)
    pieces += [
        Piece(f"{OBSERVATION}{plain(result.content)}", step=number) for result in step.results
    ]
    if step.answer is not None:
        pieces += _said("summarizer", step.answer, number, own="summarizer" in spoke)
    return pieces


def _said(role: AgentRole, text: str, step: int, *, own: bool) -> list[Piece]:
    return [
        Piece(MARK[role], step=step),
        Piece(f"{plain(text)}{END}", role if own else None, step=step),
    ]


def pieces_of(task: Task, path: tuple[Step, ...]) -> list[Piece]:
    """Give a whole chain as one sequence."""
    return head(task) + [piece for step in path for piece in step_pieces(step, task.tools)]


class Marked:
    """The family whose prompt is the sequence up to a role's mark; the reply goes on to ``<|end|>``.

    Its two messages are one text: the tools' documents, and all that was read since.

    Args:
        send_tools: pass the tools on beside the text, for a model here that holds its replies to them. A
            server would write calls in a form of its own.
    """

    name = "marked"

    def __init__(self, *, send_tools: bool = True) -> None:
        self._send_tools = send_tools

    def prompt(self, role: AgentRole, view: View) -> Prompt:
        """Give a role's prompt (equations 1 to 4)."""
        tools, *pieces = pieces_of(view.task, view.path)
        pieces += [Piece(f"{HINT}{plain(hint)}") for hint in view.hints]
        if view.plan is not None:
            text = f"{plain(view.plan.thought)}{NEXT[view.plan.decision or 'call']}{END}"
            pieces += [Piece(MARK["planner"]), Piece(text)]
        pieces.append(Piece(MARK[role]))
        text = "".join(piece.text for piece in pieces)
        messages = (SystemMessage(content=tools.text), UserMessage(content=text))
        if not self._send_tools or not view.task.tools or role not in {"planner", "caller"}:
            return Prompt(messages=messages)
        choice: ToolChoice = "required" if role == "caller" else "none"
        return Prompt(messages=messages, tools=view.task.tools, tool_choice=choice)
