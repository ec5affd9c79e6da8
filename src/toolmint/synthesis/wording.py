"""Requests in plain English for a call: what the tool does, said as a wish, with the arguments' values."""

import re
from collections.abc import Mapping
from datetime import date
from random import Random
from typing import NamedTuple

from toolmint.core.messages import ToolSpec
from toolmint.core.values import Value
from toolmint.synthesis.argument_values import name_words

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
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_VERBS = frozenset(
    [
        "access",
        "activate",
        "add",
        "adjust",
        "analyze",
        "apply",
        "approve",
        "arrange",
        "assess",
        "assign",
        "authenticate",
        "backup",
        "block",
        "book",
        "buy",
        "calculate",
        "cancel",
        "change",
        "check",
        "classify",
        "clean",
        "close",
        "collect",
        "compare",
        "complete",
        "compress",
        "compute",
        "configure",
        "confirm",
        "connect",
        "control",
        "convert",
        "copy",
        "count",
        "create",
        "deactivate",
        "decode",
        "define",
        "delete",
        "deliver",
        "deploy",
        "describe",
        "design",
        "detect",
        "determine",
        "disable",
        "discover",
        "display",
        "download",
        "draw",
        "edit",
        "enable",
        "encode",
        "encrypt",
        "enhance",
        "enroll",
        "estimate",
        "evaluate",
        "examine",
        "execute",
        "explain",
        "explore",
        "export",
        "extract",
        "fetch",
        "filter",
        "find",
        "fix",
        "follow",
        "forecast",
        "format",
        "gather",
        "generate",
        "get",
        "give",
        "grant",
        "guess",
        "hide",
        "identify",
        "implement",
        "import",
        "improve",
        "insert",
        "inspect",
        "install",
        "invite",
        "issue",
        "join",
        "launch",
        "learn",
        "like",
        "list",
        "load",
        "lock",
        "log",
        "look",
        "make",
        "manage",
        "map",
        "mark",
        "measure",
        "merge",
        "modify",
        "monitor",
        "move",
        "normalize",
        "notify",
        "obtain",
        "open",
        "optimize",
        "order",
        "organize",
        "pay",
        "perform",
        "place",
        "plan",
        "play",
        "post",
        "predict",
        "prepare",
        "print",
        "process",
        "provide",
        "publish",
        "purchase",
        "query",
        "rate",
        "read",
        "recognize",
        "recommend",
        "record",
        "refund",
        "register",
        "reject",
        "remove",
        "rename",
        "render",
        "renew",
        "repair",
        "replace",
        "reply",
        "report",
        "request",
        "reserve",
        "reset",
        "resize",
        "resolve",
        "restart",
        "restore",
        "retrieve",
        "return",
        "reverse",
        "review",
        "run",
        "save",
        "scan",
        "schedule",
        "search",
        "select",
        "sell",
        "send",
        "serve",
        "set",
        "share",
        "show",
        "sign",
        "simulate",
        "solve",
        "sort",
        "split",
        "start",
        "stop",
        "store",
        "submit",
        "subscribe",
        "suggest",
        "summarize",
        "sync",
        "tag",
        "take",
        "test",
        "track",
        "train",
        "transfer",
        "transform",
        "translate",
        "turn",
        "unlock",
        "update",
        "upload",
        "use",
        "validate",
        "verify",
        "view",
        "vote",
        "watch",
        "write",
    ]
)
_READING = frozenset(
    [
        "retrieve",
        "get",
        "fetch",
        "obtain",
        "return",
        "provide",
        "show",
        "give",
        "display",
        "list",
        "find",
        "lookup",
        "search",
        "view",
        "query",
    ]
)
_THING = re.compile(
    r"^(?:a |an |the |some |all |all the )?(?:list of |details? (?:of|about) |information (?:about|on|for) )?",
    re.IGNORECASE,
)


class Purpose(NamedTuple):
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


