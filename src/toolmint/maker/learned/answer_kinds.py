"""Says what kind of answers a class has: a closed set, fields, values, options of the request, or text."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast

from toolmint.core.messages import Frozen

AnswerKindName: TypeAlias = Literal["labels", "fields", "values", "options", "text"]

_LABEL_CHARACTERS, _LABEL_WORDS = 100, 10
_NEW = 0.3  # chance that the next answer is new, up to which a set counts as closed
_TOLD = 100  # answers from which a set that stays open counts as text
_STRAY = 0.05  # share of answers that may be of another kind
_VALUE = re.compile(
    r"[-+(]?[$€£¥]?\d[\d.,:/\sT%-]*(e[-+]?\d+)?[$€£¥%)]?Z?|true|false|null|none|nan|\[.*\]",
    re.IGNORECASE | re.DOTALL,
)
_MARK = re.compile(r"\(?([A-Za-z]|\d{1,2})[).:]?")


class AnswerKind(Frozen):
    """What kind of answers a class has.

    Attributes:
        kind: ``labels`` (a closed set), ``fields`` (JSON objects with the same keys, of which one at least
            is a closed set), ``values`` (numbers, dates, lists: a computation), ``options`` (each names one
            of the options that its own request lists) or ``text`` (free).
        answers: answers looked at.
        distinct: different answers; for ``fields``, different values of the closed fields.
        new: estimated chance that the next answer is one never seen (Good and Turing: the share of
            answers that occur once).
        closed: whether the set is known to be closed; False with ``labels``: too few answers to tell.
        words: all this in a line.
    """

    kind: AnswerKindName
    answers: int
    distinct: int
    new: float
    closed: bool
    words: str


def answer_kind(outputs: Sequence[str], requests: Sequence[str] = ()) -> AnswerKind:
    """Return what kind of answers a class has.

    Args:
        outputs: the answers.
        requests: the request of each answer, in the same order; without them ``options`` is never found.
    """
    texts = [text.strip() for text in outputs]
    counts = Counter(texts)
    new = sum(1 for count in counts.values() if count == 1) / max(len(texts), 1)
    fields = _closed_fields(texts)

    def kind(name: AnswerKindName, words: str, *, closed: bool, distinct: int = 0) -> AnswerKind:
        return AnswerKind(
            kind=name,
            answers=len(texts),
            distinct=distinct or len(counts),
            new=round(new, 4),
            closed=closed,
            words=words,
        )

    if fields:
        shut = {name: values for name, values in fields.items() if values}
        said = ", ".join(f"{name!r} ({values} values)" for name, values in list(shut.items())[:5])
        words = f"fields: JSON objects of {len(fields)} fields; closed sets: {said}"
        return kind("fields", words, closed=True, distinct=sum(shut.values()))
    if requests and names_options(texts, requests):
        return kind("options", "each answer names an option of its own request", closed=True)
    if not texts or sum(map(_short, texts)) < (1 - _STRAY) * len(texts):
        return kind("text", f"free text: {len(counts)} different answers", closed=False)
    if new <= _NEW:
        return kind("labels", f"labels: {len(counts)} in {len(texts)} answers", closed=True)
    if sum(_VALUE.fullmatch(text) is not None for text in texts) >= (1 - _STRAY) * len(texts):
        return kind("values", f"values: {len(counts)} different ones", closed=False)
    once = f"{round(new * len(texts))} of {len(texts)}"
    if len(texts) >= _TOLD:
        return kind("text", f"free text: {once} short answers occur once", closed=False)
    words = f"labels, as far as can be told: {once} answers occur once"
    return kind("labels", words, closed=False)


def _short(text: str) -> bool:
    return len(text) <= _LABEL_CHARACTERS and "\n" not in text and text.count(" ") < _LABEL_WORDS


def names_options(texts: Sequence[str], requests: Sequence[str]) -> bool:
    """Return whether the answers are marks, such as ``(A)``, of options that each request lists anew.

    The same mark means something else in each request, so nothing about it can be learnt from others.
    """
    if not all(_MARK.fullmatch(text) for text in set(texts)):
        return False
    options: list[str] = []
    for text, request in zip(texts, requests, strict=True):
        listed = re.search(rf"(?:^|[\n,;:])\s*{re.escape(text)}(?!\w)(.*)", request)
        if listed is not None:
            options.append(f"{text}{listed[1].strip()[:200]}")
    marks = len(set(texts))
    return len(options) >= (1 - _STRAY) * len(texts) and len(set(options)) > 2 * marks


def _closed_fields(texts: Sequence[str]) -> dict[str, int]:
    """Return for each field the values that it takes, 0 if it is open; nothing: these are no fields."""
    if not texts or sum(text.startswith("{") for text in texts) < (1 - _STRAY) * len(texts):
        return {}
    values: dict[str, Counter[str]] = {}
    keys: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        try:
            value: Any = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found = cast("dict[str, object]", value)
            keys[tuple(sorted(found))] += 1
            for name, one in found.items():
                values.setdefault(name, Counter())[json.dumps(one)] += 1
    if not keys or keys.most_common(1)[0][1] < (1 - _STRAY) * len(texts):
        return {}
    names = keys.most_common(1)[0][0]
    closed = {name: _closed(values[name]) for name in names}
    return closed if any(closed.values()) else {}


def _closed(counts: Counter[str]) -> int:
    once = sum(1 for count in counts.values() if count == 1)
    return len(counts) if once <= _NEW * counts.total() else 0
