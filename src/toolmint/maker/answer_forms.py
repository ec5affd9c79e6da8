"""The form of an answer as text: a number, a choice, a label, a JSON object of certain keys, or free text."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, cast

FormKind = Literal["number", "choice", "label", "object", "list", "text"]
_NUMBER = re.compile(r"[-+]?\s?[$€£¥]?\s?[-+]?\d[\d.,:/\s-]*\s?[%$€£¥]?")
_CHOICE = re.compile(r"\(?[A-Za-z]\)")
_FEW_NUMBERS = 10
"""Different numbers among which a rating chooses; more of them are computed."""
_EACH = 5
LABEL_WORDS = 8
"""Words of a label at most."""


class AnswerForm(NamedTuple):
    """A form; ``keys`` are those of an object, sorted."""

    kind: FormKind
    keys: tuple[str, ...] = ()


def answer_forms(answers: Sequence[str]) -> list[AnswerForm]:
    """Return the form of each answer of a file.

    A short answer that comes more than once is a label; so is a number, where the whole file has few
    different ones and each of them often.
    """
    texts = [one.strip() for one in answers]
    seen = Counter(texts)
    numbers = [text for text in texts if _NUMBER.fullmatch(text)]
    different = len(set(numbers))
    rated = different <= _FEW_NUMBERS and len(numbers) >= _EACH * different
    known = {text: _form(text, seen[text], rated=rated) for text in seen}
    return [known[text] for text in texts]


def _form(text: str, count: int, *, rated: bool) -> AnswerForm:
    if text.startswith("{"):
        keys = _keys(text)
        if keys is not None:
            return AnswerForm("object", keys)
    if text.startswith("[") and text.endswith("]"):
        return AnswerForm("list")
    if _NUMBER.fullmatch(text):
        return AnswerForm("label" if rated else "number")
    if _CHOICE.fullmatch(text):
        return AnswerForm("choice")
    short = len(text.split()) <= LABEL_WORDS
    return AnswerForm("label" if short and count > 1 else "text")


def _keys(text: str) -> tuple[str, ...] | None:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return tuple(sorted(cast("dict[str, Any]", value))) if isinstance(value, dict) else None
