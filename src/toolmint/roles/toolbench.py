"""Lossless codec between trajectories and the conversation files of alpha-UMi's ToolBench data.

A file is a list of ``{"tools", "instruction", "conversations"}``; a conversation is a list of
``{"from": user | assistant | caller | observation | conclusion, "value": text}``. A step keeps every text
verbatim beside what was parsed from it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolmint.core.errors import InputError
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Decision, Outcome, Step, Task, Trajectory, Turn
from toolmint.core.values import Value, clip
from toolmint.roles.chat_fields import check_known
from toolmint.roles.reading import NO_CALL, read_action, read_plan

Utterance = tuple[str, str]
"""Speaker (``user``, ``assistant``, ``caller``, ``observation``, ``conclusion``) and text."""

_RANK = {"user": 0, "assistant": 1, "caller": 2, "observation": 3, "conclusion": 4}
_MARK: dict[Decision | None, str] = {
    "call": "\nNext: caller.",
    "answer": "\nNext: conclusion.",
    "give_up": "\nNext: give up.",
    None: "",
}
_TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})
NAME_LENGTH, DESCRIPTION_LENGTH = 64, 256


def spec_of(doc: Mapping[str, Any]) -> ToolSpec:
    """Return the spec of a document ``{"Name", "function", "input": {argument: "type, description"}}``."""
    properties: dict[str, Value] = {}
    for name, described in cast("dict[str, str | None]", doc["input"] or {}).items():
        text = described or ""
        kind, comma, description = text.partition(", ")
        known = comma and kind in _TYPES
        properties[name] = (
            {"type": kind, "description": description} if known else {"description": text}
        )
    return ToolSpec(
        name=doc["Name"],
        description=doc.get("function") or "",
        parameters={"type": "object", "properties": properties},
    )


def doc_of(spec: ToolSpec) -> dict[str, Any]:
    """Return a tool document, truncated as in the paper's preprocessing.

    It keeps the last 64 characters of the name, the first 256 of the description, and the last 256 of an
    argument's description.
    """
    known = cast("dict[str, dict[str, Any]]", spec.parameters.get("properties") or {})
    inputs: dict[str, str] = {}
    for name, schema in known.items():
        described = str(schema.get("description", ""))
        kind = schema.get("type")
        inputs[name] = (
            described if kind is None else f"{_kind(kind)}, {described[-DESCRIPTION_LENGTH:]}"
        )
    return {
        "Name": spec.name[-NAME_LENGTH:],
        "function": spec.description[:DESCRIPTION_LENGTH],
        "input": inputs,
    }


def _kind(kind: object) -> str:
    return kind if isinstance(kind, str) else "string"


class _Reader:
    """Groups turns into steps; a turn that cannot follow within a step starts the next one."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._fields: dict[str, Any] = {}
        self._rank = 5

    def feed(self, kind: str, text: str) -> None:
        rank = _RANK[kind]
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
                fields["turns"] = (Turn.from_file("planner", text),)
            case "caller":
                fields["turns"] = (*fields.get("turns", ()), Turn.from_file("caller", text))
                fields |= self._call(text)
            case "observation":
                call = fields["calls"][0].id if "calls" in fields else ""
                fields["results"] = (ToolResult(call_id=call, content=text),)
            case _:
                fields["turns"] = (*fields.get("turns", ()), Turn.from_file("summarizer", text))
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


def _utterance(one: Mapping[str, Any], number: int, where: str) -> Utterance:
    place = f"{where}, turn {number}"
    speaker, text = one["from"], one["value"]
    check_known(one, ("from", "value"), place)
    if not isinstance(text, str):
        raise InputError(f"{place}: 'value' is {text!r:.60}; expected a text")
    return speaker, text


def decode_conversation(item: Mapping[str, Any], where: str = "the conversation") -> Trajectory:
    """Return the trajectory of one conversation.

    Raises:
        InputError: a field is missing, or a turn's ``from`` is unknown; the message names the turn.
    """
    try:
        tools = tuple(spec_of(doc) for doc in item["tools"])
        instruction: str = item["instruction"]
        said = [
            _utterance(one, number, where) for number, one in enumerate(item["conversations"], 1)
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise InputError(
            f"{where} is no conversation of alpha-UMi's ToolBench files: {clip(str(fault), 200)}"
        ) from fault
    if said[:1] != [("user", instruction)]:
        raise InputError(f"{where} must begin with the user's turn, which is its instruction")
    reader = _Reader()
    reader.end()
    for number, (kind, text) in enumerate(said[1:], 2):
        if kind not in _RANK:
            raise InputError(
                f"{where}, turn {number}: unknown speaker {kind!r}; known are {', '.join(_RANK)}"
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
        task=task,
        steps=steps,
        leaf=last.id if last else None,
        answer=last.answer if last else None,
        outcome=outcome,
    )


def utterances_of_step(step: Step) -> list[Utterance]:
    """Return the utterances of a step in the paper's format.

    Texts of the paper's family stay verbatim; those of another family are rendered from the parsed step.
    """
    said: list[Utterance] = [("user", hint) for hint in step.hints]
    planner, caller = step.turn("planner"), step.turn("caller")
    if planner is not None and _is_paper(planner.answer.content, step.decision):
        said.append(("assistant", planner.answer.content))
    elif planner is not None or step.thought or step.decision is not None:
        said.append(("assistant", step.thought + _MARK[step.decision]))
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


def encode_conversation(
    trajectory: Trajectory, steps: Sequence[Step] | None = None
) -> dict[str, Any]:
    """Return one chain of a trajectory (by default the final one) as a conversation."""
    said: list[Utterance] = [("user", trajectory.task.input)]
    for step in trajectory.path() if steps is None else steps:
        said += utterances_of_step(step)
    return {
        "tools": [doc_of(tool) for tool in trajectory.task.tools],
        "instruction": trajectory.task.input,
        "conversations": [{"from": kind, "value": text} for kind, text in said],
    }
