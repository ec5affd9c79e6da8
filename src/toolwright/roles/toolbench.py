"""Lossless codec between trajectories and the conversation files of alpha-UMi's ToolBench data.

A file is a list of ``{"tools", "instruction", "conversations"}``; a conversation is a list of
``{"from": user | assistant | caller | observation | conclusion, "value": text}``. Every text is kept
as it stands; what it is read as stands beside it in the step.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolwright.core.errors import InputError
from toolwright.core.messages import ToolCall, ToolResult, ToolSpec
from toolwright.core.task import Decision, Outcome, Step, Task, Trajectory, Turn
from toolwright.core.values import Value, clip
from toolwright.roles.reading import NO_CALL, read_action, read_plan

Said = tuple[str, str]
"""Who said it (``user``, ``assistant``, ``caller``, ``observation``, ``conclusion``), and what."""

RANK = {"user": 0, "assistant": 1, "caller": 2, "observation": 3, "conclusion": 4}
MARK: dict[Decision | None, str] = {
    "call": "\nNext: caller.", "answer": "\nNext: conclusion.", "give_up": "\nNext: give up.", None: "",
}  # fmt: skip
TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})
NAME_KEEPS, DESCRIPTION_KEEPS = 64, 256


def spec_of(doc: Mapping[str, Any]) -> ToolSpec:
    """Read a tool document ``{"Name", "function", "input": {argument: "type, description"}}``."""
    properties: dict[str, Value] = {}
    for name, text in cast("dict[str, str]", doc["input"]).items():
        kind, comma, description = text.partition(", ")
        known = comma and kind in TYPES
        properties[name] = (
            {"type": kind, "description": description} if known else {"description": text}
        )
    return ToolSpec(
        name=doc["Name"],
        description=doc["function"],
        parameters={"type": "object", "properties": properties},
    )


def doc_of(spec: ToolSpec) -> dict[str, Any]:
    """Write a tool document, cut as the paper's preprocessing cuts it: the name's last 64 characters, the
    description's first 256, an argument's last 256.
    """
    known = cast("dict[str, dict[str, Any]]", spec.parameters.get("properties") or {})
    inputs: dict[str, str] = {}
    for name, schema in known.items():
        described = str(schema.get("description", ""))
        kind = schema.get("type")
        inputs[name] = (
            described if kind is None else f"{_kind(kind)}, {described[-DESCRIPTION_KEEPS:]}"
        )
    return {
        "Name": spec.name[-NAME_KEEPS:],
        "function": spec.description[:DESCRIPTION_KEEPS],
        "input": inputs,
    }


def _kind(kind: object) -> str:
    return kind if isinstance(kind, str) else "string"


class _Reader:
    """Collects turns into steps; a turn that cannot follow in a step begins the next one."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._fields: dict[str, Any] = {}
        self._rank = 5

    def feed(self, kind: str, text: str) -> None:
        rank = RANK[kind]
        fresh = rank <= self._rank and not (rank == 0 and self._rank == 0)
        if fresh or (kind == "conclusion" and "calls" in self._fields):
            self.end()
        self._rank = rank
        fields = self._fields
        match kind:
            case "user":
                fields["hints"] = (*fields.get("hints", ()), text)
            case "assistant":
                plan = read_plan(text)
                fields |= {"thought": plan.thought, "decision": plan.decision}
                fields["turns"] = (Turn.told("planner", text),)
            case "caller":
                fields["turns"] = (*fields.get("turns", ()), Turn.told("caller", text))
                fields |= self._call(text)
            case "observation":
                call = fields["calls"][0].id if "calls" in fields else ""
                fields["results"] = (ToolResult(call_id=call, content=text),)
            case _:
                fields["turns"] = (*fields.get("turns", ()), Turn.told("summarizer", text))
                fields["answer"] = text

    def _call(self, text: str) -> dict[str, Any]:
        action = read_action(text)
        call = ToolCall(
            id=f"call_{len(self.steps)}", name=action.name or NO_CALL, arguments=action.arguments
        )
        return {"calls": (call,), "notes": action.notes}

    def end(self) -> None:
        if self._fields:
            number = len(self.steps)
            parent = number - 1 if number else None
            self.steps.append(Step(id=number, parent=parent, **self._fields))
        self._fields, self._rank = {}, -1


def decode(item: Mapping[str, Any], where: str = "the conversation") -> Trajectory:
    """Read one conversation.

    Raises:
        InputError: a part is missing, or a turn's ``from`` is not known; the turn is named.
    """
    try:
        tools = tuple(spec_of(doc) for doc in item["tools"])
        instruction: str = item["instruction"]
        said: list[Said] = [(one["from"], one["value"]) for one in item["conversations"]]
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise InputError(
            f"{where} is no conversation of alpha-UMi's ToolBench files: {clip(str(fault), 200)}"
        ) from fault
    if said[:1] != [("user", instruction)]:
        raise InputError(f"{where} must begin with the user's turn, which is its instruction")
    reader = _Reader()
    reader.end()
    for number, (kind, text) in enumerate(said[1:], 2):
        if kind not in RANK:
            raise InputError(
                f"{where}, turn {number}: unknown speaker {kind!r}; known are {', '.join(RANK)}"
            )
        reader.feed(kind, text)
    reader.end()
    return _ended(Task(input=instruction, tools=tools), tuple(reader.steps))


def _ended(task: Task, steps: tuple[Step, ...]) -> Trajectory:
    last = steps[-1] if steps else None
    outcome: Outcome = "limit"
    if last is not None and last.answer is not None:
        outcome = "answered"
    elif last is not None and last.decision == "give_up":
        outcome = "gave_up"
    return Trajectory(
        task=task, steps=steps, leaf=last.id if last else None,
        answer=last.answer if last else None, outcome=outcome,
    )  # fmt: skip


def said_in_step(step: Step) -> list[Said]:
    """Give what was said in a step, in the paper's words.

    Texts of the paper's family stand as they were written; those of another family are written anew
    from what they were read as.
    """
    said: list[Said] = [("user", hint) for hint in step.hints]
    planner, caller = step.turn("planner"), step.turn("caller")
    if planner is not None and _is_paper(planner.answer.content, step.decision):
        said.append(("assistant", planner.answer.content))
    elif planner is not None or step.thought or step.decision is not None:
        said.append(("assistant", step.thought + MARK[step.decision]))
    if caller is not None and caller.answer.content.startswith("Action:"):
        said.append(("caller", caller.answer.content))
    else:
        said += [
            ("caller", f"Action: {call.name}\nAction Input: {call.arguments}")
            for call in step.calls
        ]
    said += [("observation", result.content) for result in step.results]
    if step.answer is not None:
        said.append(("conclusion", step.answer))
    return said


def _is_paper(text: str, decision: Decision | None) -> bool:
    return read_plan(text).decision == decision and "summarizer" not in text[-16:].lower()


def encode(trajectory: Trajectory, steps: Sequence[Step] | None = None) -> dict[str, Any]:
    """Write one chain of a trajectory (by default the one that ended it) as a conversation."""
    said: list[Said] = [("user", trajectory.task.input)]
    for step in trajectory.path() if steps is None else steps:
        said += said_in_step(step)
    return {
        "tools": [doc_of(tool) for tool in trajectory.task.tools],
        "instruction": trajectory.task.input,
        "conversations": [{"from": kind, "value": text} for kind, text in said],
    }
