"""What is seen of a file of demonstrations, as a table for the terminal and as JSON."""

from typing import Any

from rich.table import Table

from toolmint.cli.common import console, say
from toolmint.core.values import clip
from toolmint.maker.survey import FileSurvey

_SHOWN = 5
_TEXT = 60


def show_survey(seen: FileSurvey, file: str) -> None:
    """Print the classes of a file, and what is doubtful in it."""
    table = Table(
        "class", "requests", "wordings", "answers", "tool", "why", title=f"{file!r} holds"
    )
    for one in seen.classes:
        called = one.name if one.title == one.name else f"{one.name} ({one.title})"
        table.add_row(called, str(one.requests), str(one.wordings), one.answers, one.fits, one.why)
    console().print(table)
    for doubt in seen.contradictions[:_SHOWN]:
        answers = " and ".join(repr(clip(one, _TEXT)) for one in doubt.answers)
        say(f"contradiction: {clip(doubt.input, _TEXT)!r} is answered {answers}")
    for alike in seen.near_duplicates[:_SHOWN]:
        texts = " and ".join(repr(clip(one, _TEXT)) for one in alike[:2])
        say(f"near duplicates: {texts}")
    _say_rest("contradictions", sum(one.contradictions for one in seen.classes))
    _say_rest("near duplicates", sum(one.near_duplicates for one in seen.classes))


def _say_rest(what: str, count: int) -> None:
    if count > _SHOWN:
        say(f"{what} in all: {count}; --json lists the first of each")


def survey_value(seen: FileSurvey) -> dict[str, Any]:
    """Return a survey as JSON values; which demonstrations a class has is left out."""
    return seen.model_dump(mode="json", exclude={"classes": {"__all__": {"places"}}})
