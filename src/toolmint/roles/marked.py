"""The text family of models trained here: one sequence with a special token before each role's text.

A role's prompt is a prefix of the sequence that training reads. So a trajectory is tokenised once and role
masks give every role's labels, and at inference one prefix cache serves all roles.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from toolmint.core.errors import ToolArgumentsError
from toolmint.core.messages import SystemMessage, ToolCall, ToolSpec, UserMessage
from toolmint.core.model import ToolChoice
from toolmint.core.task import Decision, Step, Task
from toolmint.roles.view import AgentRole, Prompt, View

_EXAMPLES = re.compile(r"^The | ?\((?:e\.g\.|for example|such as)[^)]*\)")
_MAX_TOOL_WORDS, _MAX_ARGUMENT_WORDS = 120, 48
"""Characters of a tool's and of an argument's description in a document."""
TOOLS_MARK, TASK_MARK, HINT_MARK, OBSERVATION, END_MARK = (
    "<|tools|>",
    "<|task|>",
    "<|hint|>",
    "<|observation|>",
    "<|end|>",
)
MARK: dict[AgentRole, str] = {
    "planner": "<|planner|>",
    "caller": "<|caller|>",
    "summarizer": "<|summarizer|>",
    "backbone": "<|backbone|>",
}
ROLE_MARKS = (TOOLS_MARK, TASK_MARK, HINT_MARK, OBSERVATION, END_MARK, *MARK.values())
"""The special tokens that a tokenizer must have."""
NEXT: dict[Decision | None, str] = {
    "call": "\nNext: caller",
    "answer": "\nNext: summarizer",
    "give_up": "\nNext: give up",
    None: "",
}


class Piece(NamedTuple):
    """A piece of the sequence.

    Attributes:
        text: the text.
        role: the role that wrote it; None: context.
        keep: truncation must not remove it.
        step: id of the step that it belongs to, if any.
    """

    text: str
    role: AgentRole | None = None
    keep: bool = False
    step: int | None = None


def plain_text(text: str) -> str:
    """Return a text in which nothing parses as a mark, so that no task or tool result can start a turn."""
    return text.replace("<|", "< |")


def _mapping(value: object) -> dict[str, Any]:
    """Return a schema that is an object, and an empty one for others, such as ``true``."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _kind(value: object) -> str:
    schema = _mapping(value)
    choices, kind = schema.get("enum"), schema.get("type", "any")
    if isinstance(choices, list):
        return "|".join(map(str, cast("list[object]", choices)))
    if kind == "array":
        return f"[{_kind(schema.get('items'))}]"
    if kind == "object" and schema.get("properties"):
        return f"{{{_fields(schema)}}}"
    if isinstance(kind, list):
        return "|".join(map(str, cast("list[object]", kind)))
    return kind if isinstance(kind, str) else "any"


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required")
    required = cast("list[object]", required) if isinstance(required, list) else []
    known = _mapping(schema.get("properties"))
    return ", ".join(
        f"{name}{'' if name in required else '?'}: {_kind(one)}" for name, one in known.items()
    )


def signature(spec: ToolSpec) -> str:
    """Return a tool's document in one line: ``description name(argument: kind, optional?: kind)``.

    The description comes first because attention is causal: a name after it has attended to it, so a decoder
    that looks for a function finds the name and copies from there.
    """
    fields = _fields(cast("dict[str, Any]", spec.parameters))
    return f"{' '.join(spec.description.split())} {spec.name}({fields})".lstrip()


def _brief(text: str, limit: int) -> str:
    """Return whole words of a text, about as many characters as the limit."""
    if len(text) <= limit:
        return text
    return text[:limit].rpartition(" ")[0] or text[:limit]


def document(spec: ToolSpec) -> str:
    """Return a tool's document with its arguments described, one a line, for pretrained models.

    Long descriptions are clipped: a context holds several tools, and what tells them apart comes first.
    """
    about = _brief(" ".join(spec.description.split()), _MAX_TOOL_WORDS)
    schema = cast("dict[str, Any]", spec.parameters)
    required = schema.get("required")
    required = cast("list[object]", required) if isinstance(required, list) else []
    lines = [f"{spec.name}: {about}".rstrip(": ")]
    for name, one in _mapping(schema.get("properties")).items():
        said = str(_mapping(one).get("description") or "")
        said = _brief(_EXAMPLES.sub("", " ".join(said.split())), _MAX_ARGUMENT_WORDS)
        mark = "" if name in required else "?"
        lines.append(f"- {name}{mark}: {_kind(one)}{f'. {said}' if said else ''}")
    return "\n".join(lines)


