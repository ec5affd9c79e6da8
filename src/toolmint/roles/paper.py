"""The text family of alpha-UMi: one text with documents, history and the role's instruction.

For parity with the paper's checkpoints, ``instructions_of`` extracts the instructions byte for byte from
samples of its training data; without samples, this project's own instructions take their places.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from string import Template
from typing import Any, NamedTuple

from toolmint.core.errors import InputError
from toolmint.core.messages import UserMessage
from toolmint.roles.prompts import template_digest, template_text
from toolmint.roles.toolbench import Utterance, doc_of, utterances_of_step
from toolmint.roles.view import AgentRole, Prompt, View

PAPER_ROLES: tuple[AgentRole, ...] = ("planner", "caller", "summarizer", "backbone")
_END = "</s>"

InstructionTable = Mapping[AgentRole, str]
"""A template for each role, with ``$docs``, ``$history``, ``$thought`` and ``$names``."""


def default_instructions() -> InstructionTable:
    """Return this project's own instructions."""
    return {role: f"{template_text(f'paper_{role}')} " for role in PAPER_ROLES}


def docs_text(docs: Iterable[Mapping[str, Any]]) -> str:
    """Return tool documents, one JSON object a line."""
    return "".join(json.dumps(doc) + "\n" for doc in docs)


def history_text(history: Iterable[Utterance], *, folded: bool = False) -> str:
    """Return the history as the official code writes it: ``kind: text</s>``; observations without the end.

    Args:
        history: kind and text of each turn.
        folded: merge a call into the assistant's turn before it, as the backbone reads it.
    """
    parts: list[str] = []
    for kind, text in history:
        if folded and kind == "caller" and parts and parts[-1].startswith("assistant: "):
            thought = parts[-1].removesuffix(_END).removeprefix("assistant: ")
            parts[-1] = f"assistant: {without_marker(thought)}{text}{_END}"
        else:
            parts.append(f"{kind}: {text}" + ("" if kind == "observation" else _END))
    return "".join(parts)


def without_marker(planned: str) -> str:
    """Return a planner's text without its marker, ending with a newline, as a backbone writes it."""
    bare = planned.rpartition("Next:")[0].removesuffix(" ") if "Next:" in planned else planned
    return bare.rstrip("\n") + "\n"


class Paper(NamedTuple):
    """The family whose prompt is one user message; replies are parsed from text."""

    instructions: InstructionTable
    name: str = "paper"

    @classmethod
    def default(cls) -> "Paper":
        """Return the family with this project's instructions."""
        return cls(default_instructions())

    def prompt(self, role: AgentRole, view: View) -> Prompt:
        """Return a role's prompt (equations 1 to 4)."""
        history: list[Utterance] = [("user", view.task.input)]
        for step in view.path:
            history += utterances_of_step(step)
        history += [("user", hint) for hint in view.hints]
        if role in {"caller", "summarizer"}:
            history.append(("assistant", view.said))
        text = self.text(role, [doc_of(tool) for tool in view.task.tools], history, view.said)
        digest = template_digest(f"paper_{role}")
        return Prompt(messages=(UserMessage(content=text),), digest=digest)

    def text(
        self,
        role: AgentRole,
        docs: Sequence[Mapping[str, Any]],
        history: Sequence[Utterance],
        thought: str = "",
    ) -> str:
        """Return the prompt's text from documents, history and this step's thought."""
        return Template(self.instructions[role]).substitute(
            docs=docs_text(docs),
            history=history_text(history, folded=role == "backbone"),
            thought=thought,
            names=", ".join(str(doc["Name"]) for doc in docs),
        )


def instructions_of(samples: Mapping[AgentRole, Mapping[str, Any]]) -> InstructionTable:
    """Return each role's instruction, extracted from the paper's training samples.

    Args:
        samples: one sample for each role, with ``tools``, ``history`` and ``input``.

    Raises:
        InputError: a sample's input does not contain its documents and history.
    """
    given: dict[AgentRole, str] = {
        role: _instruction(role, sample) for role, sample in samples.items()
    }
    return {**default_instructions(), **given}


def _instruction(role: AgentRole, sample: Mapping[str, Any]) -> str:
    try:
        history: list[Utterance] = [(one["from"], one["value"]) for one in sample["history"]]
        docs: list[Mapping[str, Any]] = sample["tools"]
        text = str(sample["input"]).replace("$", "$$")
        parts = {
            "docs": docs_text(docs),
            "history": history_text(history, folded=role == "backbone"),
            "thought": history[-1][1],
            "names": ", ".join(str(doc["Name"]) for doc in docs),
        }
    except (KeyError, IndexError, TypeError) as fault:
        raise InputError(
            f"the {role}'s sample has no {fault}: expected tools, history, input"
        ) from fault
    needed: dict[AgentRole, tuple[str, ...]] = {
        "planner": ("docs", "history"),
        "caller": ("docs", "history", "thought", "names"),
        "summarizer": ("history",),
        "backbone": ("docs", "history", "names"),
    }
    for name in needed[role]:
        part = parts[name].replace("$", "$$")
        if part not in text:
            raise InputError(f"the {role}'s sample does not hold its own {name} in its input")
        text = text.replace(part, f"${{{name}}}", 1)
    return text
