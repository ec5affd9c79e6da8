"""How the marks of the ``marked`` family are written for a pretrained model.

Models that are trained here from random weights have a token for each mark. A pretrained model knows the
turns of its chat template, so each mark is written as the beginning of a turn, and its vocabulary stays.
"""

import re
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from toolmint.core.errors import ConfigError
from toolmint.core.messages import Frozen

TURNS_FILE = "turns.json"


class TextPart(NamedTuple):
    """A part of a text; ``control`` parts may hold special tokens, others are plain text."""

    text: str
    control: bool


class TurnTexts(Frozen):
    """The texts in place of the marks.

    Attributes:
        begin: the beginning of a turn, by mark.
        end: the end of a turn; its first token ends a reply.
        end_mark: the mark that a role's turn ends with.
        context: marks whose turns have no end mark; they end where the next turn begins.
    """

    begin: dict[str, str]
    end: str
    end_mark: str
    context: tuple[str, ...]

    @cached_property
    def _marks(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(mark) for mark in (*self.begin, self.end_mark)))

    def parts(self, text: str) -> list[TextPart]:
        """Return a text with marks as parts, in order; a context turn at the text's end is ended too."""
        found: list[TextPart] = []
        place, unended = 0, False
        for match in self._marks.finditer(text):
            _add(found, text[place : match.start()], control=False)
            if unended:
                _add(found, self.end, control=True)
            mark = match[0]
            unended = mark in self.context
            _add(found, self.begin.get(mark, self.end), control=True)
            place = match.end()
        _add(found, text[place:], control=False)
        if unended:
            _add(found, self.end, control=True)
        return found

    def render(self, text: str) -> str:
        """Return the whole text for a server that parses special tokens itself."""
        return "".join(part.text for part in self.parts(text))


def _add(parts: list[TextPart], text: str, *, control: bool) -> None:
    if text:
        parts.append(TextPart(text, control))


def read_turns(folder: Path) -> TurnTexts | None:
    """Return the turn texts of a model's folder; None: its marks are tokens.

    Raises:
        ConfigError: the folder's ``turns.json`` cannot be read.
    """
    path = folder / TURNS_FILE
    if not path.is_file():
        return None
    try:
        return TurnTexts.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as fault:
        raise ConfigError(
            f"{str(path)!r} does not say how marks are written: {fault.errors()[0]['msg']}",
            code="model-folder",
        ) from fault
