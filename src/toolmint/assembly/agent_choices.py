"""How an agent works: search, prompt format, shown tools, sampling."""

from pathlib import Path
from typing import Literal

from toolmint.agent.dfsdt import DFSDT, PAPER_DFSDT
from toolmint.agent.react import ReACT
from toolmint.agent.tree import Search
from toolmint.assembly.paper_words import paper_family
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
        max_tokens: of a role's reply.
        observation: characters of an observation that are kept.
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
    temperature: float = 0.0
    max_tokens: int = 1024
    observation: int = 4096


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