def purpose_of(spec: ToolSpec) -> Purpose:
    """Return what a tool does, from the first sentence of its description, or from its name without one."""
    text = _SUBFUNCTION.sub("", " ".join(spec.description.split()))
    text = _PROVIDER.sub("", _ASIDE.sub(" ", text).strip(" \"'"))
    text = _SENTENCE.split(text, maxsplit=1)[0].strip(" .:-\"'")
    text = _PREFIX.sub("", text).strip()
    words = text.split()[:_MOST_WORDS]
    if len(words) < 2:
        words = [word.lower() for word in name_words(spec.name)]
    if not words:
        return Purpose("use", spec.name)
    verb = _imperative(words[0].rstrip(",;:"))
    if verb is not None and len(words) > 1:
        return Purpose(verb, " ".join(words[1:]))
    if words[0].isupper() or any(letter.isupper() for letter in words[0][1:]):
        return Purpose("", " ".join(words))
    return Purpose("", " ".join([words[0][:1].lower() + words[0][1:], *words[1:]]))


_READ_REQUESTS = (
    "Retrieve {thing}{said}.",
    "Get {thing}{said}.",
    "Show me {thing}{said}.",
    "Give me {thing}{said}.",
    "Tell me {thing}{said}.",
    "Find {thing}{said}.",
    "Please look up {thing}{said}.",
    "I need {thing}{said}.",
    "I'd like to see {thing}{said}.",
    "Can you find {thing}{said}?",
    "Could you get me {thing}{said}?",
    "Provide {thing}{said}.",
    "Provide me with {thing}{said}.",
    "I want to know {thing}{said}.",
)
_DO_REQUESTS = (
    "{Phrase}{said}.",
    "{Phrase}{said}.",
    "Please {phrase}{said}.",
    "Can you {phrase}{said}?",
    "Could you {phrase}{said}?",
    "Could you please {phrase}{said}?",
    "I want to {phrase}{said}.",
    "I need to {phrase}{said}.",
    "I'd like you to {phrase}{said}.",
    "Help me {phrase}{said}.",
)
_OPENERS = (
    *[""] * 14,
    "Hi! ",
    "Hello. ",
    "Quick question. ",
    "For a project at work: ",
    "I'm preparing a report. ",
    "My colleague asked me for this. ",
)
_PLACES = frozenset(
    [
        "city",
        "country",
        "location",
        "region",
        "place",
        "area",
        "town",
        "state",
        "continent",
        "destination",
    ]
)
_LATER = {"end", "to", "until", "check_out", "finish"}


def request_text(spec: ToolSpec, arguments: Mapping[str, Value], random: Random) -> str:
    """Return a request that a call of a tool with these arguments answers; each value is in its words.

    The sentence, the place of the values in it, quotes and the spelling of dates are drawn by ``random``.
    """
    purpose = purpose_of(spec)
    left = dict(arguments)
    thing, left = _values_in_place(purpose.thing, left, random)
    purpose = purpose._replace(thing=thing)
    said = _said(left, random)
    reading = purpose.reads and random.random() < 0.75
    templates = _READ_REQUESTS if reading else _DO_REQUESTS
    fitted = purpose if purpose.verb or reading else purpose._replace(verb="get")
    phrase = fitted.phrase
    text = random.choice(templates).format(
        thing=fitted.thing, phrase=phrase, Phrase=phrase[:1].upper() + phrase[1:], said=said.inline
    )
    return " ".join(f"{random.choice(_OPENERS)}{text}{said.after}".split())


class _Said(NamedTuple):
    """Arguments in words: within the sentence, and as a sentence after it."""

    inline: str
    after: str = ""


def _values_in_place(
    thing: str, arguments: dict[str, Value], random: Random
) -> tuple[str, dict[str, Value]]:
    """Put values where the document speaks of them: ``of a UAV`` becomes ``of the UAV with ID 7``."""
    left = dict(arguments)
    for name, value in arguments.items():
        words = [word.lower() for word in name_words(name)]
        ident = len(words) > 1 and words[-1] in {"id", "name", "title", "code"}
        noun = " ".join(words[:-1] if ident else words)
        if not noun or isinstance(value, (bool, dict, list)) or random.random() < 0.25:
            continue
        pattern = re.compile(
            rf"\b(?:an?|the|your|its)\s+(?:(?:specific|given|specified|particular|certain|single|selected"
            rf"|provided|desired)\s+)?({re.escape(noun)})\b(?!\s+\w*(?:ing|ion|ity)\b)",
            re.IGNORECASE,
        )
        found = pattern.search(thing)
        if found is None:
            continue
        shown = _shown(value, random)
        if ident:
            label = "ID" if words[-1] == "id" else words[-1]
            new = random.choice(
                (
                    f"the {found[1]} with {label} {shown}",
                    f"{found[1]} {shown}",
                    f"the {found[1]} {shown}",
                )
                if words[-1] in {"id", "code"}
                else (f"the {found[1]} {shown}", f"the {found[1]} called {shown}", shown)
            )
        else:
            new = (
                shown if words[-1] in _PLACES else random.choice((shown, f"the {found[1]} {shown}"))
            )
        thing = f"{thing[: found.start()]}{new}{thing[found.end() :]}"
        del left[name]
    return thing, left


