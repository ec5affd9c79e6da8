"""A judge with its model, closed together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from toolmint.assembly.uri import model_of
from toolmint.evaluation.judge import ModelJudge
from toolmint.models.wrap import close


@asynccontextmanager
async def judge_of(uri: str) -> AsyncGenerator[ModelJudge]:
    """Return the judge whose model a URI names.

    Raises:
        ConfigError: the URI is wrong, or a key is missing.
    """
    model = model_of(uri)
    try:
        yield ModelJudge(model)
    finally:
        await close(model)
