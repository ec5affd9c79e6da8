"""Results of calls that nobody made: data by the result schema, failures, and answers that tell them."""

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from toolmint.core.messages import ToolSpec
from toolmint.core.values import Value, canonical
from toolmint.synthesis.argument_values import value_for
from toolmint.synthesis.text_values import name_words
from toolmint.synthesis.word_lists import ANY_THINGS

_MOST_FIELDS = 4
_TEMPORARY = (
    "Error: HTTP 503: the service is not available",
    "Error: HTTP 429: too many requests, try again later",
    "Error: request timed out",
    "Error: connection reset by peer",
    "Error: HTTP 500: internal server error",
)
_DENIED = (
    "Error: HTTP 403: access denied",
    "Error: HTTP 401: the API key is not valid",
    "Error: this endpoint does not exist any more",
    "Error: HTTP 403: you are not subscribed to this API",
)


class Failure(NamedTuple):
    """What a failed call returned, and whether the same call may succeed later."""

    text: str
    temporary: bool


def failure_of(random: Random, *, temporary: bool) -> Failure:
    """Return the failure of a call in the words of a server."""
    return Failure(random.choice(_TEMPORARY if temporary else _DENIED), temporary)


def synthetic_result(spec: ToolSpec, arguments: Mapping[str, Value], random: Random) -> Value:
    """Return the result of a call: by the tool's result schema, else its arguments with a plain result.

    A field of the result that is named like an argument has the argument's value.
    """
    fields = (spec.returns or {}).get("properties")
    if not isinstance(fields, dict) or not fields:
        kept = {name: arguments[name] for name in list(arguments)[:2]}
        plain: Value = random.choice(("success", "ok", "done", random.choice(ANY_THINGS)))
        return {**kept, random.choice(("status", "result")): plain}
    found: dict[str, Value] = {}
    for name, field in list(fields.items())[:_MOST_FIELDS]:
        if name in arguments:
            found[name] = arguments[name]
            continue
        value = value_for(name, field if isinstance(field, dict) else {}, random, optional=1.0)
        found[name] = value if value is not None else random.choice(ANY_THINGS)
    return found


_LEADS = ("", "Here is what I found: ", "I found this: ", "This is the result: ", "The result: ")
_DONE = ("Done. ", "It is done. ", "All set. ", "")


def told_result(result: Value, random: Random, *, reads: bool) -> str:
    """Return an answer that tells a result in a sentence.

    Args:
        result: of the call.
        random: decides the wording.
        reads: the call looked something up; else it did something.
    """
    lead = random.choice(_LEADS if reads else _DONE)
    parts = [f"the {_name(name)} is {_plain(one)}" for name, one in _fields(result)]
    if not parts:
        return f"{lead}{_plain(result)}".strip()
    text = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    return f"{lead}{text[:1].upper()}{text[1:]}." if not lead.endswith(": ") else f"{lead}{text}."


def _fields(result: Value) -> list[tuple[str, Value]]:
    return list(result.items())[:_MOST_FIELDS] if isinstance(result, dict) else []


def _name(name: str) -> str:
    return " ".join(word.lower() for word in name_words(name)) or name


def _plain(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "empty"
    return canonical(value) if isinstance(value, dict) else str(value).rstrip(".")