def _said(arguments: Mapping[str, Value], random: Random) -> _Said:
    """Say the remaining arguments in one of several styles."""
    if not arguments:
        return _Said("")
    style = random.random()
    if style < 0.6:
        parts = [_phrase(name, value, arguments, random) for name, value in arguments.items()]
        return _Said(f" {_joined(parts)}")
    if style < 0.8:
        parts = [
            f"the {_label(name)} is {_shown(value, random)}" for name, value in arguments.items()
        ]
        text = _joined(parts)
        return _Said("", f" {text[:1].upper()}{text[1:]}.")
    if style < 0.9:
        parts = [f"{_label(name)}: {_shown(value, random)}" for name, value in arguments.items()]
        text = "; ".join(parts)
        return _Said("", f" {text[:1].upper()}{text[1:]}")
    parts = [f"{_label(name)} {_shown(value, random)}" for name, value in arguments.items()]
    return _Said(f" {random.choice(('with', 'using', 'for'))} {_joined(parts)}")


def _joined(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _label(name: str) -> str:
    words = [
        word if word.isupper() and len(word) > 1 else word.lower() for word in name_words(name)
    ]
    return " ".join("ID" if word == "id" else word for word in words) or name


def _phrase(name: str, value: Value, arguments: Mapping[str, Value], random: Random) -> str:
    words = [word.lower() for word in name_words(name)]
    last, shown, label = words[-1] if words else "", _shown(value, random), _label(name)
    if isinstance(value, bool):
        on = ("with {0}", "including {0}", "with {0} turned on", "with {0} set to true")
        off = ("without {0}", "with {0} turned off", "with {0} set to false")
        return random.choice(on if value else off).format(label)
    if "start" in words or words[:1] == ["from"]:
        return f"from {shown}"
    if words[:1] and words[0] in _LATER:
        return f"to {shown}" if len(arguments) > 1 else f"until {shown}"
    if last in _PLACES:
        return random.choice(("in {1}", "for {1}", "with the {0} {1}")).format(label, shown)
    if last in {"date", "day"}:
        return random.choice(("on {1}", "for {1}", "with {0} {1}")).format(label, shown)
    if last == "year":
        return random.choice(("in {1}", "in the year {1}", "for {0} {1}")).format(label, shown)
    if last in {"id", "code"}:
        return random.choice(("with {0} {1}", "with the {0} {1}", "for {0} {1}")).format(
            label, shown
        )
    if last in {"name", "title"}:
        return random.choice(("called {1}", "with the {0} {1}", "for {1}", "named {1}")).format(
            label, shown
        )
    if isinstance(value, (int, float)):
        label = f"an {label}" if label[:1].lower() in "aeio" else f"a {label}"
        forms = ("with {0} of {1}", "with {0} of {1}", "for {0} of {1}", "using {0} of {1}")
        return random.choice(forms).format(label, shown)
    forms = (
        "with the {0} {1}",
        "with {0} {1}",
        "for the {0} {1}",
        "using {1} as the {0}",
        "with {0} set to {1}",
    )
    return random.choice(forms).format(label, shown)


def _shown(value: Value, random: Random) -> str:
    """Write a value as people do: dates also in words, texts with or without quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return _joined([_shown(one, random) for one in value])
    if isinstance(value, dict):
        return _joined([f"{_label(name)} {_shown(one, random)}" for name, one in value.items()])
    text = str(value)
    day = _day_of(text)
    if day is not None:
        return text if random.random() < 0.4 else f"{day:%B} {day.day}, {day.year}"
    if len(text.split()) > 3 or random.random() < 0.45:
        return random.choice(('"{}"', '"{}"', "'{}'")).format(text)
    return text


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _ISO.match(text) else None
    except ValueError:  # documents have examples such as 2023-02-30
        return None
