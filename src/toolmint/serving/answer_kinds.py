"""What the answers of a class mean for its makings: a function, a learned tool, or neither."""

from collections.abc import Sequence

from toolmint.core.store import MakingReport
from toolmint.core.tokens import tokens_of
from toolmint.core.tool import Demonstration
from toolmint.core.values import Value
from toolmint.maker.learned import AnswerKind, answer_kind

CODE_TRIES = 2
"""Makings of a tool of code that fail before a class is left to learned tools, or alone."""
_NEWEST = 500
_COPIED = 0.9
FREE_TEXT = "its answers are free text, which no tool can learn; it is not tried again until they change kind"
_LEARNED = "its answers are a closed set: a learned tool is fitted once there are enough of them"


def kind_of(some: Sequence[Demonstration]) -> AnswerKind:
    """Return the kind of the newest answers of a class."""
    known = [(one.target, one.input) for one in some[-_NEWEST:] if one.target is not None]
    return answer_kind([target for target, _ in known], [asked for _, asked in known])


def is_free_text(some: Sequence[Demonstration]) -> bool:
    """Return whether answers are text that is not made of the requests' own words, as a sorted list is."""
    return kind_of(some).kind == "text" and not _is_copied(some[-_NEWEST:])


def _is_copied(some: Sequence[Demonstration]) -> bool:
    words = [(tokens_of(one.target or ""), set(tokens_of(one.input))) for one in some]
    copied = sum(sum(token in asked for token in said) for said, asked in words)
    return copied >= _COPIED * max(1, sum(len(said) for said, _ in words))


def kind_facts(some: Sequence[Demonstration], failed: int) -> dict[str, Value]:
    """Return what the report of a failed making says of the class's answers.

    ``failed``: how many makings have failed, with this one.
    """
    kind = kind_of(some)
    closed = kind.closed or kind.kind not in {"labels", "fields"}
    facts: dict[str, Value] = {
        "answers": kind.kind if closed else "open",
        "answers_said": kind.words,
    }
    if failed < CODE_TRIES:
        return facts
    if kind.kind == "text" and not is_free_text(some):
        facts["answers"] = "open"
    elif kind.kind == "text":
        facts["judgement"] = FREE_TEXT
    elif closed and kind.kind in {"labels", "fields"}:
        facts["judgement"] = _LEARNED
    return facts


def judged(reports: Sequence[MakingReport]) -> str | None:
    """Return the kind of answers that the last failed making found; None: there is none."""
    for one in reversed(reports):
        found = one.body.get("answers")
        if isinstance(found, str):
            return found
        if one.made:
            return None
    return None


def judgements(reports: Sequence[MakingReport]) -> dict[str, str]:
    """Return what the last making found of classes that no code answers, by class."""
    found: dict[str, str] = {}
    for one in reports:
        said = one.body.get("judgement")
        if one.made or not isinstance(said, str):
            found.pop(one.request_class, None)
        else:
            found[one.request_class] = said
    return found
