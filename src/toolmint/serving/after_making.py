"""What follows a making: repair work is queued, classes that the tool answers are joined, faults reported."""

from collections.abc import Collection

from toolmint.core.errors import ToolmintError
from toolmint.core.store import MakingReport
from toolmint.maker.making_run import MakeRequest, MakingResult
from toolmint.serving.kinds import join_answered
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.server import ToolServer


async def after_making(
    server: ToolServer,
    entry: ActiveVersion,
    request: MakeRequest,
    result: MakingResult,
    busy: Collection[str],
) -> None:
    """Queue what a new tool does not answer, as repair work, and join the classes that it answers.

    ``busy`` are classes whose own tool is being made.
    """
    if not request.clustered:  # what came from the queue stands there
        for one in result.unanswered:
            await server.store.enqueue(request.request_class, one)
    await join_answered(server, entry, busy)


async def report_fault(server: ToolServer, name: str, fault: ToolmintError) -> None:
    """Leave a report of a making that could not begin."""
    body = {"ending": str(fault), "steps": [{"kind": "error", "text": f"[{fault.code}] {fault}"}]}
    await server.store.report(MakingReport(request_class=name, made=False, body=body))
