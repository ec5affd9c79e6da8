"""A judge with its model, closed together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from toolwright.assembly.uri import model_of
from toolwright.evaluation.judge import Judge
from toolwright.models.wrap import close


@asynccontextmanager
async def judge_of(uri: str) -> AsyncGenerator[Judge]:
    """Give the judge whose model a URI names.

    Raises:
        ConfigError: the URI is wrong, or a key is missing.
    """
    model = model_of(uri)
    try:
        yield Judge(model)
    finally:
        await close(model)
