"""Render prompts from template files. The digest of the templates goes into every turn."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from string import Template

from toolmint.core.guest_modules import GUEST_MODULES
from toolmint.core.tool import Demonstration
from toolmint.core.values import Value, canonical


@cache
def template_text(name: str) -> str:
    """Return the text of a template file, stripped."""
    return (
        resources.files("toolmint.roles")
        .joinpath(f"templates/{name}.md")
        .read_text("utf-8")
        .strip()
    )


@cache
def template_digest(*names: str) -> str:
    """Return a digest (12 hex characters) of prompt templates, in order."""
    text = "\0".join(template_text(name) for name in names)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def fill(name: str, **values: str) -> str:
    """Return a template with its placeholders filled; a missing value is a KeyError."""
    return Template(template_text(name)).substitute(values)


def show_demonstrations(demonstrations: Sequence[Demonstration]) -> str:
    """Return demonstrations as questions and answers, separated by blank lines."""
    return "\n\n".join(f"Question: {one.input}\nAnswer: {one.target}" for one in demonstrations)


def latm_propose(demonstrations: Sequence[Demonstration]) -> str:
    """Return the prompt of tool proposing (LATM section 3.1): demonstrations in, a function out."""
    return fill("latm_propose", demonstrations=show_demonstrations(demonstrations))


def latm_verify(demonstrations: Sequence[Demonstration]) -> str:
    """Return the prompt of tool verification (LATM section 3.1): held-out demonstrations in, tests out."""
    return fill("latm_verify", demonstrations=show_demonstrations(demonstrations))


def proved_propose(demonstrations: Sequence[Demonstration], seconds: float) -> str:
    """Return the prompt for a module with ``parse``, ``unparse``, ``solve`` and ``render``."""
    return fill(
        "proved_propose",
        demonstrations=show_demonstrations(demonstrations),
        modules=", ".join(GUEST_MODULES),
        seconds=f"{seconds:g}",
    )


def proved_second(demonstrations: Sequence[Demonstration]) -> str:
    """Return the prompt for an independent second module, in other words than the first."""
    return fill(
        "proved_second",
        demonstrations=show_demonstrations(demonstrations),
        modules=", ".join(GUEST_MODULES),
    )


def proved_use(uses: Sequence[tuple[str, Value]], request: str) -> str:
    """Return the prompt for the arguments of one request (tool using, LATM section 3.2)."""
    examples = "\n\n".join(f"Request: {text}\nObject: {canonical(args)}" for text, args in uses)
    return fill("proved_use", examples=examples, request=request)


def dispatch(examples: Mapping[str, str], request: str) -> str:
    """Return the prompt of LATM's dispatcher: one example for each class; ``unknown`` is an answer."""
    classes = "\n\n".join(f"Kind: {name}\nExample: {text}" for name, text in examples.items())
    return fill("dispatch", classes=classes, request=request)
