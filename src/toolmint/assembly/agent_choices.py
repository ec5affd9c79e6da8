"""How an agent works: what can be chosen, from the command line, in Python, and in the settings."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from toolmint.agent.dfsdt import DFSDT, PAPER_DFSDT
from toolmint.agent.react import ReACT
from toolmint.agent.tree import Search
from toolmint.assembly.paper_words import paper_family
from toolmint.assembly.settings import Settings
from toolmint.core.errors import ConfigError
from toolmint.core.messages import Frozen
from toolmint.roles.marked import Marked
from toolmint.roles.native import Native
from toolmint.roles.view import Family

FamilyName = Literal["native", "paper", "marked", "chat"]


class AgentChoices(Frozen):
    """How an agent works.

    Attributes:
        single: one model takes whole steps (the baseline), not three roles.
        family: ``native`` (OpenAI messages), ``paper`` (one text, as the paper's checkpoints read it), or
            ``marked`` (one sequence with role marks, as models that this project trains read it), or ``chat``
            (the same with each argument described, as pretrained models that it trains further read it).
            None: what the planner's model reads.
        words: a folder of the paper's training samples, to read its exact instructions from.
        search: ``react``, ``dfsdt``, or ``dfsdt-paper`` with the official run's limits.
        shown: tools that a task is shown; more are narrowed by wording.
        embed: URI of embeddings, such as ``openai:text-embedding-3-small``, to narrow by meaning as well.
        temperature: 0 is greedy, as the paper says.
        max_tokens: of a role's reply, reasoning included.
        planner_tokens: of the planner's reply; None: ``max_tokens``.
        caller_tokens: of the caller's reply; None: ``max_tokens``.
        summarizer_tokens: of the answer; None: ``max_tokens``.
        observation: characters of an observation that are kept.
        all_calls: all calls that a role writes at once are made, those of read-only tools side by side; else
            the first one alone.
        check: an answer is flagged whose values stand in no observation and not in the task.
    """

    single: bool = False
    family: FamilyName | None = None
    words: Path | None = None
    search: Literal["react", "dfsdt", "dfsdt-paper"] = "react"
    max_steps: int = 12
    width: int = 2
    queries: int = 60
    shown: int = 20
    embed: str | None = None
    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=1024, ge=1)
    planner_tokens: int | None = Field(default=None, ge=1)
    caller_tokens: int | None = Field(default=None, ge=1)
    summarizer_tokens: int | None = Field(default=None, ge=1)
    observation: int = 4096
    all_calls: bool = True
    check: bool = True


def search_of(choices: AgentChoices) -> Search:
    """Return the search that was chosen."""
    match choices.search:
        case "react":
            return ReACT(max_steps=choices.max_steps)
        case "dfsdt":
            return DFSDT(width=choices.width, max_steps=choices.max_steps, queries=choices.queries)
        case "dfsdt-paper":
            return PAPER_DFSDT


def family_of(choices: AgentChoices, read: FamilyName = "native") -> Family:
    """Return the text family that was chosen, or the one that the models read."""
    match choices.family or read:
        case "native":
            return Native()
        case "marked":
            return Marked(send_tools=read in {"marked", "chat"})
        case "chat":
            return Marked(send_tools=read in {"marked", "chat"}, described=True)
        case "paper":
            return paper_family(choices.words)


def choices_with(settings: Settings, given: AgentChoices | None = None) -> AgentChoices:
    """Return an agent's choices: those that are given, then those of the settings, then the defaults.

    Raises:
        ConfigError: the settings' ``agent_options`` name no choice, or a value is not allowed.
    """
    own = given.model_dump(include=given.model_fields_set) if given is not None else {}
    try:
        return AgentChoices.model_validate({**settings.agent_options, **own})
    except ValidationError as fault:
        first = fault.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(AgentChoices.model_fields)
            raise ConfigError(
                f"agent_options has no option {name!r}; known are {known}", code="setting-value"
            ) from fault
        raise ConfigError(
            f"agent_options: {name} = {first['input']!r:.80} is not allowed: {first['msg']}",
            code="setting-value",
        ) from fault