def _order_keys(value: Any, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return a value with its keys in the schema's order, in which the caller has read them."""
    if not isinstance(value, dict):
        return value
    known = _mapping(schema.get("properties"))
    given = cast("dict[str, Any]", value)
    keys = [name for name in known if name in given] + [name for name in given if name not in known]
    return {name: _order_keys(given[name], _mapping(known.get(name))) for name in keys}


def call_text(call: ToolCall, tools: Sequence[ToolSpec] = ()) -> str:
    """Return a call as compact JSON, the name first, arguments in the order of the schema."""
    try:
        arguments: object = call.parsed()
    except ToolArgumentsError:
        arguments = call.arguments
    spec = next((tool for tool in tools if tool.name == call.name), None)
    if spec is not None:
        arguments = _order_keys(arguments, cast("dict[str, Any]", spec.parameters))
    shape = {"name": call.name, "arguments": arguments}
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":"))


def head(task: Task, *, described: bool = False) -> list[Piece]:
    """Return the start of every prompt: tools and task, which truncation keeps.

    Args:
        task: the task.
        described: the tools' documents describe each argument.
    """
    tools = "\n".join(document(tool) if described else signature(tool) for tool in task.tools)
    return [
        Piece(f"{TOOLS_MARK}{plain_text(tools)}", keep=True),
        Piece(f"{TASK_MARK}{plain_text(task.input)}", keep=True),
    ]


def step_pieces(step: Step, tools: Sequence[ToolSpec] = ()) -> list[Piece]:
    """Return a step's pieces: hints, each role's text after its mark, then the observation.

    A piece has a role only where that role took a turn that is to be learnt; a thought without a planner
    turn is context, and so is a turn of weight 0.
    """
    number = step.id
    pieces = [Piece(f"{HINT_MARK}{plain_text(hint)}", step=number) for hint in step.hints]
    spoke = {turn.role for turn in step.turns if turn.weight}
    if step.thought or step.decision is not None:
        pieces += _role_pieces(
            "planner", f"{step.thought}{NEXT[step.decision]}", number, own="planner" in spoke
        )
    for call in step.calls:
        pieces += _role_pieces("caller", call_text(call, tools), number, own="caller" in spoke)
    pieces += [
        Piece(f"{OBSERVATION}{plain_text(result.content)}", step=number) for result in step.results
    ]
    if step.answer is not None:
        pieces += _role_pieces("summarizer", step.answer, number, own="summarizer" in spoke)
    return pieces


def _role_pieces(role: AgentRole, text: str, step: int, *, own: bool) -> list[Piece]:
    return [
        Piece(MARK[role], step=step),
        Piece(f"{plain_text(text)}{END_MARK}", role if own else None, step=step),
    ]


def pieces_of(task: Task, path: tuple[Step, ...], *, described: bool = False) -> list[Piece]:
    """Return the pieces of a whole chain."""
    return head(task, described=described) + [
        piece for step in path for piece in step_pieces(step, task.tools)
    ]


class Marked:
    """The family whose prompt is the sequence up to a role's mark; the reply ends with ``<|end|>``.

    Its two messages are one text: the tools' documents, and the rest.

    Args:
        send_tools: also send the tools as fields of the request, for local models that decode under their
            grammar. A server would apply its own format for calls, so its requests must not have them.
        described: the tools' documents describe each argument, as pretrained models that were trained further
            here read them; then the family's name is ``chat``.
    """

    def __init__(self, *, send_tools: bool = True, described: bool = False) -> None:
        self.name = "chat" if described else "marked"
        self._send_tools, self._described = send_tools, described

    def prompt(self, role: AgentRole, view: View) -> Prompt:
        """Return a role's prompt (equations 1 to 4)."""
        tools, *pieces = pieces_of(view.task, view.path, described=self._described)
        pieces += [Piece(f"{HINT_MARK}{plain_text(hint)}") for hint in view.hints]
        if view.plan is not None:
            text = f"{plain_text(view.plan.thought)}{NEXT[view.plan.decision or 'call']}{END_MARK}"
            pieces += [Piece(MARK["planner"]), Piece(text)]
        pieces.append(Piece(MARK[role]))
        text = "".join(piece.text for piece in pieces)
        messages = (SystemMessage(content=tools.text), UserMessage(content=text))
        if not self._send_tools or not view.task.tools or role not in {"planner", "caller"}:
            return Prompt(messages=messages)
        choice: ToolChoice = "required" if role == "caller" else "none"
        return Prompt(messages=messages, tools=view.task.tools, tool_choice=choice)
