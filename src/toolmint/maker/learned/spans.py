"""Fields of an answer that are copied from the request: finds their shape, and copies them again."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

_CLOSED = 0.3  # share of values that occur once, up to which a field is a closed set
_COVERED = 0.95  # share of a field's values that must be copies of the shape
_RUN = re.compile(r"\d+|[^\W\d_]+|[\W_]")
_PLAIN = re.compile(r"[^\"\\\x00-\x1f]+")
_LONGEST = 200


class Spans(NamedTuple):
    """The copied fields of a class, and the pattern that the copy of each has."""

    patterns: Mapping[str, str]

    def template(self, answer: str, request: str) -> str:
        """Return an answer with the copied fields left open; as it is, where a value is no such copy."""
        open_answer = answer
        for name in self.patterns:
            found = _field(name).search(open_answer)
            if found is None or self.copied(name, request) != found[2]:
                return answer
            open_answer = (
                f"{open_answer[: found.start(2)]}{_mark(name)}{open_answer[found.end(2) :]}"
            )
        return open_answer

    def copied(self, name: str, request: str) -> str | None:
        """Return what a request has of a field's shape; None: nothing, or several."""
        found = {one[0] for one in re.finditer(self.patterns[name], request)}
        return found.pop() if len(found) == 1 else None

    def filled(self, template: str, request: str) -> str | None:
        """Return the answer to a request; None: a copied field has no value in it, or several."""
        for name in self.patterns:
            if _mark(name) in template:
                value = self.copied(name, request)
                if value is None:
                    return None
                template = template.replace(_mark(name), value)
        return template


def _mark(name: str) -> str:
    return f"⟨{name}⟩"


def _field(name: str) -> re.Pattern[str]:
    return re.compile(rf'({re.escape(json.dumps(name, ensure_ascii=False))}\s*:\s*")([^"\\]*)(?=")')


def spans_of(answers: Sequence[str], requests: Sequence[str]) -> Spans | None:
    """Return the copied fields of a class of JSON objects.

    Args:
        answers: JSON objects as text.
        requests: the request of each.

    Returns:
        The fields whose values are no closed set, with their patterns, perhaps none; None: such a field is no
        copy, so that the answers cannot be learnt.
    """
    values: dict[str, list[tuple[object, str]]] = {}
    for answer, request in zip(answers, requests, strict=True):
        try:
            value: Any = json.loads(answer)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            for name, one in cast("dict[str, object]", value).items():
                values.setdefault(name, []).append((one, request))
    patterns: dict[str, str] = {}
    for name, pairs in values.items():
        counts = Counter(json.dumps(one, sort_keys=True) for one, _ in pairs)
        if sum(1 for count in counts.values() if count == 1) <= _CLOSED * len(pairs):
            continue
        pattern = _pattern(pairs)
        if pattern is None:
            return None
        patterns[name] = pattern
    return Spans(patterns)


def _pattern(pairs: Sequence[tuple[object, str]]) -> str | None:
    """Return the pattern that the copies of a field have in common; None: they are no copies of one shape."""
    shapes: Counter[tuple[str, ...]] = Counter()
    copies: dict[tuple[str, ...], list[list[str]]] = {}
    for value, request in pairs:
        if (
            isinstance(value, str)
            and len(value) <= _LONGEST
            and _PLAIN.fullmatch(value)
            and value in request
        ):
            runs = _RUN.findall(value)
            shape = tuple(_kind(run) for run in runs)
            shapes[shape] += 1
            copies.setdefault(shape, []).append(runs)
    if not shapes or shapes.most_common(1)[0][1] < _COVERED * len(pairs):
        return None
    shape = shapes.most_common(1)[0][0]
    parts: list[str] = []
    for kind, runs in zip(shape, zip(*copies[shape], strict=True), strict=True):
        lengths = [len(run) for run in runs]
        same = len(set(runs)) == 1
        span = f"{{{min(lengths)},{max(lengths)}}}"
        parts.append(re.escape(runs[0]) if same else f"{kind}{span}")
    return rf"(?<!\w){''.join(parts)}(?!\w)"


def _kind(run: str) -> str:
    if run.isdigit():
        return r"\d"
    if run.isalpha():
        return "[A-Z]" if run.isascii() and run.isupper() else r"[^\W\d_]"
    return re.escape(run)
