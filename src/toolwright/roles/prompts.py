"""Prompts are files; one pure function each renders them, and their digest goes into every turn."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from string import Template

from toolwright.core.guest_modules import GUEST_MODULES
from toolwright.core.tool import Demonstration
from toolwright.core.values import Value, canonical


@cache
def template_text(name: str) -> str:
    """Give a template as it stands in its file, ends cut."""
    return (
        resources.files("toolwright.roles")
        .joinpath(f"templates/{name}.md")
        .read_text("utf-8")
        .strip()
    )


def template_digest(*names: str) -> str:
    """Give the digest (12 hex characters) of prompt templates, in order."""
    text = "\0".join(template_text(name) for name in names)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def fill(name: str, **words: str) -> str:
    """Fill a template; a missing or unknown word is a KeyError, a fault of the program."""
    return Template(template_text(name)).substitute(words)


def show_demonstrations(demonstrations: Sequence[Demonstration]) -> str:
    """Write demonstrations as question and answer, one blank line between."""
    return "\n\n".join(f"Question: {one.input}\nAnswer: {one.target}" for one in demonstrations)


def latm_propose(demonstrations: Sequence[Demonstration]) -> str:
    """LATM section 3.1, tool proposing: demonstrations in, a function out."""
    return fill("latm_propose", demonstrations=show_demonstrations(demonstrations))


def latm_verify(demonstrations: Sequence[Demonstration]) -> str:
    """LATM section 3.1, tool verification: held-out demonstrations in, tests out."""
    return fill("latm_verify", demonstrations=show_demonstrations(demonstrations))


def proved_propose(demonstrations: Sequence[Demonstration], seconds: float) -> str:
    """Ask for a whole module: parser, rebuilder, computation, answer form."""
    return fill(
        "proved_propose",
        demonstrations=show_demonstrations(demonstrations),
        modules=", ".join(GUEST_MODULES),
        seconds=f"{seconds:g}",
    )


def proved_second(demonstrations: Sequence[Demonstration]) -> str:
    """Ask, in other words, for an independent module of the same kind."""
    return fill(
        "proved_second",
        demonstrations=show_demonstrations(demonstrations),
        modules=", ".join(GUEST_MODULES),
    )


def proved_use(uses: Sequence[tuple[str, Value]], request: str) -> str:
    """Ask a light model for the arguments of one request (LATM section 3.2, tool using)."""
    examples = "\n\n".join(f"Request: {text}\nObject: {canonical(args)}" for text, args in uses)
    return fill("proved_use", examples=examples, request=request)


def dispatch(examples: Mapping[str, str], request: str) -> str:
    """LATM's dispatcher: one example a class, and ``unknown`` as an answer."""
    classes = "\n\n".join(f"Kind: {name}\nExample: {text}" for name, text in examples.items())
    return fill("dispatch", classes=classes, request=request)
