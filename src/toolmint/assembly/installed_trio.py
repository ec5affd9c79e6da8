"""Which trio plays an agent where nobody names a model: one that is installed and speaks English, or none."""

from toolmint.embedded import english_trio_path

ENGLISH_TRIO = "embedded:english"
"""A trio that is trained on natural requests, where it is installed beside the package."""


def preferred_trio() -> str | None:
    """Return the URI of the installed trio that may stand in for a model; None where none is installed.

    The trio of ToolWorld is never that one: with other tools it answers in confidence and is wrong.
    """
    return ENGLISH_TRIO if english_trio_path().is_dir() else None
