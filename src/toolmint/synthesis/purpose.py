"""What a tool does, read from its document: a verb in the imperative and what follows it."""

import re
from typing import NamedTuple

from toolmint.core.messages import ToolSpec
from toolmint.synthesis.text_values import name_words

_VERB_WORDS = """
access activate add adjust analyze apply approve arrange assess assign authenticate backup block
book buy calculate cancel change check classify clean close collect compare complete compress
compute configure confirm connect control convert copy count create deactivate decode define delete
deliver deploy describe design detect determine disable discover display download draw edit enable
encode encrypt enhance enroll estimate evaluate examine execute explain explore export extract fetch
filter find fix follow forecast format gather generate get give grant guess hide identify implement
import improve insert inspect install invite issue join launch learn like list load lock log look
make manage map mark measure merge modify monitor move normalize notify obtain open optimize order
organize pay perform place plan play post predict prepare print process provide publish purchase
query rate read recognize recommend record refund register reject remove rename render renew repair
replace reply report request reserve reset resize resolve restart restore retrieve return reverse
review run save scan schedule search select sell send serve set share show sign simulate solve sort
split start stop store submit subscribe suggest summarize sync tag take test track train transfer
transform translate turn unlock update upload use validate verify view vote watch write
"""
_VERBS = frozenset(_VERB_WORDS.split())
_READING_WORDS = (
    "retrieve get fetch obtain return provide show give display list find lookup search view query"
)
_READING = frozenset(_READING_WORDS.split())
_MOST_WORDS = 22
_SENTENCE = re.compile(r"(?<=[a-z0-9)\]])[.!?](?:\s|$)|\n|;\s")
_PREFIX = re.compile(
    r"^(?:(?:this|the)\s+(?:api|endpoint|function|tool|method|operation|call|service|route|request)\s+"
    r"(?:will\s+|can\s+|allows?\s+(?:you|users?|a user)\s+to\s+|lets?\s+you\s+|is\s+used\s+to\s+|"
    r"enables?\s+(?:you|users?)\s+to\s+|helps?\s+to\s+)?|(?:api|endpoint|function|tool)\s+(?:for|to)\s+|"
    r"with\s+this\s+(?:endpoint|api|function|tool),?\s+you\s+can\s+|"
    r"(?:use\s+this\s+to|used\s+to|allows?\s+you\s+to|to)\s+)",
    re.IGNORECASE,
)
_SUBFUNCTION = re.compile(
    r"^this is (?:the|a) subfunction (?:for tool \"[^\"]*\", you can use this tool\.\s*"
    r"(?:the description of this function is:)?|of [^.]*\.)\s*\"?",
    re.IGNORECASE,
)
_PROVIDER = re.compile(r"^[A-Z]\w*(?: [A-Z])?(?:: | - )(?=\S)")
_ASIDE = re.compile(r"\s*(?:\([^)]*\)|\[[^\]]*\]|<[^>]*>|`{1,3}|\*\*)\s*")


class ToolPurpose(NamedTuple):
    """What a tool does, as a request says it.

    Attributes:
        verb: in the imperative, such as ``retrieve``; empty where the document is a noun phrase.
        thing: what follows the verb, or the noun phrase.
    """

    verb: str
    thing: str

    @property
    def phrase(self) -> str:
        """The whole phrase: verb and thing."""
        return f"{self.verb} {self.thing}".strip()

    @property
    def reads(self) -> bool:
        """Whether the tool only looks something up."""
        return not self.verb or self.verb in _READING


def _imperative(word: str) -> str | None:
    """Return a verb in the imperative (``returns`` is ``return``), or None for another word."""
    low = word.lower()
    forms = (low, low.removesuffix("s"), low.removesuffix("es"))
    if low.endswith("ies"):
        forms = (*forms, f"{low[:-3]}y")
    if low.endswith("ing"):
        forms = (*forms, low[:-3], f"{low[:-3]}e")
    return next((form for form in forms if form in _VERBS), None)


def purpose_of(spec: ToolSpec) -> ToolPurpose:
    """Return what a tool does, from the first sentence of its description, or from its name without one."""
    text = _SUBFUNCTION.sub("", " ".join(spec.description.split()))
    text = _PROVIDER.sub("", _ASIDE.sub(" ", text).strip(" \"'"))
    text = _SENTENCE.split(text, maxsplit=1)[0].strip(" .:-\"'")
    text = _PREFIX.sub("", text).strip()
    words = text.split()[:_MOST_WORDS]
    if len(words) < 2:
        words = [word.lower() for word in name_words(spec.name)]
    if not words:
        return ToolPurpose("use", spec.name)
    verb = _imperative(words[0].rstrip(",;:"))
    if verb is not None and len(words) > 1:
        return ToolPurpose(verb, " ".join(words[1:]))
    if words[0].isupper() or any(letter.isupper() for letter in words[0][1:]):
        return ToolPurpose("", " ".join(words))
    return ToolPurpose("", " ".join([words[0][:1].lower() + words[0][1:], *words[1:]]))
