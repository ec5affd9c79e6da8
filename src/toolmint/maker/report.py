"""What a making leaves: the tool, the class's title, the usage, and a report of every step."""

from toolmint.core.messages import Frozen
from toolmint.core.model import Usage
from toolmint.core.tool import Demonstration, ToolRecord
from toolmint.core.values import Value, clip

MAX_TITLE = 60
_HEAD_LINES = 12
_MAX_CASE = 400  # characters of the first case in a reason
_QUOTES = ('"""', "'''")


class HeldOut(Frozen):
    """What a learned tool makes of demonstrations that it was not fitted on.

    Attributes:
        trials: those that it answered.
        wrong: how many of them wrongly.
        seen: all, each weighted by how seldom the like of it is labelled; ``answered`` those that it
            answered, ``rival`` those that the version before it answers.
    """

    trials: int = 0
    wrong: int = 0
    seen: float = 0.0
    answered: float = 0.0
    rival: float = 0.0


class MakingResult(Frozen):
    """How a making ended.

    Attributes:
        record: the verified tool; None if the making failed.
        title: the maker's name for the class, for people to read; None if it gave none.
        body: the report: every prompt, reply, stage and token, as JSON values.
        usage: what all model calls of the making used.
        unanswered: demonstrations that the tool does not answer yet: repair work.
        weights: of a learned tool, with what it makes of held-out demonstrations.
    """

    record: ToolRecord | None
    title: str | None = None
    body: dict[str, Value]
    usage: Usage
    unanswered: tuple[Demonstration, ...] = ()
    weights: bytes | None = None
    held_out: HeldOut | None = None


def short_reason(ending: str, *, case: bool) -> str:
    """Return why a making ended, in one line; with the first case where it lists some, or without.

    A case quotes a request, which belongs into no log.
    """
    first, _, rest = ending.strip().partition("\n")
    if not first:
        return "no reason is known"
    if not first.endswith(":") or not case:
        return first.removesuffix(":")
    shown, _, _ = rest.strip().removeprefix("- ").partition("\n- ")
    words = "; ".join(line.strip() for line in shown.splitlines() if line.strip())
    return f"{first} {clip(words, _MAX_CASE)}" if words else first.removesuffix(":")


def title_of(source: str) -> str | None:
    """Return the title that a proposed module gives its class, or None.

    The title is a comment ``# title: ...`` among the first lines, else the first line of the module's
    docstring. The text is scanned line by line and never parsed: the source is not trusted here.
    """
    head = [line.strip() for line in source.splitlines()[:_HEAD_LINES]]
    for line in head:
        label, colon, text = line.lstrip("# ").partition(":")
        if line.startswith("#") and colon and label.strip().lower() == "title":
            return _clean(text)
    code = [line for line in head if line and not line.startswith("#")]
    for number, line in enumerate(code[:1]):
        for quotes in _QUOTES:
            if line.lower().startswith((quotes, f"r{quotes}")):
                text = line.partition(quotes)[2].partition(quotes)[0]
                return _clean(text or (code[number + 1] if number + 1 < len(code) else ""))
    return None


def _clean(text: str) -> str | None:
    title = text.strip().strip("\"'`").rstrip(".").strip()
    return title if title and len(title) <= MAX_TITLE and title.isprintable() else None
