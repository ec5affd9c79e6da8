"""Errors have a stable code and say whether trying again may help."""

from pathlib import Path

from toolmint import NoAnswer, Toolmint, ToolmintError


def answer(store: Path, request: str) -> str | None:
    with Toolmint(store=store) as client:
        try:
            return client.solve(request).answer
        except NoAnswer as error:
            print(error.code)  # no-answer: no tool understands it, and no model is configured
        except ToolmintError as error:
            if not error.retryable:
                raise
        return None
