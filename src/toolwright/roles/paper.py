"""The paper's text family: one text that holds documents, history and the role's instruction.

For parity with the paper's checkpoints, ``words_of`` reads the instructions from a sample of its own
training data, byte for byte; without one, this project's words stand in the same places.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from string import Template
from typing import Any, NamedTuple

from toolwright.core.errors import InputError
from toolwright.core.messages import UserMessage
from toolwright.roles.prompts import template_digest, template_text
from toolwright.roles.toolbench import Said, doc_of, said_in_step
from toolwright.roles.view import AgentRole, Prompt, View

ROLES: tuple[AgentRole, ...] = ("planner", "caller", "summarizer", "backbone")
END = "</s>"

Words = Mapping[AgentRole, str]
"""A template for each role, with ``$docs``, ``$history``, ``$thought`` and ``$names``."""


def default_words() -> Words:
    """Give this project's instructions."""
    return {role: f"{template_text(f'paper_{role}')} " for role in ROLES}


def docs_text(docs: Iterable[Mapping[str, Any]]) -> str:
    """Give the tool documents, one JSON object a line."""
    return "".join(json.dumps(doc) + "\n" for doc in docs)


def history_text(history: Iterable[Said], *, folded: bool = False) -> str:
    """Give what was said as the official code writes it: ``kind: text</s>``, an observation without the end.

    Args:
        history: kind and text of each turn.
        folded: put a call into the assistant's turn before it, as the backbone sees it.
    """
    parts: list[str] = []
    for kind, text in history:
        if folded and kind == "caller" and parts and parts[-1].startswith("assistant: "):
            thought = parts[-1].removesuffix(END).removeprefix("assistant: ")
            parts[-1] = f"assistant: {unmarked(thought)}{text}{END}"
        else:
            parts.append(f"{kind}: {text}" + ("" if kind == "observation" else END))
    return "".join(parts)


def unmarked(planned: str) -> str:
    """Give a planner's text without its marker and on a line of its own, as a backbone writes it."""
    bare = planned.rpartition("Next:")[0].removesuffix(" ") if "Next:" in planned else planned
    return bare.rstrip("\n") + "\n"


class Paper(NamedTuple):
    """The family whose prompt is one text; replies are read as texts too."""

    words: Words
    name: str = "paper"

    @classmethod
    def default(cls) -> "Paper":
        """Give the family with this project's instructions."""
        return cls(default_words())

    def prompt(self, role: AgentRole, view: View) -> Prompt:
        """Give a role's prompt (equations 1 to 4)."""
        said: list[Said] = [("user", view.task.input)]
        for step in view.path:
            said += said_in_step(step)
        said += [("user", hint) for hint in view.hints]
        if role in {"caller", "summarizer"}:
            said.append(("assistant", view.said))
        text = self.text(role, [doc_of(tool) for tool in view.task.tools], said, view.said)
        digest = template_digest(f"paper_{role}")
        return Prompt(messages=(UserMessage(content=text),), digest=digest)

    def text(
        self,
        role: AgentRole,
        docs: Sequence[Mapping[str, Any]],
        said: Sequence[Said],
        thought: str = "",
    ) -> str:
        """Give the prompt's text from documents, turns and this step's thought."""
        return Template(self.words[role]).substitute(
            docs=docs_text(docs),
            history=history_text(said, folded=role == "backbone"),
            thought=thought,
            names=", ".join(str(doc["Name"]) for doc in docs),
        )


def words_of(samples: Mapping[AgentRole, Mapping[str, Any]]) -> Words:
    """Read each role's instruction from one of the paper's training samples.

    Args:
        samples: a sample a role, with ``tools``, ``history`` and ``input``.

    Raises:
        InputError: a sample does not hold its own documents and history, so no instruction can be read.
    """
    given: dict[AgentRole, str] = {role: _words(role, sample) for role, sample in samples.items()}
    return {**default_words(), **given}


def _words(role: AgentRole, sample: Mapping[str, Any]) -> str:
    try:
        said: list[Said] = [(one["from"], one["value"]) for one in sample["history"]]
        docs: list[Mapping[str, Any]] = sample["tools"]
        text = str(sample["input"]).replace("$", "$$")
        parts = {
            "docs": docs_text(docs),
            "history": history_text(said, folded=role == "backbone"),
            "thought": said[-1][1],
            "names": ", ".join(str(doc["Name"]) for doc in docs),
        }
    except (KeyError, IndexError, TypeError) as fault:
        raise InputError(
            f"the {role}'s sample has no {fault}: expected tools, history, input"
        ) from fault
    needed: dict[AgentRole, tuple[str, ...]] = {
        "planner": ("docs", "history"), "caller": ("docs", "history", "thought", "names"),
        "summarizer": ("history",), "backbone": ("docs", "history", "names"),
    }  # fmt: skip
    for name in needed[role]:
        part = parts[name].replace("$", "$$")
        if part not in text:
            raise InputError(f"the {role}'s sample does not hold its own {name} in its input")
        text = text.replace(part, f"${{{name}}}", 1)
    return text
