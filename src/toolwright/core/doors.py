"""The one door between synchronous callers and the asynchronous inside."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from toolwright.core.errors import ToolwrightError

T = TypeVar("T")


def run_sync(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from ordinary code.

    Raises:
        ToolwrightError: called from inside a running event loop; await the coroutine there.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    work.close()
    raise ToolwrightError(
        "run_sync was called inside an event loop: await the coroutine", code="loop"
    )
